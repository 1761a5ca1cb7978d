/*
 * history_redis.h - a history's connection to Redis: commands are said, and their replies heard.
 *
 * What is said goes out when the first reply is waited for, so that many commands share a round
 * trip.  All that was said before a wait shares one patience.
 */
#ifndef WEIR_HISTORY_REDIS_H
#define WEIR_HISTORY_REDIS_H

#include <hiredis/hiredis.h>

#include "base/endpoint.h"
#include "redis_job.h"
#include "store/history_backend.h"

struct history_redis {
	struct history base;
	struct endpoint server;
	char *username, *password, *prefix, *db;
	redisContext *redis;                                  /* NULL: not connected */
	redisReplyObjectFunctions functions, plain_functions; /* of its reader */
	char *out;
	size_t out_used, out_cap, out_sent;
	size_t waiting;         /* commands without a reply */
	size_t unanswered;      /* bytes read while some of them wait */
	int64_t until_ms;       /* when patience ends for what was said */
	int64_t dropped_before; /* hours of the funnel */
};

/* Each call begins with it: connects when there is no connection that works. */
struct history_redis *talk_begin(struct history *history, struct err *err);
void talk_close(struct history_redis *history);

void talk_say(struct history_redis *history, size_t n, const struct slice *words);

/* Sends now what was said, as far as that goes without waiting. */
void talk_send(struct history_redis *history);

/* What was said and is not yet heard has the whole patience from now on. */
void talk_be_patient(struct history_redis *history);

/*
 * The next reply, to be given to freeReplyObject(); NULL with a text when there is none, when it
 * is an error, or of another type than `type` (0: any; a bulk string may be nil instead).
 */
redisReply *talk_hear(struct history_redis *history, int type, struct err *err);

/* The same, and error replies are given as others are. */
redisReply *talk_hear_any(struct history_redis *history, struct err *err);

/* Says what an error reply means; false. */
bool talk_refused(struct history_redis *history, const redisReply *reply,
                  struct err *err);

/* Hears `n` replies that tell nothing. */
bool talk_hear_done(struct history_redis *history, size_t n, struct err *err);
bool talk_hear_integer(struct history_redis *history, int64_t *value_out,
                       struct err *err);

/* What answers is not our Redis; false. */
bool talk_nonsense(struct history_redis *history, struct err *err);

/* A script by its hash, and whole when the server does not know it yet. */
redisReply *talk_script(struct history_redis *history, const struct script *script,
                        size_t n_args, const struct slice *key_and_args, int type,
                        struct err *err);

/* Begin, say and hear of one command. */
redisReply *talk_do(struct history *history, size_t n, const struct slice *words,
                    struct err *err);

/* The name of a key, and of one that is named in full. */
struct slice talk_key(const struct history_redis *history, char kind,
                      const struct key *key, struct redis_key *name);
struct slice talk_name(const struct history_redis *history, const char *rest,
                       struct redis_key *name);

/* The key in the name of a key of that kind. */
bool talk_parse_key(const struct history_redis *history, char kind, struct slice name,
                    struct key *key_out);

static inline struct slice
reply_text(const redisReply *reply)
{
	return (struct slice){.p = reply->str ? reply->str : "",
	                      .n = reply->str ? (size_t)reply->len : 0};
}

/* history_redis_decisions.c, ..._registries.c, ..._records.c, ..._leases.c, history_facts_redis.c */
bool redis_add_decisions(struct history *history, size_t n, struct slice lines,
                         int64_t keep, int64_t lifetime_s, struct err *err);
bool redis_read_decisions(struct history *history, history_lines_fn *fn, void *arg,
                          struct err *err);
bool redis_put_names(struct history *history, size_t n, const struct history_name *names,
                     int64_t until_s, struct err *err);
bool redis_get_name(struct history *history, const struct key *key, int64_t now_s,
                    struct text *name_out, struct err *err);
bool redis_put(struct history *history, enum history_registry registry, struct slice name,
               struct slice text, int64_t until_s, struct err *err);
bool redis_drop(struct history *history, enum history_registry registry,
                struct slice name, bool *found_out, struct err *err);
bool redis_read(struct history *history, enum history_registry registry, int64_t now_s,
                history_text_fn *fn, void *arg, struct err *err);
bool redis_add_funnel(struct history *history, size_t n, const struct funnel_hour *hours,
                      int64_t kept_hours, struct err *err);
bool redis_read_funnel(struct history *history, history_funnel_fn *fn, void *arg,
                       struct err *err);
bool redis_secret(struct history *history, struct key_secret *secret_out,
                  struct err *err);
bool redis_set_secret(struct history *history, const struct key_secret *secret,
                      struct err *err);
bool redis_get_record(struct history *history, enum history_record kind,
                      const struct key *key, int64_t *packed_out, struct err *err);
bool redis_get_records(struct history *history, size_t n, struct history_row *rows,
                       struct err *err);
bool redis_put_records(struct history *history, size_t n, const struct history_row *rows,
                       const int64_t *kept_s, struct err *err);
bool redis_drop_record(struct history *history, enum history_record kind,
                       const struct key *key, bool *found_out, struct err *err);
bool redis_scan(struct history *history, history_row_fn *fn, void *arg, struct err *err);
bool redis_estimate(struct history *history, int64_t *rows_out, struct err *err);
bool redis_read_leases(struct history *history, history_lease_fn *fn, void *arg,
                       struct err *err);
bool redis_kill_leases(struct history *history, struct slice holder, int64_t *killed_out,
                       struct err *err);
bool redis_get_rate(struct history *history, const struct key *key, int64_t *tat_us_out,
                    struct err *err);
bool redis_facts(struct history *history, bool deep, history_fact_fn *fn, void *arg,
                 struct err *err);
bool redis_try(struct history *history, struct err *err);

#endif
