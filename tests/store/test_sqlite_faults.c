/* test_sqlite_faults.c - the embedded store: files that are not ours, a full quota, the sweep. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "child.h"
#include "harness.h"
#include "store/record.h"

#define T0       FIXTURE_T0_S
#define DAY      86400
#define LIFE     (35 * DAY)
#define BATCH    200
#define ROWS_MAX 100000

static const struct grey_rules rules = {180, DAY, LIFE, 1};
static const struct grey_rules never = {180, DAY, LIFE, 0};

/* ------------------------------------------------------------------ other files */

/* All of a file; free() it.  n_out is 0 when there is none. */
static char *
read_all(const char *path, size_t *n_out)
{
	FILE *file = fopen(path, "re");
	char *bytes = calloc(1, 1 << 20);
	*n_out = file ? fread(bytes, 1, 1 << 20, file) : 0;
	if (file)
		fclose(file);
	return bytes;
}

static void
write_at(const char *path, long offset, const char *bytes, size_t n)
{
	FILE *file = fopen(path, offset ? "r+e" : "we");
	ck_assert_msg(file != NULL, "%s", path);
	fseek(file, offset, SEEK_SET);
	ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
	ck_assert_int_eq(fclose(file), 0);
}

/* A database of weir's with a few rows, closed. */
static void
make_ours(const struct store_place *place)
{
	struct store_fixture fixture;
	static struct question questions[BATCH];
	fixture_open(&fixture, place, NULL);
	for (unsigned i = 0; i < BATCH; i++)
		questions[i] = (struct question){.ask = fixture_ask(i, 1, &never, T0)};
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < BATCH; i++)
			questions[i].ask.triplet = fixture_key('t', round << 8 | i);
		ask_all(&fixture, questions, BATCH);
	}
	fixture_close(&fixture);
}

static void
make_text(const struct store_place *place)
{
	write_at(place_database(place), 0, "These are notes, not a database.\n", 33);
}

static void
make_noise(const struct store_place *place)
{
	char noise[20000];
	uint32_t random = 1;
	for (size_t i = 0; i < sizeof(noise); i++) {
		random = random * 1664525 + 1013904223;
		noise[i] = (char)(random >> 24);
	}
	write_at(place_database(place), 0, noise, sizeof(noise));
}

static void
make_foreign(const struct store_place *place)
{
	place_sql(place, "CREATE TABLE triplet (a, b)");
	place_sql(place, "INSERT INTO triplet VALUES (1, 2)");
}

static void
make_marked_foreign(const struct store_place *place)
{
	place_sql(place, "PRAGMA application_id = 1196444487");
	place_sql(place, "CREATE TABLE x (a)");
}

static void
make_newer(const struct store_place *place)
{
	make_ours(place);
	place_sql(place, "PRAGMA user_version = 2");
}

static void
make_cut(const struct store_place *place)
{
	make_ours(place);
	ck_assert_int_eq(truncate(place_database(place), 4096 + 2048), 0);
}

static void
make_damaged(const struct store_place *place)
{
	char noise[3000];
	make_ours(place);
	memset(noise, 0xA5, sizeof(noise));
	write_at(place_database(place), 3 * 4096, noise, sizeof(noise));
}

static void
make_without_tables(const struct store_place *place)
{
	make_ours(place);
	place_sql(place, "DROP TABLE identity");
}

static void
make_without_secret(const struct store_place *place)
{
	make_ours(place);
	place_sql(place, "UPDATE meta SET value = 'nonsense'");
}

static void
make_directory(const struct store_place *place)
{
	ck_assert_int_eq(mkdir(place_database(place), 0700), 0);
}

/* clang-format off */
static const struct refused {
	const char *row;
	void (*make)(const struct store_place *place);
	const char *want; /* part of the text */
} refused[] = {
	{"a text", make_text, "not a weir database"},
	{"noise", make_noise, "not a weir database"},
	{"a database of another program", make_foreign, "another program"},
	{"a database with another mark", make_marked_foreign, "another program"},
	{"a newer schema", make_newer, "another version of weir"},
	{"a file that was cut", make_cut, "damaged"},
	{"a damaged page", make_damaged, "damaged"},
	{"a table is missing", make_without_tables, "identity"},
	{"a secret that is none", make_without_secret, "secret"},
	{"a directory of that name", make_directory, "weir.db"},
};

