/* test_slice.c - bounded text: looked at, taken apart, written. */
#include "base/slice.h"

#include <stdint.h>
#include <stdlib.h>

#include "harness.h"

/* clang-format off */
static const struct nocase_row {
	const char *a;
	const char *b;
	bool same, starts, ends; /* a is, begins with, ends with b */
} nocase_rows[] = {
	{"", "", true, true, true},
	{"a", "", false, true, true},
	{"", "a", false, false, false},
	{"Example.COM", "example.com", true, true, true},
	{"example.com", "Example", false, true, false},
	{"example.com", ".COM", false, false, true},
	{"example.com", "example.com.", false, false, false},
	{"[", "{", false, false, false}, /* as far apart as 'A' and 'a' */
	{"@", "`", false, false, false},
	{"\303\204", "\303\244", false, false, false},
};

/* clang-format on */

START_TEST(case_is_ignored)
{
	const struct nocase_row *r = &nocase_rows[_i];
	struct slice a = slice_of(r->a), b = slice_of(r->b);
	ck_assert_msg(slice_eq_nocase(a, b) == r->same, "\"%s\" is \"%s\"", r->a, r->b);
	ck_assert_msg(slice_starts_nocase(a, b) == r->starts, "\"%s\" starts \"%s\"",
	              r->a, r->b);
	ck_assert_msg(slice_ends_nocase(a, b) == r->ends, "\"%s\" ends \"%s\"", r->a,
	              r->b);
}

END_TEST

START_TEST(equal_means_every_byte)
{
	ck_assert(slice_eq(SLICE("a\0b"), SLICE("a\0b")));
	ck_assert(!slice_eq(SLICE("a\0b"), SLICE("a\0c")));
	ck_assert(!slice_eq(SLICE("a"), SLICE("A")));
	ck_assert(slice_eq((struct slice){0}, SLICE("")));
	ck_assert(slice_eq(slice_of(NULL), SLICE("")));
}

END_TEST

START_TEST(parts_stay_within)
{
	struct slice s = SLICE("hello");
	ck_slice_eq("from 0", slice_from(s, 0), "hello");
	ck_slice_eq("from 4", slice_from(s, 4), "o");
	ck_slice_eq("from the end", slice_from(s, 5), "");
	ck_slice_eq("from beyond", slice_from(s, SIZE_MAX), "");
	ck_slice_eq("head 0", slice_head(s, 0), "");
	ck_slice_eq("head 2", slice_head(s, 2), "he");
	ck_slice_eq("head of more", slice_head(s, SIZE_MAX), "hello");
	ck_slice_eq("of nothing", slice_head(slice_from((struct slice){0}, 3), 3), "");
	ck_assert_int_eq(slice_find(s, 'l'), 2);
	ck_assert_int_eq(slice_rfind(s, 'l'), 3);
	ck_assert_int_eq(slice_find(s, 'x'), -1);
	ck_assert_int_eq(slice_rfind(s, 'x'), -1);
	ck_assert_int_eq(slice_find((struct slice){0}, 'x'), -1);
	ck_assert_int_eq(slice_rfind((struct slice){0}, 'x'), -1);
	ck_assert_int_eq(slice_find(SLICE("a\0b"), '\0'), 1);
}

END_TEST

/* clang-format off */
static const char *const trim_rows[][2] = {
	{"", ""}, {" ", ""}, {" \t\r\n", ""}, {"a", "a"}, {"  a b\t\r\n", "a b"}, {"\va\f", "\va\f"},
};

/* clang-format on */

START_TEST(blanks_are_trimmed)
{
	ck_slice_eq(trim_rows[_i][0], slice_trim(slice_of(trim_rows[_i][0])),
	            trim_rows[_i][1]);
}

END_TEST

/* clang-format off */
static const struct split_row {
	const char *row;
	const char *in;
	const char *want; /* each part in brackets */
} cut_rows[] = {
	{"nothing", "", "[]"},
	{"one", "a", "[a]"},
	{"two", "a,b", "[a][b]"},
	{"empty parts", ",a,,", "[][a][][]"},
}, word_rows[] = {
	{"nothing", "", ""},
	{"blanks", " \t\n", ""},
	{"one", "a", "[a]"},
	{"two", "  a\t b\r\n", "[a][b]"},
};

