/* test_gcra.c - a rate limit in one integer. */
#include "gcra.h"

#include "harness.h"

#define T0 INT64_C(1000000000)

/* How many of `tries` events, `every_ms` apart, are let through. */
static int
let_through(int64_t count, int64_t per_ms, int tries, int64_t every_ms)
{
	int64_t tat = 0;
	int let = 0;
	for (int i = 0; i < tries; i++) {
		int64_t now = T0 + i * every_ms * 1000;
		if (!gcra_has_room(tat, count, per_ms, now))
			continue;
		tat = gcra_take(tat, count, per_ms, now);
		let++;
	}
	return let;
}

/* clang-format off */
static const struct rate_row {
	const char *row;
	int64_t count;
	int64_t per_ms;
	int tries;
	int64_t every_ms;
	int want;
} rate_rows[] = {
	{"one at once", 1, 60000, 10, 0, 1},
	{"the whole count at once", 100, 60000, 1000, 0, 100},
	{"a count that does not divide the time", 7, 1000, 100, 0, 7},
	{"one a minute, asked each second", 1, 60000, 601, 1000, 11},
	{"slower than the rate: all", 100, 60000, 500, 600, 500},
	{"twice as fast as the rate", 100, 60000, 1000, 300, 599},
	{"one a day", 1, 86400000, 48, 3600000, 2},
	{"a thousand a second, at once", 1000, 1000, 5000, 0, 1000},
	{"600 a second, at once", 600, 1000, 5000, 0, 600},
	{"40000 a minute, at once", 40000, 60000, 100000, 0, 40000},
	{"more than one a millisecond, at once", 5000, 1000, 20000, 0, 5000},
};

/* clang-format on */

START_TEST(the_rate_is_kept)
{
	const struct rate_row *r = &rate_rows[_i];
	int got = let_through(r->count, r->per_ms, r->tries, r->every_ms);
	ck_assert_msg(got == r->want, "%s: %d, not %d", r->row, got, r->want);
}

END_TEST

START_TEST(room_comes_back_evenly)
{
	int64_t tat = 0;
	for (int i = 0; i < 4; i++)
		tat = gcra_take(tat, 4, 1000, T0);
	ck_assert(!gcra_has_room(tat, 4, 1000, T0));
	ck_assert(!gcra_has_room(tat, 4, 1000, T0 + 249999));
	ck_assert(gcra_has_room(tat, 4, 1000, T0 + 250000));
	tat = gcra_take(tat, 4, 1000, T0 + 250000);
	ck_assert(!gcra_has_room(tat, 4, 1000, T0 + 499999));
	ck_assert(gcra_has_room(tat, 4, 1000, T0 + 500000));
}

END_TEST

START_TEST(rest_is_not_saved_up)
{
	int64_t tat = gcra_take(0, 10, 1000, T0);
	int let = 0;
	for (int64_t now = T0 + INT64_C(3600000000); gcra_has_room(tat, 10, 1000, now);
	     let++)
		tat = gcra_take(tat, 10, 1000, now);
	ck_assert_int_eq(let, 10);
}

END_TEST

START_TEST(a_clock_that_starts_at_zero_is_no_trouble)
{
	ck_assert(gcra_has_room(0, 1, 1, 0));
	ck_assert(gcra_has_room(0, 1, 1, 1));
	int64_t tat = gcra_take(0, 1, 1, 1);
	ck_assert(!gcra_has_room(tat, 1, 1, 1000));
	ck_assert(gcra_has_room(tat, 1, 1, 1001));
}

END_TEST

/* 10^9 in a millisecond, and one in ten years. */
START_TEST(no_rate_overflows)
{
	int64_t longest_ms = INT64_C(3650) * 86400000;
	int64_t tat = gcra_take(0, 1000000000, 1, T0);
	ck_assert(gcra_has_room(tat, 1000000000, 1, T0));
	tat = gcra_take(0, 1, longest_ms, T0);
	ck_assert(!gcra_has_room(tat, 1, longest_ms, T0 + 1));
	tat = gcra_take(0, 1000000000, longest_ms, T0);
	ck_assert(gcra_has_room(tat, 1000000000, longest_ms, T0));
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, the_rate_is_kept, 0, COUNT_OF(rate_rows));
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
