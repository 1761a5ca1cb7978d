/* test_history_facts.c - what the stores tell of themselves, and whether a try tells that they work. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "harness.h"
#include "history_fixture.h"

/* Facts as "name=value\n", behind a '\n'. */
struct limit_names {
	char *text;
	size_t n;
};

static void
on_fact(void *arg, const char *name, struct slice value)
{
	struct limit_names *told = arg;
	size_t more = strlen(name) + value.n + 3;
	told->text = mem_grow(told->text, told->n + more + 1);
	told->n += (size_t)snprintf(told->text + told->n, more + 1, "%s%s=%.*s\n",
	                            told->n ? "" : "\n", name, (int)value.n, value.p);
}

static struct limit_names
told_by(struct history *history, bool deep)
{
	struct limit_names told = {0};
	struct err err = {0};
	history_worked(history_facts(history, deep, on_fact, &told, &err), "facts", &err);
	return told;
}

static void
tells(const struct limit_names *told, const char *line)
{
	ck_assert_msg(strstr(told->text, line) != NULL, "%s is not in%s", line + 1,
	              told->text);
}

static int64_t
number(const struct limit_names *told, const char *name)
{
	const char *at = strstr(told->text, name);
	ck_assert_msg(at != NULL, "%s is not in%s", name + 1, told->text);
	return strtoll(at + strlen(name), NULL, 10);
}

/* Keys of Redis, or rows of a table in "weir.db" or "ledger.db". */
static int64_t
count_left(const struct store_place *place, int backend, const char *file,
           const char *sql)
{
	char path[1024];
	struct text text = TEXT(path);
	struct slice database = slice_of(place_database(place));
	sqlite3 *db;
	sqlite3_stmt *stmt;
	if (backend == BACKEND_REDIS)
		return redis_server_do(shared_redis(), "DBSIZE");
	text_put(&text, slice_head(database, (size_t)slice_rfind(database, '/') + 1));
	text_puts(&text, file);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	int64_t count = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return count;
}

START_TEST(a_try_leaves_nothing)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	struct err err = {0};
	int64_t rows;
	history_worked(history_try(history, &err), "first try", &err);
	history_worked(history_try(history, &err), "second try", &err);
	history_worked(history_estimate(history, &rows, &err), "rows", &err);
	ck_assert_int_eq(rows, 0);
	ck_assert_int_eq(count_left(&place, _i, "ledger.db",
	                            "SELECT count(*) FROM board"),
	                 0);
	ck_assert_int_eq(count_left(&place, _i, "weir.db",
	                            "SELECT count(*) FROM meta WHERE name = 'try'"),
	                 0);
	history_close(&history);
}

END_TEST

START_TEST(sqlite_tells)
{
	struct store_place place = place_on(BACKEND_EMBEDDED);
	static const char *const settings[] = {"store.max_size=1M", NULL};
	struct err err = {0};
	struct history *history =
		history_try_at(&place, HISTORY_PATIENCE_MS, settings, &err);
	history_worked(history != NULL, "opening", &err);
	for (int deep = 0; deep <= 1; deep++) {
		struct limit_names told = told_by(history, deep);
		tells(&told, "\nintegrity=ok\n");
		tells(&told, "\nquota=1048576\n");
		tells(&told, "\nmode=0660\n");
		ck_assert_int_gt(number(&told, "\nsize="), 0);
		ck_assert_int_gt(number(&told, "\nused="), 0);
		ck_assert_int_le(number(&told, "\nused="), 1048576);
		ck_assert_int_gt(number(&told, "\nhistory_size="), 0);
		ck_assert_int_gt(number(&told, "\nfree_bytes="), 0);
		ck_assert_int_ge(number(&told, "\nwal_size="), 0);
		ck_assert_int_eq(strstr(told.text, "\nuser=") != NULL, 1);
		free(told.text);
	}
	history_close(&history);
}

END_TEST

/* Its file is opened anew, since pages that were read stay in the cache. */
START_TEST(damage_is_told)
{
	struct store_place place = place_on(BACKEND_EMBEDDED);
	struct history *history = history_at(&place);
	struct err err = {0};
	char page[1024];
	history_worked(history_try(history, &err), "try", &err);
	history_close(&history);
	int fd = open(place_database(&place), O_WRONLY);
	memset(page, 0x5a, sizeof(page));
	for (int at = 1; at <= 6; at++) /* the first page says what the file is */
		ck_assert_int_eq(pwrite(fd, page, sizeof(page), at * 1024), 1024);
	close(fd);
	history = history_at(&place);
	struct limit_names told = {0};
	bool told_all = history_facts(history, false, on_fact, &told, &err);
	ck_assert_msg(!told_all || !strstr(told.text, "\nintegrity=ok\n"), "%s",
	              told.text);
	if (!told_all)
		ck_assert_msg(strstr(err.text, "damaged") != NULL, "%s", err.text);
	free(told.text);
	history_close(&history);
}

END_TEST

START_TEST(redis_tells)
{
	struct store_place place = place_on(BACKEND_REDIS);
	struct history *history = history_at(&place);
	struct limit_names told = told_by(history, false);
	tells(&told, "\nrole=master\n");
	tells(&told, "\nscript=ok\n");
	tells(&told, "\nconfig=ok\n");
	tells(&told, "\nmaxmemory_policy=noeviction\n");
	ck_assert_int_gt(number(&told, "\nused_memory="), 0);
	ck_assert_int_lt(llabs(number(&told, "\nclock_offset_ms=")), 1000);
	ck_assert_int_ge(number(&told, "\nround_trip_us="), 0);
	free(told.text);
	history_close(&history);
}

END_TEST

/* clang-format off */
static const struct refusal {
	const char *row;
	const char *make, *mend;
	const char *want; /* in the text */
} refusals[] = {
	{"a replica", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "this Redis is a replica"},
	{"no memory", "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "Redis has reached its maxmemory"},
};

/* clang-format on */

START_TEST(redis_refuses_a_try)
{
	const struct refusal *r = &refusals[_i];
	struct store_place place = place_on(BACKEND_REDIS);
	struct history *history = history_at(&place);
	struct err err = {0};
	redis_server_do(shared_redis(), r->make);
	bool worked = history_try(history, &err);
	struct limit_names told = {0};
	struct err ignored;
	bool told_all = history_facts(history, false, on_fact, &told, &ignored);
	redis_server_do(shared_redis(), r->mend);
	ck_assert_msg(!worked && strstr(err.text, r->want), "%s: %s", r->row, err.text);
	ck_assert_msg(told_all, "%s: %s", r->row, ignored.text);
	history_worked(history_try(history, &err), "mended", &err);
	free(told.text);
	history_close(&history);
}

END_TEST

static void
fill(TCase *tcase)
{
	int stores = both_stores(tcase);
	tcase_add_loop_test(tcase, a_try_leaves_nothing, 0, stores);
	tcase_add_test(tcase, sqlite_tells);
	tcase_add_test(tcase, damage_is_told);
	if (stores <= BACKEND_REDIS)
		return;
	tcase_add_test(tcase, redis_tells);
	tcase_add_loop_test(tcase, redis_refuses_a_try, 0, COUNT_OF(refusals));
}

int
main(void)
{
	return harness_run("history_facts", fill);
}
