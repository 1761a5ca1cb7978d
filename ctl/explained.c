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

static const void *
read_greylist(struct explained *explained, struct history *history,
              const struct key_secret *secret, struct err *err)
{
	struct ask ask;
	if (!explained->plan.ask)
		return &explained->grey;
	plan_ask(explained->facts.conf, &explained->plan, secret, &ask);
	explained->identity_key = ask.identity;
	explained->triplet_key = ask.triplet;
	if (!greylisted_get(history, RECORD_IDENTITY, &ask.identity, &explained->identity,
	                    err) ||
	    !greylisted_get(history, RECORD_TRIPLET, &ask.triplet, &explained->triplet,
	                    err))
		return NULL;
	explained->grey = judge(explained, &ask.rules, explained->facts.now_s);
	return &explained->grey;
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
          struct err *err)
{
	if (use->kind != LIMIT_CONCURRENCY &&
	    !history_get_rate(history, &use->key, &out->fact.tat_us, err))
		return false;
	out->has_room = limit_has_room(use, &out->fact, clock_wall_us(), &out->wait_ms);
	return true;
}

static void
settle(struct explained *explained)
{
	struct limits_result *result = &explained->limits_result;
	int64_t now_us = clock_wall_us();
	*result = (struct limits_result){.granted = true, .refused = -1};
	for (size_t i = 0; i < explained->limits.n; i++)
		if (!limits_judge(&explained->limits, i, &explained->uses[i].fact, false,
		                  now_us, result))
			return;
}

/* How full each limit is, whether or not it comes to that. */
static const void *
read_limits(struct explained *explained, struct history *history,
            const struct key_secret *secret, struct err *err)
{
	const struct plan *plan = &explained->plan;
	limits_uses(plan->limits, plan->n_limits, secret, &explained->limits);
	if (!history_read_leases(history, on_lease, explained, err))
		return NULL;
	for (size_t i = 0; i < explained->limits.n; i++)
		if (!judge_use(history, &explained->limits.uses[i], &explained->uses[i],
		               err))
			return NULL;
	settle(explained);
	explained->limits_answer =
		(struct limits_answer){&explained->limits, &explained->limits_result};
	return &explained->limits_answer;
}

/* ---- the walk ---- */

/* As that of the daemons, but that each is only read; and the message has no other recipients. */
static const struct {
	const struct gate_rule *rule;
	/* The answer; NULL with a text when the store failed. */
	const void *(*read)(struct explained *explained, struct history *history,
	                    const struct key_secret *secret, struct err *err);
} gates[] = {
	{&rule_drained, NULL},
	{&rule_exempt, NULL},
	{&rule_greylist, read_greylist},
	{&rule_limits, read_limits},
};

/* Also of gates that it does not come to: all is shown. */
static bool
read_all(struct explained *explained, struct history *history,
         const void *answers[COUNT_OF(gates)], struct err *err)
{
	struct key_secret secret;
	bool good = history_secret(history, &secret, err);
	for (size_t i = 0; i < COUNT_OF(gates) && good; i++) {
		if (gates[i].read)
			answers[i] = gates[i].read(explained, history, &secret, err);
		good = answers[i] || !gates[i].read;
	}
	explicit_bzero(&secret, sizeof(secret));
	return good;
}

bool
explained_make(struct explained *explained, struct history *history, struct err *err_out)
{
	const struct facts *facts = &explained->facts;
	struct plan *plan = &explained->plan;

	enum planned planned[COUNT_OF(gates)] = {PLANNED_TO_PASS};

	const void *answers[COUNT_OF(gates)] = {NULL};
	plan_begin(facts, plan);
	for (size_t i = 0; i < COUNT_OF(gates); i++) {
		planned[i] = gates[i].rule->plan(facts, plan);
		if (planned[i] == PLANNED_LAST)
			break;
	}
	plan_find_identity(facts, plan);
	if (!read_all(explained, history, answers, err_out))
		return false;
	verdict_begin(plan, 0, &explained->verdict);
	for (size_t i = 0; i < COUNT_OF(gates); i++) {
		if (planned[i] == PLANNED_TO_PASS ||
		    explained->verdict.action == VERDICT_DEFER)
			continue;
		explained->asks_limits = gates[i].rule == &rule_limits;
		gates[i].rule->judge(facts, plan, answers[i], &explained->verdict);
	}
	return true;
}
