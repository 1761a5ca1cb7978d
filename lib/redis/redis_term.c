/* redis_term.c - a daemon's part in the life of a Redis: the script that has the term. */
#include "redis_job.h"
#include "scripts.h"

static const struct script term_script = {{term_lua, sizeof(term_lua) - 1},
                                          {term_lua_sha, sizeof(term_lua_sha) - 1}};

static const struct slice step_words[TERM_STEPS] = {
	[TERM_BEGIN] = SLICE_INIT("begin"),
	[TERM_SIGN_IN] = SLICE_INIT("in"),
	[TERM_LOOK] = SLICE_INIT("look"),
	[TERM_SIGN_OUT] = SLICE_INIT("out"),
};

#define TERM_KEYS 2
#define TERM_ARGS 9

static void on_term(void *arg, const struct redis_reply *reply);

static bool
send_term(struct store_job *job, bool whole)
{
	const struct term_call *call = &job->ask.term;
	const struct store_backend *backend = job->backend;
	struct redis_key names[TERM_KEYS];
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	const struct slice keys[TERM_KEYS] = {redis_single_name(backend, "term",
	                                                        &names[0]),
	                                      redis_single_name(backend, "leases",
	                                                        &names[1])};
	const struct slice args[TERM_ARGS] = {
		step_words[call->step],
		slice_of(call->daemon),
		slice_of(backend->run_id),
		redis_number(&numbers, (int64_t)call->number),
		redis_number(&numbers, call->hosts),
		redis_number(&numbers, call->fresh),
		redis_number(&numbers, call->doubts),
		redis_number(&numbers, call->waited),
		slice_of(call->known),
	};
	/* Who finds the store empty puts the secret back that it goes on with. */
	if (call->step == TERM_BEGIN && !whole)
		redis_agree_on_secret(job->backend);
	return redis_send_script(job, &term_script, whole, TERM_KEYS, keys, TERM_ARGS,
	                         args, on_term);
}

/* "row number now_ms hosts_missing +m/mx1/ -m/mx2/" */
static bool
read_term(const struct redis_reply *reply, struct term_answer *answer_out)
{
	struct slice rest = reply->text, row, word;
	uint64_t numbers[3];
	if (reply->kind != REDIS_TEXT || !slice_word(&rest, &row))
		return false;
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		if (!slice_word(&rest, &word) ||
		    !slice_to_u64(word, INT64_MAX, &numbers[i]))
			return false;
	*answer_out = (struct term_answer){.row = term_row_of(row),
	                                   .number = numbers[0],
	                                   .store_ms = (int64_t)numbers[1],
	                                   .hosts_missing = (int64_t)numbers[2],
	                                   .members = rest};
	return true;
}

static void
on_term(void *arg, const struct redis_reply *reply)
{
	struct store_job *job = arg;
	if (redis_wants_script(job, reply)) {
		redis_go_on(job, send_term(job, true));
		return;
	}
	if (redis_is_failure(job, reply))
		return;
	if (read_term(reply, &job->answer.term))
		redis_finish(job, STORE_OK);
	else
		redis_finish_nonsense(job);
}

bool
redis_ask_term(struct store_job *job)
{
	return send_term(job, false);
}
