/* test_history_faults.c - the history when files or rights are not as they should be. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "child.h"
#include "harness.h"
#include "history_fixture.h"
#include "store/record.h"

#define SHORT_MS 300  /* a short patience */
#define SLACK_MS 3000 /* of a machine that has much else to do */

static const struct grey_rules rules = {180, 86400, 35 * 86400, 1};

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
		struct history *history =
			history_try_at(&place, HISTORY_PATIENCE_MS, NULL, &err);
		ck_assert_msg((history == NULL) == (i == 0), "%s: %s", refused[_i].row,
		              names[i]);
		history_failed(refused[_i].row,
		               history && history_secret(history, &secret, &err), &err,
		               refused[_i].want);
		ck_assert_msg(strstr(err.text, path) != NULL, "%s", err.text);
		if (history)
			history_add_lines(history, "fine", 1, 3, HISTORY_KEEP);
		history_close(&history);
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
	history_failed("foreign",
	               history_try_at(&place, HISTORY_PATIENCE_MS, NULL, &err) != NULL,
	               &err, "another program");
	char *after = read_all(file_of(&place, "ledger.db-wal"), &n_after);
	ck_assert_msg(n_before == n_after && !memcmp(before, after, n_before),
	              "the log was changed: %zu bytes, now %zu", n_before, n_after);
	free(before);
	free(after);
}

END_TEST

/* The text says what to do, and having done it helps without a restart. */
START_TEST(a_damaged_history_may_be_deleted)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct history *history = history_at(&place);
	char noise[30000];
	struct err err = {0};
	history_add_lines(history, "a", 1, 20000, HISTORY_KEEP);
	history_close(&history);
	memset(noise, 0xA5, sizeof(noise));
	write_at(file_of(&place, "ledger.db"), 3 * 8192, noise, sizeof(noise));
	history = history_try_at(&place, HISTORY_PATIENCE_MS, NULL, &err);
	history_failed("reading",
	               history && history_read_decisions(history, history_ignore_lines,
	                                                 NULL, &err),
	               &err, "you may delete it");
	ck_assert_msg(strstr(err.text, file_of(&place, "ledger.db")), "%s", err.text);
	unlink(file_of(&place, "ledger.db"));
	unlink(file_of(&place, "ledger.db-wal"));
	unlink(file_of(&place, "ledger.db-shm"));
	history_add_lines(history, "b", 1, 3, HISTORY_KEEP);
	char *lines = history_all_lines(history);
	ck_assert_str_eq(lines, "b.1\nb.2\nb.3\n");
	free(lines);
	history_close(&history);
}

END_TEST

/* In the child: a history that is open all the while. */
static void
hold_history(const struct store_place *place, int from, int to)
{
	struct history *history = NULL;
	char go;
	while (read(from, &go, 1) == 1) {
		if (history)
			history_add_lines(history, "c", 1, 1, HISTORY_KEEP);
		else
			history = history_at(place);
		history_add_lines(history, "a", 1, 2000, HISTORY_KEEP);
		if (write(to, "+", 1) != 1)
			_exit(1);
	}
}

