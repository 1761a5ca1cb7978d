/* test_ctl_table.c - tables for people, and bytes made safe for a terminal. */
#include "table.h"

#include <locale.h>
#include <stdlib.h>

#include "escape.h"
#include "harness.h"

/* clang-format off */
static const struct escape_row {
	const char *name;
	const char *raw;
	bool ascii;
	const char *want;
} escape_rows[] = {
	{"plain text stays", "a@b.test", false, "a@b.test"},
	{"an empty text", "", false, ""},
	{"UTF-8 stays", "gr\xc3\xbc\xc3\x9f", false, "gr\xc3\xbc\xc3\x9f"},
	{"unless the terminal is not for it", "gr\xc3\xbc", true, "gr\\xC3\\xBC"},
	{"four bytes", "\xf0\x9f\x93\xa7", false, "\xf0\x9f\x93\xa7"},
	{"an escape sequence", "\033[31m", false, "\\x1B[31m"},
	{"end of line, tab, bell", "a\n\tb\a", false, "a\\x0A\\x09b\\x07"},
	{"delete", "\177", false, "\\x7F"},
	{"a C1 control as UTF-8", "\xc2\x9b" "31m", false, "\\xC2\\x9B31m"},
	{"a C1 control as a byte", "\x9b" "31m", false, "\\x9B31m"},
	{"what turns the direction", "\xe2\x80\xae" "moc", false, "\\xE2\\x80\\xAEmoc"},
	{"isolates", "\xe2\x81\xa6", false, "\\xE2\\x81\\xA6"},
	{"what cannot be seen", "a\xe2\x80\x8b" "b\xc2\xad" "c\xef\xbb\xbf", false, "a\\xE2\\x80\\x8Bb\\xC2\\xADc\\xEF\\xBB\\xBF"},
	{"tags", "\xf3\xa0\x81\x81", false, "\\xF3\\xA0\\x81\\x81"},
	{"separator of lines", "\xe2\x80\xa8", false, "\\xE2\\x80\\xA8"},
	{"no UTF-8", "\xff\xfe", false, "\\xFF\\xFE"},
	{"longer than needed", "\xc0\xaf", false, "\\xC0\\xAF"},
	{"three bytes for two", "\xe0\x80\xaf", false, "\\xE0\\x80\\xAF"},
	{"a surrogate", "\xed\xa0\x80", false, "\\xED\\xA0\\x80"},
	{"beyond the last character", "\xf4\x90\x80\x80", false, "\\xF4\\x90\\x80\\x80"},
	{"cut off", "a\xe2\x82", false, "a\\xE2\\x82"},
	{"cut off, then more", "\xe2\x82" "a", false, "\\xE2\\x82" "a"},
};

/* clang-format on */

START_TEST(bytes_are_escaped)
{
	const struct escape_row *r = &escape_rows[_i];
	char *got = escape(slice_of(r->raw), r->ascii);
	ck_slice_eq(r->name, slice_of(got), r->want);
	free(got);
}

END_TEST

START_TEST(columns_are_counted)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	ck_assert_uint_eq(columns_of(SLICE("abc")), 3);
	ck_assert_uint_eq(columns_of(SLICE("gr\xc3\xbc")), 3);
	ck_assert_uint_eq(columns_of(SLICE("\xe6\xbc\xa2\xe5\xad\x97")), 4);
	ck_assert_uint_eq(columns_of(SLICE("e\xcc\x81")), 1);
	ck_slice_eq("a wide one does not fit", columns_head(SLICE("a\xe6\xbc\xa2z"), 2),
	            "a");
	ck_slice_eq("it fits", columns_head(SLICE("a\xe6\xbc\xa2z"), 3), "a\xe6\xbc\xa2");
}

END_TEST

