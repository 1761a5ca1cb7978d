/* redis_limits.h - questions about limits to Redis. */
#ifndef WEIR_REDIS_LIMITS_H
#define WEIR_REDIS_LIMITS_H

#include "redis_greeting.h"
#include "store_priv.h"

/* Sends the script; the job is finished when its reply is there.  False: too much. */
bool redis_ask_limits(struct store_job *job);

/*
 * Forgets the leases of an earlier life of this daemon; `fn` is told with the backend when that
 * is done, or has failed.  False when nothing can be sent.
 */
bool redis_forget_leases(struct store_backend *backend, redis_fn *fn);

#endif
