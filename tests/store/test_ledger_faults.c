/* test_ledger_faults.c - the ledger when files, rights or Redis are not as they should be. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "harness.h"
#include "ledger_fixture.h"
#include "mem.h"
#include "record.h"

#define SHORT_MS 300  /* a short patience */
#define SLACK_MS 3000 /* of a machine that has much else to do */

static const struct grey_rules rules = {180, 86400, 35 * 86400, 1};

static void
failed_with(const char *what, bool done, const struct err *err, const char *want)
{
	ck_assert_msg(!done, "%s: worked", what);
	ck_assert_msg(strstr(err->text, want) != NULL, "%s: want \"%s\", got \"%s\"",
	              what, want, err->text);
}

/* ------------------------------------------------------------------ files */

/* The path of a file of the place. */
static const char *
file_of(const struct store_place *place, const char *name)
{
	static char paths[4][sizeof(place->text) + 32];
	static unsigned next;
	char *path = paths[next++ % COUNT_OF(paths)];
	snprintf(path, sizeof(paths[0]), "%s/%s", place->text, name);
	return path;
}

static void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db;
	char *text = NULL;
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_exec(db, sql, NULL, NULL, &text);
	ck_assert_msg(text == NULL, "%s: %s", sql, text);
	sqlite3_close(db);
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

/* All of a file; free() it.  n_out is 0 when there is none. */
static char *
read_all(const char *path, size_t *n_out)
{
	FILE *file = fopen(path, "re");
	char *bytes = mem_alloc(1 << 20);
	*n_out = file ? fread(bytes, 1, 1 << 20, file) : 0;
	if (file)
		fclose(file);
	return bytes;
}

static void
make_text(const char *path)
{
	write_at(path, 0, "These are notes, not a database.\n", 33);
}

static void
make_foreign(const char *path)
{
	run_sql(path, "CREATE TABLE decision (a, b); INSERT INTO decision VALUES (1, 2)");
}

static void
make_marked_foreign(const char *path)
{
	run_sql(path, "PRAGMA application_id = 1196444487; CREATE TABLE x (a)");
}

/* The right mark is that of the file's name: neither passes for the other. */
static void
make_newer(const char *path)
{
	run_sql(path, strstr(path, "ledger.db")
	                      ? "PRAGMA application_id = 2003134828; CREATE TABLE x (a);"
	                        "PRAGMA user_version = 2"
	                      : "PRAGMA application_id = 2003134834; CREATE TABLE x (a);"
	                        "PRAGMA user_version = 2");
}

static void
make_the_other(const char *path)
{
	run_sql(path, strstr(path, "ledger.db")
	                      ? "PRAGMA application_id = 2003134834; CREATE TABLE x (a);"
	                        "PRAGMA user_version = 1"
	                      : "PRAGMA application_id = 2003134828; CREATE TABLE x (a);"
	                        "PRAGMA user_version = 1");
}

static void
make_directory(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static const struct {
	const char *row;
	void (*make)(const char *path);
	const char *want;
} refused[] = {
	{"a text", make_text, "not an SQLite file"},
	{"another program's database", make_foreign, "another program"},
	{"another program's mark", make_marked_foreign, "another program"},
	{"the other file of weir's", make_the_other, "another program"},
	{"a newer weir's", make_newer, "schema 2"},
	{"a directory", make_directory, ".db"},
};

START_TEST(what_is_not_ours_is_left_alone)
{
	static const char *const names[] = {"ledger.db", "weir.db"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
		const char *path = file_of(&place, names[i]);
		struct key_secret secret;
		struct err err = {0};
		size_t n_before, n_after;
		refused[_i].make(path);
		char *before = read_all(path, &n_before);
		struct ledger *ledger =
			ledger_try_at(&place, LEDGER_PATIENCE_MS, NULL, &err);
		ck_assert_msg((ledger == NULL) == (i == 0), "%s: %s", refused[_i].row,
		              names[i]);
		failed_with(refused[_i].row,
		            ledger && ledger_secret(ledger, &secret, &err), &err,
		            refused[_i].want);
		ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		if (ledger)
			ledger_add_lines(ledger, "fine", 1, 3, LEDGER_KEEP);
		ledger_close(&ledger);
		char *after = read_all(path, &n_after);
		ck_assert_msg(n_before == n_after && !memcmp(before, after, n_before),
		              "%s: the file was changed", refused[_i].row);
		free(before);
		free(after);
	}
}

END_TEST

/* In the child: another program's database, whose log is not moved into it. */
static void
leave_a_log_behind(const struct store_place *place, int from, int to)
{
	sqlite3 *db;
	char go;
	if (read(from, &go, 1) != 1)
		return;
	bool done = sqlite3_open(file_of(place, "ledger.db"), &db) == SQLITE_OK &&
	            sqlite3_exec(db,
	                         "PRAGMA journal_mode = WAL; CREATE TABLE theirs (a);"
	                         "INSERT INTO theirs VALUES (1)",
	                         NULL, NULL, NULL) == SQLITE_OK;
	if (write(to, done ? "+" : "-", 1) != 1)
		_exit(1);
	while (read(from, &go, 1) == 1)
		;
}

/* Even the write-ahead log of another program's database stays as it is. */
START_TEST(a_foreign_log_is_left_alone)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct child child = start_child(leave_a_log_behind, &place);
	struct err err = {0};
	size_t n_before, n_after;
	step_child(&child);
	kill_child(&child);
	char *before = read_all(file_of(&place, "ledger.db-wal"), &n_before);
	ck_assert_uint_gt(n_before, 0);
	failed_with("foreign",
	            ledger_try_at(&place, LEDGER_PATIENCE_MS, NULL, &err) != NULL, &err,
	            "another program");
	char *after = read_all(file_of(&place, "ledger.db-wal"), &n_after);
	ck_assert_msg(n_before == n_after && !memcmp(before, after, n_before),
	              "the log was changed: %zu bytes, now %zu", n_before, n_after);
	free(before);
	free(after);
}

