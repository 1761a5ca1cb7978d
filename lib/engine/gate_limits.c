/* gate_limits.c - is there room: in the message, and in every limit that applies? */
#include "base/stats.h"
#include "engine/gate.h"
#include "engine/local_limits.h"
#include "report.h"

#define ALL_USES (~(limit_set)0)

/* ---- recipients of one message ---- */

void
message_ask(struct decision *decision)
{
	if (!decision->delivery ||
	    delivery_has_room(decision->delivery, decision->query.recipient,
	                      decision->plan.message_recipients))
		decision_pass(decision);
	else
		decision_judge(decision, NULL);
}

/* ---- limits ---- */

/*
 * This process alone has all of a limit under way: no need to ask, and no harm if leases have run
 * out.  Only the milter knows it, since it sees deliveries end.
 */
static bool
is_full_here(const struct decision *decision, struct limits_result *result_out)
{
	const struct engine *engine = decision->engine;
	return engine->kind == ENGINE_OF_MILTER &&
	       local_limits_is_full(engine->local_limits, &decision->ask.limits,
	                            result_out);
}

static void
judge(struct decision *decision, const struct limits_result *result, enum granted_by by)
{
	const struct limits_ask *ask = &decision->ask.limits;
	decision->held = result->held;
	if (result->granted)
		delivery_take(decision->delivery, &decision->plan, ask, result->taken,
		              by);
	if (result->granted && by == BY_STORE)
		report_names(decision);
	decision_judge(decision, &(struct limits_answer){ask, result});
}

/* The store did not answer: this host keeps to its share. */
static void
judge_locally(struct decision *decision, enum store_status status, enum granted_by by)
{
	const struct limits_ask *ask = &decision->ask.limits;
	struct limits_result result;
	decision->status = status;
	local_limits_judge(decision->engine->local_limits, ask, ask->mine,
	                   decision->conf->nodes, decision_clock_ms(decision) * 1000,
	                   &result);
	stats_add(STAT_LIMITS_LOCAL, 1);
	/* What is let in by the share counts there: tokens of a late answer are given back. */
	if (!result.granted)
		delivery_may_take(decision->delivery, ask);
	store_abandon(&decision->job);
	judge(decision, &result, by);
}

/* To the store: what it took for these uses is given back. */
static void
tell_back(const struct decision *decision, enum ask_kind kind, limit_set uses)
{
	struct ask back;
	if (!store_secret(decision->engine->store))
		return;
	ask_copy(&back, &decision->ask);
	back.kind = kind;
	limits_keep(&back.limits, uses);
	store_tell(decision->engine->store, &back);
}

/* Nothing is granted before all have told what they hold; what is only observed passes. */
static void
refuse_for_now(const struct decision *decision, struct limits_result *result)
{
	const struct limits_ask *ask = &decision->ask.limits;
	for (size_t i = ask->n; i-- > 0;)
		if (!ask->uses[i].observed)
			result->refused = (int)i;
	result->granted = result->refused < 0;
}

/* An answer under a key of an earlier secret is no answer: it is asked again. */
static void
on_answer(void *arg, const struct answer *answer)
{
	struct decision *decision = arg;
	struct store *store = decision->engine->store;
	struct limits_result result = answer->limits, full;
	enum store_status status = answer->status;
	if (store_secret_number(store) != decision->secret_number) {
		decision_ask_anew(decision);
		return;
	}
	if (status == STORE_OK && result.not_yet)
		refuse_for_now(decision, &result);
	else if (status == STORE_OK && !result.granted)
		status = store_owes(store);
	if (status != STORE_OK) {
		judge_locally(decision, status,
		              answer->unasked ? BY_LOCAL_LIMITS_UNASKED
		                              : BY_LOCAL_LIMITS);
		return;
	}
	if (result.granted && is_full_here(decision, &full)) {
		/* Others were let through while the store was away. */
		tell_back(decision, ASK_GIVE_BACK,
		          result.taken & ~decision->ask.limits.mine);
		result = full;
	}
	judge(decision, &result, BY_STORE);
}

static void
make_question(struct decision *decision)
{
	decision->ask = (struct ask){.kind = ASK_LIMITS};
	decision->secret_number = store_secret_number(decision->engine->store);
	delivery_ask(decision->delivery, decision->engine, decision->conf,
	             &decision->query, &decision->plan, &decision->ask.limits);
}

/* Without a question: this process knows that it is full. */
static bool
is_refused_here(struct decision *decision)
{
	struct limits_result full;
	make_question(decision);
	if (!is_full_here(decision, &full))
		return false;
	tell_back(decision, ASK_REFUSED, ALL_USES);
	judge(decision, &full, BY_STORE);
	return true;
}

void
limits_ask(struct decision *decision)
{
	if (!is_refused_here(decision))
		decision_ask_store(decision, on_answer);
}

/* The store was not asked. */
void
limits_fail(struct decision *decision)
{
	if (is_refused_here(decision))
		return;
	decision->asked = true;
	judge_locally(decision, decision->status, BY_LOCAL_LIMITS_UNASKED);
}

void
limits_cancel(struct decision *decision)
{
	delivery_may_take(decision->delivery, &decision->ask.limits);
}

void
limits_give_back(struct decision *decision)
{
	if (decision->query.stage == STAGE_DATA && decision->delivery) {
		delivery_give_back(decision->delivery);
	} else if (decision->plan.n_limits > 0 && store_secret(decision->engine->store)) {
		make_question(decision);
		tell_back(decision, ASK_REFUSED, ALL_USES);
	}
}
