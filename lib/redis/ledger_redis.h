/*
 * ledger_redis.h - a ledger's connection to Redis: commands are said, and their replies heard.
 *
 * What is said goes out when the first reply is waited for, so that many commands share a round
 * trip.  All that was said before a wait shares one patience.
 */
#ifndef WEIR_LEDGER_REDIS_H
#define WEIR_LEDGER_REDIS_H

#include <hiredis/hiredis.h>

#include "base/endpoint.h"
#include "redis_job.h"
#include "store/ledger_backend.h"

struct ledger_redis {
	struct ledger base;
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
struct ledger_redis *talk_begin(struct ledger *ledger, struct err *err);
void talk_close(struct ledger_redis *ledger);

void talk_say(struct ledger_redis *ledger, size_t n, const struct slice *words);

/* Sends now what was said, as far as that goes without waiting. */
void talk_send(struct ledger_redis *ledger);

/* What was said and is not yet heard has the whole patience from now on. */
void talk_be_patient(struct ledger_redis *ledger);

/*
 * The next reply, to be given to freeReplyObject(); NULL with a text when there is none, when it
 * is an error, or of another type than `type` (0: any; a bulk string may be nil instead).
 */
redisReply *talk_hear(struct ledger_redis *ledger, int type, struct err *err);

/* The same, and error replies are given as others are. */
redisReply *talk_hear_any(struct ledger_redis *ledger, struct err *err);

/* Says what an error reply means; false. */
bool talk_refused(struct ledger_redis *ledger, const redisReply *reply, struct err *err);

/* Hears `n` replies that tell nothing. */
bool talk_hear_done(struct ledger_redis *ledger, size_t n, struct err *err);
bool talk_hear_integer(struct ledger_redis *ledger, int64_t *value_out, struct err *err);

/* What answers is not our Redis; false. */
bool talk_nonsense(struct ledger_redis *ledger, struct err *err);

/* A script by its hash, and whole when the server does not know it yet. */
redisReply *talk_script(struct ledger_redis *ledger, const struct script *script,
                        size_t n_args, const struct slice *key_and_args, int type,
                        struct err *err);

/* Begin, say and hear of one command. */
redisReply *talk_do(struct ledger *ledger, size_t n, const struct slice *words,
                    struct err *err);

/* The name of a key, and of one that is named in full. */
struct slice talk_key(const struct ledger_redis *ledger, char kind, const struct key *key,
                      struct redis_key *name);
struct slice talk_name(const struct ledger_redis *ledger, const char *rest,
                       struct redis_key *name);

/* The key in the name of a key of that kind. */
bool talk_parse_key(const struct ledger_redis *ledger, char kind, struct slice name,
                    struct key *key_out);

static inline struct slice
reply_text(const redisReply *reply)
{
	return (struct slice){.p = reply->str ? reply->str : "",
	                      .n = reply->str ? (size_t)reply->len : 0};
}

/* ledger_redis_decisions.c, ..._boards.c, ..._records.c, ..._leases.c, ledger_facts_redis.c */
bool redis_add_decisions(struct ledger *ledger, size_t n, struct slice lines,
                         int64_t keep, int64_t lifetime_s, struct err *err);
bool redis_read_decisions(struct ledger *ledger, ledger_lines_fn *fn, void *arg,
                          struct err *err);
bool redis_put_names(struct ledger *ledger, size_t n, const struct ledger_name *names,
                     int64_t until_s, struct err *err);
bool redis_get_name(struct ledger *ledger, const struct key *key, int64_t now_s,
                    struct text *name_out, struct err *err);
bool redis_put(struct ledger *ledger, enum ledger_board board, struct slice name,
               struct slice text, int64_t until_s, struct err *err);
bool redis_drop(struct ledger *ledger, enum ledger_board board, struct slice name,
                bool *found_out, struct err *err);
bool redis_read(struct ledger *ledger, enum ledger_board board, int64_t now_s,
                ledger_text_fn *fn, void *arg, struct err *err);
bool redis_add_funnel(struct ledger *ledger, size_t n, const struct funnel_hour *hours,
                      int64_t kept_hours, struct err *err);
bool redis_read_funnel(struct ledger *ledger, ledger_funnel_fn *fn, void *arg,
                       struct err *err);
bool redis_secret(struct ledger *ledger, struct key_secret *secret_out, struct err *err);
bool redis_set_secret(struct ledger *ledger, const struct key_secret *secret,
                      struct err *err);
bool redis_get_record(struct ledger *ledger, enum ledger_record kind,
                      const struct key *key, int64_t *packed_out, struct err *err);
bool redis_get_records(struct ledger *ledger, size_t n, struct ledger_row *rows,
                       struct err *err);
bool redis_put_records(struct ledger *ledger, size_t n, const struct ledger_row *rows,
                       const int64_t *kept_s, struct err *err);
bool redis_drop_record(struct ledger *ledger, enum ledger_record kind,
                       const struct key *key, bool *found_out, struct err *err);
bool redis_scan(struct ledger *ledger, ledger_row_fn *fn, void *arg, struct err *err);
bool redis_estimate(struct ledger *ledger, int64_t *rows_out, struct err *err);
bool redis_read_leases(struct ledger *ledger, ledger_lease_fn *fn, void *arg,
                       struct err *err);
bool redis_kill_leases(struct ledger *ledger, struct slice holder, int64_t *killed_out,
                       struct err *err);
bool redis_get_rate(struct ledger *ledger, const struct key *key, int64_t *tat_us_out,
                    struct err *err);
bool redis_facts(struct ledger *ledger, bool deep, ledger_fact_fn *fn, void *arg,
                 struct err *err);
bool redis_try(struct ledger *ledger, struct err *err);

#endif
