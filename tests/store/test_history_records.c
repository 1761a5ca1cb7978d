/* test_history_records.c - records, leases and rates of the daemons, read and changed beside them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "harness.h"
#include "history_fixture.h"
#include "store/record.h"

#define DAY  86400
#define LIFE (35 * DAY)

static const struct grey_rules rules = {180, DAY, LIFE, 1};

/* ------------------------------------------------------------------ the secret */

START_TEST(the_secret_is_the_daemons)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	struct key_secret made, again, others;
	struct store_fixture fixture;
	struct err err = {0};
	history_worked(history_secret(history, &made, &err), "reading", &err);
	fixture_open(&fixture, &place, NULL);
	ck_assert_mem_eq(store_secret(fixture.store), &made, sizeof(made));
	fixture_close(&fixture);

	key_secret_make(&others);
	history_worked(history_set_secret(history, &others, &err), "setting", &err);
	history_worked(history_secret(history, &again, &err), "reading", &err);
	ck_assert_mem_eq(&again, &others, sizeof(again));
	fixture_open(&fixture, &place, NULL);
	ck_assert_mem_eq(store_secret(fixture.store), &others, sizeof(others));
	struct ask ask = fixture_ask(1, 1, &rules, 0);
	ask_wants(&fixture, "a first try", &ask, STORE_OK, GREY_IS_NEW);
	fixture_close(&fixture);
	ck_assert(!history_set_secret(history, &made, &err));
	ck_assert_msg(strstr(err.text, "records already") != NULL, "%s", err.text);
	history_worked(history_secret(history, &again, &err), "reading", &err);
	ck_assert_mem_eq(&again, &others, sizeof(again));
	history_close(&history);
}

END_TEST

/* ------------------------------------------------------------------ records */

static struct history_row
row_of(char kind, unsigned number, enum grey_state state, int64_t at_s, unsigned count)
{
	struct grey_record rec = {state, at_s, count};
	return (struct history_row){kind == 'i' ? RECORD_IDENTITY : RECORD_TRIPLET,
	                            fixture_key(kind, number), record_pack(&rec)};
}

/* The daemons go by what the history wrote. */
START_TEST(records_are_written_for_the_daemons)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	int64_t now_s = clock_wall_s(), packed;
	struct store_fixture fixture;
	struct err err = {0};
	bool found;
	struct ask waiting = fixture_ask(1, 1, &rules, 0);
	struct ask passed = fixture_ask(2, 2, &rules, 0);
	struct ask allowed = fixture_ask(3, 3, &rules, 0);
	struct ask expired = fixture_ask(4, 4, &rules, 0);
	struct ask released = fixture_ask(5, 5, &rules, 0);
	struct ask ahead = fixture_ask(6, 6, &rules, 0);
	struct history_row rows[] = {
		row_of('t', 1 << 16 | 1, GREY_WAITING, now_s - 200, 0),
		row_of('t', 2 << 16 | 2, GREY_PASSED, now_s - 5 * DAY, 0),
		row_of('i', 3, GREY_IDENTITY, now_s - 5 * DAY, 3),
		row_of('t', 4 << 16 | 4, GREY_PASSED, now_s - 36 * DAY, 0),
		row_of('t', 5 << 16 | 5, GREY_PASSED, now_s - 100, GREY_RELEASED),
		row_of('t', 6 << 16 | 6, GREY_PASSED, now_s - 100, GREY_RELEASED_AHEAD),
	};
	history_worked(history_put_records(history, COUNT_OF(rows), rows, &rules, now_s,
	                                   &err),
	               "putting", &err);
	history_worked(history_get_record(history, RECORD_TRIPLET, &rows[3].key, &packed,
	                                  &err),
	               "an expired one", &err);
	ck_assert_int_eq(packed, 0);
	fixture_open(&fixture, &place, NULL);
	ask_wants(&fixture, "waiting", &waiting, STORE_OK, GREY_IS_PASSED_NOW);
	ask_wants(&fixture, "passed", &passed, STORE_OK, GREY_IS_KNOWN);
	ask_wants(&fixture, "allowed", &allowed, STORE_OK, GREY_IS_CLIENT_ALLOWED);
	ask_wants(&fixture, "expired", &expired, STORE_OK, GREY_IS_NEW);
	ask_wants(&fixture, "released", &released, STORE_OK, GREY_IS_RELEASED);
	ask_wants(&fixture, "released, once more", &released, STORE_OK, GREY_IS_KNOWN);
	ask_wants(&fixture, "released ahead", &ahead, STORE_OK, GREY_IS_RELEASED);
	ask_wants(&fixture, "released ahead, once more", &ahead, STORE_OK, GREY_IS_KNOWN);

	history_worked(history_drop_record(history, RECORD_IDENTITY, &rows[2].key, &found,
	                                   &err),
	               "dropping", &err);
	ck_assert(found);
	history_worked(history_drop_record(history, RECORD_IDENTITY, &rows[2].key, &found,
	                                   &err),
	               "dropping again", &err);
	ck_assert(!found);
	ask_wants(&fixture, "no longer allowed", &allowed, STORE_OK, GREY_IS_NEW);
	fixture_close(&fixture);
	history_close(&history);
}