/* clang-format on */

START_TEST(what_is_not_ours_is_left_alone)
{
	const struct refused *r = &refused[_i];
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct store_fixture fixture;
	struct err err = {0};
	size_t n_before, n_after;
	r->make(&place);
	char *before = read_all(place_database(&place), &n_before);
	bool opened = fixture_try_open(&fixture, &place, NULL, &err);
	fixture_close(&fixture);
	char *after = read_all(place_database(&place), &n_after);
	ck_assert_msg(!opened, "%s: opened", r->row);
	ck_assert_msg(strstr(err.text, r->want) && strstr(err.text, "weir.db"),
	              "%s: the text is \"%s\"", r->row, err.text);
	ck_assert_msg(n_before == n_after && memcmp(before, after, n_before) == 0,
	              "%s: the file was changed", r->row);
	free(before);
	free(after);
}

END_TEST

static void
leave_a_log_behind(const struct store_place *place, int from, int to)
{
	static const char *const steps[] = {
		"PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
		"CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)",
		NULL};
	run_steps(place, from, to, steps);
}

/* Even the write-ahead log of another program's database stays as it is. */
START_TEST(a_foreign_log_is_left_alone)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct child child = start_child(leave_a_log_behind, &place);
	struct store_fixture fixture;
	struct err err;
	char log_path[sizeof(place.text) + 32];
	size_t n_before, n_after;
	step_child(&child);
	kill_child(&child);
	snprintf(log_path, sizeof(log_path), "%s-wal", place_database(&place));
	char *before = read_all(log_path, &n_before);
	ck_assert_uint_gt(n_before, 0);
	ck_assert(!fixture_try_open(&fixture, &place, NULL, &err));
	fixture_close(&fixture);
	char *after = read_all(log_path, &n_after);
	ck_assert_msg(n_before == n_after && memcmp(before, after, n_before) == 0,
	              "the log was changed: %zu bytes, now %zu", n_before, n_after);
	free(before);
	free(after);
}

END_TEST

/* ------------------------------------------------------------------ room and time */

/* Asks about the next new triplets; how many of them were stored before there was no room. */
static unsigned
store_some(struct store_fixture *fixture, unsigned first, unsigned n, int64_t now_s)
{
	static struct question questions[BATCH];
	for (unsigned i = 0; i < n; i++) {
		questions[i] = (struct question){
			.ask = fixture_ask(1, first + i, &never, now_s)};
	}
	ask_all(fixture, questions, n);
	for (unsigned i = 0; i < n; i++) {
		if (questions[i].answer.status == STORE_FULL)
			return i;
		answer_is("filling", &questions[i].answer, STORE_OK, GREY_IS_NEW);
	}
	return n;
}

/* Stores new triplets until there is no room for one; its number. */
static unsigned
fill_up(struct store_fixture *fixture, int64_t now_s)
{
	for (unsigned stored = 0, n = BATCH; stored < ROWS_MAX;) {
		unsigned more = store_some(fixture, stored, n, now_s);
		stored += more;
		if (more < n && n == 1)
			return stored;
		if (more < n) /* none of them was: perhaps one by one */
			n = 1;
	}
	ck_abort_msg("the quota is not kept");
}

/* What needs no room is answered, and nothing opens the breaker. */
static void
ask_while_full(struct store_fixture *fixture, const struct ask *fresh, struct ask known,
               struct ask waiting)
{
	for (int i = 0; i < 20; i++)
		ask_wants(fixture, "full: new", fresh, STORE_FULL, GREY_IS_NEW);
	ask_wants(fixture, "full: known", &known, STORE_OK, GREY_IS_KNOWN);
	known.now_s += LIFE / 2;
	ask_wants(fixture, "full: known, use is due", &known, STORE_OK, GREY_IS_KNOWN);
	ask_wants(fixture, "full: early", &waiting, STORE_OK, GREY_IS_EARLY);
	waiting.now_s = T0 + 180;
	struct question together[] = {{.ask = *fresh}, {.ask = waiting}};
	ask_all(fixture, together, COUNT_OF(together));
	answer_is("full: new", &together[0].answer, STORE_FULL, GREY_IS_NEW);
	answer_is("full: a pass", &together[1].answer, STORE_OK, GREY_IS_PASSED_NOW);
}

