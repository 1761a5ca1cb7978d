/* redis_limits.h - questions about limits to Redis. */
#ifndef WEIR_REDIS_LIMITS_H
#define WEIR_REDIS_LIMITS_H

#include "redis_job.h"

/* Sends the script; the job is finished when its reply is there.  False: too much. */
bool redis_ask_limits(struct store_job *job);

/* The name of the index of leases. */
struct slice redis_index_name(const struct store_backend *backend,
                              struct redis_key *name);

#endif