/* clang-format on */

static void
check_split(const struct split_row *r, bool (*next)(struct slice *, struct slice *))
{
	char buf[100];
	struct text got = TEXT(buf);
	struct slice rest = slice_of(r->in), part;
	text_puts(&got, "");
	while (next(&rest, &part)) {
		text_putc(&got, '[');
		text_put(&got, part);
		text_putc(&got, ']');
	}
	ck_slice_eq(r->row, text_slice(&got), r->want);
}

static bool
cut_at_comma(struct slice *rest, struct slice *part_out)
{
	return slice_cut(rest, ',', part_out);
}

START_TEST(parts_are_cut_off)
{
	check_split(&cut_rows[_i], cut_at_comma);
}

END_TEST

START_TEST(words_are_cut_off)
{
	check_split(&word_rows[_i], slice_word);
}

END_TEST

/* clang-format off */
static const struct number_row {
	const char *text;
	uint64_t max;
	bool ok;
	uint64_t want;
} number_rows[] = {
	{"0", 0, true, 0},
	{"1", 0, false, 0},
	{"9", 9, true, 9},
	{"10", 9, false, 0},
	{"007", 7, true, 7},
	{"255", 255, true, 255},
	{"256", 255, false, 0},
	{"300", 255, false, 0},
	{"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
	{"18446744073709551616", UINT64_MAX, false, 0},
	{"99999999999999999999999", UINT64_MAX, false, 0},
	{"", 9, false, 0},
	{"+1", 9, false, 0},
	{"-1", 9, false, 0},
	{" 1", 9, false, 0},
	{"1 ", 9, false, 0},
	{"1x", 99, false, 0},
	{"0x1", 99, false, 0},
	{"/", 99, false, 0},
	{":", 99, false, 0},
};

/* clang-format on */

START_TEST(numbers_are_read)
{
	const struct number_row *r = &number_rows[_i];
	uint64_t got = 4711;
	bool ok = slice_to_u64(slice_of(r->text), r->max, &got);
	ck_assert_msg(ok == r->ok, "\"%s\"", r->text);
	ck_assert_msg(got == (r->ok ? r->want : 4711), "\"%s\": %llu", r->text,
	              (unsigned long long)got);
}

END_TEST

/* Writes more than fits in each way; the byte behind the buffer must stay. */
START_TEST(a_text_never_overflows)
{
	for (size_t cap = 0; cap < 12; cap++) {
		for (int way = 0; way < 7; way++) {
			char buf[16];
			memset(buf, '#', sizeof(buf));
			struct text t = {.p = buf, .cap = cap};
			switch (way) {
			case 0: text_put(&t, SLICE("0123456789ABCDEF")); break;
			case 1: text_puts(&t, "0123456789ABCDEF"); break;
			case 2: text_printf(&t, "%s", "0123456789ABCDEF"); break;
			case 3: text_int(&t, INT64_C(1234567890123456)); break;
			case 4:
				for (int i = 0; i < 16; i++)
					text_putc(&t, 'x');
				break;
			case 5: text_put_lower(&t, SLICE("0123456789ABCDEF")); break;
			default: text_put_escaped(&t, SLICE("\n\n\n\n")); break;
			}
			ck_assert_msg(t.cut || cap == 0, "way %d, cap %zu: not cut", way,
			              cap);
			ck_assert_msg(t.n == (cap ? cap - 1 : 0),
			              "way %d, cap %zu: n %zu", way, cap, t.n);
			ck_assert_msg(cap == 0 || buf[t.n] == '\0',
			              "way %d, cap %zu: no NUL", way, cap);
			ck_assert_msg(buf[cap] == '#', "way %d, cap %zu: overflow", way,
			              cap);
		}
	}
}

END_TEST

START_TEST(what_fits_is_not_cut)
{
	char buf[6];
	struct text t = TEXT(buf);
	text_put(&t, SLICE("ab"));
	text_printf(&t, "%d", 12);
	text_putc(&t, 'x');
	ck_assert(!t.cut);
	ck_slice_eq("five bytes", text_slice(&t), "ab12x");
	text_put(&t, SLICE(""));
	ck_assert(!t.cut);
	text_putc(&t, 'y');
	ck_assert(t.cut);
	ck_slice_eq("still five bytes", text_slice(&t), "ab12x");
}

END_TEST

/* clang-format off */
static const struct int_row {
	int64_t value;
	const char *want;
} int_rows[] = {
	{0, "0"}, {7, "7"}, {-7, "-7"}, {10, "10"}, {-100, "-100"},
	{INT64_MAX, "9223372036854775807"}, {INT64_MIN, "-9223372036854775808"},
};

static const struct escape_row {
	struct slice in;
	const char *want;
} escape_rows[] = {
	{SLICE_INIT(""), ""},
	{SLICE_INIT("plain~!"), "plain~!"},
	{SLICE_INIT(" "), "\\x20"},
	{SLICE_INIT("a\nb"), "a\\x0ab"},
	{SLICE_INIT("\"\\"), "\\x22\\x5c"},
	{SLICE_INIT("\0\x1f\x7f\x80\xff"), "\\x00\\x1f\\x7f\\x80\\xff"},
	{SLICE_INIT("=a=b"), "=a=b"},
};

/* clang-format on */

START_TEST(integers_are_written)
{
	char buf[32];
	struct text t = TEXT(buf);
	text_int(&t, int_rows[_i].value);
	ck_slice_eq(int_rows[_i].want, text_slice(&t), int_rows[_i].want);
}

END_TEST

START_TEST(foreign_bytes_are_escaped)
{
	char buf[64];
	struct text t = TEXT(buf);
	text_put_escaped(&t, escape_rows[_i].in);
	ck_slice_eq(escape_rows[_i].want, text_slice(&t), escape_rows[_i].want);
}

END_TEST

static const struct escape_row unescape_rows[] = {
	{SLICE_INIT("\\x2"), "\\x2"},          {SLICE_INIT("\\x2g"), "\\x2g"},
	{SLICE_INIT("\\\\x41"), "\\A"},        {SLICE_INIT("\\y41\\"), "\\y41\\"},
	{SLICE_INIT("\\x4Aa\\xc3"), "Ja\303"},
};

START_TEST(what_was_escaped_comes_back)
{
	char buf[64];
	struct text t = TEXT(buf);
	text_put_unescaped(&t, slice_of(escape_rows[_i].want));
	ck_assert_msg(slice_eq(text_slice(&t), escape_rows[_i].in), "%s",
	              escape_rows[_i].want);
}

END_TEST

START_TEST(what_is_not_escaped_stays)
{
	char buf[64];
	struct text t = TEXT(buf);
	text_put_unescaped(&t, unescape_rows[_i].in);
	ck_slice_eq(unescape_rows[_i].want, text_slice(&t), unescape_rows[_i].want);
}

END_TEST

START_TEST(letters_are_folded_from_where_they_were_added)
{
	char buf[32];
	struct text t = TEXT(buf);
	text_puts(&t, "AB");
	text_put_lower(&t, SLICE("AZ@[az09\304"));
	ck_slice_eq("lower", text_slice(&t), "ABaz@[az09\304");
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, case_is_ignored, 0, COUNT_OF(nocase_rows));
	tcase_add_test(tcase, equal_means_every_byte);
	tcase_add_test(tcase, parts_stay_within);
	tcase_add_loop_test(tcase, blanks_are_trimmed, 0, COUNT_OF(trim_rows));
	tcase_add_loop_test(tcase, parts_are_cut_off, 0, COUNT_OF(cut_rows));
	tcase_add_loop_test(tcase, words_are_cut_off, 0, COUNT_OF(word_rows));
	tcase_add_loop_test(tcase, numbers_are_read, 0, COUNT_OF(number_rows));
	tcase_add_test(tcase, a_text_never_overflows);
	tcase_add_test(tcase, what_fits_is_not_cut);
	tcase_add_loop_test(tcase, integers_are_written, 0, COUNT_OF(int_rows));
	tcase_add_loop_test(tcase, foreign_bytes_are_escaped, 0, COUNT_OF(escape_rows));
	tcase_add_loop_test(tcase, what_was_escaped_comes_back, 0, COUNT_OF(escape_rows));
	tcase_add_loop_test(tcase, what_is_not_escaped_stays, 0, COUNT_OF(unescape_rows));
	tcase_add_test(tcase, letters_are_folded_from_where_they_were_added);
}

int
main(void)
{
	return harness_run("slice", fill);
}
