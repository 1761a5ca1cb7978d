/* test_gates.c - a gate of its own, which waits for something else than the store: one row, and what is below. */
#include "engine/gate.h"

#include "harness.h"

#define NEVER_MS 60000

/* ---- the gate: it waits for a timer */

static struct {
	int64_t after_ms; /* 0: at once */
	bool defers;
	int64_t limit_ms;
	unsigned asked, cancelled;
} line;

struct waiting {
	struct decision *decision;
	struct loop_timer *timer;
};

static enum planned
line_plan(const struct facts *facts, struct plan *plan)
{
	(void)plan;
	return facts->query->stage == STAGE_RCPT ? PLANNED_TO_ASK : PLANNED_TO_PASS;
}

static void
line_judge(const struct facts *facts, const struct plan *plan, const void *answer,
           struct verdict *verdict)
{
	const bool *defers = answer;
	(void)facts, (void)plan;
	if (!*defers)
		return;
	verdict->action = VERDICT_DEFER;
	verdict->why = WHY_DRAINED;
	verdict->reply = SLICE("451 4.4.1 down");
}

static void
line_on_timer(void *arg)
{
	struct waiting *waiting = arg;
	timer_free(&waiting->timer);
	decision_judge(waiting->decision, &line.defers);
}

static void
line_ask(struct decision *decision)
{
	line.asked++;
	if (line.after_ms == 0) {
		decision_judge(decision, &line.defers);
		return;
	}
	struct waiting *waiting = arena_take(decision->facts.arena, sizeof(*waiting));
	waiting->decision = decision;
	waiting->timer = timer_new(decision->engine->loop, line_on_timer, waiting);
	timer_start(waiting->timer, line.after_ms);
	decision->own = waiting;
	decision_wait(decision, line.limit_ms);
}

static void
line_cancel(struct decision *decision)
{
	struct waiting *waiting = decision->own;
	line.cancelled++;
	timer_free(&waiting->timer);
}

static const struct gate_rule rule_line = {"line", line_plan, line_judge};

/* The table, with it in front of the limits. */
static const struct gate *
gates(void)
{
	static struct gate rows[16];
	size_t n = 0;
	for (const struct gate *gate = decision_gates; gate->rule; gate++) {
		if (gate->rule == &rule_limits)
			rows[n++] = (struct gate){.rule = &rule_line,
			                          .ask = line_ask,
			                          .cancel = line_cancel};
		rows[n++] = *gate;
	}
	rows[n] = (struct gate){0};
	return rows;
}

/* ---- a decision */

static struct loop *loop;
static struct engine *engine;
static struct arena arena;
static struct decision decision;
static struct delivery *delivery;
static struct verdict verdict;
static unsigned verdicts;