END_TEST

START_TEST(many_records_are_read_at_once)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	struct err err = {0};
	int64_t now_s = FIXTURE_T0_S;
	struct history_row put[] = {
		row_of('t', 1 << 16 | 1, GREY_WAITING, now_s - 200, 0),
		row_of('i', 3, GREY_IDENTITY, now_s, 3),
	};
	struct history_row got[1000];
	for (size_t i = 0; i < COUNT_OF(got); i++) {
		got[i] = put[i % 2];
		got[i].packed = 7;
	}
	got[500] = row_of('t', 9 << 16 | 9, GREY_WAITING, now_s, 0);
	history_worked(history_put_records(history, COUNT_OF(put), put, &rules, now_s,
	                                   &err),
	               "putting", &err);
	history_worked(history_get_records(history, COUNT_OF(got), got, &err), "reading",
	               &err);
	for (size_t i = 0; i < COUNT_OF(got); i++)
		ck_assert_msg(got[i].packed == (i == 500 ? 0 : put[i % 2].packed), "%zu",
		              i);
	history_worked(history_get_records(history, 0, got, &err), "reading none", &err);
	history_close(&history);
}

END_TEST

START_TEST(records_are_read_as_the_daemons_wrote_them)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	struct store_fixture fixture;
	struct grey_record rec;
	struct err err = {0};
	int64_t packed;
	fixture_open(&fixture, &place, NULL);
	struct ask ask = fixture_ask(1, 1, &rules, FIXTURE_T0_S);
	ask_wants(&fixture, "a first try", &ask, STORE_OK, GREY_IS_NEW);
	history_worked(history_get_record(history, RECORD_TRIPLET, &ask.triplet, &packed,
	                                  &err),
	               "reading", &err);
	ck_assert(record_unpack(packed, &rec));
	ck_assert_int_eq(rec.state, GREY_WAITING);
	ck_assert_int_eq(rec.at_s, FIXTURE_T0_S);
	history_worked(history_get_record(history, RECORD_IDENTITY, &ask.identity,
	                                  &packed, &err),
	               "reading", &err);
	ck_assert_int_eq(packed, 0);
	ask.now_s += 200;
	ask_wants(&fixture, "a retry", &ask, STORE_OK, GREY_IS_PASSED_NOW);
	history_worked(history_get_record(history, RECORD_IDENTITY, &ask.identity,
	                                  &packed, &err),
	               "reading", &err);
	ck_assert(record_unpack(packed, &rec));
	ck_assert_int_eq(rec.count, 1);
	fixture_close(&fixture);
	history_close(&history);
}

END_TEST

START_TEST(only_records_are_written)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	int64_t now_s = clock_wall_s(), packed;
	struct err err = {0};
	struct history_row rows[] = {
		row_of('t', 1, GREY_PASSED, now_s, 0),
		row_of('t', 2, GREY_IDENTITY, now_s, 1),
	};
	ck_assert(!history_put_records(history, 2, rows, &rules, now_s, &err));
	rows[1] = row_of('i', 2, GREY_PASSED, now_s, 1);
	ck_assert(!history_put_records(history, 2, rows, &rules, now_s, &err));
	rows[1].packed = 17;
	ck_assert(!history_put_records(history, 2, rows, &rules, now_s, &err));
	history_worked(history_get_record(history, RECORD_TRIPLET, &rows[0].key, &packed,
	                                  &err),
	               "reading", &err);
	ck_assert_int_eq(packed, 0);
	history_close(&history);
}

END_TEST

#define MANY 5000

struct seen {
	unsigned char triplets[MANY], identities[MANY]; /* how often */
	size_t n, stop_at;
};

