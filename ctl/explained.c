/* explained.c - the whole decision about an invented request; nothing is written. */
#include "explained.h"

#include "base/clock.h"
#include "greylisted.h"

/* ---- the greylist gate ---- */

/* As the store would, on copies of the records. */
static struct grey_result
judge(const struct explained *explained, const struct grey_rules *rules, int64_t now_s)
{
	struct grey_record triplet = explained->triplet;
	if (greylisted_is_allowed(&explained->identity, rules, now_s))
		return (struct grey_result){.answer = GREY_IS_CLIENT_ALLOWED};
	return grey_triplet_step(&triplet, rules, true, now_s);
}

static bool
make_greylist(struct explained *explained, struct history *history,
              const struct key_secret *secret, int64_t now_s, struct answer *answer,
              struct err *err)
{
	struct ask ask;
	plan_ask(explained->conf, &explained->plan, secret, &ask);
	explained->identity_key = ask.identity;
	explained->triplet_key = ask.triplet;
	if (!greylisted_get(history, RECORD_IDENTITY, &ask.identity, &explained->identity,
	                    err) ||
	    !greylisted_get(history, RECORD_TRIPLET, &ask.triplet, &explained->triplet,
	                    err))
		return false;
	*answer = (struct answer){.status = STORE_OK,
	                          .grey = judge(explained, &ask.rules, now_s)};
	return true;
}

/* ---- the limits gate ---- */

static void
on_lease(void *arg, const struct history_lease *lease)
{
	struct explained *explained = arg;
	for (size_t i = 0; i < explained->limits.n; i++) {
		const struct key *key = &explained->limits.uses[i].key;
		if (memcmp(key->bytes, lease->key.bytes, KEY_BYTES) == 0)
			explained->uses[i].fact.held++;
	}
}

static bool
judge_use(struct history *history, const struct limit_use *use, struct explained_use *out,
          int64_t now_us, struct err *err)
{
	if (use->kind != LIMIT_CONCURRENCY &&
	    !history_get_rate(history, &use->key, &out->fact.tat_us, err))
		return false;
	out->has_room = limit_has_room(use, &out->fact, now_us, &out->wait_ms);
	return true;
}

static void
settle(struct explained *explained)
{
	struct limits_result *result = &explained->limits_result;
	*result = (struct limits_result){.granted = true, .refused = -1};
	for (size_t i = 0; i < explained->limits.n; i++)
		if (!limits_judge(&explained->limits, i, &explained->uses[i].fact, false,
		                  explained->now_us, result))
			return;
}

/* How full each limit is, whether or not it comes to that. */
static bool
read_limits(struct explained *explained, struct history *history,
            const struct key_secret *secret, struct err *err)
{
	const struct plan *plan = &explained->plan;
	limits_uses(plan->limits, plan->n_limits, secret, &explained->limits);
	explained->now_us = clock_wall_us();
	if (!history_read_leases(history, on_lease, explained, err))
		return false;
	for (size_t i = 0; i < explained->limits.n; i++)
		if (!judge_use(history, &explained->limits.uses[i], &explained->uses[i],
		               explained->now_us, err))
			return false;
	return true;
}

static void
ask_limits(struct explained *explained)
{
	const struct plan *plan = &explained->plan;
	explained->asks_limits = plan->n_limits > 0 &&
	                         explained->verdict.action == VERDICT_ACCEPT &&
	                         explained->query->stage == STAGE_RCPT;
	if (!explained->asks_limits)
		return;
	settle(explained);
	verdict_limits(explained->conf, plan, &explained->limits,
	               &explained->limits_result, explained->arena, &explained->verdict);
}

bool
explained_make(struct explained *explained, struct history *history, int64_t now_s,
               struct err *err_out)
{
	struct plan *plan = &explained->plan;
	struct key_secret secret;
	struct answer answer = {.status = STORE_OK};
	if (!history_secret(history, &secret, err_out))
		return false;
	plan_make(explained->conf, explained->overrides, explained->query, now_s,
	          explained->arena, plan);
	plan_find_identity(explained->conf, explained->query, explained->arena, plan);
	bool good = (!plan->ask || make_greylist(explained, history, &secret, now_s,
	                                         &answer, err_out)) &&
	            read_limits(explained, history, &secret, err_out);
	explicit_bzero(&secret, sizeof(secret));
	if (!good)
		return false;
	verdict_make(explained->conf, plan, plan->ask ? &answer : NULL, 0,
	             explained->arena, &explained->verdict);
	ask_limits(explained);
	return true;
}
