/* test_tally.c - what is counted for the operator, by cause, minute and destination. */
#include "books/tally.h"

#include <jansson.h>

#include "harness.h"

#define NOW INT64_C(1800000000)

static struct tally *tally;

static void
note(const char *destination, enum why why, bool deferred, int64_t held,
     int64_t delayed_s, int64_t now_s)
{
	struct plan plan = {.destination = slice_of(destination)};
	struct verdict verdict = {.action = deferred ? VERDICT_DEFER : VERDICT_ACCEPT,
	                          .why = why,
	                          .delayed_s = delayed_s};
	tally_note(tally, &plan, &verdict, held, now_s);
}

static json_int_t
member(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

START_TEST(deferrals_are_told_by_cause_and_minute)
{
	note("acme", WHY_GREYLIST_NEW, true, 0, 0, NOW - 60);
	note("acme", WHY_GREYLIST_NEW, true, 0, 0, NOW);
	note("acme", WHY_GREYLIST_NEW, true, 0, 0, NOW);
	note("acme", WHY_GREYLIST_KNOWN, false, 0, 0, NOW);
	json_t *told = tally_print(tally, NOW);
	json_t *causes = json_object_get(told, "causes");
	ck_assert_uint_eq(json_object_size(causes), 1);
	json_t *counts = json_object_get(causes, "greylist-new");
	ck_assert_uint_eq(json_array_size(counts), 30);
	ck_assert_int_eq(json_integer_value(json_array_get(counts, 29)), 2);
	ck_assert_int_eq(json_integer_value(json_array_get(counts, 28)), 1);
	ck_assert_int_eq(json_integer_value(json_array_get(counts, 27)), 0);
	ck_assert_int_eq(member(told, "minute"), NOW / 60);
	json_decref(told);
	ck_assert_uint_eq(tally_verdicts(tally, WHY_GREYLIST_NEW, VERDICT_DEFER), 3);
	ck_assert_uint_eq(tally_verdicts(tally, WHY_GREYLIST_KNOWN, VERDICT_ACCEPT), 1);
}

END_TEST

START_TEST(old_minutes_are_forgotten)
{
	note("acme", WHY_GREYLIST_NEW, true, 0, 0, NOW);
	json_t *told = tally_print(tally, NOW + 29 * 60);
	json_t *counts = json_object_get(json_object_get(told, "causes"), "greylist-new");
	ck_assert_int_eq(json_integer_value(json_array_get(counts, 0)), 1);
	json_decref(told);
	told = tally_print(tally, NOW + 30 * 60);
	ck_assert_uint_eq(json_object_size(json_object_get(told, "causes")), 0);
	json_decref(told);
	told = tally_print(tally, NOW + 1000 * 60);
	ck_assert_uint_eq(json_object_size(json_object_get(told, "causes")), 0);
	json_decref(told);
}

END_TEST

START_TEST(a_clock_set_back_begins_anew)
{
	for (int i = 0; i < 7; i++)
		note("acme", WHY_GREYLIST_NEW, true, 5, 0, NOW);
	note("acme", WHY_GREYLIST_NEW, true, 1, 0, NOW - 7200);
	json_t *told = tally_print(tally, NOW - 7200);
	json_t *counts = json_object_get(json_object_get(told, "causes"), "greylist-new");
	ck_assert_int_eq(json_integer_value(json_array_get(counts, 29)), 1);
	json_t *first = json_array_get(json_object_get(told, "destinations"), 0);
	ck_assert_int_eq(member(first, "deferred"), 1);
	ck_assert_int_eq(member(first, "peak"), 1);
	json_decref(told);
}

END_TEST

START_TEST(destinations_are_told_by_weight)
{
	for (int i = 4; i >= 0; i--)
		note("acme", WHY_LIMIT, true, 20, 0, NOW - 60 * i);
	note("small", WHY_LIMIT, true, 1, 0, NOW);
	note("idle", WHY_GREYLIST_KNOWN, false, 0, 0, NOW);
	json_t *told = tally_print(tally, NOW);
	json_t *list = json_object_get(told, "destinations");
	ck_assert_uint_eq(json_array_size(list), 2);
	json_t *first = json_array_get(list, 0);
	ck_assert_str_eq(json_string_value(json_object_get(first, "name")), "acme");
	ck_assert_int_eq(member(first, "peak"), 20);
	ck_assert_int_eq(member(first, "deferred"), 5);
	json_decref(told);
	told = tally_print(tally, NOW + 30 * 60);
	first = json_array_get(json_object_get(told, "destinations"), 0);
	ck_assert_int_eq(member(first, "peak"), 20);
	ck_assert_int_eq(member(first, "deferred"), 0);
	json_decref(told);
	told = tally_print(tally, NOW + 61 * 60);
	ck_assert_uint_eq(json_array_size(json_object_get(told, "destinations")), 0);
	json_decref(told);
}

END_TEST

START_TEST(there_is_a_bound_on_destinations)
{
	char name[32];
	for (int i = 0; i < 5000; i++) {
		struct text text = TEXT(name);
		text_printf(&text, "d%d.example", i);
		note(name, WHY_GREYLIST_NEW, true, 0, 0, NOW);
	}
	json_t *told = tally_print(tally, NOW);
	char *dumped = json_dumps(told, JSON_COMPACT);
	ck_assert_uint_eq(json_array_size(json_object_get(told, "destinations")), 100);
	ck_assert_uint_lt(strlen(dumped), HISTORY_TEXT_MAX);
	free(dumped);
	json_decref(told);
}

END_TEST

START_TEST(those_of_the_settings_have_their_place)
{
	char name[32];
	for (int i = 0; i < 600; i++) {
		struct text text = TEXT(name);
		text_printf(&text, "d%d.example", i);
		note(name, WHY_GREYLIST_NEW, true, 0, 0, NOW);
		note(name, WHY_GREYLIST_NEW, true, 0, 0, NOW);
	}
	struct plan plan = {.destination = SLICE("acme"), .configured = true};
	struct verdict verdict = {.action = VERDICT_DEFER, .why = WHY_LIMIT};
	tally_note(tally, &plan, &verdict, 1, NOW);
	json_t *told = tally_print(tally, NOW);
	json_t *first = json_array_get(json_object_get(told, "destinations"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(first, "name")), "acme");
	json_decref(told);
}

END_TEST

START_TEST(long_names_fit_on_the_registry)
{
	char name[256];
	for (int i = 0; i < 200; i++) {
		memset(name, '"', sizeof(name));
		struct text text = TEXT(name);
		text_printf(&text, "%d", i);
		name[text.n] = '"';
		name[sizeof(name) - 1] = '\0';
		note(name, WHY_GREYLIST_NEW, true, 0, 0, NOW);
	}
	json_t *told = tally_print(tally, NOW);
	char *dumped = json_dumps(told, JSON_COMPACT);
	ck_assert_uint_lt(strlen(dumped), HISTORY_TEXT_MAX - 8000);
	free(dumped);
	json_decref(told);
}

END_TEST

START_TEST(hostile_names_are_told_as_text)
{
	note("\xff\"<b>.example", WHY_GREYLIST_NEW, true, 0, 0, NOW);
	json_t *told = tally_print(tally, NOW);
	json_t *first = json_array_get(json_object_get(told, "destinations"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(first, "name")),
	                 "\\xff\\x22<b>.example");
	json_decref(told);
}

END_TEST

START_TEST(the_funnel_is_by_hour_of_the_first_try)
{
	struct funnel_hour hours[8];
	note("acme", WHY_GREYLIST_NEW, true, 0, 0, NOW);
	note("acme", WHY_GREYLIST_AGED, true, 0, 0, NOW);
	note("acme", WHY_GREYLIST_EARLY, true, 0, 0, NOW);
	note("acme", WHY_GREYLIST_PASSED, false, 0, 7200, NOW);
	note("acme", WHY_LIMIT, true, 3, 300, NOW + 3600); /* passed, then no room */
	ck_assert_uint_eq(tally_take_funnel(tally, hours, 8), 2);
	ck_assert_int_eq(hours[0].hour, NOW / 3600);
	ck_assert_int_eq(hours[0].fresh, 2);
	ck_assert_int_eq(hours[0].back, 1);
	ck_assert_int_eq(hours[1].hour, NOW / 3600 - 2);
	ck_assert_int_eq(hours[1].fresh, 0);
	ck_assert_int_eq(hours[1].back, 1);
	ck_assert_uint_eq(tally_take_funnel(tally, hours, 8), 0);
}

END_TEST

static void
setup(void)
{
	tally = tally_new();
}

static void
teardown(void)
{
	tally_free(&tally);
}

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, deferrals_are_told_by_cause_and_minute);
	tcase_add_test(tcase, old_minutes_are_forgotten);
	tcase_add_test(tcase, a_clock_set_back_begins_anew);
	tcase_add_test(tcase, destinations_are_told_by_weight);
	tcase_add_test(tcase, there_is_a_bound_on_destinations);
	tcase_add_test(tcase, those_of_the_settings_have_their_place);
	tcase_add_test(tcase, long_names_fit_on_the_registry);
	tcase_add_test(tcase, hostile_names_are_told_as_text);
	tcase_add_test(tcase, the_funnel_is_by_hour_of_the_first_try);
}

int
main(void)
{
	return harness_run("tally", fill);
}
