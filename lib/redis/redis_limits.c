/* redis_limits.c - room in limits: one script that sees all limits of a recipient. */
#include "redis_job.h"
#include "redis_reply.h"
#include "rules/gcra.h"
#include "scripts.h"

static const struct script limits_script = {{limits_lua, sizeof(limits_lua) - 1},
                                            {limits_lua_sha, sizeof(limits_lua_sha) - 1}};

/* The letters of keys: leases, rates, notes. */
static const char use_kinds[LIMIT_KINDS] = {
	[LIMIT_CONCURRENCY] = 'l',
	[LIMIT_MESSAGES] = 'r',
	[LIMIT_RECIPIENTS] = 'r',
};

static const struct slice what_words[] = {
	[ASK_LIMITS] = SLICE_INIT("ask"),    [ASK_RENEW] = SLICE_INIT("renew"),
	[ASK_PUT] = SLICE_INIT("put"),       [ASK_GIVE_BACK] = SLICE_INIT("back"),
	[ASK_RETURN] = SLICE_INIT("return"), [ASK_REFUSED] = SLICE_INIT("refused"),
};

#define FIXED_KEYS 3
#define FIXED_ARGS 11
#define USE_ARGS   4

_Static_assert(3 + FIXED_KEYS + FIXED_ARGS + (1 + USE_ARGS) * LIMIT_USES_MAX <=
                       REDIS_WORDS_MAX,
               "a command has room for all uses");

/* The time that the server's clock has to show matters where its clock is asked. */
static size_t
write_args(const struct store_backend *backend, const struct ask *ask,
           struct numbers *numbers, struct slice *args)
{
	const struct limits_ask *limits = &ask->limits;
	size_t n = 0;
	args[n++] = limits->only_held ? SLICE("keep") : what_words[ask->kind];
	args[n++] = slice_of(limits->holder);
	args[n++] = slice_of(limits->other);
	args[n++] = redis_number(numbers, limits->takes_over);
	args[n++] = redis_number(numbers, limits->ttl_ms);
	args[n++] = redis_number(numbers, limits->ttl_max_ms);
	args[n++] = redis_number(numbers, limits->now_ms);
	args[n++] = redis_number(numbers, (int64_t)limits->message);
	args[n++] = slice_of(backend->daemon);
	args[n++] = redis_number(numbers, limits->now_ms ? 0 : limits->store_ms);
	args[n++] = redis_number(numbers, limits->tolerance_ms);
	for (size_t i = 0; i < limits->n; i++) {
		const struct limit_use *use = &limits->uses[i];
		bool leases = use->kind == LIMIT_CONCURRENCY;
		const struct conf_rate rate = limit_rate(use);
		args[n++] =
			leases ? SLICE("-") : redis_number(numbers, limit_note_bit(use));
		args[n++] =
			redis_number(numbers, leases ? use->count : gcra_burst(&rate));
		args[n++] = redis_number(numbers, leases ? 0 : gcra_interval_us(&rate));
		args[n++] = redis_number(numbers, use->observed);
	}
	return n;
}

static void on_limits(void *arg, const struct redis_reply *reply);

static bool
send_limits(struct store_job *job, bool whole)
{
	const struct limits_ask *limits = &job->ask.limits;
	struct redis_key names[FIXED_KEYS + LIMIT_USES_MAX];
	struct slice keys[FIXED_KEYS + LIMIT_USES_MAX];
	struct slice args[FIXED_ARGS + USE_ARGS * LIMIT_USES_MAX];
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	keys[0] = redis_single_name(job->backend, "leases", &names[0]);
	keys[1] = redis_key_name(job->backend, 'n', &limits->note, &names[1]);
	keys[2] = redis_single_name(job->backend, "term", &names[2]);
	for (size_t i = 0; i < limits->n; i++)
		keys[FIXED_KEYS + i] =
			redis_key_name(job->backend, use_kinds[limits->uses[i].kind],
		                       &limits->uses[i].key, &names[FIXED_KEYS + i]);
	size_t n_args = write_args(job->backend, &job->ask, &numbers, args);
	return redis_send_script(job, &limits_script, whole, FIXED_KEYS + limits->n, keys,
	                         n_args, args, on_limits);
}

/* "granted refused taken held wait_ms late lost not_yet row now_ms" */
static bool
read_result(const struct redis_reply *reply, struct limits_result *result_out)
{
	uint64_t values[8], store_ms;
	struct slice rest = reply->text, word, row;
	if (reply->kind != REDIS_TEXT)
		return false;
	for (size_t i = 0; i < COUNT_OF(values); i++)
		if (!slice_word(&rest, &word) ||
		    !slice_to_u64(word, INT64_MAX, &values[i]))
			return false;
	if (!slice_word(&rest, &row) || !slice_word(&rest, &word) ||
	    !slice_to_u64(word, INT64_MAX, &store_ms))
		return false;
	if (values[1] > LIMIT_USES_MAX || values[2] >= LIMIT_BIT(LIMIT_USES_MAX))
		return false;
	*result_out = (struct limits_result){
		.granted = values[0] == 1,
		.refused = (int)values[1] - 1,
		.taken = (limit_set)values[2],
		.held = (int64_t)values[3],
		.wait_ms = (int64_t)values[4],
		.late = values[5] == 1,
		.lost = values[6] == 1,
		.not_yet = values[7] == 1,
		.row = term_row_of(row),
		.store_ms = (int64_t)store_ms,
	};
	return true;
}

static void
on_limits(void *arg, const struct redis_reply *reply)
{
	struct store_job *job = arg;
	if (redis_wants_script(job, reply)) {
		redis_go_on(job, send_limits(job, true));
		return;
	}
	if (redis_is_failure(job, reply))
		return;
	if (read_result(reply, &job->answer.limits))
		redis_finish(job, STORE_OK);
	else
		redis_finish_nonsense(job);
}

bool
redis_ask_limits(struct store_job *job)
{
	return send_limits(job, false);
}