END_TEST

static bool
ignore_lines(void *arg, struct slice lines)
{
	(void)arg, (void)lines;
	return true;
}

/* The text says what to do, and having done it helps without a restart. */
START_TEST(a_damaged_ledger_may_be_deleted)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct ledger *ledger = ledger_at(&place);
	char noise[30000];
	struct err err = {0};
	ledger_add_lines(ledger, "a", 1, 20000, LEDGER_KEEP);
	ledger_close(&ledger);
	memset(noise, 0xA5, sizeof(noise));
	write_at(file_of(&place, "ledger.db"), 3 * 8192, noise, sizeof(noise));
	ledger = ledger_try_at(&place, LEDGER_PATIENCE_MS, NULL, &err);
	failed_with("reading",
	            ledger && ledger_read_decisions(ledger, ignore_lines, NULL, &err),
	            &err, "may be deleted");
	ck_assert_msg(strstr(err.text, file_of(&place, "ledger.db")), "%s", err.text);
	unlink(file_of(&place, "ledger.db"));
	unlink(file_of(&place, "ledger.db-wal"));
	unlink(file_of(&place, "ledger.db-shm"));
	ledger_add_lines(ledger, "b", 1, 3, LEDGER_KEEP);
	char *lines = ledger_all_lines(ledger);
	ck_assert_str_eq(lines, "b.1\nb.2\nb.3\n");
	free(lines);
	ledger_close(&ledger);
}

END_TEST

/* In the child: a ledger that is open all the while. */
static void
hold_ledger(const struct store_place *place, int from, int to)
{
	struct ledger *ledger = NULL;
	char go;
	while (read(from, &go, 1) == 1) {
		if (ledger)
			ledger_add_lines(ledger, "c", 1, 1, LEDGER_KEEP);
		else
			ledger = ledger_at(place);
		ledger_add_lines(ledger, "a", 1, 2000, LEDGER_KEEP);
		if (write(to, "+", 1) != 1)
			_exit(1);
	}
}

/* With all that belongs to it, or the file alone; another process has it open. */
START_TEST(a_deleted_ledger_is_made_anew)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct child child = start_child(hold_ledger, &place);
	step_child(&child);
	unlink(file_of(&place, "ledger.db"));
	if (_i == 0)
		unlink(file_of(&place, "ledger.db-wal"));
	if (_i == 0)
		unlink(file_of(&place, "ledger.db-shm"));
	struct ledger *ledger = ledger_at(&place);
	ledger_add_lines(ledger, "b", 1, 2, LEDGER_KEEP);
	char *lines = ledger_all_lines(ledger);
	ck_assert_str_eq(lines, "b.1\nb.2\n");
	free(lines);
	step_child(&child);
	ledger_add_lines(ledger, "d", 1, 1, LEDGER_KEEP);
	kill_child(&child);
	lines = ledger_all_lines(ledger);
	ck_assert_msg(strncmp(lines, "b.1\nb.2\nc.1\na.1\n", 16) == 0, "%.40s", lines);
	ck_assert_msg(strstr(lines, "a.2000\nd.1\n") != NULL, "the end is missing");
	free(lines);
	ledger_close(&ledger);
}

END_TEST

