/* test_status.c - the site's status, whatever the registries hold. */
#include "books/status.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "harness.h"
#include "history_fixture.h"
#include "rules/limit.h"

#define HEARTBEAT(rest) "{\"daemon\":\"policyd\",\"node\":\"a\",\"seen\":%lld" rest "}"

static struct store_place place;
static struct history *history;
static int64_t now_s;

static void
begin(void)
{
	place = fresh_place(BACKEND_EMBEDDED, NULL);
	history = history_at(&place);
	now_s = clock_wall_s();
}

static void
end(void)
{
	history_close(&history);
}

static void
put_heartbeat(const char *heartbeat)
{
	struct err err = {0};
	history_worked(history_put(history, REGISTRY_DAEMONS, SLICE("policyd/a"),
	                           slice_of(heartbeat), now_s + 60, &err),
	               "putting", &err);
}

/* The caller gives it back. */
static json_t *
build(void)
{
	struct err err = {0};
	struct conf *conf = place_conf(&place, NULL, NULL, &err);
	json_t *status = status_build(conf, history, NULL, now_s);
	conf_unref(&conf);
	return status;
}

static json_int_t
number_at(const json_t *row, const char *name)
{
	return json_integer_value(json_object_get(row, name));
}

/* A row of "destinations"; NULL: none of that name. */
static const json_t *
find_row(const json_t *status, const char *name)
{
	const json_t *row;
	size_t i;
	json_array_foreach(json_object_get(status, "destinations"), i, row) {
		if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
			return row;
	}
	return NULL;
}

static const char *const hostile[] = {
	"{}",
	"{\"seen\":-9223372036854775808,\"minute\":-9223372036854775808,"
	"\"causes\":{\"a\":[1]},\"destinations\":[{\"name\":\"x\",\"deferred\":1}]}",
	"{\"seen\":9223372036854775807,\"minute\":9223372036854775807,"
	"\"causes\":{\"a\":[1]},\"destinations\":"
	"[{\"name\":\"x\",\"deferred\":9223372036854775807},"
	"{\"name\":\"x\",\"peak\":-1,\"deferred\":9223372036854775807}]}",
};

/* Sanitizers look on. */
START_TEST(numbers_of_a_heartbeat_are_bounded)
{
	put_heartbeat(hostile[_i]);
	json_t *status = build();
	const json_t *row = find_row(status, "x");
	ck_assert_int_ge(number_at(row, "deferred"), 0);
	ck_assert_int_le(number_at(row, "deferred"), INT64_C(1) << 41);
	json_decref(status);
}

END_TEST

START_TEST(a_heartbeat_tells_of_so_many_destinations)
{
	struct text heartbeat = {.cap = HISTORY_TEXT_MAX};
	heartbeat.p = mem_alloc(heartbeat.cap);
	text_printf(&heartbeat, HEARTBEAT(",\"destinations\":["), (long long)now_s);
	heartbeat.n--; /* the brace */
	for (int i = 1; i <= STATUS_TOLD + 1; i++)
		text_printf(&heartbeat, "%s{\"name\":\"d%d\",\"deferred\":%d}",
		            i > 1 ? "," : "", i, i);
	text_puts(&heartbeat, "]}");
	put_heartbeat(heartbeat.p);
	json_t *status = build();
	ck_assert_ptr_nonnull(find_row(status, "d100"));
	ck_assert_ptr_null(find_row(status, "d101"));
	json_decref(status);
	free(heartbeat.p);
}

END_TEST

/* Its name is escaped in heartbeats, but not in the key of its leases. */
START_TEST(slots_of_a_name_in_utf8)
{
	char heartbeat[300];
	struct text text = TEXT(heartbeat);
	struct key_secret secret;
	struct err err = {0};
	history_worked(history_secret(history, &secret, &err), "the secret", &err);
	struct key key = limit_slots_key(&secret, true, SLICE("b\303\274ro.test"));
	place_plant_lease(&place, &key, "m/a/192.0.2.1:25", clock_boot_ms() + 60000);
	text_printf(&text,
	            HEARTBEAT(
			    ",\"destinations\":[{\"name\":\"b\\\\xc3\\\\xbcro.test\"}]"),
	            (long long)now_s);
	put_heartbeat(heartbeat);
	json_t *status = build();
	ck_assert_int_eq(number_at(find_row(status, "b\\xc3\\xbcro.test"), "held"), 1);
	json_decref(status);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, numbers_of_a_heartbeat_are_bounded, 0,
	                    COUNT_OF(hostile));
	tcase_add_test(tcase, a_heartbeat_tells_of_so_many_destinations);
	tcase_add_test(tcase, slots_of_a_name_in_utf8);
}

int
main(void)
{
	return harness_run("status", fill);
}
