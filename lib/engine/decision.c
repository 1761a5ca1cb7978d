/* decision.c - THE WALK: start -> plan -> greylist gate -> limits gate -> verdict. */
#include "engine/decision.h"

#include "base/clock.h"
#include "base/stats.h"
#include "engine/local_limits.h"
#include "engine/newcap.h"
#include "report.h"

static int64_t
time_of(const struct engine *engine, const struct query *query)
{
	uint64_t test_time_s;
	if (engine->test_clock && slice_to_u64(query->test_time, INT32_MAX, &test_time_s))
		return (int64_t)test_time_s;
	return clock_wall_s();
}

/* The clock of what is judged in this process. */
static int64_t
own_clock_ms(const struct decision *decision)
{
	return decision->engine->test_clock ? decision->now_s * 1000
	                                    : loop_now_ms(decision->engine->loop);
}

/* ---- the end ---- */

/* milter.enforce = false makes each deferral of the milter an observation. */
static void
enforce(struct decision *decision)
{
	struct verdict *verdict = &decision->verdict;
	if (verdict->action != VERDICT_DEFER ||
	    decision->engine->kind != ENGINE_OF_MILTER || decision->conf->milter.enforce)
		return;
	verdict->action = VERDICT_ACCEPT;
	verdict->observed = true;
}

/* A recipient that goes on, of a message that may have so many. */
static bool
is_one_of_message(const struct decision *decision)
{
	return decision->verdict.action == VERDICT_ACCEPT && decision->delivery &&
	       decision->query.stage == STAGE_RCPT &&
	       decision->plan.message_recipients > 0;
}

static void
settle(struct decision *decision)
{
	if (decision->verdict.action == VERDICT_DEFER &&
	    decision->query.stage == STAGE_DATA && decision->delivery)
		delivery_give_back(decision->delivery);
	if (is_one_of_message(decision))
		delivery_count_recipient(decision->delivery, decision->query.recipient);
	if (decision->query.stage != STAGE_RCPT_REFUSED) /* that was the MTA's verdict */
		report_decision(decision);
	conf_unref(&decision->conf);
	overrides_unref(&decision->overrides);
	decision->fn(decision->arg, &decision->verdict);
}

/* ---- the limits gate ---- */

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

/* The store did not answer: this host keeps to its share. */
static void
judge_locally(struct decision *decision, struct limits_result *result_out)
{
	const struct limits_ask *ask = &decision->ask.limits;
	local_limits_judge(decision->engine->local_limits, ask, ask->mine,
	                   decision->conf->nodes, own_clock_ms(decision) * 1000,
	                   result_out);
	stats_add(STAT_LIMITS_LOCAL, 1);
	/* What is let in by the share counts there: tokens of a late answer are given back. */
	if (!result_out->granted)
		delivery_may_take(decision->delivery, ask);
	store_abandon(&decision->job);
}

/* What the store has granted is given back, since this process has all there is under way. */
static void
return_granted(struct decision *decision, limit_set taken)
{
	struct ask back;
	ask_copy(&back, &decision->ask);
	back.kind = ASK_GIVE_BACK;
	limits_keep(&back.limits, taken & ~back.limits.mine);
	store_tell(decision->engine->store, &back);
}

