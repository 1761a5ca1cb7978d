/* test_local_limits.c - what this host may have of the limits while the store is away. */
#include "engine/local_limits.h"

#include <stdio.h>

#include "harness.h"
#include "store_fixture.h"

#define T0_US     INT64_C(1000000000)
#define STEPS_MAX 9
#define MANY      66000 /* limits; more than are remembered */

enum step_kind { STEP_END, STEP_JUDGE, STEP_HOLD, STEP_DROP };

struct step {
	enum step_kind kind;
	int64_t at_ms;
	int64_t nodes;
	unsigned mine;
	const char *uses; /* as fixture_uses() takes them */
	const char *want; /* as fixture_put_limits() tells it */
};

/* clang-format off */
#define JUDGE(at, nodes, uses, want)            {STEP_JUDGE, at, nodes, 0, uses, want}
#define JUDGE_MINE(at, nodes, mine, uses, want) {STEP_JUDGE, at, nodes, mine, uses, want}
#define HOLD(uses)                              {STEP_HOLD, 0, 1, 0, uses, ""}
#define DROP(uses)                              {STEP_DROP, 0, 1, 0, uses, ""}

static const struct test_case {
	const char *row;
	struct step steps[STEPS_MAX];
} cases[] = {
	{"one node has the whole limit", {
		JUDGE(0, 1, "Dl2", "yes 1"),
		HOLD("Dl2"),
		JUDGE(0, 1, "Dl2", "yes 1"),
		HOLD("Dl2"),
		JUDGE(0, 1, "Dl2", "no 0")}},
	{"two nodes have half of it each", {
		HOLD("Dl4"),
		JUDGE(0, 2, "Dl4", "yes 1"),
		HOLD("Dl4"),
		JUDGE(0, 2, "Dl4", "no 0"),
		JUDGE(0, 1, "Dl4", "yes 1")}},
	{"a part is rounded down", {
		HOLD("Dl5"), HOLD("Dl5"),
		JUDGE(0, 2, "Dl5", "no 0"),
		JUDGE(0, 3, "Dl8", "no 0"),
		JUDGE(0, 3, "Dl9", "yes 1")}},
	{"but is one at least", {
		JUDGE(0, 8, "Dl3", "yes 1"),
		JUDGE(0, 1000, "Dl1", "yes 1"),
		HOLD("Dl3"),
		JUDGE(0, 8, "Dl3", "no 0"),
		JUDGE(0, 8, "Dl16", "yes 1")}},
	{"asking takes no slot", {
		JUDGE(0, 1, "Dl1", "yes 1"),
		JUDGE(0, 1, "Dl1", "yes 1"),
		HOLD("Dl1"),
		JUDGE(0, 1, "Dl1", "no 0")}},
	{"a slot that is dropped is free", {
		HOLD("Dl1"),
		DROP("Dl1"),
		JUDGE(0, 1, "Dl1", "yes 1"),
		HOLD("Dl1"), HOLD("Dl1"), DROP("Dl1"),
		JUDGE(0, 1, "Dl1", "no 0")}},
	{"what is not held can be dropped", {
		DROP("Dl1"),
		HOLD("Dl1"),
		JUDGE(0, 1, "Dl1", "no 0")}},
	{"who has the slot already is not refused", {
		HOLD("Dl1"), HOLD("Cl1"),
		JUDGE_MINE(0, 1, 1, "Dl1", "yes 1"),
		JUDGE_MINE(0, 1, 1, "Dl1 Cl1", "no 1"),
		JUDGE_MINE(0, 1, 2, "Dl1 Cl1", "no 0"),
		JUDGE_MINE(0, 1, 3, "Dl1 Cl1", "yes 3")}},
	{"limits do not share their slots", {
		HOLD("Dl1"),
		JUDGE(0, 1, "Cl1 Sl1 Ul1", "yes 7"),
		JUDGE(0, 1, "Cl1 Sl1 Ul1 Dl1", "no 3")}},

	{"a rate's burst, then its pace", {
		JUDGE(0, 1, "Cm2/100", "yes 1"),
		JUDGE(0, 1, "Cm2/100", "yes 1"),
		JUDGE(0, 1, "Cm2/100", "no 0 wait 50000"),
		JUDGE(49999, 1, "Cm2/100", "no 0 wait 1"),
		JUDGE(50000, 1, "Cm2/100", "yes 1"),
		JUDGE(50000, 1, "Cm2/100", "no 0 wait 50000")}},
	{"a rate's part", {
		JUDGE(0, 2, "Cm4/100", "yes 1"),
		JUDGE(0, 2, "Cm4/100", "yes 1"),
		JUDGE(0, 2, "Cm4/100", "no 0 wait 50000")}},
	{"is one at least", {
		JUDGE(0, 9, "Cm4/100", "yes 1"),
		JUDGE(0, 9, "Cm4/100", "no 0 wait 100000"),
		JUDGE(100000, 9, "Cm4/100", "yes 1")}},
	{"messages and recipients", {
		JUDGE(0, 1, "Cm1/100 Cr2/100", "yes 3"),
		JUDGE(0, 1, "Cr2/100", "yes 1"),
		JUDGE(0, 1, "Cr2/100", "no 0 wait 50000"),
		JUDGE(0, 1, "Cm1/100", "no 0 wait 100000")}},
	{"the clock was set back", {
		JUDGE(0, 1, "Cm1/100", "yes 1"),
		JUDGE(-100001, 1, "Cm1/100", "yes 1"),
		JUDGE(-100001, 1, "Cm1/100", "no 0 wait 100000")}},

	{"all or none: a slot behind a rate", {
		HOLD("Dl1"),
		JUDGE(0, 1, "Cm1/100 Dl1", "no 1"),
		JUDGE(0, 1, "Cm1/100", "yes 1")}},
	{"all or none: a slot before a rate", {
		HOLD("Dl1"),
		JUDGE(0, 1, "Dl1 Cm1/100", "no 0"),
		JUDGE(0, 1, "Cm1/100", "yes 1")}},
	{"all or none: a rate behind a rate", {
		JUDGE(0, 1, "Cm1/100", "yes 1"),
		JUDGE(0, 1, "Cr1/100 Cm1/100", "no 1 wait 100000"),
		JUDGE(0, 1, "Cr1/100", "yes 1")}},

	{"observed: never refuses", {
		HOLD("Dl1"),
		JUDGE(0, 1, "Dl1?", "yes 0 would 0"),
		JUDGE(0, 1, "Cl1 Dl1?", "yes 1 would 1"),
		DROP("Dl1"),
		JUDGE(0, 1, "Dl1?", "yes 1")}},
	{"observed: takes no token where it would", {
		JUDGE(0, 1, "Cm1/100?", "yes 1"),
		JUDGE(0, 1, "Cm1/100?", "yes 0 would 0"),
		JUDGE(50000, 1, "Cm1/100? Cr1/100", "yes 2 would 0"),
		JUDGE(100000, 1, "Cm1/100?", "yes 1")}},
	{"observed: the first is named, or the one that refuses", {
		HOLD("Dl1"), HOLD("Cl1"),
		JUDGE(0, 1, "Dl1? Cl1?", "yes 0 would 0"),
		JUDGE(0, 1, "Dl1? Cl1", "no 1"),
		JUDGE(0, 1, "Sl1 Cl1? Dl1?", "yes 1 would 1")}},
	{"observed: no wait for another's rate", {
		HOLD("Dl1"),
		JUDGE(0, 1, "Cm1/100? Sm1/100", "yes 3"),
		JUDGE(0, 1, "Cm1/100? Dl1", "no 1"),
		JUDGE(0, 1, "Cm1/100? Cr1/100", "yes 2 would 0")}},
	{"nothing is asked for", {
		JUDGE(0, 1, "", "yes 0")}},
};

