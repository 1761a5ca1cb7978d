/*
 * test_metrics.c - what Prometheus is told: names that come from anywhere, a status that is not
 * known yet, sums of buckets.  All of it goes through promtool where there is one.
 */
#include "books/metrics.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stats.h"
#include "books/status.h"
#include "books/tally.h"
#include "harness.h"
#include "store/store.h"
#include "store_fixture.h"

#define STARTED_S 1763797493

static struct loop *loop;
static struct conf *conf;
static struct store *store;
static struct self self;
static char *page; /* what was printed last */

static void
open_self(void)
{
	struct err err;
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	const char *const settings[] = {"node=mx1.test", "lists.networks=192.0.2.0/24",
	                                NULL};
	loop = loop_new();
	conf = place_conf(&place, NULL, settings, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	store = store_open(loop, conf, "", &err);
	ck_assert_msg(store != NULL, "%s", err.text);
	self = (struct self){.daemon = "policyd",
	                     .conf = conf,
	                     .store = store,
	                     .tally = tally_new(),
	                     .started_s = STARTED_S};
}

static void
close_self(void)
{
	free(page);
	page = NULL;
	store_close(&store);
	tally_free(&self.tally);
	conf_unref(&conf);
	loop_free(&loop);
}

/* ---- what the page holds ---- */

static void
check_by_promtool(void)
{
	if (access("/usr/bin/promtool", X_OK) != 0)
		return;
	FILE *promtool = popen("/usr/bin/promtool check metrics >&2", "w");
	ck_assert_ptr_nonnull(promtool);
	fputs(page, promtool);
	ck_assert_msg(pclose(promtool) == 0, "promtool has something against it");
}

static void
print_page(const json_t *status)
{
	size_t n;
	FILE *out = open_memstream(&page, &n);
	ck_assert_ptr_nonnull(out);
	metrics_print(out, &self, status);
	fclose(out);
	check_by_promtool();
}

/* How many lines begin so. */
static size_t
lines_with(const char *head)
{
	struct slice rest = slice_of(page), line;
	size_t n = 0;
	while (slice_cut(&rest, '\n', &line))
		n += slice_eq(slice_head(line, strlen(head)), slice_of(head));
	return n;
}

static bool
has_line(const char *wanted)
{
	struct slice rest = slice_of(page), line;
	while (slice_cut(&rest, '\n', &line))
		if (slice_eq(line, slice_of(wanted)))
			return true;
	return false;
}

#define ck_line(line) ck_assert_msg(has_line(line), "no line %s", (line))

/* ---- a status ---- */

static json_t *
new_status(void)
{
	json_t *status = json_pack("{s:I, s:{s:b}, s:[], s:[], s:[]}", "now",
	                           (json_int_t)clock_wall_s(), "store", "up", 1,
	                           "daemons", "destinations", "overrides");
	ck_assert_ptr_nonnull(status);
	return status;
}

static json_t *
add_destination(json_t *status, const json_t *name, bool configured, int held, int limit,
                int deferred)
{
	json_t *destination =
		json_pack("{s:O, s:b, s:i, s:i, s:i, s:i, s:i}", "name", name,
	                  "configured", configured, "held", held, "limit", limit,
	                  "deferred", deferred, "drained_until", 0, "limit_until", 0);
	ck_assert_ptr_nonnull(destination);
	json_array_append_new(json_object_get(status, "destinations"), destination);
	return destination;
}

static json_t *
add_numbered(json_t *status, const char *head, int number, bool configured)
{
	json_t *name = json_sprintf("%s%d.test", head, number);
	json_t *destination = add_destination(status, name, configured, 1, 0, 0);
	json_decref(name);
	return destination;
}

/* ---- the tests ---- */

START_TEST(without_status)
{
	open_self();
	stats_add(STAT_STORE_SWEPT, 7);
	print_page(NULL);
	ck_line("# TYPE weir_store_swept_total counter");
	ck_line("# HELP weir_store_swept_total expired records removed");
	ck_line("weir_store_swept_total 7");
	ck_line("weir_build_info{version=\"0.1.0\",daemon=\"policyd\",node=\"mx1.test\"} 1");
	ck_line("weir_list_entries{list=\"networks\"} 1");
	ck_line("weir_list_entries{list=\"clients\"} 0");
	ck_line("weir_deliveries_under_way 0");
	ck_line("weir_store_breaker_open 0");
	ck_line("weir_verdicts_total{action=\"defer\",why=\"greylist-new\"} 0");
	ck_assert_uint_eq(lines_with("weir_verdicts_total{"), 2 * WHY_COUNT);
	ck_assert_uint_eq(lines_with("weir_destination"), 0);
	ck_assert_uint_eq(lines_with("weir_daemon_up"), 0);
	ck_assert_uint_eq(lines_with("weir_overrides"), 0);
	ck_line("weir_site_up 0");
	ck_line("weir_start_time_seconds 1763797493");
	ck_assert_uint_eq(lines_with("process_resident_memory_bytes "), 1);
	ck_assert_uint_eq(lines_with("process_resident_memory_bytes 0"), 0);
	close_self();
}

END_TEST

/* Nothing is told that is not known: no zeros that would look like figures. */
START_TEST(unknown_status)
{
	json_t *empty = json_object(), *failed = new_status();
	open_self();
	add_numbered(failed, "ours", 1, true);
	json_object_set_new(failed, "store", json_pack("{s:b}", "up", 0));
	json_t *const all[] = {empty, failed};
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		print_page(all[i]);
		ck_line("weir_site_up 0");
		ck_assert_uint_eq(lines_with("weir_destination"), 0);
		ck_assert_uint_eq(lines_with("weir_greylist_triplets"), 0);
		free(page);
		json_decref(all[i]);
	}
	page = NULL;
	close_self();
}

