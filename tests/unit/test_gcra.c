/* test_gcra.c - a rate limit in one integer. */
#include "rules/gcra.h"

#include "harness.h"

#define T0 INT64_C(1000000000)

/* How many of `tries` events, `every_ms` apart, are let through. */
static int
let_through(const struct conf_rate *rate, int tries, int64_t every_ms)
{
	int64_t tat = 0;
	int let = 0;
	for (int i = 0; i < tries; i++) {
		int64_t now = T0 + i * every_ms * 1000;
		if (!gcra_has_room(tat, rate, now))
			continue;
		tat = gcra_take(tat, rate, now);
		let++;
	}
	return let;
}

/* clang-format off */
static const struct rate_row {
	const char *row;
	struct conf_rate rate;
	int tries;
	int64_t every_ms;
	int want;
} rate_rows[] = {
	{"one at once", {1, 60000, 0}, 10, 0, 1},
	{"the whole count at once", {100, 60000, 0}, 1000, 0, 100},
	{"a count that does not divide the time", {7, 1000, 0}, 100, 0, 7},
	{"one a minute, asked each second", {1, 60000, 0}, 601, 1000, 11},
	{"slower than the rate: all", {100, 60000, 0}, 500, 600, 500},
	{"twice as fast as the rate", {100, 60000, 0}, 1000, 300, 599},
	{"one a day", {1, 86400000, 0}, 48, 3600000, 2},
	{"a thousand a second, at once", {1000, 1000, 0}, 5000, 0, 1000},
	{"600 a second, at once", {600, 1000, 0}, 5000, 0, 600},
	{"40000 a minute, at once", {40000, 60000, 0}, 100000, 0, 40000},
	{"a burst of one", {600, 60000, 1}, 100, 0, 1},
	{"a burst below the count, at once", {600, 60000, 20}, 1000, 0, 20},
	{"a burst, then at the rate", {600, 60000, 20}, 1200, 50, 619},
	{"a burst, slower than the rate: all", {600, 60000, 1}, 500, 100, 500},
	{"a burst above the count, at once", {1, 1000, 30}, 100, 0, 30},
	{"2000 in four weeks, at once", {2000, 2419200000, 0}, 5000, 0, 2000},
	{"2000 in four weeks, ten at once", {2000, 2419200000, 10}, 5000, 0, 10},
	{"one in four weeks", {1, 2419200000, 0}, 57, 43200000, 2},
	{"more than one a millisecond, at once", {5000, 1000, 0}, 20000, 0, 5000},
};

/* clang-format on */

START_TEST(the_rate_is_kept)
{
	const struct rate_row *r = &rate_rows[_i];
	int got = let_through(&r->rate, r->tries, r->every_ms);
	ck_assert_msg(got == r->want, "%s: %d, not %d", r->row, got, r->want);
}

END_TEST

/* Two in a hundred milliseconds: 50 ms stand for one.  Times are from T0 on. */
static const struct conf_rate two = {2, 100, 0};

#define NEVER (-T0) /* nothing yet */

/* clang-format off */
static const struct moment_row {
	const char *row;
	int64_t tat_us;
	int64_t wait_us;
	int64_t taken_us; /* the tat after one more */
	int64_t back_us;  /* the tat when one is given back */
} moment_rows[] = {
	{"nothing yet", NEVER, 0, 50000, NEVER},
	{"long ago", -900000000, 0, 50000, NEVER},
	{"just now", 0, 0, 50000, NEVER},
	{"a microsecond of one", 1, 0, 50001, NEVER},
	{"one", 50000, 0, 100000, NEVER},
	{"a microsecond more than one", 50001, 1, 100001, 1},
	{"the whole burst", 100000, 50000, 150000, 50000},
	{"one more, since its last was taken at its own moment", 150000, 100000, 200000, 100000},
	{"of another time", 150001, 0, 50000, NEVER},
	{"far ahead", 3600000000, 0, 50000, NEVER},
};

/* clang-format on */

START_TEST(one_moment)
{
	const struct moment_row *r = &moment_rows[_i];
	int64_t tat_us = T0 + r->tat_us;
	int64_t wait_us = gcra_wait_us(tat_us, &two, T0);
	int64_t taken_us = gcra_take(tat_us, &two, T0) - T0;
	int64_t back_us = gcra_give_back(tat_us, &two, T0) - T0;
	ck_assert_msg(wait_us == r->wait_us, "%s: waits %lld", r->row,
	              (long long)wait_us);
	ck_assert_msg(gcra_has_room(tat_us, &two, T0) == (r->wait_us == 0),
	              "%s: room and wait differ", r->row);
	ck_assert_msg(taken_us == r->taken_us, "%s: taken %lld", r->row,
	              (long long)taken_us);
	ck_assert_msg(back_us == r->back_us, "%s: back %lld", r->row, (long long)back_us);
}