/* Whoever is first: both files have the rights that the daemons need. */
START_TEST(files_are_for_owner_and_group)
{
	static const char *const names[] = {"weir.db",       "weir.db-wal",
	                                    "weir.db-shm",   "ledger.db",
	                                    "ledger.db-wal", "ledger.db-shm"};

	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	bool root = geteuid() == 0;
	mode_t old = umask(_i ? 0 : 077);
	struct key_secret secret;
	struct err err = {0};
	if (root)
		ck_assert_int_eq(chown(place.text, 65534, 65534), 0);
	struct ledger *ledger = ledger_at(&place);
	ledger_add_lines(ledger, "a", 1, 2, LEDGER_KEEP);
	ledger_worked(ledger_secret(ledger, &secret, &err), "the secret", &err);
	struct key_secret others;
	key_secret_make(&others);
	ledger_worked(ledger_set_secret(ledger, &others, &err), "writing", &err);
	umask(old);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct stat st;
		ck_assert_msg(stat(file_of(&place, names[i]), &st) == 0, "%s", names[i]);
		ck_assert_msg((st.st_mode & 0777) == 0660, "%s: mode %o", names[i],
		              st.st_mode & 0777);
		ck_assert_msg(!root || (st.st_uid == 65534 && st.st_gid == 65534),
		              "%s: owner %d:%d", names[i], (int)st.st_uid,
		              (int)st.st_gid);
	}
	ledger_close(&ledger);
}

END_TEST

START_TEST(a_database_from_before_there_were_limits)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct store_fixture fixture;
	struct err err = {0};
	int64_t killed;
	fixture_open(&fixture, &place, NULL);
	fixture_close(&fixture);
	place_sql(&place, "DROP TABLE lease");
	place_sql(&place, "DROP TABLE note");
	place_sql(&place, "DROP TABLE rate");
	struct ledger *ledger = ledger_at(&place);
	ledger_worked(ledger_kill_leases(ledger, SLICE("m/a"), &killed, &err), "killing",
	              &err);
	ledger_close(&ledger);
}

END_TEST

/* ------------------------------------------------------------------ rights */

/* What a user without rights is told; in a child, whose rights do not come back. */
static void
tell_failure(const struct store_place *place, int from, int to)
{
	struct err err = {0}, conf_err;
	struct key_secret secret;
	char go;
	if (read(from, &go, 1) != 1)
		return;
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
		_exit(1);
	struct conf *conf = place_conf(place, NULL, NULL, &conf_err);
	struct ledger *ledger = ledger_open(conf, LEDGER_PATIENCE_MS, &err);
	if (ledger && ledger_secret(ledger, &secret, &err) &&
	    ledger_put(ledger, BOARD_ORDERS, SLICE("a"), SLICE("b"), INT64_MAX / 2, &err))
		err_set(&err, "worked");
	if (write(to, err.text, sizeof(err.text)) != sizeof(err.text))
		_exit(1);
	while (read(from, &go, 1) == 1)
		;
}

static const struct {
	const char *row;
	const char *file; /* "": the directory */
	mode_t mode;
	const char *want;
} rights[] = {
	{"the directory is closed", "", 0600, "cannot enter "},
	{"ledger.db is not to be read", "ledger.db", 0200, "cannot read "},
	{"ledger.db is not to be written", "ledger.db", 0444, "cannot write "},
	{"weir.db is not to be read", "weir.db", 0200, "cannot read "},
};

/* The name of who has no rights. */
static const char *
nobody(void)
{
	const struct passwd *entry = getpwuid(geteuid() == 0 ? 65534 : geteuid());
	return entry ? entry->pw_name : "65534";
}

/* The place belongs to who lacks the right, so that it is one of the owner's. */
static void
give_place_away(const struct store_place *place)
{
	static const char *const names[] = {"", "weir.db", "ledger.db"};
	if (geteuid() != 0)
		return;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (chown(file_of(place, names[i]), 65534, 65534) != 0)
			ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(chmod(harness_dir(), 0711), 0);
}

START_TEST(the_right_that_is_missing_is_named)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct ledger *ledger = ledger_at(&place);
	struct child child = start_child(tell_failure, &place);
	const char *path = file_of(&place, rights[_i].file);
	struct key_secret secret;
	struct err err = {0};
	ledger_worked(ledger_secret(ledger, &secret, &err), "the secret", &err);
	ledger_close(&ledger);
	give_place_away(&place);
	ck_assert_int_eq(chmod(path, rights[_i].mode), 0);
	ck_assert_int_eq(write(child.to, "x", 1), 1);
	ck_assert_int_eq(read(child.from, err.text, sizeof(err.text)), sizeof(err.text));
	failed_with(rights[_i].row, strcmp(err.text, "worked") == 0, &err,
	            rights[_i].want);
	ck_assert_msg(strstr(err.text, nobody()) && strstr(err.text, place.text),
	              "%s: %s", rights[_i].row, err.text);
	kill_child(&child);
	chmod(path, 0700);
}

END_TEST

