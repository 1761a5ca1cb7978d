/* test_nearest.c - the known name that is nearest to a wrong one. */
#include "base/nearest.h"

#include "harness.h"

/* clang-format off */
static const struct nearest_row {
	const char *name;
	const char *wanted;
	const char *known[4];
	const char *want; /* NULL: none is near */
} nearest_rows[] = {
	{"a letter too few", "stats", {"status", "why"}, "status"},
	{"a letter too many", "drainn", {"undrain", "drain"}, "drain"},
	{"two are changed about", "hlep", {"help", "why"}, "help"},
	{"case does not matter", "OVERRIDES", {"overrides"}, "overrides"},
	{"the first of two that are as near", "allowee", {"allowed", "allower"}, "allowed"},
	{"nothing is like it", "xyzzy", {"status", "why", "help"}, NULL},
	{"a third of the letters may be wrong", "abcdef", {"abcdXY"}, "abcdXY"},
	{"but not more", "abcdef", {"abcXYZ"}, NULL},
	{"an empty word is near to nothing", "", {"why"}, NULL},
	{"what is too long to be a name", "0123456789012345678901234567890123456789012345678901234567890123456789",
	 {"0123456789012345678901234567890123456789012345678901234567890123456789"}, NULL},
};

/* clang-format on */

START_TEST(nearest_is_found)
{
	const struct nearest_row *r = &nearest_rows[_i];
	struct nearest nearest;
	nearest_start(&nearest, slice_of(r->wanted));
	for (size_t i = 0; i < COUNT_OF(r->known) && r->known[i]; i++)
		nearest_offer(&nearest, r->known[i]);
	if (r->want)
		ck_assert_msg(nearest.name, "%s: nothing", r->name);
	ck_slice_eq(r->name, slice_of(nearest.name), r->want ? r->want : "");
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, nearest_is_found, 0, COUNT_OF(nearest_rows));
}

int
main(void)
{
	return harness_run("nearest", fill);
}