END_TEST

/* Whoever waits as long as he was told has room then, and not a microsecond before. */
START_TEST(the_wait_is_exact)
{
	const struct rate_row *r = &rate_rows[_i];
	int64_t tat = 0, now = T0;
	for (int i = 0; i < 1000; i++) {
		int64_t wait = gcra_wait_us(tat, &r->rate, now);
		ck_assert_msg(wait == 0 || !gcra_has_room(tat, &r->rate, now + wait - 1),
		              "%s: room before the wait is over", r->row);
		now += wait;
		ck_assert_msg(gcra_has_room(tat, &r->rate, now),
		              "%s: no room after the wait", r->row);
		tat = gcra_take(tat, &r->rate, now);
	}
}

END_TEST

/* Given back at once, an event leaves no trace. */
START_TEST(given_back_is_as_if_never_taken)
{
	const struct rate_row *r = &rate_rows[_i];
	int64_t tat = 0;
	for (int64_t taken = 0; taken < gcra_burst(&r->rate); taken++) {
		int64_t now = T0 + taken;
		int64_t after = gcra_take(tat, &r->rate, now);
		int64_t back = gcra_give_back(after, &r->rate, now);
		ck_assert_msg(back == (tat > now ? tat : 0), "%s: event %lld", r->row,
		              (long long)taken);
		tat = after;
	}
}

END_TEST

START_TEST(room_comes_back_evenly)
{
	const struct conf_rate rate = {4, 1000, 0};
	int64_t tat = 0;
	for (int i = 0; i < 4; i++)
		tat = gcra_take(tat, &rate, T0);
	ck_assert(!gcra_has_room(tat, &rate, T0));
	ck_assert(!gcra_has_room(tat, &rate, T0 + 249999));
	ck_assert(gcra_has_room(tat, &rate, T0 + 250000));
	tat = gcra_take(tat, &rate, T0 + 250000);
	ck_assert(!gcra_has_room(tat, &rate, T0 + 499999));
	ck_assert(gcra_has_room(tat, &rate, T0 + 500000));
}

END_TEST

START_TEST(rest_is_not_saved_up)
{
	const struct conf_rate rate = {10, 1000, 0};
	int64_t tat = gcra_take(0, &rate, T0);
	int let = 0;
	for (int64_t now = T0 + INT64_C(3600000000); gcra_has_room(tat, &rate, now);
	     let++)
		tat = gcra_take(tat, &rate, now);
	ck_assert_int_eq(let, 10);
}

END_TEST

START_TEST(a_clock_that_starts_at_zero_is_no_trouble)
{
	const struct conf_rate rate = {1, 1, 0};
	ck_assert(gcra_has_room(0, &rate, 0));
	ck_assert(gcra_has_room(0, &rate, 1));
	int64_t tat = gcra_take(0, &rate, 1);
	ck_assert(!gcra_has_room(tat, &rate, 1000));
	ck_assert(gcra_has_room(tat, &rate, 1001));
}

END_TEST

/* 10^9 in a millisecond, and one in ten years. */
START_TEST(no_rate_overflows)
{
	int64_t longest_ms = INT64_C(3650) * 86400000;
	const struct conf_rate fast = {1000000000, 1, 0}, slow = {1, longest_ms, 0},
			       many = {1000000000, longest_ms, 1000000000};
	int64_t tat = gcra_take(0, &fast, T0);
	ck_assert(gcra_has_room(tat, &fast, T0));
	tat = gcra_take(0, &slow, T0);
	ck_assert(!gcra_has_room(tat, &slow, T0 + 1));
	tat = gcra_take(0, &many, T0);
	ck_assert(gcra_has_room(tat, &many, T0));
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, the_rate_is_kept, 0, COUNT_OF(rate_rows));
	tcase_add_loop_test(tcase, one_moment, 0, COUNT_OF(moment_rows));
	tcase_add_loop_test(tcase, the_wait_is_exact, 0, COUNT_OF(rate_rows));
	tcase_add_loop_test(tcase, given_back_is_as_if_never_taken, 0,
	                    COUNT_OF(rate_rows));
	tcase_add_test(tcase, room_comes_back_evenly);
	tcase_add_test(tcase, rest_is_not_saved_up);
	tcase_add_test(tcase, a_clock_that_starts_at_zero_is_no_trouble);
	tcase_add_test(tcase, no_rate_overflows);
}

int
main(void)
{
	return harness_run("gcra", fill);
}