START_TEST(the_directory_must_be_there_and_open)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct child child = start_child(tell_failure, &place);
	struct err err = {0};
	if (geteuid() == 0)
		ck_assert_int_eq(chmod(harness_dir(), 0711), 0);
	chmod(place.text, 0555);
	ck_assert_int_eq(write(child.to, "x", 1), 1);
	ck_assert_int_eq(read(child.from, err.text, sizeof(err.text)), sizeof(err.text));
	failed_with("a new one", strcmp(err.text, "worked") == 0, &err,
	            "cannot make files in ");
	kill_child(&child);
	chmod(place.text, 0700);

	snprintf(place.text, sizeof(place.text), "%s", harness_path("absent"));
	failed_with("no directory",
	            ledger_try_at(&place, LEDGER_PATIENCE_MS, NULL, &err) != NULL, &err,
	            "No such file or directory");
	ck_assert_msg(strstr(err.text, place.text) != NULL, "%s", err.text);
}

END_TEST

/* ------------------------------------------------------------------ locks and room */

static void
lock_mail(const struct store_place *place, int from, int to)
{
	static const char *const steps[] = {"BEGIN IMMEDIATE", "COMMIT", NULL};
	run_steps(place, from, to, steps);
}

START_TEST(a_lock_is_waited_for)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct child child = start_child(lock_mail, &place);
	struct err err = {0};
	struct key_secret secret;
	int64_t killed;
	struct ledger *ledger = ledger_try_at(&place, SHORT_MS, NULL, &err);
	ledger_worked(ledger_secret(ledger, &secret, &err), "the secret", &err);
	step_child(&child);
	int64_t began_ms = clock_mono_ms();
	failed_with("killing", ledger_kill_leases(ledger, SLICE("m/a"), &killed, &err),
	            &err, "locked for 300 ms");
	int64_t took_ms = clock_mono_ms() - began_ms;
	ck_assert_int_ge(took_ms, SHORT_MS);
	ck_assert_int_le(took_ms, SHORT_MS + SLACK_MS);
	ledger_worked(ledger_secret(ledger, &secret, &err), "reading meanwhile", &err);
	step_child(&child);
	ledger_worked(ledger_kill_leases(ledger, SLICE("m/a"), &killed, &err), "killing",
	              &err);
	kill_child(&child);
	ledger_close(&ledger);
}

END_TEST

START_TEST(the_quota_is_the_stores)
{
	static const char *const settings[] = {"store.max_size=128K", NULL};

	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct ledger_row *rows = mem_alloc(10000 * sizeof(*rows));
	struct err err = {0};
	int64_t now_s = clock_wall_s(), n;
	for (unsigned i = 0; i < 10000; i++) {
		struct grey_record rec = {GREY_PASSED, now_s, 0};
		rows[i] = (struct ledger_row){RECORD_TRIPLET, fixture_key('t', i),
		                              record_pack(&rec)};
	}
	struct ledger *ledger = ledger_try_at(&place, LEDGER_PATIENCE_MS, settings, &err);
	failed_with("too many",
	            ledger_put_records(ledger, 10000, rows, &rules, now_s, &err), &err,
	            "no room");
	ledger_worked(ledger_estimate(ledger, &n, &err), "counting", &err);
	ck_assert_int_eq(n, 0); /* all or none */
	ledger_worked(ledger_put_records(ledger, 100, rows, &rules, now_s, &err), "a few",
	              &err);
	free(rows);
	ledger_close(&ledger);
}

END_TEST

/* ------------------------------------------------------------------ Redis */

static struct redis_server server;

static void
end(struct ledger **ledger)
{
	ledger_close(ledger);
	redis_server_kill(&server);
}

START_TEST(redis_dies_and_comes_back)
{
	struct err err = {0};
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct ledger *ledger = ledger_at(&place);
	ledger_add_lines(ledger, "a", 1, 2, LEDGER_KEEP);
	redis_server_kill(&server);
	redis_server_start_again(&server);
	ledger_add_lines(ledger, "b", 1, 2, LEDGER_KEEP); /* as if nothing had been */
	redis_server_kill(&server);
	for (int i = 0; i < 3; i++) {
		failed_with("away",
		            ledger_read_decisions(ledger, ignore_lines, NULL, &err), &err,
		            server.endpoint);
		ck_assert_msg(strstr(err.text, "cannot connect"), "%s", err.text);
	}
	redis_server_start_again(&server);
	ledger_add_lines(ledger, "c", 1, 2, LEDGER_KEEP);
	char *lines = ledger_all_lines(ledger);
	ck_assert_str_eq(lines, "c.1\nc.2\n");
	free(lines);
	/* A server that forgot its scripts, but not its clients. */
	redis_server_do(&server, "SCRIPT FLUSH");
	ledger_add_lines(ledger, "d", 1, 1, LEDGER_KEEP);
	end(&ledger);
}

