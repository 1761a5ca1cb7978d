/* test_clock.c - dates as lists write them, times as headers do, and clocks that go on. */
#include "base/clock.h"

#include <time.h>

#include "harness.h"

/* clang-format off */
static const struct date_row {
	const char *in;
	bool ok;
	int64_t want;
} date_rows[] = {
	{"1970-01-01", true, 0},
	{"1970-01-02", true, 86400},
	{"2000-02-29", true, 951782400},
	{"2024-02-29", true, 1709164800},
	{"2026-11-22", true, 1795305600},
	{"2027-01-31", true, 1801353600},
	{"2038-01-20", true, 2147558400},
	{"2100-03-01", true, 4107542400},
	{"9999-12-31", true, 253402214400},
	{"1969-12-31", false, 0},
	{"2027-02-29", false, 0},
	{"2100-02-29", false, 0},
	{"2027-04-31", false, 0},
	{"2027-00-10", false, 0},
	{"2027-13-10", false, 0},
	{"2027-01-00", false, 0},
	{"2027-01-32", false, 0},
	{"2027-1-31", false, 0},
	{"2027-01-1", false, 0},
	{"27-01-31", false, 0},
	{"02027-01-31", false, 0},
	{"2027-01-31 ", false, 0},
	{"2027-01-31-", false, 0},
	{"2027-01-311", false, 0},
	{"2027-01", false, 0},
	{"2027-01-", false, 0},
	{"2027/01/31", false, 0},
	{"2027-+1-31", false, 0},
	{"", false, 0},
};

/* clang-format on */

START_TEST(dates_are_read)
{
	const struct date_row *r = &date_rows[_i];
	int64_t got = 4711;
	ck_assert_msg(clock_parse_date(slice_of(r->in), &got) == r->ok, "\"%s\"", r->in);
	ck_assert_msg(got == (r->ok ? r->want : 4711), "\"%s\": %lld", r->in,
	              (long long)got);
}

END_TEST

/* clang-format off */
static const struct print_row {
	int64_t wall_s;
	const char *want;
} print_rows[] = {
	{0, "Thu, 01 Jan 1970 00:00:00 +0000 (UTC)"},
	{1795342272, "Sun, 22 Nov 2026 10:11:12 +0000 (UTC)"},
	{1709251199, "Thu, 29 Feb 2024 23:59:59 +0000 (UTC)"},
	{2147483648, "Tue, 19 Jan 2038 03:14:08 +0000 (UTC)"},
	{17179869183, "Wed, 30 May 2514 01:53:03 +0000 (UTC)"},
};

/* clang-format on */

START_TEST(times_are_printed)
{
	const struct print_row *r = &print_rows[_i];
	char buf[64];
	struct text text = TEXT(buf);
	text_puts(&text, "; ");
	clock_print_rfc5322(r->wall_s, &text);
	ck_slice_eq(r->want, slice_from(text_slice(&text), 2), r->want);
}

END_TEST

START_TEST(the_year_is_too_far)
{
	char buf[64] = "";
	struct text text = TEXT(buf);
	clock_print_rfc5322(INT64_MAX, &text);
	ck_assert_uint_eq(text.n, 0);
}

END_TEST

START_TEST(clocks_go_on)
{
	int64_t us = clock_mono_us(), ms = clock_mono_ms();
	ck_assert_int_ge(ms, us / 1000);
	ck_assert_int_gt(us, 0);
	for (int i = 0; i < 1000; i++) {
		int64_t next = clock_mono_us();
		ck_assert_int_ge(next, us);
		us = next;
	}
	ck_assert_int_gt(clock_wall_s(), 1700000000);
	ck_assert_int_le(clock_wall_s(), time(NULL) + 1);
}

END_TEST

START_TEST(a_time_from_now_is_normal)
{
	static const int64_t after_ms[] = {0, 1, 999, 1000, 1999, 86400000};
	for (size_t i = 0; i < COUNT_OF(after_ms); i++) {
		struct timespec when;
		int64_t before = clock_mono_us();
		clock_mono_after(after_ms[i], &when);
		int64_t after = clock_mono_us();
		int64_t when_us = (int64_t)when.tv_sec * 1000000 + when.tv_nsec / 1000;
		ck_assert(when.tv_nsec >= 0 && when.tv_nsec < 1000000000);
		ck_assert_int_ge(when_us, before + after_ms[i] * 1000);
		ck_assert_int_le(when_us, after + after_ms[i] * 1000);
	}
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, dates_are_read, 0, COUNT_OF(date_rows));
	tcase_add_loop_test(tcase, times_are_printed, 0, COUNT_OF(print_rows));
	tcase_add_test(tcase, the_year_is_too_far);
	tcase_add_test(tcase, clocks_go_on);
	tcase_add_test(tcase, a_time_from_now_is_normal);
}

int
main(void)
{
	return harness_run("clock", fill);
}
