/* test_reply.c - replies taken apart for libmilter. */
#include "reply.h"

#include "harness.h"

/* clang-format off */
static const struct good_row {
	const char *row;
	const char *in;
	const char *code;
	const char *enhanced;
	const char *text;
} good_rows[] = {
	{"the usual", "451 4.7.1 Greylisted, please try again later (id 7Q2K9F)", "451", "4.7.1",
		"Greylisted, please try again later (id 7Q2K9F)"},
	{"without an enhanced code", "450 please wait", "450", "", "please wait"},
	{"a version is no enhanced code", "451 4.7 please wait", "451", "", "4.7 please wait"},
	{"four numbers are none", "451 4.7.1.1 x", "451", "", "4.7.1.1 x"},
	{"one of another class is none", "451 5.7.1 x", "451", "", "5.7.1 x"},
	{"letters are none", "451 4.a.1 x", "451", "", "4.a.1 x"},
	{"an empty number is none", "451 4..1 x", "451", "", "4..1 x"},
	{"a dot at the end", "451 4.7.1. x", "451", "", "4.7.1. x"},
	{"long numbers", "451 4.123.456 x", "451", "4.123.456", "x"},
	{"numbers too long", "451 4.1234.1 x", "451", "", "4.1234.1 x"},
	{"percent signs are doubled", "451 4.7.1 100% sure, %d", "451", "4.7.1", "100%% sure, %%d"},
	{"blanks between", "451  4.7.1   a  b ", "451", "4.7.1", "a  b"},
	{"what is not printable", "451 4.7.1 a\303\251b\rc\nd\te", "451", "4.7.1", "a??b?c?d?e"},
	{"the text is a code", "451 451", "451", "", "451"},
};

static const char *const bad_rows[] = {
	"", " ", "451", "451 ", "451 4.7.1", "45 4.7.1 x", "4510 x", "551 5.7.1 no", "250 ok", "4x1 x",
	"DUNNO", "-451 x",
};

/* clang-format on */

START_TEST(good_replies_are_taken_apart)
{
	const struct good_row *r = &good_rows[_i];
	struct reply reply;
	ck_assert_msg(reply_parse(slice_of(r->in), &reply), "%s", r->row);
	ck_slice_eq(r->row, slice_of(reply.code), r->code);
	ck_slice_eq(r->row, slice_of(reply.enhanced), r->enhanced);
	ck_slice_eq(r->row, slice_of(reply.text), r->text);
}

END_TEST

START_TEST(bad_replies_are_refused)
{
	struct reply reply;
	ck_assert_msg(!reply_parse(slice_of(bad_rows[_i]), &reply), "\"%s\"",
	              bad_rows[_i]);
}

END_TEST

START_TEST(a_text_is_bounded_and_no_pair_is_cut)
{
	char in[2048];
	struct reply reply;
	for (size_t before = 0; before < 4; before++) {
		struct text t = TEXT(in);
		text_puts(&t, "451 4.7.1 ");
		for (size_t i = 0; i < before; i++)
			text_putc(&t, 'x');
		while (!t.cut)
			text_putc(&t, '%');
		ck_assert(reply_parse(text_slice(&t), &reply));
		size_t n = strlen(reply.text), percents = n - before;
		ck_assert_uint_le(n, REPLY_TEXT_MAX);
		ck_assert_uint_ge(n, REPLY_TEXT_MAX - 1);
		ck_assert_uint_eq(percents % 2, 0);
	}
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, good_replies_are_taken_apart, 0, COUNT_OF(good_rows));
	tcase_add_loop_test(tcase, bad_replies_are_refused, 0, COUNT_OF(bad_rows));
	tcase_add_test(tcase, a_text_is_bounded_and_no_pair_is_cut);
}

int
main(void)
{
	return harness_run("reply", fill);
}
