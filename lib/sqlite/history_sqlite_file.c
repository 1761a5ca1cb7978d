/* history_sqlite_file.c - the files of an embedded history: statements, and opening them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "history_sqlite.h"
#include "sqlite_db.h"

#define MAIL_ID       0x77656972 /* "weir", as in sqlite_db.c */
#define ASIDE_ID      0x7765696c /* "weil" */
#define SCHEMA        1
#define BUSY_STEP_US  1000
#define PAGE_BYTES    8192
#define ASIDE_WAL     4096  /* pages: so that the disk is seldom waited for */
#define MAIL_WAL      65536 /* pages of 1 KiB: the daemons move their log themselves */
#define QUOTA_BYTES   (INT64_C(64) << 20)
#define DECISION_KEPT 1024 /* bytes for each in the quota */

/* ---- statements, and what SQLite says against them ---- */

void
history_file_close(struct history_file *file)
{
	sqlite3_close_v2(file->handle); /* a statement may still be on its way */
	file->handle = NULL;
}

static bool
say_damaged(struct history_file *file, int rc, struct err *err)
{
	history_file_close(file);
	err_set(err, "%s is %s: %s", file->path,
	        rc == SQLITE_NOTADB ? "not an SQLite file, or damaged" : "damaged",
	        file->advice);
	err->unusable = true;
	return false;
}

/* Rights are looked at anew, since SQLite does not tell which of its files it was. */
static bool
say_refused(struct history_file *file, int rc, struct err *err)
{
	if (!sqlite_place_lacks_rights(file->path, err))
		err_set(err, "%s: %s", file->path, sqlite3_errstr(rc));
	return false;
}

/* The next call opens it anew. */
static bool
say_broken(struct history_file *file, struct err *err)
{
	int error = sqlite3_system_errno(file->handle);
	err_set(err, "%s: %s%s%s", file->path, sqlite3_errmsg(file->handle),
	        error ? ": " : "", error ? strerror(error) : "");
	history_file_close(file);
	return false;
}

bool
history_file_failed(struct history_file *file, struct err *err)
{
	int rc = file->handle ? sqlite3_errcode(file->handle) : SQLITE_NOMEM;
	switch (rc) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return say_damaged(file, rc, err);
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN: return say_refused(file, rc, err);
	case SQLITE_IOERR: return say_broken(file, err);
	case SQLITE_FULL:
		return err_set(err,
		               "%s: no room: the disk is full, or the file has "
		               "reached its quota",
		               file->path);
	case SQLITE_BUSY:
		return err_set(err, "%s: another process has kept it locked for %lld ms",
		               file->path, (long long)file->patience_ms);
	default:
		return err_set(err, "%s: %s", file->path,
		               file->handle ? sqlite3_errmsg(file->handle)
		                            : "out of memory");
	}
}

sqlite3_stmt *
history_prepare(struct history_file *file, const char *sql, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	if (sqlite3_prepare_v2(file->handle, sql, -1, &stmt, NULL) == SQLITE_OK)
		return stmt;
	history_file_failed(file, err);
	return NULL;
}

bool
history_step(struct history_file *file, sqlite3_stmt *stmt, struct err *err)
{
	int rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE || rc == SQLITE_ROW || history_file_failed(file, err);
}

bool
history_run(struct history_file *file, sqlite3_stmt *stmt, struct err *err)
{
	bool good = history_step(file, stmt, err);
	sqlite3_finalize(stmt);
	return good;
}

