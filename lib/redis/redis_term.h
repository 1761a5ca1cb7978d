/* redis_term.h - a daemon's part in the life of a Redis. */
#ifndef WEIR_REDIS_TERM_H
#define WEIR_REDIS_TERM_H

#include "redis_job.h"

/* Sends the script; the job is finished when its reply is there.  False: too much. */
bool redis_ask_term(struct store_job *job);

/* The name of the term's key. */
struct slice redis_term_name(const struct store_backend *backend, struct redis_key *name);

#endif
