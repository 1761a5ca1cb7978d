/*
 * redis_greylist.c - the greylist gate as pipelined commands, one key each.
 *
 * A question asks for the identity (GET); unless that allows it, the triplet's script
 * decides (EVALSHA); a first pass is counted for the identity before the answer is given.
 */
#include "base/clock.h"
#include "redis_job.h"
#include "scripts.h"
#include "store/record.h"

static const struct script triplet_script = {{triplet_lua, sizeof(triplet_lua) - 1},
                                             {triplet_lua_sha,
                                              sizeof(triplet_lua_sha) - 1}};
static const struct script identity_script = {{identity_lua, sizeof(identity_lua) - 1},
                                              {identity_lua_sha,
                                               sizeof(identity_lua_sha) - 1}};

static void on_identity(void *arg, const struct redis_reply *reply);
static void on_triplet(void *arg, const struct redis_reply *reply);
static void on_counted(void *arg, const struct redis_reply *reply);
static void on_used(void *arg, const struct redis_reply *reply);

static bool
send_to_key(struct store_job *job, const struct script *script, bool whole, char kind,
            const struct key *key, const struct slice *args, size_t n, redis_fn *fn)
{
	struct redis_key name;
	struct slice text = redis_key_name(job->backend, kind, key, &name);
	return redis_send_script(job, script, whole, 1, &text, n, args, fn);
}

static bool
ask_identity(struct store_job *job)
{
	struct redis_key name;
	struct slice words[] = {SLICE("GET"), redis_key_name(job->backend, 'i',
	                                                     &job->ask.identity, &name)};
	return link_send(job->backend->link, 2, words, on_identity, job);
}

static bool
ask_triplet(struct store_job *job, bool whole)
{
	const struct grey_rules *rules = &job->ask.rules;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	struct slice args[] = {redis_number(&numbers, rules->delay_s),
	                       redis_number(&numbers, rules->retry_window_s),
	                       redis_number(&numbers, rules->lifetime_s),
	                       redis_number(&numbers, job->ask.may_store),
	                       redis_number(&numbers, job->ask.now_s),
	                       redis_number(&numbers, job->ask.mark),
	                       redis_number(&numbers, job->ask.is_second)};
	size_t n = COUNT_OF(args) - (job->ask.mark > 0 ? 0 : 2);
	return send_to_key(job, &triplet_script, whole, 't', &job->ask.triplet, args, n,
	                   on_triplet);
}

static bool
change_identity(struct store_job *job, struct slice what, bool whole, redis_fn *fn)
{
	const struct grey_rules *rules = &job->ask.rules;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	struct slice args[] = {what, redis_number(&numbers, rules->lifetime_s),
	                       redis_number(&numbers, rules->allow_client_after),
	                       redis_number(&numbers, job->ask.now_s)};
	return send_to_key(job, &identity_script, whole, 'i', &job->ask.identity, args,
	                   COUNT_OF(args), fn);
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
	if (redis_is_failure(job, reply))
		return;
	if (reply->kind != REDIS_NIL && reply->kind != REDIS_TEXT) {
		redis_finish_nonsense(job);
		return;
	}
	if (!read_record(reply, &rec)) {
		redis_finish(job, STORE_BAD_RECORD);
		return;
	}
	/* The key's own expiry goes by the server's clock; ours only says when use is due. */
	int64_t now_s = job->ask.now_s ? job->ask.now_s : clock_wall_s();
	if (!job->fn) { /* nobody waits any more */
		redis_finish(job, STORE_TIMEOUT);
		return;
	}
	if (!grey_identity_allowed(&rec, &job->ask.rules, now_s, &use_is_due)) {
		redis_go_on(job, ask_triplet(job, false));
		return;
	}
	job->answer.grey = (struct grey_result){.answer = GREY_IS_CLIENT_ALLOWED};
	if (!use_is_due || !change_identity(job, SLICE("use"), false, on_used))
		redis_finish(job, STORE_OK);
}

static void
on_triplet(void *arg, const struct redis_reply *reply)
{
	struct store_job *job = arg;
	if (redis_wants_script(job, reply)) {
		redis_go_on(job, ask_triplet(job, true));
		return;
	}
	if (redis_is_failure(job, reply))
		return;
	int64_t answer = reply->integer & 15, seconds = reply->integer >> 4;
	if (reply->kind != REDIS_INTEGER || reply->integer < 0 ||
	    answer > GREY_IS_RELEASED) {
		redis_finish_nonsense(job);
		return;
	}
	struct grey_result *grey = &job->answer.grey;
	*grey = (struct grey_result){.answer = (enum grey_answer)answer};
	bool passed = answer == GREY_IS_PASSED_NOW, released = answer == GREY_IS_RELEASED;
	*(passed || released ? &grey->delayed_s : &grey->wait_s) = seconds;
	if (!passed || job->ask.rules.allow_client_after == 0 ||
	    !change_identity(job, SLICE("count"), false, on_counted))
		redis_finish(job, STORE_OK);
}

/*
 * The triplet has passed whatever becomes of its identity's record, and use not written down
 * now is written down next time: both finish well after anything but a missing script.
 */
static void
finish_changed(struct store_job *job, const struct redis_reply *reply, struct slice what,
               redis_fn *fn)
{
	if (redis_wants_script(job, reply) && change_identity(job, what, true, fn))
		return;
	redis_finish(job, STORE_OK);
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

bool
redis_ask_greylist(struct store_job *job)
{
	return job->ask.rules.allow_client_after > 0 ? ask_identity(job)
	                                             : ask_triplet(job, false);
}