/* clang-format on */

static void
do_step(struct local_limits *share, const struct step *step, struct text *out)
{
	struct limits_ask ask = {.n = 0};
	struct limits_result result;
	fixture_uses(step->uses, &ask);
	switch (step->kind) {
	case STEP_HOLD: local_limits_hold(share, &ask.uses[0].key); break;
	case STEP_DROP: local_limits_drop(share, &ask.uses[0].key); break;
	case STEP_JUDGE:
		local_limits_judge(share, &ask, step->mine, step->nodes,
		                   T0_US + step->at_ms * 1000, &result);
		fixture_put_limits(&result, out);
		break;
	case STEP_END: break;
	}
}

START_TEST(case_holds)
{
	const struct test_case *c = &cases[_i];
	struct local_limits *share = local_limits_new();
	for (size_t i = 0; i < STEPS_MAX && c->steps[i].kind != STEP_END; i++) {
		const struct step *step = &c->steps[i];
		char buf[100] = "";
		struct text got = TEXT(buf);
		do_step(share, step, &got);
		ck_assert_msg(strcmp(buf, step->want) == 0,
		              "%s: step %zu: got \"%s\", want \"%s\"", c->row, i + 1, buf,
		              step->want);
	}
	local_limits_free(&share);
	ck_assert_ptr_null(share);
}

END_TEST

static bool
judge(struct local_limits *share, struct key key, enum limit_kind kind)
{
	struct limits_ask ask = {.n = 1};
	struct limits_result result;
	ask.uses[0] = (struct limit_use){.kind = kind,
	                                 .count = 1,
	                                 .per_ms = 3600000,
	                                 .key = key};
	local_limits_judge(share, &ask, 0, 1, T0_US, &result);
	return result.granted;
}

/* Rates that nobody holds a slot of make room for others; what is held is never forgotten. */
START_TEST(many_limits)
{
	struct local_limits *share = local_limits_new();
	struct key held = fixture_key('l', 1);
	local_limits_hold(share, &held);
	for (unsigned i = 0; i < MANY; i++)
		ck_assert_msg(judge(share, fixture_key('r', i), LIMIT_MESSAGES),
		              "rate %u", i);
	ck_assert(!judge(share, held, LIMIT_CONCURRENCY));
	ck_assert(!judge(share, fixture_key('r', MANY - 1), LIMIT_MESSAGES));
	for (unsigned i = 0; i < MANY; i++) {
		struct key key = fixture_key('L', i);
		local_limits_hold(share, &key);
	}
	for (unsigned i = 0; i < MANY; i += 997)
		ck_assert_msg(!judge(share, fixture_key('L', i), LIMIT_CONCURRENCY),
		              "slot %u", i);
	local_limits_free(&share);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, case_holds, 0, COUNT_OF(cases));
	tcase_add_test(tcase, many_limits);
}

int
main(void)
{
	return harness_run("share", fill);
}
