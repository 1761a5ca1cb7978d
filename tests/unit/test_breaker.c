/* test_breaker.c - when the store is asked no more, and when again. */
#include "store/breaker.h"

#include "harness.h"

#define T0 INT64_C(50000)

/* clang-format off */
static const struct story {
	const char *row;
	const char *events; /* t: timed out, e: failed, a: answered, digits: seconds pass */
	bool open;
} stories[] = {
	{"nothing yet", "", false},
	{"two time-outs", "tt", false},
	{"three time-outs in a row", "ttt", true},
	{"three time-outs, a long time apart", "t9t9t", true},
	{"an answer between", "ttatt", false},
	{"three after an answer", "ttattt", true},
	{"four errors", "eeee", false},
	{"five errors", "eeeee", true},
	{"five errors within ten seconds", "e2e3e2e3e", true},
	{"five errors within eleven seconds", "e3e3e2e3e", false},
	{"the last five of six within ten seconds", "e9e2e2e2e2e", true},
	{"six errors, none five within ten", "e3e3e3e3e3e", false},
	{"an answer does not take errors back", "eeaeaee", true},
	{"errors do not count as time-outs", "tteet", true},
	{"time-outs do not count as errors", "eetteat", false},
	{"one answer closes", "ttta", false},
	{"closed, it takes three time-outs again", "tttatt", false},
	{"closed, errors count anew", "eeeeeaeeee", false},
	{"closed, five errors open again", "eeeeeaeeeee", true},
	{"trouble while open changes nothing", "tttteeeee", true},
};

/* clang-format on */

START_TEST(trouble_opens_an_answer_closes)
{
	const struct story *r = &stories[_i];
	struct breaker breaker = {0};
	int64_t now = T0;
	for (const char *p = r->events; *p; p++) {
		bool before = breaker.open, told = false;
		if (*p == 't')
			told = breaker_timed_out(&breaker, now);
		else if (*p == 'e')
			told = breaker_failed(&breaker, now);
		else if (*p == 'a')
			told = breaker_answered(&breaker);
		else
			now += (*p - '0') * 1000;
		ck_assert_msg(told == (before != breaker.open), "%s, event %zu: told %d",
		              r->row, (size_t)(p - r->events), told);
	}
	ck_assert_msg(breaker.open == r->open, "%s: open %d", r->row, breaker.open);
}

END_TEST

START_TEST(a_closed_breaker_lets_all_through)
{
	struct breaker breaker = {0};
	for (int i = 0; i < 1000; i++)
		ck_assert(breaker_allows(&breaker, T0));
	ck_assert(!breaker.open);
}

END_TEST

START_TEST(an_open_breaker_probes_ever_more_rarely)
{
	struct breaker breaker = {0};
	for (int i = 0; i < BREAKER_TIMEOUTS; i++)
		breaker_timed_out(&breaker, T0);
	static const int64_t want_ms[] = {500, 1500, 3500, 7500, 12500, 17500, 22500};
	size_t next = 0;
	for (int64_t ms = 0; ms < 25000; ms++) {
		if (!breaker_allows(&breaker, T0 + ms))
			continue;
		ck_assert_msg(next < COUNT_OF(want_ms) && ms == want_ms[next],
		              "probe %zu at %lld ms", next, (long long)ms);
		next++;
		breaker_timed_out(&breaker, T0 + ms);
	}
	ck_assert_uint_eq(next, COUNT_OF(want_ms));
}

END_TEST

START_TEST(once_closed_the_pauses_are_short_again)
{
	struct breaker breaker = {0};
	for (int i = 0; i < BREAKER_TIMEOUTS; i++)
		breaker_timed_out(&breaker, T0);
	for (int64_t ms = 0; ms < 20000; ms += 100)
		breaker_allows(&breaker, T0 + ms);
	ck_assert(breaker_answered(&breaker));
	ck_assert(!breaker_answered(&breaker));
	int64_t now = T0 + 30000;
	for (int i = 0; i < BREAKER_TIMEOUTS; i++)
		breaker_timed_out(&breaker, now);
	ck_assert(!breaker_allows(&breaker, now + 499));
	ck_assert(breaker_allows(&breaker, now + 500));
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, trouble_opens_an_answer_closes, 0, COUNT_OF(stories));
	tcase_add_test(tcase, a_closed_breaker_lets_all_through);
	tcase_add_test(tcase, an_open_breaker_probes_ever_more_rarely);
	tcase_add_test(tcase, once_closed_the_pauses_are_short_again);
}

int
main(void)
{
	return harness_run("breaker", fill);
}
