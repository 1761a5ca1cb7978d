/* history_sqlite_sql.c - statements of an embedded history, and what SQLite says against them. */
#include "history_sqlite.h"

#include <string.h>

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
	if (!history_say_rights(file->path, err))
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
