/*
 * limit.h - room in a limit: the question of a delivery, and the pure rules of slots.
 *
 * A limit has a scope (whose it is) and up to three bounds (of what).  The bound on deliveries
 * under way is kept as leases: a holder has a slot until it gives it back, or until the lease
 * runs out because nobody renewed it.  The bounds on messages and recipients are rates (gcra.h),
 * one or several of them at the same time: windows.
 */
#ifndef WEIR_LIMIT_H
#define WEIR_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "rules/bound.h"
#include "rules/key.h"
#include "rules/overrides.h"
#include "rules/query.h"
#include "rules/term.h"

/* One bound in which there must be room; of a rate one of its windows. */
struct limit_use {
	enum limit_scope scope : 8;
	enum limit_kind kind   : 8;
	unsigned window        : 8; /* 0: the longest */
	bool observed;              /* never refuses; takes nothing where it would */
	int64_t count;              /* deliveries at once, or events in per_ms */
	int64_t per_ms;
	int64_t burst; /* of a rate, as in struct conf_rate */
	struct key key;
};

/* Scopes and kinds; and all of one recipient, windows counted. */
#define LIMIT_BOUNDS   (SCOPES * LIMIT_KINDS)
#define LIMIT_RATES    (SCOPES * (LIMIT_KINDS - 1))
#define LIMIT_USES_MAX (SCOPES + LIMIT_RATES * RATE_WINDOWS_MAX)

/* Uses as a set: bit i is use i.  Redis' scripts hold it in a double. */
typedef uint64_t limit_set;
#define LIMIT_BIT(i) (UINT64_C(1) << (i))
_Static_assert(LIMIT_USES_MAX < 53, "a bit for each use");

/* No lease is made for longer: the most that limits.lease and policyd.hold may be. */
#define LEASE_MAX_MS INT64_C(3600000)

/* "m/" or "p/", node, '/', address, ':', port */
#define HOLDER_MAX (2 + 64 + 1 + 45 + 1 + 20)

/* A number for scope and kind, below LIMIT_BOUNDS. */
static inline int
limit_bound(const struct limit_use *use)
{
	return (int)use->scope * LIMIT_KINDS + (int)use->kind;
}

/* Of a rate: a number for scope, kind and window, by which notes name it. */
static inline int
limit_note_bit(const struct limit_use *use)
{
	return (int)use->window * LIMIT_RATES + (int)use->scope * (LIMIT_KINDS - 1) +
	       (int)use->kind - LIMIT_MESSAGES;
}

/* Of a rate. */
static inline struct conf_rate
limit_rate(const struct limit_use *use)
{
	return (struct conf_rate){use->count, use->per_ms, use->burst};
}

/*
 * A session has two names: as policyd knows it ("p/...") and as the milter does ("m/...").  At
 * most one of them holds a slot: the milter takes over what policyd has, and policyd leaves
 * alone what the milter has.
 */
struct limits_ask {
	char holder[HOLDER_MAX + 1];
	char other[HOLDER_MAX + 1];
	bool takes_over;
	bool only_held;     /* ASK_RENEW: a lease that is gone is not taken again */
	int64_t ttl_ms;     /* how long the lease holds */
	int64_t ttl_max_ms; /* a lease that ends later was made by a clock set back since */
	int64_t now_ms;     /* 0: the store's own clock; else the test clock */
	/* 0: not known, or no matter; else the store's clock has to show this, nearly. */
	int64_t store_ms;
	int64_t tolerance_ms;
	limit_set mine; /* the delivery has the slots of these uses already */
	/*
	 * Which rates of this session's recipient were taken already: policyd notes them, with
	 * the message's number, and the milter uses the note up.  What policyd has then observed
	 * of a limit, the milter does not tell again.  Read when limits_have_note().
	 */
	struct key note;
	uint64_t message; /* below 2^53; policyd's instance */
	size_t n;
	struct limit_use uses[LIMIT_USES_MAX];
};

struct limits_result {
	bool granted;
	/* The use that refused; when granted, the first observed one that would have; or -1. */
	int refused;
	limit_set taken; /* something was taken, or is held, for these uses */
	int64_t held;    /* slots held at the first concurrency bound, ours among them */
	int64_t wait_ms; /* until a rate has room again; 0 = unknown */
	/* Neither granted nor refused: the daemon is not signed in, or others are not (term.h). */
	bool not_yet;
	enum term_row row; /* then: its own */
	int64_t store_ms;  /* the store's clock, where it can step */
	bool late;         /* ASK_RENEW: a lease had run out and was taken again */
	bool lost; /* ASK_RENEW: a lease had run out, and there was no room any more */
};

