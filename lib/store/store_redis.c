/*
 * store_redis.c - the shared store: questions as pipelined commands, one key each.
 *
 * A question asks for the identity (GET); unless that allows it, the triplet's script
 * decides (EVALSHA); a first pass is counted for the identity before the answer is given.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "record.h"
#include "redis_errors.h"
#include "redis_greeting.h"
#include "redis_link.h"
#include "scripts.h"
#include "stats.h"
#include "store_priv.h"

#define HEARTBEAT_MS 60000

/* A key of ours: prefix, a letter for its kind, 22 characters. */
struct redis_key {
	struct text text;
	char buf[64 + 1 + KEY_TEXT_LEN + 1];
};

static struct slice
name_key(const struct store_backend *backend, char kind, const struct key *key,
         struct redis_key *name)
{
	char printed[KEY_TEXT_LEN + 1];
	key_print(key, printed);
	name->text = TEXT(name->buf);
	text_puts(&name->text, backend->prefix);
	text_putc(&name->text, kind);
	text_puts(&name->text, printed);
	return text_slice(&name->text);
}

/* Logs an error reply, at most once a minute, and does what it calls for. */
static void
treat_error(struct store_backend *backend, const struct redis_reply *reply,
            const struct redis_error *error)
{
	if (log_ration(&backend->last_error_ms, 60))
		log_error("redis: %.*s%s%s", (int)reply->text.n, reply->text.p,
		          error->advice ? ": " : "", error->advice ? error->advice : "");
	if (error->remedy == REMEDY_RECONNECT)
		link_drop(backend->link, error->advice);
}

static void
finish(struct store_job *job, enum store_status status)
{
	job->answer.status = status;
	store_job_done(job);
}

/* True when the reply cannot be used; the job is finished then. */
static bool
is_failure(struct store_job *job, const struct redis_reply *reply)
{
	if (reply->kind == REDIS_LOST) {
		finish(job, STORE_DOWN);
		return true;
	}
	if (reply->kind == REDIS_ERROR) {
		const struct redis_error *error = redis_error_find(reply->text);
		struct store_backend *backend = job->backend;
		finish(job, error->status);
		treat_error(backend, reply, error);
		return true;
	}
	return false;
}

/* The reply is none that the command has: whatever answers there is not our Redis. */
static void
finish_nonsense(struct store_job *job)
{
	struct store_backend *backend = job->backend;
	stats_add(STAT_STORE_PROTOCOL_ERRORS, 1);
	finish(job, STORE_FAILED);
	link_drop(backend->link, "answered a command with something else than its reply");
}

static bool
wants_script(const struct store_job *job, const struct redis_reply *reply)
{
	return reply->kind == REDIS_ERROR && !job->whole_script &&
	       redis_error_find(reply->text)->remedy == REMEDY_LOAD;
}

struct script {
	struct slice text;
	struct slice sha;
};

static const struct script triplet_script = {{triplet_lua, sizeof(triplet_lua) - 1},
                                             {triplet_lua_sha,
                                              sizeof(triplet_lua_sha) - 1}};
static const struct script identity_script = {{identity_lua, sizeof(identity_lua) - 1},
                                              {identity_lua_sha,
                                               sizeof(identity_lua_sha) - 1}};

enum { SCRIPT_ARGS_MAX = 5 };

/* Numbers as the words of a command. */
struct numbers {
	struct text text;
	char buf[SCRIPT_ARGS_MAX * 24];
};

static struct slice
number_word(struct numbers *numbers, int64_t value)
{
	size_t from = numbers->text.n;
	text_int(&numbers->text, value);
	return slice_from(text_slice(&numbers->text), from);
}

