/* decision.c - THE WALK: from gate to gate, until one has the last word. */
#include "engine/decision.h"

#include "base/clock.h"
#include "engine/gate.h"
#include "report.h"

static void plan(struct decision *decision);
static void go_on(struct decision *decision);
static void ask(struct decision *decision);
static void ask_store(struct decision *decision);
static void end(struct decision *decision);

/* ---- the start ---- */

static int64_t
time_of(const struct engine *engine, const struct query *query)
{
	uint64_t test_time_s;
	if (engine->test_clock && slice_to_u64(query->test_time, INT32_MAX, &test_time_s))
		return (int64_t)test_time_s;
	return clock_wall_s();
}

void
decision_start(struct decision *decision, struct engine *engine,
               const struct query *query, struct delivery *delivery, int64_t limit_ms,
               struct arena *arena, decision_fn *fn, void *arg)
{
	*decision = (struct decision){.engine = engine,
	                              .conf = conf_ref(engine->conf),
	                              .overrides = overrides_ref(engine->overrides),
	                              .query = query_normal(query, engine->conf, arena),
	                              .delivery = delivery,
	                              .fn = fn,
	                              .arg = arg,
	                              .started_us = clock_mono_us(),
	                              .deadline_ms = loop_now_ms(engine->loop) + limit_ms,
	                              .starting = true};
	decision->facts = (struct facts){.conf = decision->conf,
	                                 .overrides = decision->overrides,
	                                 .query = &decision->query,
	                                 .arena = arena,
	                                 .now_s = time_of(engine, query)};
	if (engine->test_clock)
		engine->test_now_s = decision->facts.now_s;
	plan(decision);
	go_on(decision);
	decision->starting = false;
}

/* All gates at once: what a decision is told with does not depend on how far it gets. */
static void
plan(struct decision *decision)
{
	const struct gate *gates = decision->engine->gates;
	enum planned planned = PLANNED_TO_PASS;
	plan_begin(&decision->facts, &decision->plan);
	for (size_t i = 0; gates[i].rule && planned != PLANNED_LAST; i++) {
		planned = gates[i].rule->plan(&decision->facts, &decision->plan);
		if (planned != PLANNED_TO_PASS)
			decision->to_ask |= 1U << i;
	}
	decision->asked = decision->plan.ask;
	verdict_begin(&decision->plan, decision->engine->next_serial++,
	              &decision->verdict);
}

/* ---- from gate to gate ---- */

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

/* To the next one that has something to ask, unless the last one has deferred. */
static void
go_on(struct decision *decision)
{
	const struct gate *gate = decision->engine->gates;
	enforce(decision);
	if (decision->verdict.action == VERDICT_DEFER || decision->to_ask == 0) {
		end(decision);
		return;
	}
	for (unsigned bits = decision->to_ask; !(bits & 1); bits >>= 1)
		gate++;
	decision->to_ask &= decision->to_ask - 1;
	decision->gate = gate;
	decision->until_ms = decision->deadline_ms;
	if (gate->of_store)
		ask_store(decision);
	else
		ask(decision);
}

static void
ask(struct decision *decision)
{
	decision->waits = true;
	if (decision->gate->ask)
		decision->gate->ask(decision);
	else
		decision_judge(decision, NULL);
}

void
decision_judge(struct decision *decision, const void *answer)
{
	decision->gate->rule->judge(&decision->facts, &decision->plan, answer,
	                            &decision->verdict);
	decision_pass(decision);
}

void
decision_fail(struct decision *decision, enum store_status status)
{
	if (decision->gate->of_store)
		decision->status = status;
	if (decision->gate->fail) {
		decision->gate->fail(decision);
		return;
	}
	verdict_failed(&decision->facts, &decision->plan, status, &decision->verdict);
	decision_pass(decision);
}

void
decision_pass(struct decision *decision)
{
	decision->waits = false;
	decision->job = NULL;
	timer_free(&decision->timer);
	go_on(decision);
}

/* ---- waiting ---- */

static int64_t
left_ms(const struct decision *decision)
{
	return decision->until_ms - loop_now_ms(decision->engine->loop);
}