/* What is known of a use when it is judged: `held` and `has` of slots, the others of a rate. */
struct limit_fact {
	int64_t held;   /* slots in force */
	bool has;       /* the session has one of them, under either name */
	int64_t tat_us; /* gcra.h */
	bool noted;     /* the recipient was counted before */
};

/* Whether there is room for one more; *wait_ms_out: until a rate has room, 0: now, or not known. */
bool limit_has_room(const struct limit_use *use, const struct limit_fact *fact,
                    int64_t now_us, int64_t *wait_ms_out);

/*
 * THE rule of limits, whose twin is limits.lua: judges use `i`, the uses in turn, from the first on.
 * The result begins as {.granted = true, .refused = -1}.  False: the use refuses, so that nothing is
 * taken and no other matters.  `is_told`: policyd has reported already what is only observed.
 */
bool limits_judge(const struct limits_ask *ask, size_t i, const struct limit_fact *fact,
                  bool is_told, int64_t now_us, struct limits_result *result);

/* Of ASK_RENEW: whether a lease goes on, or is taken again; notes what was late or lost. */
bool limit_renews(const struct limits_ask *ask, const struct limit_use *use,
                  const struct limit_fact *fact, struct limits_result *result);

/* The limit of those that have none of their own. */
const struct conf_limit *limit_of_others(const struct conf *conf, enum limit_scope scope);

/* The groups of senders, users or mailboxes; NULL of the other scopes. */
const struct conf_groups *limit_groups(const struct conf *conf, enum limit_scope scope);

/* Whether it bounds anything. */
bool limit_is_set(const struct conf_limit *limit);

/* "destination", "client", "sender", "user", "mailbox" */
const char *limit_scope_word(enum limit_scope scope);

/* A limit that applies to a recipient, and whose it is. */
struct limit_of {
	enum limit_scope scope;
	bool unnamed; /* a destination that is a mere domain, under limits.default */
	bool shared;  /* one count for all members of the group */
	const struct conf_limit *limit; /* lives as long as the settings */
	const struct conf_group *group; /* that it is of; NULL: none */
	struct slice name; /* "acme", "192.0.2.0/24", ...; of a shared group its name */
};

/*
 * Which limits apply to the recipient of a query in its normal form; how many.  `identity` is the client's, empty when it has
 * none.  Names live in the arena or point into the settings and the query.
 */
size_t limits_find(const struct conf *conf, const struct overrides *overrides,
                   const struct query *query, struct slice identity, int64_t now_s,
                   struct arena *arena, struct limit_of limits_out[SCOPES]);

/*
 * The limit of a destination at `now_s`: that of the settings, but for the bounds for which the
 * operator has ordered another.  `known` and `name` as in orders_destination().
 */
const struct conf_limit *limit_in_force(const struct conf *conf,
                                        const struct overrides *overrides,
                                        const struct conf_destination *known,
                                        struct slice name, int64_t now_s,
                                        struct arena *arena);

/* Under which key a destination's slots are; `unnamed` as in struct limit_of. */
struct key limit_slots_key(const struct key_secret *secret, bool unnamed,
                           struct slice destination);

/* The key of a use of that limit, of which name, scope, unnamed and shared matter. */
struct key limit_use_key(const struct key_secret *secret, const struct limit_use *use,
                         const struct limit_of *of);

/*
 * The destination of a recipient: the name of a configured one, else the domain itself; empty when it
 * is not known.  destination_out: the configured one, or NULL.
 */
struct slice limit_destination(const struct conf *conf, const struct query *query,
                               const struct conf_destination **destination_out);

/* One use for each bound of these limits, and for each window of a rate. */
void limits_uses(const struct limit_of *limits, size_t n, const struct key_secret *secret,
                 struct limits_ask *ask);

/* Keeps those uses only that are in the set, such as limits_result.taken. */
void limits_keep(struct limits_ask *ask, limit_set wanted);

/* The uses that are rates; and whether there is any. */
limit_set limits_rates(const struct limits_ask *ask);
bool limits_have_rates(const struct limits_ask *ask);

/* Whether policyd leaves a note for the milter: there are rates, or limits that are only observed. */
bool limits_have_note(const struct limits_ask *ask);

/*
 * "m/mx1/192.0.2.1:2525": who holds the slots of a session.  `kind` is 'm' or 'p'.  False when
 * address or port are not known: the name has the serial then, which the other daemon cannot know.
 */
bool limits_print_holder(char kind, const char *node, const struct query *query,
                         uint64_t serial, char holder_out[HOLDER_MAX + 1]);

#endif