static bool
send_script(struct store_job *job, const struct script *script, bool whole, char kind,
            const struct key *key, const struct slice *args, size_t n, redis_fn *fn)
{
	struct store_backend *backend = job->backend;
	struct redis_key name;
	job->whole_script = whole;
	struct slice words[4 + SCRIPT_ARGS_MAX] = {whole ? SLICE("EVAL")
	                                                 : SLICE("EVALSHA"),
	                                           whole ? script->text : script->sha,
	                                           SLICE("1"),
	                                           name_key(backend, kind, key, &name)};
	for (size_t i = 0; i < n; i++)
		words[4 + i] = args[i];
	return link_send(backend->link, 4 + n, words, fn, job);
}

static void on_identity(void *arg, const struct redis_reply *reply);
static void on_triplet(void *arg, const struct redis_reply *reply);
static void on_counted(void *arg, const struct redis_reply *reply);
static void on_used(void *arg, const struct redis_reply *reply);

static bool
ask_identity(struct store_job *job)
{
	struct redis_key name;
	struct slice words[] = {SLICE("GET"),
	                        name_key(job->backend, 'i', &job->ask.identity, &name)};
	return link_send(job->backend->link, 2, words, on_identity, job);
}

static bool
ask_triplet(struct store_job *job, bool whole)
{
	const struct grey_rules *rules = &job->ask.rules;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	struct slice args[] = {number_word(&numbers, rules->delay_s),
	                       number_word(&numbers, rules->retry_window_s),
	                       number_word(&numbers, rules->lifetime_s),
	                       number_word(&numbers, job->ask.may_store),
	                       number_word(&numbers, job->ask.now_s)};
	return send_script(job, &triplet_script, whole, 't', &job->ask.triplet, args,
	                   COUNT_OF(args), on_triplet);
}

static bool
change_identity(struct store_job *job, struct slice what, bool whole, redis_fn *fn)
{
	const struct grey_rules *rules = &job->ask.rules;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	struct slice args[] = {what, number_word(&numbers, rules->lifetime_s),
	                       number_word(&numbers, rules->allow_client_after),
	                       number_word(&numbers, job->ask.now_s)};
	return send_script(job, &identity_script, whole, 'i', &job->ask.identity, args,
	                   COUNT_OF(args), fn);
}

/* Goes on with the next stage, or finishes the job when nothing can be sent. */
static void
go_on(struct store_job *job, bool sent)
{
	if (!sent)
		finish(job, STORE_OVERLOADED);
}

/* The record of an identity as GET gives it; an absent one is no failure. */
static bool
read_record(const struct redis_reply *reply, struct grey_record *rec_out)
{
	uint64_t value;
	*rec_out = (struct grey_record){.state = GREY_ABSENT};
	if (reply->kind == REDIS_NIL)
		return true;
	return slice_to_u64(reply->text, INT64_MAX, &value) &&
	       record_unpack((int64_t)value, rec_out) && rec_out->state == GREY_IDENTITY;
}

static void
on_identity(void *arg, const struct redis_reply *reply)
{
	struct store_job *job = arg;
	struct grey_record rec;
	bool use_is_due;
	if (is_failure(job, reply))
		return;
	if (reply->kind != REDIS_NIL && reply->kind != REDIS_TEXT) {
		finish_nonsense(job);
		return;
	}
	if (!read_record(reply, &rec)) {
		finish(job, STORE_BAD_RECORD);
		return;
	}
	/* The key's own expiry goes by the server's clock; ours only says when use is due. */
	int64_t now_s = job->ask.now_s ? job->ask.now_s : clock_wall_s();
	if (!job->fn) { /* nobody waits any more */
		finish(job, STORE_TIMEOUT);
		return;
	}
	if (!grey_identity_allowed(&rec, &job->ask.rules, now_s, &use_is_due)) {
		go_on(job, ask_triplet(job, false));
		return;
	}
	job->answer.grey = (struct grey_result){.answer = GREY_IS_CLIENT_ALLOWED};
	if (!use_is_due || !change_identity(job, SLICE("use"), false, on_used))
		finish(job, STORE_OK);
}

