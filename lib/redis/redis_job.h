/*
 * redis_job.h - what questions of every kind need to be asked of Redis: names of keys, scripts,
 * and what an error reply means for the job.
 */
#ifndef WEIR_REDIS_JOB_H
#define WEIR_REDIS_JOB_H

#include "store_redis.h"

/* A key of ours: prefix, a letter for its kind, 22 characters. */
struct redis_key {
	struct text text;
	char buf[64 + 1 + KEY_TEXT_LEN + 1];
};

struct slice redis_key_name(const struct store_backend *backend, char kind,
                            const struct key *key, struct redis_key *name);

/* A key of which there is one: "leases", the index of the sets of holders; "term". */
struct slice redis_single_name(const struct store_backend *backend, const char *name,
                               struct redis_key *key);

/* A script and the hash that EVALSHA knows it by. */
struct script {
	struct slice text;
	struct slice sha;
};

/* Numbers as the words of a command. */
struct numbers {
	struct text text;
	char buf[2048];
};

struct slice redis_number(struct numbers *numbers, int64_t value);

/*
 * Sends a script with its keys and arguments: by its hash, or `whole`, when the server did not
 * know that.  False when nothing can be sent.
 */
bool redis_send_script(struct store_job *job, const struct script *script, bool whole,
                       size_t n_keys, const struct slice *keys, size_t n_args,
                       const struct slice *args, redis_fn *fn);

/* Whether the script is to be sent whole. */
bool redis_wants_script(const struct store_job *job, const struct redis_reply *reply);

/* The answer is complete. */
void redis_finish(struct store_job *job, enum store_status status);

/* True when the reply cannot be used; the job is finished then. */
bool redis_is_failure(struct store_job *job, const struct redis_reply *reply);

/* The reply is none that the command has: whatever answers there is not our Redis. */
void redis_finish_nonsense(struct store_job *job);

/* Finishes the job when nothing could be sent. */
void redis_go_on(struct store_job *job, bool sent);

#endif