static bool
see(void *arg, const struct history_row *row)
{
	struct seen *seen = arg;
	unsigned number = 0;
	for (size_t i = 0; i < sizeof(number); i++)
		number |= (unsigned)row->key.bytes[1 + i] << (8 * i);
	ck_assert_uint_lt(number, MANY);
	ck_assert_int_eq(row->key.bytes[0], row->kind == RECORD_IDENTITY ? 'i' : 't');
	if (row->kind == RECORD_IDENTITY)
		seen->identities[number]++;
	else
		seen->triplets[number]++;
	return ++seen->n != seen->stop_at;
}

/* Many of them, among things that are none. */
static void
plant_many(const struct store_place *place, struct history *history, int64_t now_s)
{
	struct history_row *rows = mem_alloc(2 * MANY * sizeof(*rows));
	struct err err = {0};
	for (unsigned i = 0; i < MANY; i++) {
		rows[i] = row_of('t', i, GREY_WAITING, now_s, 0);
		rows[MANY + i] = row_of('i', i, GREY_IDENTITY, now_s, i + 1);
	}
	for (unsigned i = 0; i < 2 * MANY; i += 1000)
		history_worked(history_put_records(history, 1000, rows + i, &rules, now_s,
		                                   &err),
		               "putting", &err);
	free(rows);
	struct key odd = fixture_key('t', MANY);
	place_plant(place, 't', &odd, 17);
	odd = fixture_key('r', 1);
	place_plant(place, 'r', &odd, now_s);
}

START_TEST(a_scan_sees_every_record)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	struct seen *seen = mem_new(struct seen);
	struct err err = {0};
	int64_t estimate;
	history_worked(history_scan(history, see, seen, &err), "an empty one", &err);
	ck_assert_uint_eq(seen->n, 0);
	plant_many(&place, history, clock_wall_s());
	history_worked(history_scan(history, see, seen, &err), "scanning", &err);
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_uint_ge(seen->triplets[i], 1);
		ck_assert_uint_ge(seen->identities[i], 1);
	}
	ck_assert_uint_ge(seen->n, 2 * MANY);
	ck_assert_uint_le(seen->n, 2 * MANY + 100);
	history_worked(history_estimate(history, &estimate, &err), "estimating", &err);
	ck_assert_int_ge(estimate, 2 * MANY);

	*seen = (struct seen){.stop_at = 1500};
	history_worked(history_scan(history, see, seen, &err), "scanning", &err);
	ck_assert_uint_eq(seen->n, 1500);
	history_worked(history_estimate(history, &estimate, &err), "afterwards", &err);
	free(seen);
	history_close(&history);
}

END_TEST

/* ------------------------------------------------------------------ leases and rates */

static struct limits_ask
take(const char *holder, const char *uses)
{
	struct limits_ask ask = {.ttl_ms = 60000, .ttl_max_ms = LEASE_MAX_MS};
	struct text name = TEXT(ask.holder);
	text_puts(&name, holder);
	fixture_uses(uses, &ask);
	return ask;
}

static void
take_slot(struct store_fixture *fixture, const char *holder, const char *uses, bool want)
{
	struct ask ask = {.kind = ASK_LIMITS, .limits = take(holder, uses)};
	struct answer got = ask_and_wait(fixture, &ask);
	ck_assert_int_eq(got.status, STORE_OK);
	ck_assert_msg(got.limits.granted == want, "%s at %s", holder, uses);
}

struct found_lease {
	const char *holder;
	struct key key;
};

struct found_leases {
	struct history_lease leases[16];
	size_t n;
};

static void
find_lease(void *arg, const struct history_lease *lease)
{
	struct found_leases *found = arg;
	ck_assert_uint_lt(found->n, COUNT_OF(found->leases));
	found->leases[found->n++] = *lease;
}

/* Whether exactly these are held. */
static void
leases_are(struct history *history, const char *what, size_t n,
           const struct found_lease *want)
{
	struct found_leases found = {.n = 0};
	struct err err = {0};
	history_worked(history_read_leases(history, find_lease, &found, &err), what,
	               &err);
	ck_assert_msg(found.n == n, "%s: %zu leases, want %zu", what, found.n, n);
	for (size_t i = 0; i < n; i++) {
		size_t at = 0;
		while (at < n &&
		       (strcmp(found.leases[at].holder, want[i].holder) != 0 ||
		        memcmp(&found.leases[at].key, &want[i].key, KEY_BYTES) != 0))
			at++;
		ck_assert_msg(at < n, "%s: %s is missing", what, want[i].holder);
		ck_assert_int_gt(found.leases[at].left_ms, 30000);
		ck_assert_int_le(found.leases[at].left_ms, 60000);
	}
}