static void
ask_until_there_is_room(struct store_fixture *fixture, const struct ask *ask)
{
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	struct answer got = ask_and_wait(fixture, ask);
	while (got.status == STORE_FULL && clock_mono_ms() < give_up_ms) {
		fixture_run_ms(fixture, 100);
		got = ask_and_wait(fixture, ask);
	}
	answer_is("room again", &got, STORE_OK, GREY_IS_NEW);
}

START_TEST(quota_is_reached)
{
	static const char *const settings[] = {"store.max_size=128K",
	                                       "greylist.retry_window=30d", NULL};
	static const char *const shorter[] = {"greylist.retry_window=1d", NULL};
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct store_fixture fixture;
	struct err err;
	fixture_open(&fixture, &place, settings);
	struct ask known = fixture_ask(1, 0xFFFF, &never, T0);
	struct ask waiting = fixture_ask(2, 0xFFFF, &never, T0);
	ask_wants(&fixture, "known", &known, STORE_OK, GREY_IS_NEW);
	ask_wants(&fixture, "waiting", &waiting, STORE_OK, GREY_IS_NEW);
	known.now_s = T0 + 180;
	ask_wants(&fixture, "known", &known, STORE_OK, GREY_IS_PASSED_NOW);
	unsigned stored = fill_up(&fixture, clock_wall_s() - 2 * DAY);
	ck_assert_uint_gt(stored, 1000);
	struct ask fresh = fixture_ask(1, stored, &never, T0);
	ask_while_full(&fixture, &fresh, known, waiting);

	/* What has expired makes room by itself. */
	struct conf *conf = place_conf(&place, NULL, shorter, &err);
	store_configure(fixture.store, conf);
	conf_unref(&conf);
	ask_until_there_is_room(&fixture, &fresh);
	ask_wants(&fixture, "known as ever", &known, STORE_OK, GREY_IS_KNOWN);
	fixture_close(&fixture);
}

END_TEST

static off_t
database_size(const struct store_place *place)
{
	struct stat st;
	ck_assert_int_eq(stat(place_database(place), &st), 0);
	return st.st_size;
}

/* While the daemon runs: a log that is only moved at the stop fills the disk. */
START_TEST(the_log_is_moved_into_the_file)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct store_fixture fixture;
	fixture_open(&fixture, &place, NULL);
	off_t before = database_size(&place);
	for (unsigned stored = 0; stored < 20 * BATCH; stored += BATCH)
		ck_assert_uint_eq(store_some(&fixture, stored, BATCH, T0), BATCH);
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	while (database_size(&place) < before + 20 * BATCH * 24) {
		ck_assert_int_lt(clock_mono_ms(), give_up_ms);
		fixture_run_ms(&fixture, 20);
	}
	fixture_close(&fixture);
}

END_TEST

struct sweep_row {
	enum grey_state state;
	int64_t age_s;
	bool stays;
};

static const struct sweep_row sweep_rows[] = {
	{GREY_WAITING, 0, true},          {GREY_WAITING, DAY - 600, true},
	{GREY_WAITING, DAY + 1, false},   {GREY_WAITING, 400 * DAY, false},
	{GREY_WAITING, -400 * DAY, true}, /* the clock was set back */
	{GREY_PASSED, DAY + 1, true},     {GREY_PASSED, LIFE - 600, true},
	{GREY_PASSED, LIFE + 1, false},   {GREY_PASSED, -400 * DAY, true},
	{GREY_IDENTITY, 0, true},         {GREY_IDENTITY, LIFE - 600, true},
	{GREY_IDENTITY, LIFE + 1, false},
};

