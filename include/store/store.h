/*
 * store.h - what weir remembers, behind one asynchronous question.
 *
 * All that is asked during one turn of the loop shares one transaction (embedded) or one
 * pipeline (Redis).  Every question is answered exactly once, within store.deadline, and
 * never from within store_ask(); an answer may be "no answer" (struct answer.status).
 * After repeated trouble the breaker opens: questions are refused at once, and one
 * now and then is let through to see whether the store is back.  While the connection is being
 * made, at the start or after the server has ended it, questions wait for it.
 */
#ifndef WEIR_STORE_H
#define WEIR_STORE_H

#include <stdbool.h>

#include "base/err.h"
#include "conf/conf.h"
#include "io/loop.h"
#include "rules/ask.h"
#include "rules/key.h"

struct store;
struct store_job;

/*
 * Opens the store the settings name.  A store that is away is no failure: it is picked up
 * when it appears.  NULL with a text when it must not be used: wrong kind of file, no
 * rights.  `owner` is the daemon, as the names of its holders begin ("m/mx1/"): before questions
 * about slots it takes part in the store's term (term.h), and what it held in an earlier life is
 * forgotten.  Empty: who asks does not take part, and is always answered.
 */
struct store *store_open(struct loop *loop, const struct conf *conf, const char *owner,
                         struct err *err_out);

/* Takes over the settings that a reload may change. */
void store_configure(struct store *store, const struct conf *conf);

/* Stops waiting: no more answers are delivered. */
void store_close(struct store **store);

/* The site's secret for keys; NULL while the store has not been reached yet. */
const struct key_secret *store_secret(const struct store *store);

/* How many secrets there have been: a key made with an earlier one means nothing any more. */
uint64_t store_secret_number(const struct store *store);

/*
 * What the store needs of who holds slots; called on the loop.  `secret_changed`: keys are to be
 * made anew, with store_secret(); also when the first is known.
 */
struct store_events {
	void (*secret_changed)(void *arg);
	/* All slots that are held are to be put; the next of those that are, false: no more; whether any. */
	void (*put_all)(void *arg);
	bool (*next_put)(void *arg, struct ask *ask_out);
	bool (*owes_puts)(void *arg);
};

void store_follow(struct store *store, const struct store_events *events, void *arg);

/* Whether questions are being answered. */
bool store_is_up(const struct store *store);

/* Whether that is because of repeated trouble, not because it is away. */
bool store_breaker_is_open(const struct store *store);

/*
 * Once a second: looks whether a store that was in trouble answers again, when it is time for that,
 * and whether the term is still the same.  Else only a question of some mail would.
 */
void store_tick(struct store *store);

/*
 * Whether limits wait for others to sign in; their names, as "m/mx2/ ", are appended.  None: it is a
 * host that is waited for, which has not been there yet.
 */
bool store_waits_for(const struct store *store, struct text *names_out);

typedef void store_fn(void *arg, const struct answer *answer);

/*
 * Asks with an answer within store.deadline, or `limit_ms` when that is less.  The job is valid
 * until its answer is delivered or it is abandoned.  A question about limits that was not answered
 * in time may still be granted later: then it is held, and to be given back as any other.
 */
struct store_job *store_ask(struct store *store, const struct ask *ask, int64_t limit_ms,
                            store_fn *fn, void *arg);

/*
 * Asks nothing: the answer comes when the store can be asked, at most `limit_ms` or store.deadline
 * from now.  For who needs the secret to have a question at all.
 */
struct store_job *store_await(struct store *store, int64_t limit_ms, store_fn *fn,
                              void *arg);

/*
 * Tells without an answer.  Slots that are given back while the store is away are given back when
 * it is there again, before it is asked anything.
 */
void store_tell(struct store *store, const struct ask *ask);

/*
 * Why slots that were given back could not be told yet: the store counts them still, and a refusal
 * of it is not to be believed.  STORE_OK: all were told.
 */
enum store_status store_owes(const struct store *store);

/*
 * Nobody wants the answer any more; clears the caller's pointer.  Tokens of rates that it still
 * takes are given back; a slot that it takes is the caller's to give back later.
 */
void store_abandon(struct store_job **job);

/* "timeout", "down", ... for the log. */
const char *store_status_word(enum store_status status);

#endif
