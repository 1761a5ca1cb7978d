/* test_progress.c - the bar. */
#include "progress.h"

#include "harness.h"

/* clang-format off */
static const struct bar_row {
	const char *row;
	int64_t total, done, rows, elapsed_ms;
	int width;
	const char *want;
} bar_rows[] = {
	{"at the start", 1000, 0, 0, 0, 80, "x  [........................................]   0%  0 rows"},
	{"half", 1000, 500, 500, 1000, 80, "x  [####################....................]  50%  500 rows  500/s  0:01 left"},
	{"all", 1000, 1000, 1000, 4000, 80, "x  [########################################] 100%  1000 rows  250/s  0:00 left"},
	{"more than was thought", 1000, 2000, 2000, 4000, 80, "x  [########################################] 100%  2000 rows  500/s  0:00 left"},
	{"bytes", 1000000, 250000, 7000, 10000, 80, "x  [##########..............................]  25%  7000 rows  700/s  0:30 left"},
	{"long", 100, 1, 1, 60000, 80, "x  [........................................]   1%  1 rows  0/s  1:39:00 left"},
	{"a narrow terminal", 1000, 500, 500, 1000, 50, "x  [#####......]  50%  500 rows  500/s  0:01 left"},
	{"no room for the bar", 1000, 500, 500, 1000, 20, "x   50%  500 rows  500/s  0:01 left"},
	{"an unknown total", 0, 0, 500, 1000, 80, "x  500 rows  500/s"},
};

/* clang-format on */

START_TEST(the_bar_says_how_far_it_is)
{
	const struct bar_row *r = &bar_rows[_i];
	char buf[256];
	struct text out = TEXT(buf);
	struct progress progress = {.what = "x",
	                            .total = r->total,
	                            .done = r->done,
	                            .rows = r->rows};
	progress_print(&progress, r->elapsed_ms, r->width, &out);
	ck_slice_eq(r->row, text_slice(&out), r->want);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, the_bar_says_how_far_it_is, 0, COUNT_OF(bar_rows));
}

int
main(void)
{
	return harness_run("progress", fill);
}
