/* test_newcap.c - how many new triplets one identity may have stored. */
#include "engine/newcap.h"

#include "harness.h"

#define T0 INT64_C(1000000)

static const struct conf_rate hundred = {.count = 100, .per_ms = 60000};
static struct newcap *newcap;

/* A key whose place in the table is `place` and that differs from others of that place. */
static struct key
key_at(uint64_t place, uint64_t other)
{
	struct key key = {{0}};
	uint64_t tag = other << 32 | place;
	memcpy(key.bytes, &tag, sizeof(tag));
	return key;
}

static int
take_while_room(const struct key *key, const struct conf_rate *rate, int64_t now_ms,
                int max)
{
	int n = 0;
	while (n < max && newcap_has_room(newcap, key, rate, now_ms)) {
		newcap_take(newcap, key, rate, now_ms);
		n++;
	}
	return n;
}

static void
set_up(void)
{
	newcap = newcap_new();
}

static void
tear_down(void)
{
	newcap_free(&newcap);
	ck_assert_ptr_null(newcap);
}

START_TEST(the_count_is_kept_and_comes_back)
{
	struct key key = key_at(7, 1);
	ck_assert_int_eq(take_while_room(&key, &hundred, T0, 1000), 100);
	ck_assert_int_eq(take_while_room(&key, &hundred, T0 + 599, 1000), 0);
	ck_assert_int_eq(take_while_room(&key, &hundred, T0 + 600, 1000), 1);
	ck_assert_int_eq(take_while_room(&key, &hundred, T0 + 60600, 1000), 100);
}

END_TEST

START_TEST(asking_takes_nothing)
{
	struct key key = key_at(7, 1);
	for (int i = 0; i < 1000; i++)
		ck_assert(newcap_has_room(newcap, &key, &hundred, T0));
	ck_assert_int_eq(take_while_room(&key, &hundred, T0, 1000), 100);
}

END_TEST

START_TEST(no_limit_is_no_limit)
{
	struct conf_rate none = {0};
	struct key key = key_at(7, 1);
	ck_assert_int_eq(take_while_room(&key, &none, T0, 5000), 5000);
	/* and nothing was counted meanwhile */
	ck_assert_int_eq(take_while_room(&key, &hundred, T0, 1000), 100);
}

END_TEST

START_TEST(neighbours_do_not_share)
{
	for (uint64_t i = 0; i < 8; i++) {
		struct key key = key_at(16380 + i, 0);
		ck_assert_int_eq(take_while_room(&key, &hundred, T0, 1000), 100);
	}
	for (uint64_t i = 0; i < 8; i++) {
		struct key key = key_at(16380 + i, 0);
		ck_assert(!newcap_has_room(newcap, &key, &hundred, T0));
	}
}

END_TEST

START_TEST(four_fit_in_one_place_then_the_least_busy_goes)
{
	struct key keys[5];
	for (uint64_t i = 0; i < 5; i++)
		keys[i] = key_at(5, i + 1);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(take_while_room(&keys[i], &hundred, T0, 10 * (i + 1)),
		                 10 * (i + 1));
	newcap_take(newcap, &keys[4], &hundred, T0);
	/* keys[0], with ten, was forgotten; the others and the new one are counted on */
	static const int left[] = {100, 80, 70, 60, 99};
	for (int i = 1; i < 5; i++)
		ck_assert_msg(take_while_room(&keys[i], &hundred, T0, 1000) == left[i],
		              "key %d", i);
	ck_assert_int_eq(take_while_room(&keys[0], &hundred, T0, 1), 1);
}

END_TEST

START_TEST(a_flood_of_identities_stays_within_its_memory)
{
	struct key busy = key_at(123, 77);
	ck_assert_int_eq(take_while_room(&busy, &hundred, T0, 1000), 100);
	for (uint64_t i = 0; i < 200000; i++) {
		struct key key = key_at(i * 2654435761U % 16384, i + 1000);
		newcap_take(newcap, &key, &hundred, T0);
	}
	/* who is busiest is remembered */
	ck_assert(!newcap_has_room(newcap, &busy, &hundred, T0));
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, the_count_is_kept_and_comes_back);
	tcase_add_test(tcase, asking_takes_nothing);
	tcase_add_test(tcase, no_limit_is_no_limit);
	tcase_add_test(tcase, neighbours_do_not_share);
	tcase_add_test(tcase, four_fit_in_one_place_then_the_least_busy_goes);
	tcase_add_test(tcase, a_flood_of_identities_stays_within_its_memory);
}

int
main(void)
{
	return harness_run("newcap", fill);
}
