/* ledger_sqlite_sql.c - statements of an embedded ledger, and what SQLite says against them. */
#include "ledger_sqlite.h"

#include <string.h>

static bool
say_damaged(struct ledger_file *file, int rc, struct err *err)
{
	ledger_file_close(file);
	err_set(err, "%s is %s: %s", file->path,
	        rc == SQLITE_NOTADB ? "not an SQLite file, or damaged" : "damaged",
	        file->advice);
	err->unusable = true;
	return false;
}

/* Rights are looked at anew, since SQLite does not tell which of its files it was. */
static bool
say_refused(struct ledger_file *file, int rc, struct err *err)
{
	if (!ledger_say_rights(file->path, err))
		err_set(err, "%s: %s", file->path, sqlite3_errstr(rc));
	return false;
}

/* The next call opens it anew. */
static bool
say_broken(struct ledger_file *file, struct err *err)
{
	int error = sqlite3_system_errno(file->handle);
	err_set(err, "%s: %s%s%s", file->path, sqlite3_errmsg(file->handle),
	        error ? ": " : "", error ? strerror(error) : "");
	ledger_file_close(file);
	return false;
}

bool
ledger_file_failed(struct ledger_file *file, struct err *err)
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
ledger_prepare(struct ledger_file *file, const char *sql, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	if (sqlite3_prepare_v2(file->handle, sql, -1, &stmt, NULL) == SQLITE_OK)
		return stmt;
	ledger_file_failed(file, err);
	return NULL;
}

bool
ledger_step(struct ledger_file *file, sqlite3_stmt *stmt, struct err *err)
{
	int rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE || rc == SQLITE_ROW || ledger_file_failed(file, err);
}

bool
ledger_run(struct ledger_file *file, sqlite3_stmt *stmt, struct err *err)
{
	bool good = ledger_step(file, stmt, err);
	sqlite3_finalize(stmt);
	return good;
}

bool
ledger_exec(struct ledger_file *file, const char *sql, struct err *err)
{
	return sqlite3_exec(file->handle, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       ledger_file_failed(file, err);
}

bool
ledger_integer(struct ledger_file *file, const char *sql, int64_t none,
               int64_t *value_out, struct err *err)
{
	sqlite3_stmt *stmt = ledger_prepare(file, sql, err);
	if (!stmt)
		return false;
	int rc = sqlite3_step(stmt);
	bool found = rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL;
	*value_out = found ? sqlite3_column_int64(stmt, 0) : none;
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || ledger_file_failed(file, err);
}

bool
ledger_begin(struct ledger_file *file, struct err *err)
{
	return ledger_exec(file, "BEGIN IMMEDIATE", err);
}

bool
ledger_end(struct ledger_file *file, bool good, struct err *err)
{
	if (good && ledger_exec(file, "COMMIT", err))
		return true;
	if (file->handle)
		sqlite3_exec(file->handle, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

void
ledger_bind_key(sqlite3_stmt *stmt, int at, const struct key *key)
{
	sqlite3_bind_blob(stmt, at, key->bytes, KEY_BYTES, SQLITE_STATIC);
}

void
ledger_bind_slice(sqlite3_stmt *stmt, int at, struct slice value)
{
	/* No address would be NULL, not an empty blob. */
	sqlite3_bind_blob64(stmt, at, value.n ? value.p : "", value.n, SQLITE_STATIC);
}

struct slice
ledger_column(sqlite3_stmt *stmt, int at)
{
	const char *bytes = sqlite3_column_blob(stmt, at);
	return (struct slice){.p = bytes ? bytes : "",
	                      .n = (size_t)sqlite3_column_bytes(stmt, at)};
}