/* What a table of these cells, two columns, looks like on that view. */
static char *
printed(struct view view, const char *const *cells, size_t n)
{
	static const char *const headings[] = {"NAME", ">N"};
	char *bytes;
	size_t size;
	view.to = open_memstream(&bytes, &size);
	ck_assert_ptr_nonnull(view.to);
	struct table *table = table_new(&view, headings, COUNT_OF(headings));
	for (size_t i = 0; i < n; i++)
		table_cell(table, slice_of(cells[i]));
	ck_assert_uint_eq(table_rows(table), n / 2);
	table_print(table);
	table_free(&table);
	ck_assert_ptr_null(table);
	fclose(view.to);
	return bytes;
}

/* clang-format off */
static const struct table_row {
	const char *name;
	struct view view;
	const char *cells[4];
	const char *want;
} table_rows_of[] = {
	{"as wide as what is in it", {0}, {"acme", "7", "a.longer.name", "1234"},
	 "NAME              N\nacme              7\na.longer.name  1234\n"},
	{"empty cells", {0}, {"", "1", "acme", ""}, "NAME  N\n      1\nacme\n"},
	{"control bytes", {0}, {"a\033[2J", "1", "\n", "2"}, "NAME      N\na\\x1B[2J  1\n\\x0A      2\n"},
	{"the widest gives way", {.width = 14}, {"a.long.name.it.is", "1", "b", "1000"},
	 "NAME         N\na.long.\xe2\x80\xa6     1\nb         1000\n"},
	{"in ASCII", {.width = 14, .ascii = true}, {"a.long.name.it.is", "1", "b", "1000"},
	 "NAME         N\na.long.~     1\nb         1000\n"},
	{"numbers do not", {.width = 16}, {"a.long.name", "1", "b", "10000000"},
	 "NAME           N\na.lon\xe2\x80\xa6         1\nb       10000000\n"},
	{"very narrow", {.width = 7}, {"a.long.name", "1", "b", "2"}, "NAME\na.lon\xe2\x80\xa6\nb\n"},
	{"headings in colour", {.colour = true}, {"a", "1", "b", "2"},
	 "\033[1mNAME\033[0m  \033[1mN\033[0m\na     1\nb     2\n"},
};

/* clang-format on */

START_TEST(tables_are_printed)
{
	const struct table_row *r = &table_rows_of[_i];
	setlocale(LC_CTYPE, "C.UTF-8");
	char *got = printed(r->view, r->cells, COUNT_OF(r->cells));
	ck_slice_eq(r->name, slice_of(got), r->want);
	free(got);
}

END_TEST

START_TEST(some_columns_do_not_give_way)
{
	static const char *const headings[] = {"=TIME", "NAME"};
	char *bytes;
	size_t size;
	struct view view = {.width = 18, .ascii = true};
	view.to = open_memstream(&bytes, &size);
	ck_assert_ptr_nonnull(view.to);
	struct table *table = table_new(&view, headings, COUNT_OF(headings));
	table_cell(table, SLICE("2026-11-22"));
	table_cell(table, SLICE("a.long.name"));
	table_print(table);
	table_free(&table);
	fclose(view.to);
	ck_assert_str_eq(bytes, "TIME        NAME\n2026-11-22  a.lon~\n");
	free(bytes);
}

END_TEST

START_TEST(sentences_are_broken_at_blanks)
{
	char *bytes;
	size_t size;
	struct view view = {.width = 12};
	view.to = open_memstream(&bytes, &size);
	ck_assert_ptr_nonnull(view.to);
	view_sentence(&view, "one two three four extraordinarily six");
	fclose(view.to);
	ck_assert_str_eq(bytes, "one two\nthree four\nextraordinarily\nsix\n");
	free(bytes);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, bytes_are_escaped, 0, COUNT_OF(escape_rows));
	tcase_add_test(tcase, columns_are_counted);
	tcase_add_loop_test(tcase, tables_are_printed, 0, COUNT_OF(table_rows_of));
	tcase_add_test(tcase, some_columns_do_not_give_way);
	tcase_add_test(tcase, sentences_are_broken_at_blanks);
}

int
main(void)
{
	return harness_run("ctl_table", fill);
}