/* The store was not there yet.  The gate has what is left of its time. */
static void
on_awaited(void *arg, const struct answer *answer)
{
	struct decision *decision = arg;
	decision->job = NULL;
	if (answer->status == STORE_OK)
		ask_store(decision);
	else
		decision_fail(decision, answer->status);
}

static void
await_store(struct decision *decision)
{
	int64_t limit_ms = left_ms(decision), most_ms = decision->conf->store.deadline_ms;
	if (limit_ms > most_ms)
		limit_ms = most_ms;
	decision->until_ms = loop_now_ms(decision->engine->loop) + limit_ms;
	decision->job =
		store_await(decision->engine->store, limit_ms, on_awaited, decision);
}

/* Not after it was just found not to answer; and without its secret there are no keys. */
static void
ask_store(struct decision *decision)
{
	enum store_status status = decision->status;
	bool silent = status == STORE_TIMEOUT || status == STORE_DOWN ||
	              status == STORE_OVERLOADED;
	if (silent || left_ms(decision) <= 0)
		decision_fail(decision, status == STORE_OK ? STORE_DOWN : status);
	else if (!store_secret(decision->engine->store))
		await_store(decision);
	else
		ask(decision);
}

void
decision_ask_store(struct decision *decision, store_fn *fn)
{
	decision->asked = true;
	decision->job = store_ask(decision->engine->store, &decision->ask,
	                          left_ms(decision), fn, decision);
}

void
decision_ask_anew(struct decision *decision)
{
	decision->waits = false;
	decision->job = NULL;
	decision->until_ms = decision->deadline_ms;
	ask_store(decision);
}

static void
on_late(void *arg)
{
	struct decision *decision = arg;
	if (decision->gate->cancel)
		decision->gate->cancel(decision);
	decision_fail(decision, STORE_TIMEOUT);
}

void
decision_wait(struct decision *decision, int64_t limit_ms)
{
	int64_t most_ms = left_ms(decision) > 0 ? left_ms(decision) : 0;
	decision->timer = timer_new(decision->engine->loop, on_late, decision);
	timer_start(decision->timer, limit_ms < most_ms ? limit_ms : most_ms);
}

int64_t
decision_clock_ms(const struct decision *decision)
{
	return decision->engine->test_clock ? decision->facts.now_s * 1000
	                                    : loop_now_ms(decision->engine->loop);
}

/* ---- the end ---- */

static void
settle(void *arg)
{
	struct decision *decision = arg;
	if (decision->verdict.action == VERDICT_ACCEPT && decision->delivery &&
	    decision->query.stage == STAGE_RCPT && decision->plan.message_recipients > 0)
		delivery_count_recipient(decision->delivery, decision->query.recipient);
	if (decision->query.stage != STAGE_RCPT_REFUSED) /* that was the MTA's verdict */
		report_decision(decision);
	conf_unref(&decision->conf);
	overrides_unref(&decision->overrides);
	decision->fn(decision->arg, &decision->verdict);
}

/* What was taken at RCPT, when the recipient, or now the message, is refused. */
static void
give_back(struct decision *decision)
{
	const struct gate *gate = decision->engine->gates;
	if (decision->query.stage != STAGE_RCPT_REFUSED &&
	    (decision->query.stage != STAGE_DATA ||
	     decision->verdict.action == VERDICT_ACCEPT))
		return;
	for (; gate->rule; gate++)
		if (gate->give_back)
			gate->give_back(decision);
}

static void
end(struct decision *decision)
{
	give_back(decision);
	decision->later = (struct task){.fn = settle, .arg = decision};
	if (decision->starting)
		loop_defer(decision->engine->loop, &decision->later);
	else
		settle(decision);
}

void
decision_cancel(struct decision *decision)
{
	if (!decision->conf)
		return;
	if (decision->waits && decision->gate->cancel)
		decision->gate->cancel(decision);
	store_abandon(&decision->job);
	timer_free(&decision->timer);
	loop_undefer(decision->engine->loop, &decision->later);
	conf_unref(&decision->conf);
	overrides_unref(&decision->overrides);
}
