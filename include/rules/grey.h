/*
 * grey.h - the rules of greylisting on one record and a time (RFC 6647).
 *
 * Pure.  The embedded store runs these functions; lib/redis/scripts/{triplet,identity}.lua are
 * their twins inside Redis, and the store tests hold both equal.
 */
#ifndef WEIR_GREY_H
#define WEIR_GREY_H

#include <stdbool.h>
#include <stdint.h>

struct grey_rules {
	int64_t delay_s;
	int64_t retry_window_s;
	int64_t lifetime_s;
	int64_t allow_client_after; /* passed triplets that allow the identity; 0 = never */
};

/* Values are stored: see record.h. */
enum grey_state { GREY_ABSENT = 0, GREY_WAITING = 1, GREY_PASSED = 2, GREY_IDENTITY = 3 };

struct grey_record {
	enum grey_state state;
	int64_t at_s; /* WAITING, released: first try; PASSED, IDENTITY: last use written down */
	/* IDENTITY: passed triplets; WAITING: a mark, see below; PASSED: how it was released */
	unsigned count;
};

/* The operator has let it pass: while it waited, or before its first try.  Until the next try. */
#define GREY_RELEASED       1
#define GREY_RELEASED_AHEAD 2

#define GREY_COUNT_MAX 4095 /* and the largest mark */

/* Values are what the Redis scripts answer. */
enum grey_answer {
	GREY_IS_NEW = 0,          /* never seen; now it waits */
	GREY_IS_NEW_UNSTORED = 1, /* never seen, and it could not be kept */
	GREY_IS_EARLY = 2,        /* came back before the delay was over */
	GREY_IS_AGED = 3,         /* came back after the retry window; waits again */
	GREY_IS_PASSED_NOW = 4,   /* came back in time */
	GREY_IS_KNOWN = 5,        /* passed before */
	GREY_IS_TOLD = 6, /* waits; weir-policyd has told the session so just now */
	GREY_IS_RELEASED =
		7, /* the operator has let it pass, and this is the first try since */
	GREY_IS_CLIENT_ALLOWED = 8, /* its identity is allowed as a whole */
	GREY_ANSWERS
};

struct grey_result {
	enum grey_answer answer;
	int64_t wait_s; /* NEW, EARLY, AGED: until a retry passes */
	int64_t delayed_s; /* PASSED_NOW, RELEASED: since the first try, 0 where there was none */
	bool write; /* the record was changed and must be kept */
};

/*
 * One try of a triplet.  `may_store` false keeps a new one out of the store.  A first try
 * in the future (the clock was set back) counts as made now.
 */
struct grey_result grey_triplet_step(struct grey_record *rec,
                                     const struct grey_rules *rules, bool may_store,
                                     int64_t now_s);

/*
 * The same where both daemons only observe, and each hears of every try: what the first one has
 * told of a triplet that waits, the second must not tell again.  `mark` stands for the session, 0
 * for none; the first leaves it in the record, the second finds it there.
 */
struct grey_result grey_triplet_observe(struct grey_record *rec,
                                        const struct grey_rules *rules, bool may_store,
                                        unsigned mark, bool is_second, int64_t now_s);

/* What the operator makes of a record: the next try passes, and is told of. */
void grey_release(struct grey_record *rec, int64_t now_s);

/* How many passed triplets an identity's record counts; of a triplet's, nothing. */
unsigned grey_passes(const struct grey_record *rec);

/*
 * Whether the identity is allowed.  `write_out` is set when its use must be written down,
 * which is so once in each 32nd part of the lifetime; rec then holds what to write.
 */
bool grey_identity_allowed(struct grey_record *rec, const struct grey_rules *rules,
                           int64_t now_s, bool *write_out);

/*
 * Counts a passed triplet for its identity; passes less than an hour after the one counted last
 * do not count again.  True when rec changed.
 */
bool grey_identity_count(struct grey_record *rec, const struct grey_rules *rules,
                         int64_t now_s);

/* Whether the record may go: with it or without it, a try would begin anew. */
bool grey_is_expired(const struct grey_record *rec, const struct grey_rules *rules,
                     int64_t now_s);

#endif