END_TEST

/* Its members are not what they should be. */
START_TEST(odd_status)
{
	json_t *status = new_status();
	open_self();
	json_object_set_new(status, "destinations", json_string("?"));
	json_object_set_new(status, "daemons", json_pack("[{}, i]", 1));
	json_object_set_new(status, "overrides", json_pack("[n, []]"));
	print_page(status);
	ck_line("weir_site_up 1");
	ck_line("weir_overrides{kind=\"drain\"} 0");
	ck_assert_uint_eq(lines_with("weir_daemon_up"), 0);
	json_decref(status);
	close_self();
}

END_TEST

START_TEST(verdicts)
{
	struct plan plan = {.why = WHY_LIST_CLIENT};
	struct verdict verdict = {.action = VERDICT_ACCEPT, .why = WHY_LIST_CLIENT};
	open_self();
	for (int i = 0; i < 3; i++)
		tally_note(self.tally, &plan, &verdict, 0, 1000);
	print_page(NULL);
	ck_line("weir_verdicts_total{action=\"accept\",why=\"list-client\"} 3");
	ck_line("weir_verdicts_total{action=\"defer\",why=\"list-client\"} 0");
	close_self();
}

END_TEST

START_TEST(histograms)
{
	open_self();
	histogram_add(HISTOGRAM_STORE_US, 50);
	histogram_add(HISTOGRAM_STORE_US, 80);
	histogram_add(HISTOGRAM_STORE_US, 2000000);
	histogram_add(HISTOGRAM_GREYLIST_DELAY_S, 200);
	print_page(NULL);
	ck_line("# TYPE weir_store_seconds histogram");
	ck_line("weir_store_seconds_bucket{le=\"0.00005\"} 1");
	ck_line("weir_store_seconds_bucket{le=\"0.0001\"} 2");
	ck_line("weir_store_seconds_bucket{le=\"0.0025\"} 2");
	ck_line("weir_store_seconds_bucket{le=\"0.5\"} 2");
	ck_line("weir_store_seconds_bucket{le=\"+Inf\"} 3");
	ck_line("weir_store_seconds_sum 2.00013");
	ck_line("weir_store_seconds_count 3");
	ck_line("weir_greylist_delay_seconds_bucket{le=\"180\"} 0");
	ck_line("weir_greylist_delay_seconds_bucket{le=\"300\"} 1");
	ck_line("weir_greylist_delay_seconds_bucket{le=\"172800\"} 1");
	ck_line("weir_greylist_delay_seconds_sum 200");
	ck_assert_uint_eq(lines_with("weir_decision_seconds_bucket{"),
	                  HISTOGRAM_BOUNDS + 1);
	close_self();
}