static int64_t
count_rows(const struct store_place *place)
{
	return place_sql(place, "SELECT (SELECT count(*) FROM triplet) + "
	                        "(SELECT count(*) FROM identity)");
}

/* Writes each row of the table so many times; how many of them are to stay. */
static int64_t
plant_rows(const struct store_place *place, unsigned times)
{
	int64_t now_s = clock_wall_s(), stay = 0;
	char sql[400];
	for (unsigned i = 0; i < COUNT_OF(sweep_rows); i++) {
		const struct sweep_row *row = &sweep_rows[i];
		struct grey_record rec = {.state = row->state,
		                          .at_s = now_s - row->age_s,
		                          .count = 1};
		snprintf(sql, sizeof(sql),
		         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
		         "SELECT i + 1 FROM n WHERE i < %u) "
		         "INSERT INTO %s SELECT randomblob(16), %lld FROM n",
		         times, row->state == GREY_IDENTITY ? "identity" : "triplet",
		         (long long)record_pack(&rec));
		place_sql(place, sql);
		stay += row->stays ? times : 0;
	}
	return stay;
}

START_TEST(the_sweep_takes_what_has_expired)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct store_fixture fixture;
	fixture_open(&fixture, &place, NULL);
	fixture_close(&fixture);
	int64_t stay = plant_rows(&place, 60);
	/* One that is not understood is not swept either: another version may know it. */
	struct key odd = fixture_key('t', 1);
	place_plant(&place, 't', &odd, INT64_C(2) << 49);
	stay++;
	ck_assert_int_gt(count_rows(&place), stay);
	fixture_open(&fixture, &place, NULL);
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	while (count_rows(&place) > stay && clock_mono_ms() < give_up_ms)
		fixture_run_ms(&fixture, 50);
	fixture_run_ms(&fixture, 1500); /* it goes round again */
	ck_assert_int_eq(count_rows(&place), stay);
	fixture_close(&fixture);
}

END_TEST

/* ------------------------------------------------------------------ the directory */

START_TEST(the_directory_must_be_there)
{
	struct store_place place = {.backend = BACKEND_EMBEDDED};
	struct store_fixture fixture;
	struct err err;
	snprintf(place.text, sizeof(place.text), "%s", harness_path("absent"));
	ck_assert(!fixture_try_open(&fixture, &place, NULL, &err));
	ck_assert_msg(strstr(err.text, place.text) && strstr(err.text, "store.path"),
	              "the text is \"%s\"", err.text);
	fixture_close(&fixture);
}

END_TEST

/* Both daemons write it, others do not read it. */
START_TEST(files_are_for_owner_and_group)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct store_fixture fixture;
	mode_t old = umask(0);
	fixture_open(&fixture, &place, NULL);
	umask(old);
	struct ask ask = fixture_ask(1, 1, &rules, T0);
	ask_wants(&fixture, "a first try", &ask, STORE_OK, GREY_IS_NEW);
	for (size_t i = 0; i < COUNT_OF(tails); i++) {
		char path[sizeof(place.text) + 32];
		struct stat st;
		snprintf(path, sizeof(path), "%s%s", place_database(&place), tails[i]);
		ck_assert_msg(stat(path, &st) == 0, "%s: %s", path, strerror(errno));
		ck_assert_msg((st.st_mode & 0777) == 0660, "%s: mode %o", path,
		              st.st_mode & 0777);
	}
	fixture_close(&fixture);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, what_is_not_ours_is_left_alone, 0, COUNT_OF(refused));
	tcase_add_test(tcase, a_foreign_log_is_left_alone);
	tcase_add_test(tcase, quota_is_reached);
	tcase_add_test(tcase, the_log_is_moved_into_the_file);
	tcase_add_test(tcase, the_sweep_takes_what_has_expired);
	tcase_add_test(tcase, the_directory_must_be_there);
	tcase_add_test(tcase, files_are_for_owner_and_group);
}

int
main(void)
{
	return harness_run("sqlite faults", fill);
}
