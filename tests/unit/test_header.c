/* test_header.c - the header of a message that was held up. */
#include "rules/header.h"

#include "harness.h"

/* clang-format off */
static const struct header_row {
	const char *node;
	int64_t delayed_s;
	int64_t now_s;
	const char *want;
} rows[] = {
	{"mx1.example.com", 183, 1795342272,
		"X-Greylist: delayed 183 seconds by weir at mx1.example.com; "
		"Sun, 22 Nov 2026 10:11:12 +0000 (UTC)"},
	{"mx", 0, 0, "X-Greylist: delayed 0 seconds by weir at mx; "
		"Thu, 01 Jan 1970 00:00:00 +0000 (UTC)"},
	{"mx", 86400, 17179869183, "X-Greylist: delayed 86400 seconds by weir at mx; "
		"Wed, 30 May 2514 01:53:03 +0000 (UTC)"},
};

/* clang-format on */

START_TEST(it_tells_how_long_where_and_when)
{
	char buf[256];
	struct text out = TEXT(buf);
	header_print(rows[_i].node, rows[_i].delayed_s, rows[_i].now_s, &out);
	ck_slice_eq(rows[_i].node, text_slice(&out), rows[_i].want);
	ck_assert_uint_le(out.n, 998); /* RFC 5322 2.1.1 */
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, it_tells_how_long_where_and_when, 0, COUNT_OF(rows));
}

int
main(void)
{
	return harness_run("header", fill);
}