static void
settle_limits(struct decision *decision, const struct limits_result *result,
              enum granted_by by)
{
	const struct limits_ask *ask = &decision->ask.limits;
	decision->job = NULL;
	decision->held = result->held;
	if (result->granted)
		delivery_take(decision->delivery, &decision->plan, ask, result->taken,
		              by);
	if (result->granted && by == BY_STORE)
		report_names(decision);
	verdict_limits(decision->conf, &decision->plan, ask, result, decision->arena,
	               &decision->verdict);
	enforce(decision);
	settle(decision);
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

static enum granted_by
granted_by(const struct answer *answer, enum store_status status)
{
	if (status == STORE_OK)
		return BY_STORE;
	return answer->unasked ? BY_LOCAL_LIMITS_UNASKED : BY_LOCAL_LIMITS;
}

static void
limits_answered(struct decision *decision, const struct answer *answer)
{
	struct limits_result result = answer->limits, full;
	enum store_status status = answer->status;
	if (status == STORE_OK && result.not_yet)
		refuse_for_now(decision, &result);
	else if (status == STORE_OK && !result.granted)
		status = store_owes(decision->engine->store);
	if (status != STORE_OK) {
		decision->status = status;
		judge_locally(decision, &result);
	} else if (result.granted && is_full_here(decision, &full)) {
		/* Others were let through while the store was away. */
		return_granted(decision, result.taken);
		result = full;
	}
	settle_limits(decision, &result, granted_by(answer, status));
}

static void ask_limits(struct decision *decision);

/* An answer under a key of an earlier secret is no answer: it is asked again. */
static void
on_limits(void *arg, const struct answer *answer)
{
	struct decision *decision = arg;
	if (store_secret_number(decision->engine->store) == decision->secret_number) {
		limits_answered(decision, answer);
		return;
	}
	decision->job = NULL;
	ask_limits(decision);
}

/* Not after the greylist gate has just found that it does not answer. */
static bool
may_ask_store(const struct decision *decision, int64_t left_ms)
{
	enum store_status status = decision->status;
	return store_secret(decision->engine->store) && left_ms > 0 &&
	       status != STORE_TIMEOUT && status != STORE_DOWN &&
	       status != STORE_OVERLOADED;
}

static void
ask_limits(struct decision *decision)
{
	struct engine *engine = decision->engine;
	int64_t left_ms = decision->deadline_ms - loop_now_ms(engine->loop);
	decision->ask = (struct ask){.kind = ASK_LIMITS};
	decision->secret_number = store_secret_number(engine->store);
	delivery_ask(decision->delivery, engine, decision->conf, &decision->query,
	             &decision->plan, &decision->ask.limits);
	struct limits_result full;
	if (is_full_here(decision, &full)) {
		struct ask refused;
		ask_copy(&refused, &decision->ask);
		refused.kind = ASK_REFUSED;
		if (store_secret(engine->store))
			store_tell(engine->store, &refused);
		settle_limits(decision, &full, BY_STORE);
		return;
	}
	decision->asked = true;
	if (!may_ask_store(decision, left_ms)) {
		enum store_status status =
			decision->status == STORE_OK ? STORE_DOWN : decision->status;
		limits_answered(decision,
		                &(struct answer){.status = status, .unasked = true});
		return;
	}
	decision->job =
		store_ask(engine->store, &decision->ask, left_ms, on_limits, decision);
}

/* ---- the greylist gate ---- */

/* Behind the greylist gate, as all limits are. */
static void
judge_message(struct decision *decision)
{
	const struct plan *plan = &decision->plan;
	if (!is_one_of_message(decision) ||
	    delivery_has_room(decision->delivery, decision->query.recipient,
	                      plan->message_recipients))
		return;
	verdict_message_full(decision->conf, plan, decision->arena, &decision->verdict);
	enforce(decision);
}

static void
greylist_answered(struct decision *decision, const struct answer *answer)
{
	verdict_make(decision->conf, &decision->plan, answer,
	             decision->engine->next_serial++, decision->arena,
	             &decision->verdict);
	enforce(decision);
	if (answer)
		decision->status = answer->status;
	judge_message(decision);
	if (decision->verdict.action == VERDICT_ACCEPT && decision->plan.n_limits > 0 &&
	    decision->query.stage == STAGE_RCPT)
		ask_limits(decision);
	else
		settle(decision);
}

static void
on_greylist(void *arg, const struct answer *answer)
{
	struct decision *decision = arg;
	decision->job = NULL;
	if (answer->status == STORE_OK && answer->grey.answer == GREY_IS_NEW)
		newcap_take(decision->engine->newcap, &decision->ask.identity,
		            &decision->conf->greylist.new_triplets,
		            own_clock_ms(decision));
	greylist_answered(decision, answer);
}

/* On the loop, in the turn after the start: the greylist gate had not to be asked. */
static void
on_later(void *arg)
{
	greylist_answered(arg, NULL);
}

/* Where both daemons only observe, the milter must not tell what policyd has told already. */
static void
mark_session(struct decision *decision)
{
	const struct key_secret *secret = store_secret(decision->engine->store);
	char holder[HOLDER_MAX + 1];
	if (decision->plan.greylist_mode != MODE_OBSERVE ||
	    !limits_print_holder('p', decision->conf->node, &decision->query, 0, holder))
		return;
	struct key key =
		key_note(secret, slice_of(holder), (struct slice){0}, (struct slice){0});
	decision->ask.mark = 1 + (key.bytes[0] << 8 | key.bytes[1]) % GREY_COUNT_MAX;
	decision->ask.is_second = decision->engine->kind == ENGINE_OF_MILTER;
}

static void
ask_greylist(struct decision *decision, int64_t limit_ms)
{
	struct engine *engine = decision->engine;
	struct conf *conf = decision->conf;
	plan_ask(conf, &decision->plan, store_secret(engine->store), &decision->ask);
	decision->triplet = decision->ask.triplet;
	decision->keyed = true;
	decision->ask.now_s = engine->test_now_s;
	mark_session(decision);
	decision->ask.may_store =
		newcap_has_room(engine->newcap, &decision->ask.identity,
	                        &conf->greylist.new_triplets, own_clock_ms(decision));
	decision->job =
		store_ask(engine->store, &decision->ask, limit_ms, on_greylist, decision);
}

/* The store was not there yet.  The greylist gate has what is left of its time. */
static void
on_awaited(void *arg, const struct answer *answer)
{
	struct decision *decision = arg;
	const struct answer down = {.status = answer->status};
	int64_t left_ms = decision->await_until_ms - loop_now_ms(decision->engine->loop);
	decision->job = NULL;
	decision->status = answer->status;
	if (answer->status == STORE_OK && decision->plan.ask)
		ask_greylist(decision, left_ms > 0 ? left_ms : 0);
	else
		greylist_answered(decision, decision->plan.ask ? &down : NULL);
}

static void
await_store(struct decision *decision)
{
	struct engine *engine = decision->engine;
	int64_t now_ms = loop_now_ms(engine->loop);
	int64_t limit_ms = decision->deadline_ms - now_ms;
	if (limit_ms > decision->conf->store.deadline_ms)
		limit_ms = decision->conf->store.deadline_ms;
	decision->await_until_ms = now_ms + limit_ms;
	decision->ask = (struct ask){.kind = ASK_GREYLIST};
	decision->job = store_await(engine->store, limit_ms, on_awaited, decision);
}

/* ---- the start ---- */

/* What policyd took for a recipient that the MTA then refused. */
static void
give_back_refused(struct decision *decision)
{
	struct engine *engine = decision->engine;
	struct ask ask = {.kind = ASK_REFUSED};
	if (decision->plan.n_limits == 0 || !store_secret(engine->store))
		return;
	delivery_ask(decision->delivery, engine, decision->conf, &decision->query,
	             &decision->plan, &ask.limits);
	store_tell(engine->store, &ask);
}

void
decision_start(struct decision *decision, struct engine *engine,
               const struct query *query, struct delivery *delivery, int64_t limit_ms,
               struct arena *arena, decision_fn *fn, void *arg)
{
	*decision =
		(struct decision){.engine = engine,
	                          .conf = conf_ref(engine->conf),
	                          .overrides = overrides_ref(engine->overrides),
	                          .query = query_normal(query, engine->conf, arena),
	                          .delivery = delivery,
	                          .arena = arena,
	                          .fn = fn,
	                          .arg = arg,
	                          .now_s = time_of(engine, query),
	                          .started_us = clock_mono_us(),
	                          .deadline_ms = loop_now_ms(engine->loop) + limit_ms};
	if (engine->test_clock)
		engine->test_now_s = decision->now_s;
	plan_make(decision->conf, decision->overrides, &decision->query, decision->now_s,
	          arena, &decision->plan);
	decision->asked = decision->plan.ask;
	if (!store_secret(engine->store) &&
	    (decision->plan.ask || decision->plan.n_limits > 0) &&
	    query->stage != STAGE_RCPT_REFUSED) {
		await_store(decision);
		return;
	}
	if (decision->plan.ask) {
		ask_greylist(decision, limit_ms);
		return;
	}
	if (query->stage == STAGE_RCPT_REFUSED)
		give_back_refused(decision);
	decision->later = (struct task){.fn = on_later, .arg = decision};
	loop_defer(engine->loop, &decision->later);
}

void
decision_cancel(struct decision *decision)
{
	if (!decision->conf)
		return;
	if (decision->job && decision->ask.kind == ASK_LIMITS)
		delivery_may_take(decision->delivery, &decision->ask.limits);
	store_abandon(&decision->job);
	loop_undefer(decision->engine->loop, &decision->later);
	conf_unref(&decision->conf);
	overrides_unref(&decision->overrides);
}
