/* test_limit_names.c - of whose limits the store is told. */
#include "books/limit_names.h"

#include <string.h>

#include "harness.h"

#define T0   INT64_C(1000)
#define HOUR INT64_C(3600000)

static struct limit_names told;

static struct key
key_of(unsigned number)
{
	struct key key = {{0}};
	memcpy(key.bytes, &number, sizeof(number));
	return key;
}

static bool
is_told(unsigned number, int64_t now_ms)
{
	struct key key = key_of(number);
	bool lacks = told_lacks(&told, &key, now_ms);
	if (lacks)
		limit_names_note(&told, &key);
	return lacks;
}

static void
set_up(void)
{
	told = (struct limit_names){.began_ms = T0};
}

static void
tear_down(void)
{
	limit_names_forget(&told);
}

START_TEST(each_is_told_once_an_hour)
{
	ck_assert(is_told(1, T0));
	ck_assert(!is_told(1, T0 + HOUR - 1));
	ck_assert(is_told(2, T0 + HOUR - 1));
	ck_assert(is_told(1, T0 + HOUR));
	ck_assert(is_told(2, T0 + HOUR));
	ck_assert(!is_told(1, T0 + HOUR));
}

END_TEST

START_TEST(so_many_an_hour)
{
	for (unsigned i = 0; i < TOLD_MAX; i++)
		ck_assert(is_told(i, T0));
	ck_assert(!is_told(TOLD_MAX, T0 + HOUR - 1));
	ck_assert(is_told(TOLD_MAX, T0 + HOUR));
}

END_TEST

START_TEST(what_is_forgotten_is_told_again)
{
	ck_assert(is_told(1, T0));
	limit_names_forget(&told);
	ck_assert(is_told(1, T0));
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, each_is_told_once_an_hour);
	tcase_add_test(tcase, so_many_an_hour);
	tcase_add_test(tcase, what_is_forgotten_is_told_again);
}

int
main(void)
{
	return harness_run("told", fill);
}