END_TEST

static const struct name_case {
	const char *row;
	struct slice name;
	const char *shown; /* NULL: not at all */
} names[] = {
	{"a domain", SLICE_INIT("acme.test"), "acme.test"},
	{"UTF-8", SLICE_INIT("m\xc3\xbcller.test"), "m\xc3\xbcller.test"},
	{"a quote", SLICE_INIT("a\"} 1\"b"), "a\\\"} 1\\\"b"},
	{"a backslash at the end", SLICE_INIT("a\\"), "a\\\\"},
	{"a backslash and n", SLICE_INIT("a\\n"), "a\\\\n"},
	{"a line of its own", SLICE_INIT("a\nweir_store_up 0"), "a?weir_store_up 0"},
	{"CR, tab, escape, DEL", SLICE_INIT("\r\t\x1b[2J\x7f"), "???[2J?"},
	{"a NUL", SLICE_INIT("a\0b"), "a?b"},
	{"half a character", SLICE_INIT("\xc3\xbc\xc3"), "???"},
	{"Latin-1", SLICE_INIT("m\xfcller"), "m?ller"},
	{"an overlong slash", SLICE_INIT("\xc0\xaf"), "??"},
	{"half a surrogate pair", SLICE_INIT("\xed\xa0\x80"), "???"},
	{"nothing", SLICE_INIT(""), NULL},
};

START_TEST(hostile_name)
{
	const struct name_case *c = &names[_i];
	json_t *status = new_status();
	json_t *name = json_stringn_nocheck(c->name.p, c->name.n);
	char line[200];
	struct text text = TEXT(line);
	add_destination(status, name, true, 3, 0, 0);
	json_array_append_new(json_object_get(status, "daemons"),
	                      json_pack("{s:s, s:O, s:b}", "daemon", "milter", "node",
	                                name, "alive", 1));
	open_self();
	print_page(status);
	text_printf(&text, "weir_destination_slots_in_use{destination=\"%s\"} 3",
	            c->shown ? c->shown : "");
	ck_assert_msg(has_line(line) == (c->shown != NULL), "%s", c->row);
	ck_assert_uint_eq(lines_with("weir_destination_slots_in_use{"), c->shown != NULL);
	ck_assert_uint_eq(lines_with("weir_store_up "), 1);
	ck_assert_uint_eq(lines_with("weir_daemon_up{"), c->shown != NULL);
	json_decref(name);
	json_decref(status);
	close_self();
}

END_TEST

START_TEST(long_name)
{
	json_t *status = new_status(), *name;
	char *text = mem_alloc(100001);
	memset(text, 'x', 100000);
	name = json_string(text);
	add_destination(status, name, true, 3, 0, 0);
	open_self();
	print_page(status);
	ck_assert_ptr_nonnull(strstr(page, "x\"} 3\n"));
	ck_assert_uint_lt(strlen(page), 40000);
	json_decref(name);
	json_decref(status);
	free(text);
	close_self();
}

END_TEST

/* Of names that look alike, the first: Prometheus would refuse the page. */
START_TEST(names_alike)
{
	json_t *status = new_status();
	json_t *one = json_string("a\x01"), *two = json_string("a\x02");
	add_destination(status, one, true, 1, 0, 0);
	add_destination(status, two, true, 2, 0, 0);
	open_self();
	print_page(status);
	ck_line("weir_destination_slots_in_use{destination=\"a?\"} 1");
	ck_assert_uint_eq(lines_with("weir_destination_slots_in_use{"), 1);
	json_decref(one);
	json_decref(two);
	json_decref(status);
	close_self();
}

