/*
 * recovery.h - what is said to the store before it is asked about slots (enrol.h), and which questions
 * wait for that.
 *
 * What is held is put in portions, so that other questions need not wait behind all of it.  Where
 * the store's clock can step, each answer that tells its time is compared with our own clock.
 */
#ifndef WEIR_RECOVERY_H
#define WEIR_RECOVERY_H

#include "rules/enrol.h"
#include "store/backend.h"

/* Told to the store at once: puts and give-backs that are kept back. */
#define PORTION 64

/* What it needs of the store. */
struct recovery_calls {
	struct store_job *(*ask)(struct store *store, const struct ask *ask,
	                         int64_t limit_ms, store_fn *fn, void *arg);
	void (*tell)(struct store *store, const struct ask *ask);

	/* Questions that are held are asked, or answered by this status. */
	void (*go_on)(struct store *store, enum store_status status);

	/* One more is held, which was answered and is to be asked again. */
	void (*hold)(struct store *store, struct store_job *job);

	/* What is held (store.h): all of it is to be put; the next; whether any is. */
	void (*put_all)(struct store *store);
	bool (*next_put)(struct store *store, struct ask *ask_out);
	bool (*owes_puts)(struct store *store);
};

struct recovery {
	struct store *store;
	const struct recovery_calls *calls;
	struct enrol enrol;
	bool off; /* no daemon: a test, that asks for itself */
	int64_t hosts;
	size_t putting; /* puts without an answer */
	bool failed;    /* one of them */
	bool looking;
	bool rekeyed; /* since TERM_BEGIN was said */
	/* The store's clock less ours lies between these; both 0: it does not matter. */
	int64_t ahead_min_ms, ahead_max_ms;
};

void recovery_init(struct recovery *recovery, struct store *store,
                   const struct recovery_calls *calls, const char *daemon);
void recovery_configure(struct recovery *recovery, const struct conf *conf);

/* The store is there: begins. */
void recovery_start(struct recovery *recovery);

/* It is gone. */
void recovery_lost(struct recovery *recovery);

/* Its secret is another one: what is held is to be put under new keys. */
void recovery_rekeyed(struct recovery *recovery);

/* The daemon ends, and has given back all. */
void recovery_close(struct recovery *recovery);

/* Once a second. */
void recovery_tick(struct recovery *recovery);

/* Whether a question of this kind has to wait; begins when nothing was. */
bool recovery_holds_up(struct recovery *recovery, enum ask_kind kind);

/* Fills in the store's time as we know it. */
void recovery_sign(const struct recovery *recovery, struct limits_ask *ask);

/*
 * Looks at a job that is done, for what it says of the term and of the store's clock.  True when the
 * question is to be asked again, and is held.
 */
bool recovery_answered(struct recovery *recovery, struct store_job *job);

/* Who is missing, as "m/mx2/ ", and how many hosts beside; false when nobody is waited for. */
bool recovery_missing(const struct recovery *recovery, struct text *names_out);

#endif
