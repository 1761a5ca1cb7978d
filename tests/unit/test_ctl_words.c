/* test_ctl_words.c - ids, addresses, commands and times of users, reasons in plain words. */
#include <stdlib.h>

#include "escape.h"
#include "harness.h"
#include "remembered.h"
#include "rules/verdict.h"
#include "rules/why.h"
#include "when.h"

/* clang-format off */
static const struct id_row {
	const char *in;
	const char *want; /* "": it is none */
} id_rows[] = {
	{"7Q2K9F", "7Q2K9F"},
	{"7q2k9f", "7Q2K9F"},
	{"OIL000", "011000"},
	{"oil000", "011000"},
	{"(id 7Q2K9F)", "7Q2K9F"},
	{"id 7Q2K9F", "7Q2K9F"},
	{"id=7q2k9f", "7Q2K9F"},
	{"ID: 7Q2K9F.", "7Q2K9F"},
	{" (7Q2K9F) ", "7Q2K9F"},
	{"451 4.7.1 <b@c.test>: Recipient address rejected: Greylisted, please try again later (id 7Q2K9F)", "7Q2K9F"},
	{"451 4.7.1 Greylisted, please try again later (id\n7Q2K9F)", "7Q2K9F"},
	{"identity id 7Q2K9F", "7Q2K9F"},
	{"", ""},
	{"7Q2K9", ""},
	{"7Q2K9FF", ""},
	{"7Q2K9U", ""},
	{"a@b.test", ""},
	{"<>", ""},
	{"two words", ""},
	{"7Q2K9F 7Q2K9F", ""},
	{"id", ""},
	{"192.0.2.1", ""},
};

/* clang-format on */

START_TEST(ids_are_found)
{
	const struct id_row *r = &id_rows[_i];
	char id[VERDICT_ID_LEN + 1] = "";
	bool found = remembered_id(slice_of(r->in), id);
	ck_assert_msg(found == (*r->want != '\0'), "\"%s\"", r->in);
	if (found)
		ck_slice_eq(r->in, slice_of(id), r->want);
}

END_TEST

/* clang-format off */
static const struct address_row {
	const char *in;
	const char *want;
} address_rows[] = {
	{"Alice@Sender.test", "alice@sender.test"},
	{" <alice@sender.test> ", "alice@sender.test"},
	{"from=<alice@sender.test>", "alice@sender.test"},
	{"FROM=alice@sender.test", "alice@sender.test"},
	{"to=<bob@local.test>", "bob@local.test"},
	{"tom=x@local.test", "tom=x@local.test"},
	{"<>", "<>"},
	{"from=<>", "<>"},
	{"sender.test", "sender.test"},
	{"MX.Sender.test.", "mx.sender.test"},
	{".", "."},
	{"192.0.2.1", "192.0.2.1"},
	{"192.0.2.0/24", "192.0.2.0/24"},
	{"2001:DB8:0::1", "2001:db8::1"},
	{"[2001:db8::1]", "2001:db8::1"},
	{"IPv6:2001:db8:0:0::1", "2001:db8::1"},
	{"::ffff:192.0.2.1", "192.0.2.1"},
	{"", ""},
};

/* clang-format on */

START_TEST(addresses_are_as_decisions_have_them)
{
	const struct address_row *r = &address_rows[_i];
	char buf[64];
	struct text text = TEXT(buf);
	remembered_address(slice_of(r->in), &text);
	ck_slice_eq(r->in, text_slice(&text), r->want);
}

END_TEST

/* clang-format off */
static const struct word_row {
	struct slice in;
	bool is_plain;
} word_rows[] = {
	{SLICE_INIT("alice@sender.test"), true},
	{SLICE_INIT("bounce+bob=local.test@sender.test"), true},
	{SLICE_INIT("a-b_c/d@x.test"), true},
	{SLICE_INIT("192.0.2.1"), true},
	{SLICE_INIT("2001:db8::1"), true},
	{SLICE_INIT("::1"), true},
	{SLICE_INIT("acme"), true},
	{SLICE_INIT(""), false},
	{SLICE_INIT("-o=x@x.test"), false},
	{SLICE_INIT("/re/"), false},
	{SLICE_INIT("`touch${IFS}/tmp/x`@x.test"), false},
	{SLICE_INIT("$(id)@x.test"), false},
	{SLICE_INIT("it's;rm -rf@x.test"), false},
	{SLICE_INIT("\"a b\"@x.test"), false},
	{SLICE_INIT("a b@x.test"), false},
	{SLICE_INIT("a|b@x.test"), false},
	{SLICE_INIT("a*@x.test"), false},
	{SLICE_INIT("~a@x.test"), false},
	{SLICE_INIT("a!b@x.test"), false},
	{SLICE_INIT("a#b@x.test"), false},
	{SLICE_INIT("j\xc3\xb6rg@x.test"), false},
	{SLICE_INIT("a\nb@x.test"), false},
	{SLICE_INIT("a\0b@x.test"), false},
	{SLICE_INIT("[192.0.2.1]:25"), false},
};

/* clang-format on */

START_TEST(words_for_a_shell_are_plain)
{
	const struct word_row *r = &word_rows[_i];
	ck_assert_msg(is_plain_word(r->in) == r->is_plain, "\"%s\"", r->in.p);
}

END_TEST

