/*
 * backend.h - between store.c and the two backends.
 *
 * A job belongs to the backend from submit() until it is handed to job_done();
 * who asked may have gone by then, which store.c alone knows.
 */
#ifndef WEIR_BACKEND_H
#define WEIR_BACKEND_H

#include "store/store.h"

struct store_backend;

struct store_job {
	struct answer answer;       /* the backend fills it in */
	struct store_job *next_job; /* the backend's queues */
	bool whole_script; /* the backend's: the script itself was sent, not its hash */
	bool lost; /* the backend's: with its connection; it may have been answered all the same */

	/* store.c's */
	struct store *store;
	struct store_backend *backend;
	store_fn *fn;    /* NULL: nobody waits any more */
	bool told_only;  /* nobody ever waited */
	unsigned tells;  /* how often it was told before */
	uint64_t serial; /* jobs have ascending numbers */
	bool not_wanted; /* what it is granted is given back */
	void *arg;
	int64_t asked_ms;
	int64_t asked_us; /* the same by another clock, exact */
	int64_t deadline_ms;
	bool waiting;    /* on the list of those */
	bool portion;    /* of what was kept back */
	bool late;       /* its time is over, and the backend still has it */
	bool held;       /* until the store is up: the backend does not have it yet */
	bool again;      /* it was asked before, and lost */
	bool only_waits; /* for the store to be up */
	struct store_job *prev, *next;
	struct store_job *held_prev, *held_next;

	struct ask ask; /* the last, since it is large and need not be emptied */
};

/* What a backend reports to who has opened it. */
struct store_reports {
	/* The answer is there.  Never called from within submit(). */
	void (*job_done)(struct store_job *job);

	/*
	 * The store can be asked (the secret is known); or not now, but most likely soon, and questions
	 * wait for it within their deadlines; or not, until it is told to be up.
	 */
	void (*came_up)(struct store *store, const struct key_secret *secret);
	void (*is_coming)(struct store *store);
	void (*went_down)(struct store *store);
};

struct store_ops {
	const char *name;
	struct store_backend *(*open)(struct store *store,
	                              const struct store_reports *reports,
	                              struct loop *loop, const struct conf *conf,
	                              const char *owner, struct err *err_out);
	void (*configure)(struct store_backend *backend, const struct conf *conf);

	/* Hands every job it still has to job_done(). */
	void (*close)(struct store_backend *backend);

	/* Gathers the job; it goes out with flush(), at the end of the turn.  False: too much. */
	bool (*submit)(struct store_backend *backend, struct store_job *job);
	void (*flush)(struct store_backend *backend);
};

/* That of the settings. */
const struct store_ops *backend_ops(const struct conf *conf);

#endif