END_TEST

static void
takes_its_time(int64_t began_ms)
{
	int64_t took_ms = clock_mono_ms() - began_ms;
	ck_assert_int_ge(took_ms, SHORT_MS);
	ck_assert_int_le(took_ms, SHORT_MS + SLACK_MS);
}

START_TEST(redis_is_silent)
{
	struct err err = {0};
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct ledger *ledger = ledger_try_at(&place, SHORT_MS, NULL, &err);
	redis_server_pause(&server);
	int64_t began_ms = clock_mono_ms();
	failed_with("a call", ledger_read_decisions(ledger, ignore_lines, NULL, &err),
	            &err, "does not answer within 300 ms");
	takes_its_time(began_ms);
	began_ms = clock_mono_ms();
	failed_with("the next", ledger_read_decisions(ledger, ignore_lines, NULL, &err),
	            &err, "does not answer within 300 ms");
	takes_its_time(began_ms);
	began_ms = clock_mono_ms();
	failed_with("opening", ledger_try_at(&place, SHORT_MS, NULL, &err) != NULL, &err,
	            "does not answer within 300 ms");
	takes_its_time(began_ms);
	redis_server_resume(&server);
	ledger_worked(ledger_read_decisions(ledger, ignore_lines, NULL, &err), "resumed",
	              &err);
	end(&ledger);
}

END_TEST

/* "store.redis.password_file=..." of a file that holds it. */
static const char *
password_setting(const char *password)
{
	static char setting[600];
	const char *path = harness_file("password", password);
	chmod(path, 0600);
	snprintf(setting, sizeof(setting), "store.redis.password_file=%s", path);
	return setting;
}

START_TEST(redis_wants_a_password)
{
	static const char *const options[] = {"--requirepass", "sesame", NULL};

	struct err err = {0};
	redis_server_start(&server, options);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	failed_with("none", ledger_try_at(&place, SHORT_MS, NULL, &err) != NULL, &err,
	            "store.redis.password_file");
	const char *wrong[] = {password_setting("simsim\n"), NULL};
	failed_with("wrong", ledger_try_at(&place, SHORT_MS, wrong, &err) != NULL, &err,
	            "store.redis.password_file");
	const char *right[] = {password_setting("sesame\n"), "store.redis.db=3", NULL};
	struct ledger *ledger = ledger_try_at(&place, LEDGER_PATIENCE_MS, right, &err);
	ck_assert_msg(ledger != NULL, "%s", err.text);
	ledger_add_lines(ledger, "a", 1, 2, LEDGER_KEEP);
	redisContext *redis = redis_server_connect(&server);
	freeReplyObject(redisCommand(redis, "AUTH sesame"));
	redisReply *size = redisCommand(redis, "DBSIZE");
	ck_assert_int_eq(size->integer, 0);
	freeReplyObject(size);
	freeReplyObject(redisCommand(redis, "SELECT 3"));
	size = redisCommand(redis, "DBSIZE");
	ck_assert_int_eq(size->integer, 2);
	freeReplyObject(size);
	redisFree(redis);
	end(&ledger);
}

END_TEST

static void
ignore_text(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	(void)name, (void)text, (void)until_s;
	++*(int *)arg;
}

START_TEST(redis_is_full_or_a_replica)
{
	struct err err = {0};
	int entries = 0;
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct ledger *ledger = ledger_at(&place);
	struct slice name = SLICE("a"), text = SLICE("b");
	ledger_worked(ledger_put(ledger, BOARD_ORDERS, name, text, 5000, &err), "room",
	              &err);
	redis_server_do(&server, "CONFIG SET maxmemory 1");
	failed_with("full", ledger_put(ledger, BOARD_ORDERS, name, text, 6000, &err),
	            &err, "maxmemory");
	failed_with("full", ledger_add_decisions(ledger, 1, SLICE("a\n"), 10, 100, &err),
	            &err, "maxmemory");
	ledger_worked(ledger_read(ledger, BOARD_ORDERS, 1, ignore_text, &entries, &err),
	              "reading when full", &err);
	ck_assert_int_eq(entries, 1);
	redis_server_do(&server, "CONFIG SET maxmemory 0");
	redis_server_do(&server, "REPLICAOF 127.0.0.1 1");
	failed_with("a replica", ledger_put(ledger, BOARD_ORDERS, name, text, 6000, &err),
	            &err, "replica");
	entries = 0;
	ledger_worked(ledger_read(ledger, BOARD_ORDERS, 99999, ignore_text, &entries,
	                          &err),
	              "what has run out", &err);
	ck_assert_int_eq(entries, 0);
	redis_server_do(&server, "REPLICAOF NO ONE");
	ledger_worked(ledger_put(ledger, BOARD_ORDERS, name, text, 6000, &err), "again",
	              &err);
	end(&ledger);
}