/* clang-format off */
static const struct long_row {
	int64_t seconds;
	const char *want;
} long_rows[] = {
	{-1, "0s"}, {0, "0s"}, {45, "45s"}, {60, "1m"}, {61, "1m 1s"}, {200, "3m 20s"},
	{3600, "1h"}, {3659, "1h"}, {3660, "1h 1m"}, {7200, "2h"}, {86399, "23h 59m"},
	{86400, "1d"}, {90000, "1d 1h"}, {31536000, "365d"},
};

/* clang-format on */

START_TEST(spans_are_printed)
{
	const struct long_row *r = &long_rows[_i];
	char buf[64];
	struct text text = TEXT(buf);
	when_print_long(r->seconds, &text);
	ck_slice_eq(r->want, text_slice(&text), r->want);
}

END_TEST

START_TEST(times_are_printed_as_local)
{
	char buf[64];
	struct text text = TEXT(buf);
	setenv("TZ", "UTC-1", 1);
	when_print(1795342272, &text);
	ck_slice_eq("an hour east", text_slice(&text), "2026-11-22 11:11:12");
}

END_TEST

/* clang-format off */
static const struct span_row {
	const char *text;
	int64_t want_ms; /* -1: refused */
} span_rows[] = {
	{"90s", 90000}, {"1h 30m", 5400000}, {"1d12h", 129600000}, {"1h  1m\t1s", 3661000}, {" 2h ", 7200000},
	{"1m500ms", 60500},
	{"", -1}, {" ", -1}, {"30", -1}, {"1h 30", -1}, {"h", -1}, {"1h,30m", -1}, {"1h -30m", -1}, {"1 h", -1}, {"1hour", -1},
	{"15250284452w 15250284452w", -1},
};

/* clang-format on */

START_TEST(spans_are_read)
{
	const struct span_row *r = &span_rows[_i];
	int64_t ms = -1;
	bool read = when_parse_span(slice_of(r->text), &ms);
	ck_assert_msg(read == (r->want_ms >= 0), "\"%s\"", r->text);
	if (read)
		ck_assert_int_eq(ms, r->want_ms);
}

END_TEST

START_TEST(days_begin_at_local_midnight)
{
	int64_t since_s = 0;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	ck_assert(when_parse_since(SLICE("2026-11-22"), 1795342272, &since_s));
	ck_assert_int_eq(since_s, 1795305600 - 3600);
	ck_assert(when_parse_since(SLICE("2026-07-01"), 1795342272, &since_s));
	ck_assert_int_eq(since_s, 1782864000 - 7200);
}

END_TEST

START_TEST(times_of_today_need_no_date)
{
	static const struct {
		int64_t at_s;
		const char *want;
	} rows[] = {{1795342272, "11:11:12"},
	            {1795302000, "00:00:00"},
	            {1795301999, "2026-11-21 23:59:59"},
	            {1795388400, "2026-11-23 00:00:00"},
	            {1795342272 - 31536000, "2025-11-22 11:11:12"}};

	setenv("TZ", "UTC-1", 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char buf[64];
		struct text text = TEXT(buf);
		when_print_short(rows[i].at_s, 1795350000, &text);
		ck_slice_eq(rows[i].want, text_slice(&text), rows[i].want);
	}
}

END_TEST

START_TEST(times_since_are_read)
{
	int64_t since_s = 0;
	setenv("TZ", "UTC", 1);
	ck_assert(when_parse_since(SLICE("2h"), 1795342272, &since_s));
	ck_assert_int_eq(since_s, 1795342272 - 7200);
	ck_assert(when_parse_since(SLICE("2026-11-22"), 1795342272, &since_s));
	ck_assert_int_eq(since_s, 1795305600);
	ck_assert(!when_parse_since(SLICE("yesterday"), 1795342272, &since_s));
	ck_assert(!when_parse_since(SLICE(""), 1795342272, &since_s));
}

END_TEST

/* Whoever adds a reason says here what it means. */
START_TEST(each_reason_is_explained)
{
	const char *word = why_word((enum why)_i);
	const struct reason *reason = reason_find(slice_of(word));
	ck_assert_msg(reason, "\"%s\" is not in ctl/reasons.c", word);
	ck_assert(slice_of(reason->text).n > 20);
}

END_TEST

START_TEST(words_of_other_versions_are_not)
{
	ck_assert_ptr_null(reason_find(SLICE("greylist-tired")));
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, ids_are_found, 0, COUNT_OF(id_rows));
	tcase_add_loop_test(tcase, addresses_are_as_decisions_have_them, 0,
	                    COUNT_OF(address_rows));
	tcase_add_loop_test(tcase, words_for_a_shell_are_plain, 0, COUNT_OF(word_rows));
	tcase_add_loop_test(tcase, spans_are_printed, 0, COUNT_OF(long_rows));
	tcase_add_test(tcase, times_are_printed_as_local);
	tcase_add_loop_test(tcase, spans_are_read, 0, COUNT_OF(span_rows));
	tcase_add_test(tcase, days_begin_at_local_midnight);
	tcase_add_test(tcase, times_of_today_need_no_date);
	tcase_add_test(tcase, times_since_are_read);
	tcase_add_loop_test(tcase, each_reason_is_explained, 0, WHY_COUNT);
	tcase_add_test(tcase, words_of_other_versions_are_not);
}

int
main(void)
{
	return harness_run("ctl_words", fill);
}