static void
on_triplet(void *arg, const struct redis_reply *reply)
{
	struct store_job *job = arg;
	if (wants_script(job, reply)) {
		go_on(job, ask_triplet(job, true));
		return;
	}
	if (is_failure(job, reply))
		return;
	int64_t answer = reply->integer & 15, seconds = reply->integer >> 4;
	if (reply->kind != REDIS_INTEGER || reply->integer < 0 ||
	    answer > GREY_IS_KNOWN) {
		finish_nonsense(job);
		return;
	}
	struct grey_result *grey = &job->answer.grey;
	*grey = (struct grey_result){.answer = (enum grey_answer)answer};
	if (answer != GREY_IS_PASSED_NOW) {
		grey->wait_s = seconds;
		finish(job, STORE_OK);
		return;
	}
	grey->delayed_s = seconds;
	if (job->ask.rules.allow_client_after == 0 ||
	    !change_identity(job, SLICE("count"), false, on_counted))
		finish(job, STORE_OK);
}

/*
 * The triplet has passed whatever becomes of its identity's record, and use not written down
 * now is written down next time: both finish well after anything but a missing script.
 */
static void
finish_changed(struct store_job *job, const struct redis_reply *reply, struct slice what,
               redis_fn *fn)
{
	if (wants_script(job, reply) && change_identity(job, what, true, fn))
		return;
	finish(job, STORE_OK);
}

static void
on_counted(void *arg, const struct redis_reply *reply)
{
	finish_changed(arg, reply, SLICE("count"), on_counted);
}

static void
on_used(void *arg, const struct redis_reply *reply)
{
	finish_changed(arg, reply, SLICE("use"), on_used);
}

static void
on_lost(void *arg)
{
	struct store_backend *backend = arg;
	store_went_down(backend->store);
}

/* Keeps an idle connection honest, and heals a secret that was flushed away. */
static void
on_heartbeat(void *arg)
{
	struct store_backend *backend = arg;
	redis_agree_on_secret(backend);
	timer_start(backend->heartbeat, HEARTBEAT_MS);
}

static struct store_backend *
open_redis(struct store *store, struct loop *loop, const struct conf *conf,
           struct err *err)
{
	(void)err;
	struct store_backend *backend = mem_new(struct store_backend);
	char db[24];
	struct text text = TEXT(db);
	text_int(&text, conf->store.redis.db);
	backend->store = store;
	backend->username = mem_dup(slice_of(conf->store.redis.username));
	backend->password = mem_dup(slice_of(conf->store.redis.password));
	backend->prefix = mem_dup(slice_of(conf->store.redis.prefix));
	backend->db = mem_dup(text_slice(&text));
	key_secret_make(&backend->secret);
	backend->link = link_new(loop, conf, redis_greet, on_lost, backend);
	link_set_patience(backend->link, 2 * conf->store.deadline_ms);
	backend->heartbeat = timer_new(loop, on_heartbeat, backend);
	timer_start(backend->heartbeat, HEARTBEAT_MS);
	return backend;
}

static void
configure_redis(struct store_backend *backend, const struct conf *conf)
{
	link_set_patience(backend->link, 2 * conf->store.deadline_ms);
}

static void
close_redis(struct store_backend *backend)
{
	link_free(&backend->link);
	timer_free(&backend->heartbeat);
	explicit_bzero(backend->password, strlen(backend->password));
	explicit_bzero(&backend->secret, sizeof(backend->secret));
	free(backend->username);
	free(backend->password);
	free(backend->prefix);
	free(backend->db);
	free(backend);
}

static bool
submit_redis(struct store_backend *backend, struct store_job *job)
{
	(void)backend;
	return job->ask.rules.allow_client_after > 0 ? ask_identity(job)
	                                             : ask_triplet(job, false);
}

static void
flush_redis(struct store_backend *backend)
{
	link_flush(backend->link);
}

const struct store_ops store_redis_ops = {
	.name = "redis",
	.open = open_redis,
	.configure = configure_redis,
	.close = close_redis,
	.submit = submit_redis,
	.flush = flush_redis,
};