static void
start_engine(const char *more)
{
	static char path[200];
	char copy[100];
	struct text text = TEXT(path), of_copy = TEXT(copy);
	text_printf(&text, "store.path=%s", harness_dir());
	text_puts(&of_copy, more);
	char *v[] = {path, (char[]){"http.listen="}, (char[]){"store.deadline=5s"},
	             (char[]){"limits.default.concurrency=1"}, copy};
	struct conf_texts settings = {.v = v, .n = COUNT_OF(v)};
	struct err err;
	struct conf *conf = conf_load(NULL, &settings, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	loop = loop_new();
	engine = engine_open(ENGINE_OF_POLICYD, loop, conf, false, &err);
	ck_assert_msg(engine != NULL, "%s", err.text);
	engine->gates = gates();
	conf_unref(&conf);
	memset(&line, 0, sizeof(line));
	line.limit_ms = NEVER_MS;
	verdicts = 0;
	decision = (struct decision){0};
	delivery = delivery_new();
}

static void
stop_engine(void)
{
	delivery_end(&delivery);
	engine_close(&engine);
	loop_free(&loop);
	arena_free(&arena);
}

static void
on_verdict(void *arg, const struct verdict *made)
{
	(void)arg;
	verdict = *made;
	verdicts++;
	loop_stop(loop);
}

static void
start(int64_t limit_ms)
{
	const struct query query = {.stage = STAGE_RCPT,
	                            .client_address = SLICE("203.0.113.9"),
	                            .client_port = SLICE("2525"),
	                            .sender = SLICE("a@example.org"),
	                            .recipient = SLICE("b@acme.example"),
	                            .instance = SLICE("1.a")};
	decision_start(&decision, engine, &query, delivery, limit_ms, &arena, on_verdict,
	               NULL);
	ck_assert_uint_eq(verdicts, 0);
}

static void
on_stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
run_ms(int64_t ms)
{
	struct loop_timer *timer = timer_new(loop, on_stop, NULL);
	timer_start(timer, ms);
	loop_run(loop);
	timer_free(&timer);
}

static void
ck_verdict(enum verdict_action action, enum why why, bool limits_asked)
{
	if (verdicts == 0)
		loop_run(loop);
	ck_assert_uint_eq(verdicts, 1);
	ck_assert_int_eq(verdict.action, action);
	ck_assert_str_eq(why_word(verdict.why), why_word(why));
	ck_assert(delivery_holds(delivery) == limits_asked);
}

/* ---- what is held */

/* At once, and after a while. */
START_TEST(it_passes_on_to_the_limits)
{
	start_engine("greylist.mode=off");
	line.after_ms = _i;
	start(NEVER_MS);
	ck_verdict(VERDICT_ACCEPT, WHY_OFF, true);
	ck_assert_uint_eq(line.asked, 1);
	ck_assert_uint_eq(line.cancelled, 0);
	stop_engine();
}

END_TEST

START_TEST(what_it_defers_takes_nothing)
{
	start_engine("greylist.mode=off");
	line.after_ms = _i;
	line.defers = true;
	start(NEVER_MS);
	ck_verdict(VERDICT_DEFER, WHY_DRAINED, false);
	ck_slice_eq("reply", verdict.reply, "451 4.4.1 down");
	stop_engine();
}

END_TEST

START_TEST(what_greylisting_defers_does_not_come_to_it)
{
	start_engine("greylist.mode=on");
	start(NEVER_MS);
	ck_verdict(VERDICT_DEFER, WHY_GREYLIST_NEW, false);
	ck_assert_uint_eq(line.asked, 0);
	stop_engine();
}

END_TEST

/* By its own limit, or by that of the decision.  The store is there all the same. */
START_TEST(no_answer_in_time_is_accepted)
{
	start_engine("greylist.mode=off");
	line.after_ms = NEVER_MS;
	line.limit_ms = _i ? 20 : NEVER_MS;
	run_ms(20);
	start(_i ? NEVER_MS : 1000);
	ck_verdict(VERDICT_ACCEPT, WHY_STORE_FAILURE, true);
	ck_assert_uint_eq(line.cancelled, 1);
	stop_engine();
}

END_TEST

START_TEST(no_answer_in_time_is_deferred_if_that_is_the_rule)
{
	start_engine("store.on_failure=defer");
	engine->gates = (const struct gate[]){{.rule = &rule_exempt},
	                                      {.rule = &rule_line,
	                                       .ask = line_ask,
	                                       .cancel = line_cancel},
	                                      {0}};
	line.after_ms = NEVER_MS;
	line.limit_ms = 20;
	start(NEVER_MS);
	ck_verdict(VERDICT_DEFER, WHY_STORE_FAILURE, false);
	ck_assert(slice_starts_nocase(verdict.reply, SLICE("451 4.3.0 ")));
	ck_assert_uint_eq(line.cancelled, 1);
	stop_engine();
}

END_TEST

START_TEST(nobody_waits_any_more)
{
	start_engine("greylist.mode=off");
	line.after_ms = 20;
	start(NEVER_MS);
	ck_assert_uint_eq(line.asked, 1);
	decision_cancel(&decision);
	decision_cancel(&decision);
	ck_assert_uint_eq(line.cancelled, 1);
	run_ms(60);
	ck_assert_uint_eq(verdicts, 0);
	stop_engine();
}

END_TEST

/* Answered already, but not handed over yet. */
START_TEST(nobody_waits_for_what_is_decided)
{
	start_engine("greylist.mode=off");
	line.defers = true;
	start(NEVER_MS);
	decision_cancel(&decision);
	ck_assert_uint_eq(line.cancelled, 0);
	run_ms(20);
	ck_assert_uint_eq(verdicts, 0);
	stop_engine();
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, it_passes_on_to_the_limits, 0, 2);
	tcase_add_loop_test(tcase, what_it_defers_takes_nothing, 0, 2);
	tcase_add_test(tcase, what_greylisting_defers_does_not_come_to_it);
	tcase_add_loop_test(tcase, no_answer_in_time_is_accepted, 0, 2);
	tcase_add_test(tcase, no_answer_in_time_is_deferred_if_that_is_the_rule);
	tcase_add_test(tcase, nobody_waits_any_more);
	tcase_add_test(tcase, nobody_waits_for_what_is_decided);
}

int
main(void)
{
	return harness_run("gates", fill);
}