/* With all that belongs to it, or the file alone; another process has it open. */
START_TEST(a_deleted_history_is_made_anew)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct child child = start_child(hold_history, &place);
	step_child(&child);
	unlink(file_of(&place, "ledger.db"));
	if (_i == 0)
		unlink(file_of(&place, "ledger.db-wal"));
	if (_i == 0)
		unlink(file_of(&place, "ledger.db-shm"));
	struct history *history = history_at(&place);
	history_add_lines(history, "b", 1, 2, HISTORY_KEEP);
	char *lines = history_all_lines(history);
	ck_assert_str_eq(lines, "b.1\nb.2\n");
	free(lines);
	step_child(&child);
	history_add_lines(history, "d", 1, 1, HISTORY_KEEP);
	kill_child(&child);
	lines = history_all_lines(history);
	ck_assert_msg(strncmp(lines, "b.1\nb.2\nc.1\na.1\n", 16) == 0, "%.40s", lines);
	ck_assert_msg(strstr(lines, "a.2000\nd.1\n") != NULL, "the end is missing");
	free(lines);
	history_close(&history);
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
	struct history *history = history_at(&place);
	history_add_lines(history, "a", 1, 2, HISTORY_KEEP);
	history_worked(history_secret(history, &secret, &err), "the secret", &err);
	struct key_secret others;
	key_secret_make(&others);
	history_worked(history_set_secret(history, &others, &err), "writing", &err);
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
	history_close(&history);
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
	struct history *history = history_at(&place);
	history_worked(history_kill_leases(history, SLICE("m/a"), &killed, &err),
	               "killing", &err);
	history_close(&history);
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
	struct history *history = history_open(conf, HISTORY_PATIENCE_MS, &err);
	if (history && history_secret(history, &secret, &err) &&
	    history_put(history, REGISTRY_OVERRIDES, SLICE("a"), SLICE("b"),
	                INT64_MAX / 2, &err))
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
	struct history *history = history_at(&place);
	struct child child = start_child(tell_failure, &place);
	const char *path = file_of(&place, rights[_i].file);
	struct key_secret secret;
	struct err err = {0};
	history_worked(history_secret(history, &secret, &err), "the secret", &err);
	history_close(&history);
	give_place_away(&place);
	ck_assert_int_eq(chmod(path, rights[_i].mode), 0);
	ck_assert_int_eq(write(child.to, "x", 1), 1);
	ck_assert_int_eq(read(child.from, err.text, sizeof(err.text)), sizeof(err.text));
	history_failed(rights[_i].row, strcmp(err.text, "worked") == 0, &err,
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
	history_failed("a new one", strcmp(err.text, "worked") == 0, &err,
	               "cannot make files in ");
	kill_child(&child);
	chmod(place.text, 0700);

	snprintf(place.text, sizeof(place.text), "%s", harness_path("absent"));
	history_failed("no directory",
	               history_try_at(&place, HISTORY_PATIENCE_MS, NULL, &err) != NULL,
	               &err, "No such file or directory");
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
	struct history *history = history_try_at(&place, SHORT_MS, NULL, &err);
	history_worked(history_secret(history, &secret, &err), "the secret", &err);
	step_child(&child);
	int64_t began_ms = clock_mono_ms();
	history_failed("killing",
	               history_kill_leases(history, SLICE("m/a"), &killed, &err), &err,
	               "locked for 300 ms");
	int64_t took_ms = clock_mono_ms() - began_ms;
	ck_assert_int_ge(took_ms, SHORT_MS);
	ck_assert_int_le(took_ms, SHORT_MS + SLACK_MS);
	history_worked(history_secret(history, &secret, &err), "reading meanwhile", &err);
	step_child(&child);
	history_worked(history_kill_leases(history, SLICE("m/a"), &killed, &err),
	               "killing", &err);
	kill_child(&child);
	history_close(&history);
}

END_TEST

START_TEST(the_quota_is_the_stores)
{
	static const char *const settings[] = {"store.max_size=128K", NULL};

	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct history_row *rows = mem_alloc(10000 * sizeof(*rows));
	struct err err = {0};
	int64_t now_s = clock_wall_s(), n;
	for (unsigned i = 0; i < 10000; i++) {
		struct grey_record rec = {GREY_PASSED, now_s, 0};
		rows[i] = (struct history_row){RECORD_TRIPLET, fixture_key('t', i),
		                               record_pack(&rec)};
	}
	struct history *history =
		history_try_at(&place, HISTORY_PATIENCE_MS, settings, &err);
	history_failed("too many",
	               history_put_records(history, 10000, rows, &rules, now_s, &err),
	               &err, "no room");
	history_worked(history_estimate(history, &n, &err), "counting", &err);
	ck_assert_int_eq(n, 0); /* all or none */
	history_worked(history_put_records(history, 100, rows, &rules, now_s, &err),
	               "a few", &err);
	free(rows);
	history_close(&history);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, what_is_not_ours_is_left_alone, 0, COUNT_OF(refused));
	tcase_add_test(tcase, a_foreign_log_is_left_alone);
	tcase_add_test(tcase, a_damaged_history_may_be_deleted);
	tcase_add_loop_test(tcase, a_deleted_history_is_made_anew, 0, 2);
	tcase_add_loop_test(tcase, files_are_for_owner_and_group, 0, 2);
	tcase_add_test(tcase, a_database_from_before_there_were_limits);
	tcase_add_loop_test(tcase, the_right_that_is_missing_is_named, 0,
	                    COUNT_OF(rights));
	tcase_add_test(tcase, the_directory_must_be_there_and_open);
	tcase_add_test(tcase, a_lock_is_waited_for);
	tcase_add_test(tcase, the_quota_is_the_stores);
}

int
main(void)
{
	return harness_run("history faults", fill);
}
