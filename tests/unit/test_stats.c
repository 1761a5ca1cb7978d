/* test_stats.c - counters and histograms. */
#include "base/stats.h"

#include <pthread.h>

#include "harness.h"

#define THREADS 4
#define EACH    20000

static const struct test_case {
	const char *row;
	enum histogram histogram;
	int64_t value;
	size_t bucket;
	uint64_t sum;
} cases[] = {
	{"nothing at all", HISTOGRAM_STORE_US, 0, 0, 0},
	{"a clock that went back", HISTOGRAM_STORE_US, -5, 0, 0},
	{"on the first bound", HISTOGRAM_STORE_US, 50, 0, 50},
	{"just beyond it", HISTOGRAM_STORE_US, 51, 1, 51},
	{"on a bound between", HISTOGRAM_STORE_US, 2500, 5, 2500},
	{"on the last bound", HISTOGRAM_STORE_US, 500000, 12, 500000},
	{"beyond all", HISTOGRAM_STORE_US, 500001, 13, 500001},
	{"a retry within a minute", HISTOGRAM_GREYLIST_DELAY_S, 59, 0, 59},
	{"a retry after two days", HISTOGRAM_GREYLIST_DELAY_S, 172800, 12, 172800},
	{"a retry after five days", HISTOGRAM_GREYLIST_DELAY_S, 432000, 13, 432000},
};

START_TEST(value_is_counted)
{
	const struct test_case *c = &cases[_i];
	struct histogram_state before, after;
	histogram_get(c->histogram, &before);
	histogram_add(c->histogram, c->value);
	histogram_get(c->histogram, &after);
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		ck_assert_msg(after.counts[i] - before.counts[i] == (i == c->bucket),
		              "%s: bucket %zu", c->row, i);
	ck_assert_msg(after.count == before.count + 1, "%s: count", c->row);
	ck_assert_msg(after.sum == before.sum + c->sum, "%s: sum", c->row);
}

END_TEST

START_TEST(tables_are_whole)
{
	for (int h = 0; h < HISTOGRAM_COUNT; h++) {
		struct histogram_state state;
		histogram_get((enum histogram)h, &state);
		ck_assert(*histogram_name((enum histogram)h));
		ck_assert(*histogram_help((enum histogram)h));
		ck_assert_int_gt(histogram_per_second((enum histogram)h), 0);
		ck_assert_int_gt(state.bounds[0], 0);
		for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
			ck_assert_int_gt(state.bounds[i], state.bounds[i - 1]);
	}
	for (int i = 0; i < STAT_COUNT; i++) {
		ck_assert(*stats_name((enum stat)i));
		ck_assert(*stats_help((enum stat)i));
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(stats_name((enum stat)i),
			                 stats_name((enum stat)k));
	}
}

END_TEST

static void *
count_on(void *arg)
{
	(void)arg;
	for (int i = 0; i < EACH; i++) {
		stats_add(STAT_DECISIONS_WRITTEN, 2);
		histogram_add(HISTOGRAM_DECISION_US, i % 1000);
	}
	return NULL;
}

/* No thread's count is lost. */
START_TEST(threads_count_together)
{
	pthread_t threads[THREADS];
	struct histogram_state before, after;
	uint64_t written = stats_get(STAT_DECISIONS_WRITTEN);
	histogram_get(HISTOGRAM_DECISION_US, &before);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count_on, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	histogram_get(HISTOGRAM_DECISION_US, &after);
	ck_assert_uint_eq(stats_get(STAT_DECISIONS_WRITTEN) - written,
	                  2 * THREADS * EACH);
	ck_assert_uint_eq(after.count - before.count, THREADS * EACH);
	ck_assert_uint_eq(after.sum - before.sum, THREADS * (EACH / 1000) * 499500);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, value_is_counted, 0, COUNT_OF(cases));
	tcase_add_test(tcase, tables_are_whole);
	tcase_add_test(tcase, threads_count_together);
}

int
main(void)
{
	return harness_run("stats", fill);
}