END_TEST

START_TEST(a_key_of_another_program)
{
	char command[300];
	struct err err = {0};
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct ledger *ledger = ledger_at(&place);
	snprintf(command, sizeof(command), "SET %sorders x", place.text);
	redis_server_do(&server, command);
	failed_with("theirs",
	            ledger_put(ledger, BOARD_ORDERS, SLICE("a"), SLICE("b"), 1, &err),
	            &err, "store.redis.prefix");
	end(&ledger);
}

END_TEST

/* GETs that Redis has answered. */
static long
count_gets(void)
{
	redisContext *redis = redis_server_connect(&server);
	redisReply *info = redisCommand(redis, "INFO commandstats");
	const char *calls = strstr(info->str, "cmdstat_get:calls=");
	long n = calls ? strtol(strchr(calls, '=') + 1, NULL, 10) : 0;
	freeReplyObject(info);
	redisFree(redis);
	return n;
}

static void
set_count(const struct store_place *place, const char *count)
{
	char command[300];
	snprintf(command, sizeof(command), "HSET %sdecisions count %s", place->text,
	         count);
	redis_server_do(&server, command);
}

/* Whatever their number is said to be, reading comes to an end. */
START_TEST(decisions_that_are_not_there)
{
	struct err err = {0};
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct ledger *ledger = ledger_at(&place);
	set_count(&place, "10000000"); /* all have run out */
	long before = count_gets();
	ledger_worked(ledger_read_decisions(ledger, ignore_lines, NULL, &err), "none",
	              &err);
	ck_assert_int_le(count_gets() - before, 200);
	set_count(&place, "900000000000000000");
	failed_with("damaged", ledger_read_decisions(ledger, ignore_lines, NULL, &err),
	            &err, "decisions in redis is damaged: it may be deleted");
	end(&ledger);
}

END_TEST

/* Segments in Redis, each of so many bytes. */
static void
set_segments(const struct store_place *place, unsigned n, size_t bytes)
{
	redisContext *redis = redis_server_connect(&server);
	char *lines = mem_alloc(bytes);
	memset(lines, '\n', bytes);
	for (unsigned i = 0; i < n; i++) {
		redisReply *set =
			redisCommand(redis, "SET %sd%u %b", place->text, i, lines, bytes);
		ck_assert_ptr_nonnull(set);
		freeReplyObject(set);
	}
	free(lines);
	redisFree(redis);
}

/* Many of the largest of ours are read, but not as much as somebody else may put there. */
START_TEST(decisions_that_are_too_much)
{
	struct err err = {0};
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct ledger *ledger = ledger_at(&place);
	set_count(&place, "12800"); /* 200 segments of 64 */
	set_segments(&place, 200, 65536);
	ledger_worked(ledger_read_decisions(ledger, ignore_lines, NULL, &err), "ours",
	              &err);
	set_segments(&place, 200, 200000);
	failed_with("theirs", ledger_read_decisions(ledger, ignore_lines, NULL, &err),
	            &err, "something else");
	end(&ledger);
}

END_TEST

static bool
count_row(void *arg, const struct ledger_row *row)
{
	(void)row;
	++*(int *)arg;
	return true;
}

/* Its signs mean nothing but themselves. */
START_TEST(a_prefix_of_signs)
{
	static const char *const settings[] = {"store.redis.prefix=w\\e^r:", NULL};

	struct err err = {0};
	struct grey_record rec = {GREY_PASSED, clock_wall_s(), 0};
	struct ledger_row row = {RECORD_TRIPLET, fixture_key('t', 1), record_pack(&rec)};
	int rows = 0;
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct ledger *ledger = ledger_try_at(&place, LEDGER_PATIENCE_MS, settings, &err);
	ck_assert_msg(ledger != NULL, "%s", err.text);
	ledger_worked(ledger_put_records(ledger, 1, &row, &rules, rec.at_s, &err),
	              "putting", &err);
	redis_server_do(&server, "SET we^r:tAAAAAAAAAAAAAAAAAAAAAA 1");
	ledger_worked(ledger_scan(ledger, count_row, &rows, &err), "scanning", &err);
	ck_assert_int_eq(rows, 1);
	end(&ledger);
}

END_TEST

/* ------------------------------------------------------------------ Redis' access control */

