/*
 * share.h - this host's share of the limits, for while the store is away.
 *
 * Each of the site's nodes then keeps to its part of each limit (limits divided by `nodes`, at
 * least 1), so that an outage is not unlimited.  Slots are counted at all times, rates only while
 * they are judged here.
 */
#ifndef WEIR_SHARE_H
#define WEIR_SHARE_H

#include "rules/limit.h"

struct share;

struct share *share_new(void);
void share_free(struct share **share);

/* A delivery holds a slot, or no longer. */
void share_hold(struct share *share, const struct key *key);
void share_drop(struct share *share, const struct key *key);

/*
 * So many more, or fewer, of those slots are of deliveries whose end others may have heard: they
 * count here, but the store knows better.
 */
void share_quiet(struct share *share, const struct key *key, int by);

/*
 * Room in every limit, or in none.  Bit i of `mine`: the delivery has the slot of use i already.
 * Tokens of rates are taken when all is granted; slots are counted by share_hold().
 */
void share_judge(struct share *share, const struct limits_ask *ask, limit_set mine,
                 int64_t nodes, int64_t now_us, struct limits_result *result_out);

/* A token of that rate was taken for nothing. */
void share_give_back(struct share *share, const struct limit_use *use, int64_t nodes,
                     int64_t now_us);

/*
 * Whether the deliveries of this process alone take up one of the limits: then there is no need to
 * ask the store, and no harm if its leases have run out.  The result is the refusal.
 */
bool share_is_full(const struct share *share, const struct limits_ask *ask,
                   struct limits_result *result_out);

#endif
