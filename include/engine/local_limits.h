/*
 * local_limits.h - this host's part of the limits, for while the store is away.
 *
 * Each of the site's nodes then keeps to its part of each limit (limits divided by `nodes`, at
 * least 1), so that an outage is not unlimited.  Slots are counted at all times, rates only while
 * they are judged here.
 */
#ifndef WEIR_LOCAL_LIMITS_H
#define WEIR_LOCAL_LIMITS_H

#include "rules/limit.h"

struct local_limits;

struct local_limits *local_limits_new(void);
void local_limits_free(struct local_limits **local);

/* A delivery holds a slot, or no longer. */
void local_limits_hold(struct local_limits *local, const struct key *key);
void local_limits_drop(struct local_limits *local, const struct key *key);

/*
 * So many more, or fewer, of those slots are of deliveries whose end others may have heard: they
 * count here, but the store knows better.
 */
void local_limits_quiet(struct local_limits *local, const struct key *key, int by);

/*
 * Room in every limit, or in none.  Bit i of `mine`: the delivery has the slot of use i already.
 * Tokens of rates are taken when all is granted; slots are counted by local_limits_hold().
 */
void local_limits_judge(struct local_limits *local, const struct limits_ask *ask,
                        limit_set mine, int64_t nodes, int64_t now_us,
                        struct limits_result *result_out);

/* A token of that rate was taken for nothing. */
void local_limits_give_back(struct local_limits *local, const struct limit_use *use,
                            int64_t nodes, int64_t now_us);

/*
 * Whether the deliveries of this process alone take up one of the limits: then there is no need to
 * ask the store, and no harm if its leases have run out.  The result is the refusal.
 */
bool local_limits_is_full(const struct local_limits *local, const struct limits_ask *ask,
                          struct limits_result *result_out);

#endif