/* The command that weir.conf(5) gives, in one line. */
static void
read_acl(struct text *out)
{
	const char *srcdir = getenv("srcdir");
	char path[512], line[512];
	snprintf(path, sizeof(path), "%s/man/weir.conf.5", srcdir ? srcdir : ".");
	FILE *file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s: run it by make check", path);
	bool inside = false;
	while (fgets(line, sizeof(line), file)) {
		inside |= strncmp(line, "ACL SETUSER", 11) == 0;
		if (inside && strncmp(line, ".Ed", 3) == 0)
			break;
		if (!inside)
			continue;
		struct slice words = slice_trim(slice_of(line));
		if (slice_ends_nocase(words, SLICE("\\e")))
			words.n -= 2;
		text_put(out, words);
		text_puts(out, " ");
	}
	fclose(file);
	ck_assert_msg(out->n > 0 && !out->cut, "no ACL in the manual");
}

static void
ignore_lease(void *arg, const struct ledger_lease *lease)
{
	(void)arg, (void)lease;
}

static void
ignore_hour(void *arg, const struct funnel_hour *hour)
{
	(void)arg, (void)hour;
}

/* Once each of all that a ledger can do. */
static void
do_everything(struct ledger *ledger)
{
	static const struct funnel_hour first = {100, 1, 0}, later = {200, 1, 0};

	struct grey_record rec = {GREY_PASSED, clock_wall_s(), 0};
	struct ledger_row row = {RECORD_TRIPLET, fixture_key('t', 1), record_pack(&rec)};
	struct key_secret secret, others;
	struct err err = {0};
	int n = 0;
	int64_t value = -1;
	bool found;
	struct slice name = SLICE("a");
	key_secret_make(&others);
	bool done = ledger_secret(ledger, &secret, &err) &&
	            ledger_set_secret(ledger, &others, &err) &&
	            ledger_add_decisions(ledger, 2, SLICE("a\nb\n"), 10, 1000, &err) &&
	            ledger_add_decisions(ledger, 2, SLICE("a\nb\n"), 0, 500, &err) &&
	            ledger_add_decisions(ledger, 2, SLICE("a\nb\n"), 10, 500, &err) &&
	            ledger_add_decisions(ledger, 2, SLICE("a\nb\n"), 10, 400, &err) &&
	            ledger_read_decisions(ledger, ignore_lines, NULL, &err) &&
	            ledger_put(ledger, BOARD_ORDERS, name, name, 5000, &err) &&
	            ledger_read(ledger, BOARD_ORDERS, 99999, ignore_text, &n, &err) &&
	            ledger_put(ledger, BOARD_ORDERS, name, name, 5000, &err) &&
	            ledger_drop(ledger, BOARD_ORDERS, name, &found, &err) &&
	            ledger_add_funnel(ledger, 1, &first, 3, &err) &&
	            ledger_add_funnel(ledger, 1, &later, 3, &err) &&
	            ledger_read_funnel(ledger, ignore_hour, NULL, &err) &&
	            ledger_put_records(ledger, 1, &row, &rules, rec.at_s, &err) &&
	            ledger_get_record(ledger, row.kind, &row.key, &value, &err) &&
	            ledger_scan(ledger, count_row, &n, &err) &&
	            ledger_estimate(ledger, &value, &err) &&
	            ledger_drop_record(ledger, row.kind, &row.key, &found, &err) &&
	            ledger_read_leases(ledger, ignore_lease, NULL, &err) &&
	            ledger_kill_leases(ledger, SLICE("m/a/192.0.2.1:25"), &value, &err) &&
	            ledger_get_rate(ledger, &row.key, &value, &err);
	ledger_worked(done, "with those rights", &err);
	ck_assert_int_eq(value, 0);
}

/* The rights that weir.conf(5) names are enough; one less is told as such. */
START_TEST(access_control_list)
{
	char buf[2048];
	struct text acl = TEXT(buf);
	struct err err = {0};
	struct store_fixture fixture;
	redis_server_start(&server, NULL);
	struct store_place place = {.backend = BACKEND_REDIS,
	                            .server = &server,
	                            .text = "weir:"};
	read_acl(&acl);
	redis_server_do(&server, buf);
	const char *settings[] = {password_setting("PASSWORD\n"),
	                          "store.redis.username=weir", "store.deadline=5s", NULL};
	struct ledger *ledger = ledger_try_at(&place, LEDGER_PATIENCE_MS, settings, &err);
	ck_assert_msg(ledger != NULL, "%s", err.text);
	fixture_open(&fixture, &place, settings);
	struct ask ask = {.kind = ASK_LIMITS,
	                  .limits = {.holder = "m/a/192.0.2.1:25",
	                             .ttl_ms = 60000,
	                             .ttl_max_ms = LEASE_MAX_MS}};
	fixture_uses("Dl2", &ask.limits);
	struct answer got = ask_and_wait(&fixture, &ask);
	ck_assert_int_eq(got.status, STORE_OK);
	fixture_close(&fixture);
	do_everything(ledger);
	redis_server_do(&server, "ACL SETUSER weir -hgetall");
	failed_with("one less", ledger_read_funnel(ledger, ignore_hour, NULL, &err), &err,
	            "weir.conf(5)");
	end(&ledger);
}

