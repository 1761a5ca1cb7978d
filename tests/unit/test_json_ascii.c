/* test_json_ascii.c - JSON shows nothing but what can be seen, and says the same. */
#include "books/json_ascii.h"

#include <jansson.h>
#include <stdlib.h>

#include "harness.h"

/* clang-format off */
static const struct row {
	const char *name;
	const char *raw;
	const char *want;
} rows[] = {
	{"plain text", "a@b.test", "[\"a@b.test\"]"},
	{"a control", "\033[31m", "[\"\\u001B[31m\"]"},
	{"delete", "a\177b\177", "[\"a\\u007fb\\u007f\"]"},
	{"a C1 control", "\xc2\x9b" "31m", "[\"\\u009B31m\"]"},
	{"what turns the direction", "\xe2\x80\xae" "moc", "[\"\\u202Emoc\"]"},
	{"other letters", "gr\xc3\xbc\xc3\x9f", "[\"gr\\u00FC\\u00DF\"]"},
	{"beyond 16 bits", "\xf0\x9f\x93\xa7", "[\"\\uD83D\\uDCE7\"]"},
	{"quotes", "\"\\", "[\"\\\"\\\\\"]"},
};

/* clang-format on */

START_TEST(strings_are_ascii)
{
	const struct row *r = &rows[_i];
	json_t *value = json_pack("[s]", r->raw);
	char *got = json_ascii(value, JSON_COMPACT);
	ck_slice_eq(r->name, slice_of(got), r->want);
	json_t *read = json_loads(got, 0, NULL);
	ck_assert_msg(json_equal(read, value), "%s: it says something else", r->name);
	json_decref(read);
	json_decref(value);
	free(got);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, strings_are_ascii, 0, COUNT_OF(rows));
}

int
main(void)
{
	return harness_run("json_ascii", fill);
}
