/* store_redis.h - the store in Redis: what it holds, and what its files do for it. */
#ifndef WEIR_STORE_REDIS_H
#define WEIR_STORE_REDIS_H

#include "redis_link.h"
#include "store/backend.h"

struct store_backend {
	struct store *store;
	const struct store_reports *reports;
	struct redis_link *link;
	struct loop_timer *heartbeat;
	char *username, *password, *prefix, *db;
	char *daemon;                 /* the beginning of its holders' names; or empty */
	char run_id[TERM_ID_MAX + 1]; /* of the server's life */
	unsigned admissions;          /* replies to AUTH and SELECT that are awaited */
	struct key_secret secret;     /* the one in use, or offered for a new store */
	int64_t last_error_ms;
	int64_t last_policy_ms;
};

/* ---- redis_handshake.c: what is said first on a connection ---- */

/* AUTH, SELECT, a look at the eviction policy, the secret; `arg` is the backend. */
void redis_greet(void *arg);

/* Puts our secret where none is stored, and takes the one that is: the store is up then. */
void redis_agree_on_secret(struct store_backend *backend);

/*
 * ---- redis_greylist.c, redis_limits.c, redis_term.c: the questions ----
 *
 * Each sends its first command; the job is finished when the last reply is there.  False: too much.
 */
bool redis_ask_greylist(struct store_job *job);
bool redis_ask_limits(struct store_job *job);
bool redis_ask_term(struct store_job *job);

#endif