END_TEST

/* ------------------------------------------------------------------ what is no Redis */

static const struct {
	const char *row;
	const char *reply; /* to HGETALL; NULL: the connection is closed */
	const char *want;
} replies[] = {
	{"closed", NULL, "closed the connection"},
	{"a number", ":1\r\n", "something else"},
	{"an odd array", "*1\r\n$1\r\na\r\n", "something else"},
	{"numbers", "*2\r\n:1\r\n:2\r\n", "something else"},
	{"no reply at all", "HTTP/1.1 400 Bad Request\r\n\r\n", "something else"},
	{"a huge array", "*2000000000\r\n", "something else"},
	{"arrays in arrays", "*1000\r\n*1000000\r\n", "something else"},
	{"an endless one", "$999999999999\r\nx", "answer"},
	{"an error with control bytes", "-ERR \033[31mred\r\n", "ERR ?[31mred"},
	{"half of one", "*2\r\n$1\r\na\r\n", "does not answer"},
};

static unsigned next_reply;

/* In the child: greets well, then answers as the row says. */
static void
be_no_redis(const struct store_place *place, int from, int to)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct text path = TEXT(name.sun_path);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	char buf[1024];
	text_puts(&path, place->server->socket);
	if (bind(listener, (struct sockaddr *)&name, sizeof(name)) != 0 ||
	    listen(listener, 5) != 0 || write(to, "+", 1) != 1)
		_exit(1);
	int fd = accept(listener, NULL, NULL);
	const char *reply = replies[next_reply].reply;
	if (read(fd, buf, sizeof(buf)) <= 0 || write(fd, "+PONG\r\n", 7) != 7 ||
	    read(fd, buf, sizeof(buf)) <= 0)
		_exit(1);
	if (!reply)
		close(fd);
	else if (write(fd, reply, strlen(reply)) < 0)
		_exit(1);
	while (read(from, buf, 1) == 1)
		;
}

START_TEST(what_answers_is_no_redis)
{
	struct redis_server none = {0};
	char done;
	struct err err = {0};
	snprintf(none.socket, sizeof(none.socket), "%s", harness_path("none"));
	snprintf(none.endpoint, sizeof(none.endpoint), "unix:%s", none.socket);
	struct store_place place = fresh_place(BACKEND_REDIS, &none);
	unlink(none.socket);
	next_reply = (unsigned)_i;
	struct child child = start_child(be_no_redis, &place);
	ck_assert_int_eq(read(child.from, &done, 1), 1);
	struct ledger *ledger = ledger_try_at(&place, SHORT_MS, NULL, &err);
	ck_assert_msg(ledger != NULL, "%s", err.text);
	failed_with(replies[_i].row, ledger_read_funnel(ledger, ignore_hour, NULL, &err),
	            &err, replies[_i].want);
	kill_child(&child);
	ledger_close(&ledger);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, what_is_not_ours_is_left_alone, 0, COUNT_OF(refused));
	tcase_add_test(tcase, a_foreign_log_is_left_alone);
	tcase_add_test(tcase, a_damaged_ledger_may_be_deleted);
	tcase_add_loop_test(tcase, a_deleted_ledger_is_made_anew, 0, 2);
	tcase_add_loop_test(tcase, files_are_for_owner_and_group, 0, 2);
	tcase_add_test(tcase, a_database_from_before_there_were_limits);
	tcase_add_loop_test(tcase, the_right_that_is_missing_is_named, 0,
	                    COUNT_OF(rights));
	tcase_add_test(tcase, the_directory_must_be_there_and_open);
	tcase_add_test(tcase, a_lock_is_waited_for);
	tcase_add_test(tcase, the_quota_is_the_stores);
	tcase_add_loop_test(tcase, what_answers_is_no_redis, 0, COUNT_OF(replies));
	if (!redis_tests_wanted())
		return;
	tcase_add_test(tcase, redis_dies_and_comes_back);
	tcase_add_test(tcase, redis_is_silent);
	tcase_add_test(tcase, redis_wants_a_password);
	tcase_add_test(tcase, redis_is_full_or_a_replica);
	tcase_add_test(tcase, a_key_of_another_program);
	tcase_add_test(tcase, decisions_that_are_not_there);
	tcase_add_test(tcase, decisions_that_are_too_much);
	tcase_add_test(tcase, a_prefix_of_signs);
	tcase_add_test(tcase, access_control_list);
}

int
main(void)
{
	return harness_run("ledger faults", fill);
}