bool
history_exec(struct history_file *file, const char *sql, struct err *err)
{
	return sqlite3_exec(file->handle, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       history_file_failed(file, err);
}

bool
history_integer(struct history_file *file, const char *sql, int64_t none,
                int64_t *value_out, struct err *err)
{
	sqlite3_stmt *stmt = history_prepare(file, sql, err);
	if (!stmt)
		return false;
	int rc = sqlite3_step(stmt);
	bool found = rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL;
	*value_out = found ? sqlite3_column_int64(stmt, 0) : none;
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || history_file_failed(file, err);
}

bool
history_begin(struct history_file *file, struct err *err)
{
	return history_exec(file, "BEGIN IMMEDIATE", err);
}

bool
history_end(struct history_file *file, bool good, struct err *err)
{
	if (good && history_exec(file, "COMMIT", err))
		return true;
	if (file->handle)
		sqlite3_exec(file->handle, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

void
history_bind_key(sqlite3_stmt *stmt, int at, const struct key *key)
{
	sqlite3_bind_blob(stmt, at, key->bytes, KEY_BYTES, SQLITE_STATIC);
}

void
history_bind_slice(sqlite3_stmt *stmt, int at, struct slice value)
{
	/* No address would be NULL, not an empty blob. */
	sqlite3_bind_blob64(stmt, at, value.n ? value.p : "", value.n, SQLITE_STATIC);
}

struct slice
history_column(sqlite3_stmt *stmt, int at)
{
	const char *bytes = sqlite3_column_blob(stmt, at);
	return (struct slice){.p = bytes ? bytes : "",
	                      .n = (size_t)sqlite3_column_bytes(stmt, at)};
}

/* ---- opening them ---- */

static int
on_busy(void *arg, int times)
{
	struct history_file *file = arg;
	int64_t now_ms = clock_mono_ms();
	if (times == 0)
		file->busy_since_ms = now_ms;
	if (now_ms - file->busy_since_ms >= file->patience_ms)
		return 0;
	usleep(BUSY_STEP_US);
	return 1;
}

/* An empty file is ours to fill; anything else must carry our mark. */
static bool
check_kind(struct history_file *file, int64_t our_id, bool *fresh_out, struct err *err)
{
	int64_t tables = 0, id = 0, version = 0;
	/* In one transaction, since another process may just be making the tables. */
	if (!history_exec(file, "BEGIN", err))
		return false;
	bool read = history_integer(file, "SELECT count(*) FROM sqlite_schema", 0,
	                            &tables, err) &&
	            history_integer(file, "PRAGMA application_id", 0, &id, err) &&
	            history_integer(file, "PRAGMA user_version", 0, &version, err);
	if (!read)
		return false;
	sqlite3_exec(file->handle, "COMMIT", NULL, NULL, NULL);
	*fresh_out = tables == 0 && id == 0 && version == 0;
	if (!*fresh_out && id != our_id) {
		err_set(err, "%s is the database of another program: leaving it alone",
		        file->path);
		err->unusable = true;
	} else if (!*fresh_out && version != SCHEMA) {
		err_set(err,
		        "%s was made by another version of weir (schema %lld, "
		        "this one knows %d)",
		        file->path, (long long)version, SCHEMA);
		err->other_version = true;
	} else {
		return true;
	}
	return false;
}

/* Opens the file that is there, and looks whether it is ours. */
static bool
open_file(struct history_file *file, int64_t our_id, bool *fresh_out, struct err *err)
{
	struct stat st;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	if (!sqlite_place_is_no_link(file->path, err))
		return false;
	if (stat(file->path, &st) != 0) {
		int saved = errno;
		if (sqlite_place_lacks_rights(file->path, err))
			return false;
		errno = saved;
		return err_set_errno(err, "%s", file->path);
	}
	if (sqlite3_open_v2(file->path, &file->handle, flags, NULL) != SQLITE_OK)
		return history_file_failed(file, err);
	/* Until it is known to be ours: closing it must not touch what a crash left beside it. */
	sqlite3_db_config(file->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_extended_result_codes(file->handle, 0);
	sqlite3_busy_handler(file->handle, on_busy, file);
	if (!check_kind(file, our_id, fresh_out, err))
		return false;
	sqlite_place_note(file->path, &file->place);
	sqlite3_db_config(file->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return history_exec(file,
	                    "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
	                    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
	                    "PRAGMA journal_size_limit = 67108864;",
	                    err);
}

/* A file that was deleted or replaced is no longer the one that others use. */
static bool
is_as_it_was(const struct history_file *file)
{
	return file->handle && sqlite_place_holds(file->path, &file->place);
}

static void
leave(struct history_file *file)
{
	if (file->handle)
		sqlite_place_leave(file->path, &file->place);
	history_file_close(file);
}

/* ---- ledger.db ---- */

static bool
make_tables(struct history_file *file, struct err *err)
{
	char sql[1024];
	snprintf(sql, sizeof(sql),
	         "PRAGMA page_size = %d; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE;"
	         "CREATE TABLE IF NOT EXISTS decision (n INTEGER PRIMARY KEY, "
	         "at INTEGER NOT NULL, lines BLOB NOT NULL);"
	         "CREATE TABLE IF NOT EXISTS board (board INTEGER NOT NULL, "
	         "name BLOB NOT NULL, until INTEGER NOT NULL, text BLOB NOT NULL, "
	         "PRIMARY KEY (board, name));"
	         "CREATE TABLE IF NOT EXISTS name (key BLOB PRIMARY KEY, "
	         "until INTEGER NOT NULL, name BLOB NOT NULL) WITHOUT ROWID;"
	         "CREATE TABLE IF NOT EXISTS funnel (hour INTEGER PRIMARY KEY, "
	         "fresh INTEGER NOT NULL, back INTEGER NOT NULL);"
	         "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
	         PAGE_BYTES, ASIDE_ID, SCHEMA);
	return history_exec(file, sql, err);
}

/* Two that begin at once may refuse each other, whatever their patience: then one goes first. */
static bool
make_tables_in_time(struct history_file *file, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + file->patience_ms;
	while (!make_tables(file, err)) {
		bool busy = file->handle && sqlite3_errcode(file->handle) == SQLITE_BUSY;
		if (!busy || clock_mono_ms() >= until_ms)
			return false;
		sqlite3_exec(file->handle, "ROLLBACK", NULL, NULL, NULL);
		usleep(BUSY_STEP_US);
	}
	return true;
}

static bool
open_aside(struct history_sqlite *history, struct err *err)
{
	struct history_file *file = &history->aside;
	bool fresh = false;
	history->keep = -1;
	if (!sqlite_place_make(history->dir, file->path, err) ||
	    !open_file(file, ASIDE_ID, &fresh, err) ||
	    (fresh && !make_tables_in_time(file, err)))
		return false;
	sqlite3_wal_autocheckpoint(file->handle, ASIDE_WAL);
	return true;
}

bool
history_set_quota(struct history_sqlite *history, int64_t keep, struct err *err)
{
	char sql[128];
	int64_t bytes = QUOTA_BYTES + keep * DECISION_KEPT;
	if (keep == history->keep)
		return true;
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld",
	         (long long)(bytes / PAGE_BYTES));
	if (!history_exec(&history->aside, sql, err))
		return false;
	history->keep = keep;
	return true;
}

struct history_file *
history_aside_file(struct history *base, struct err *err)
{
	struct history_sqlite *history = (struct history_sqlite *)base;
	if (is_as_it_was(&history->aside))
		return &history->aside;
	leave(&history->aside);
	if (open_aside(history, err))
		return &history->aside;
	history_file_close(&history->aside);
	return NULL;
}

/* ---- weir.db ---- */

/* As a daemon does it that starts first; another may be doing so just now. */
static bool
make_mail(struct history_sqlite *history, struct err *err)
{
	struct sqlite_db *db;
	int64_t until_ms = clock_mono_ms() + history->base.patience_ms;
	enum db_opened opened;
	if (!sqlite_place_make(history->dir, history->mail.path, err))
		return false;
	while ((opened = db_open(history->dir, history->max_size, "", &db, err)) ==
	               DB_LATER &&
	       clock_mono_ms() < until_ms)
		usleep(BUSY_STEP_US);
	if (opened != DB_OPENED)
		return false;
	db_close(&db);
	return true;
}

/* Not while it is being made, nor when it was before there were limits: db_open() mends that. */
static bool
open_complete(struct history_file *file, bool *complete_out, struct err *err)
{
	int64_t note, secret = 0;
	bool fresh = false;
	if (!open_file(file, MAIL_ID, &fresh, err) ||
	    !history_integer(file,
	                     "SELECT count(*) FROM sqlite_schema WHERE name = 'note'", 0,
	                     &note, err))
		return false;
	if (note > 0 &&
	    !history_integer(file, "SELECT count(*) FROM meta WHERE name = 'secret'", 0,
	                     &secret, err))
		return false;
	*complete_out = !fresh && secret > 0;
	return true;
}

static bool
open_mail(struct history_sqlite *history, struct err *err)
{
	struct history_file *file = &history->mail;
	bool complete = false;
	if (access(file->path, F_OK) != 0 && errno == ENOENT && !make_mail(history, err))
		return false;
	if (!open_complete(file, &complete, err))
		return false;
	if (!complete) {
		history_file_close(file);
		if (!make_mail(history, err) || !open_complete(file, &complete, err))
			return false;
	}
	sqlite3_wal_autocheckpoint(file->handle, MAIL_WAL);
	int64_t page_size;
	char sql[128];
	if (!history_integer(file, "PRAGMA page_size", 0, &page_size, err))
		return false;
	if (history->max_size <= 0 || page_size <= 0)
		return true;
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld",
	         (long long)(history->max_size / page_size));
	return history_exec(file, sql, err);
}

struct history_file *
history_mail_file(struct history *base, struct err *err)
{
	struct history_sqlite *history = (struct history_sqlite *)base;
	if (is_as_it_was(&history->mail))
		return &history->mail;
	leave(&history->mail);
	if (open_mail(history, err))
		return &history->mail;
	history_file_close(&history->mail);
	return NULL;
}