START_TEST(leases_of_the_daemons_are_seen_and_killed)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	struct key destination = fixture_use(SLICE("Dl2")).key;
	struct key user = fixture_use(SLICE("Ul2")).key;
	const struct found_lease both[] = {{"m/a/192.0.2.1:25", destination},
	                                   {"m/a/192.0.2.1:25", user},
	                                   {"m/b/[2001:db8::1]:2525", destination}};
	struct store_fixture fixture;
	struct err err = {0};
	int64_t killed;
	leases_are(history, "none", 0, NULL);
	fixture_open(&fixture, &place, NULL);
	take_slot(&fixture, both[0].holder, "Dl2 Ul2", true);
	take_slot(&fixture, both[2].holder, "Dl2", true);
	take_slot(&fixture, "m/c/192.0.2.3:25", "Dl2", false);
	leases_are(history, "both", 3, both);
	history_worked(history_kill_leases(history, slice_of("m/a/192.0.2.1:2"), &killed,
	                                   &err),
	               "a name's beginning", &err);
	ck_assert_int_eq(killed, 0);
	history_worked(history_kill_leases(history, slice_of(both[0].holder), &killed,
	                                   &err),
	               "killing", &err);
	ck_assert_int_eq(killed, 2);
	leases_are(history, "the other", 1, both + 2);
	take_slot(&fixture, "m/c/192.0.2.3:25", "Dl2", true);
	fixture_close(&fixture);
	history_close(&history);
}

END_TEST

static int64_t
store_clock_ms(const struct store_place *place)
{
	if (place->backend == BACKEND_EMBEDDED)
		return clock_boot_ms();
	return clock_wall_us() / 1000;
}

/* Neither what has run out, nor what a clock set back has left. */
START_TEST(only_leases_in_force_are_seen)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	struct key key = fixture_use(SLICE("Dl9")).key;
	const struct found_lease held = {"m/a/192.0.2.1:25", key};
	struct store_fixture fixture;
	struct err err = {0};
	int64_t now_ms = store_clock_ms(&place), killed;
	fixture_open(&fixture, &place, NULL);
	take_slot(&fixture, held.holder, "Dl9", true);
	place_plant_lease(&place, &key, "m/dead/192.0.2.2:25", now_ms - 1);
	place_plant_lease(&place, &key, "m/future/192.0.2.2:25",
	                  now_ms + LEASE_MAX_MS + 60000);
	leases_are(history, "in force", 1, &held);
	history_worked(history_kill_leases(history, SLICE("m/dead/192.0.2.2:25"), &killed,
	                                   &err),
	               "a dead one", &err);
	ck_assert_int_eq(killed, 0);
	if (_i == BACKEND_EMBEDDED) {
		place_sql(&place,
		          "UPDATE meta SET value = 'another' WHERE name = 'boot'");
		leases_are(history, "another boot", 0, NULL);
	}
	fixture_close(&fixture);
	history_close(&history);
}

END_TEST

START_TEST(rates_are_read)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	struct limit_use use = fixture_use(SLICE("Cm3/60"));
	struct store_fixture fixture;
	struct err err = {0};
	int64_t tat_us;
	history_worked(history_get_rate(history, &use.key, &tat_us, &err), "none", &err);
	ck_assert_int_eq(tat_us, 0);
	fixture_open(&fixture, &place, NULL);
	take_slot(&fixture, "m/a/192.0.2.1:25", "Cm3/60", true);
	history_worked(history_get_rate(history, &use.key, &tat_us, &err), "one", &err);
	ck_assert_int_gt(tat_us, clock_wall_us());
	ck_assert_int_le(tat_us, clock_wall_us() + 20000000);
	fixture_close(&fixture);
	history_close(&history);
}

END_TEST

static void
fill(TCase *tcase)
{
	int stores = both_stores(tcase);
	tcase_add_loop_test(tcase, the_secret_is_the_daemons, 0, stores);
	tcase_add_loop_test(tcase, records_are_written_for_the_daemons, 0, stores);
	tcase_add_loop_test(tcase, many_records_are_read_at_once, 0, stores);
	tcase_add_loop_test(tcase, records_are_read_as_the_daemons_wrote_them, 0, stores);
	tcase_add_loop_test(tcase, only_records_are_written, 0, stores);
	tcase_add_loop_test(tcase, a_scan_sees_every_record, 0, stores);
	tcase_add_loop_test(tcase, leases_of_the_daemons_are_seen_and_killed, 0, stores);
	tcase_add_loop_test(tcase, only_leases_in_force_are_seen, 0, stores);
	tcase_add_loop_test(tcase, rates_are_read, 0, stores);
}

int
main(void)
{
	return harness_run("history records", fill);
}