END_TEST

/* Of thousands that nobody has configured, only so many are shown. */
START_TEST(many_destinations)
{
	json_t *status = new_status();
	for (int i = 0; i < 30; i++)
		add_numbered(status, "ours", i, true);
	for (int i = 0; i < 5; i++)
		json_object_set_new(add_numbered(status, "drained", i, false),
		                    "drained_until", json_integer(5000));
	for (int i = 0; i < 2000; i++)
		add_numbered(status, "other", i, false);
	open_self();
	print_page(status);
	ck_assert_uint_eq(lines_with("weir_destination_slots_in_use{"),
	                  30 + 5 + STATUS_OTHERS);
	ck_line("weir_destination_slots_in_use{destination=\"ours29.test\"} 1");
	ck_line("weir_destination_drained{destination=\"drained4.test\"} 1");
	ck_line("weir_destination_slots_in_use{destination=\"other19.test\"} 1");
	json_decref(status);
	close_self();
}

END_TEST

START_TEST(whole_status)
{
	json_t *status = new_status();
	json_t *acme = json_string("acme"), *free_one = json_string("free.test");
	add_destination(status, acme, true, 20, 20, 7);
	add_destination(status, free_one, false, 1, 0, 0);
	json_object_set_new(status, "greylist",
	                    json_pack("{s:s, s:i, s:i, s:i}", "mode", "on", "waiting", 5,
	                              "came_back", 60, "never", 700));
	json_object_set_new(status, "overrides",
	                    json_pack("[{s:s}, {s:s}, {s:s}]", "kind", "drain", "kind",
	                              "allow-client", "kind", "drain"));
	json_object_set_new(status, "daemons",
	                    json_pack("[{s:s, s:s, s:b}, {s:s, s:s, s:b}, {s:s, s:s, "
	                              "s:b, s:b}]",
	                              "daemon", "policyd", "node", "mx1", "alive", 1,
	                              "daemon", "milter", "node", "mx2", "alive", 0,
	                              "daemon", "milter", "node", "mx1", "alive", 0,
	                              "stopped", 1));
	open_self();
	print_page(status);
	ck_line("weir_destination_slots_in_use{destination=\"acme\"} 20");
	ck_line("weir_destination_slots_limit{destination=\"acme\"} 20");
	ck_line("weir_destination_deferred_5m{destination=\"acme\"} 7");
	ck_line("weir_destination_drained{destination=\"acme\"} 0");
	ck_assert_uint_eq(lines_with("weir_destination_slots_limit{"), 1);
	ck_line("weir_greylist_triplets{state=\"waiting\"} 5");
	ck_line("weir_greylist_triplets{state=\"came_back\"} 60");
	ck_line("weir_greylist_triplets{state=\"never\"} 700");
	ck_line("weir_overrides{kind=\"drain\"} 2");
	ck_line("weir_overrides{kind=\"allow-client\"} 1");
	ck_line("weir_overrides{kind=\"limit\"} 0");
	ck_line("weir_daemon_up{daemon=\"policyd\",node=\"mx1\"} 1");
	ck_line("weir_daemon_up{daemon=\"milter\",node=\"mx2\"} 0");
	ck_assert_uint_eq(lines_with("weir_daemon_up{"), 2);
	json_decref(acme);
	json_decref(free_one);
	json_decref(status);
	close_self();
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, without_status);
	tcase_add_test(tcase, unknown_status);
	tcase_add_test(tcase, odd_status);
	tcase_add_test(tcase, verdicts);
	tcase_add_test(tcase, histograms);
	tcase_add_loop_test(tcase, hostile_name, 0, COUNT_OF(names));
	tcase_add_test(tcase, long_name);
	tcase_add_test(tcase, names_alike);
	tcase_add_test(tcase, many_destinations);
	tcase_add_test(tcase, whole_status);
}

int
main(void)
{
	return harness_run("metrics", fill);
}
