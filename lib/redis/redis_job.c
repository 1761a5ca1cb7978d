/* redis_job.c - how a question is put to Redis, whatever it is about. */
#include "redis_job.h"

#include "base/log.h"
#include "base/stats.h"
#include "redis_reply.h"

struct slice
redis_key_name(const struct store_backend *backend, char kind, const struct key *key,
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

struct slice
redis_single_name(const struct store_backend *backend, const char *name,
                  struct redis_key *key)
{
	key->text = TEXT(key->buf);
	text_puts(&key->text, backend->prefix);
	text_puts(&key->text, name);
	return text_slice(&key->text);
}

/* Logs an error reply, at most once a minute, and does what it calls for. */
static void
treat_error(struct store_backend *backend, const struct redis_reply *reply,
            const struct redis_error *error)
{
	if (log_ration(&backend->last_error_ms, 60))
		log_error("redis: %.*s%s%s", (int)reply->text.n, reply->text.p,
		          error->advice ? ": " : "", error->advice ? error->advice : "");
	if (error->cure == REDIS_RECONNECT)
		link_drop(backend->link, error->advice);
}

void
redis_finish(struct store_job *job, enum store_status status)
{
	job->answer.status = status;
	job->backend->reports->job_done(job);
}

bool
redis_is_failure(struct store_job *job, const struct redis_reply *reply)
{
	if (reply->kind == REDIS_LOST) {
		job->lost = true;
		redis_finish(job, STORE_DOWN);
		return true;
	}
	if (reply->kind == REDIS_ERROR) {
		const struct redis_error *error = redis_error_find(reply->text);
		struct store_backend *backend = job->backend;
		redis_finish(job, error->status);
		treat_error(backend, reply, error);
		return true;
	}
	return false;
}

void
redis_finish_nonsense(struct store_job *job)
{
	struct store_backend *backend = job->backend;
	stats_add(STAT_STORE_PROTOCOL_ERRORS, 1);
	redis_finish(job, STORE_FAILED);
	link_drop(backend->link, "answered a command with an unexpected reply");
}

bool
redis_wants_script(const struct store_job *job, const struct redis_reply *reply)
{
	return reply->kind == REDIS_ERROR && !job->whole_script &&
	       redis_error_find(reply->text)->cure == REDIS_LOAD;
}

struct slice
redis_number(struct numbers *numbers, int64_t value)
{
	size_t from = numbers->text.n;
	text_int(&numbers->text, value);
	return slice_from(text_slice(&numbers->text), from);
}

bool
redis_send_script(struct store_job *job, const struct script *script, bool whole,
                  size_t n_keys, const struct slice *keys, size_t n_args,
                  const struct slice *args, redis_fn *fn)
{
	struct store_backend *backend = job->backend;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	struct slice words[REDIS_WORDS_MAX];
	size_t n = 0;
	words[n++] = whole ? SLICE("EVAL") : SLICE("EVALSHA");
	words[n++] = whole ? script->text : script->sha;
	words[n++] = redis_number(&numbers, (int64_t)n_keys);
	for (size_t i = 0; i < n_keys; i++)
		words[n++] = keys[i];
	for (size_t i = 0; i < n_args; i++)
		words[n++] = args[i];
	job->whole_script = whole;
	return link_send(backend->link, n, words, fn, job);
}

void
redis_go_on(struct store_job *job, bool sent)
{
	if (!sent)
		redis_finish(job, STORE_OVERLOADED);
}
