/* history_sqlite_records.c - the secret and the records of greylisting in weir.db. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history_sqlite.h"

/* Rows read at once: no transaction lasts as long as a whole scan. */
#define SCAN_ROWS 1000

static const char *const puts_of[] = {
	[RECORD_TRIPLET] = "INSERT OR REPLACE INTO triplet (key, rec) VALUES (?1, ?2)",
	[RECORD_IDENTITY] = "INSERT OR REPLACE INTO identity (key, rec) VALUES (?1, ?2)",
};

static const char *const gets_of[] = {
	[RECORD_TRIPLET] = "SELECT rec FROM triplet WHERE key = ?1",
	[RECORD_IDENTITY] = "SELECT rec FROM identity WHERE key = ?1",
};

static const char *const drops_of[] = {
	[RECORD_TRIPLET] = "DELETE FROM triplet WHERE key = ?1",
	[RECORD_IDENTITY] = "DELETE FROM identity WHERE key = ?1",
};

static const char *const scans_of[] = {
	[RECORD_TRIPLET] = "SELECT key, rec FROM triplet WHERE key > ?1 AND "
			   "length(key) = 16 ORDER BY key LIMIT ?2",
	[RECORD_IDENTITY] = "SELECT key, rec FROM identity WHERE key > ?1 AND "
			    "length(key) = 16 ORDER BY key LIMIT ?2",
};

/* ---- the secret */

bool
sqlite_secret(struct history *history, struct key_secret *secret_out, struct err *err)
{
	struct history_file *file = history_mail_file(history, err);
	sqlite3_stmt *stmt =
		file ? history_prepare(file,
	                               "SELECT value FROM meta WHERE name = 'secret'",
	                               err)
		     : NULL;
	if (!stmt)
		return false;
	int rc = sqlite3_step(stmt);
	bool good =
		rc == SQLITE_ROW && key_secret_parse(history_column(stmt, 0), secret_out);
	sqlite3_finalize(stmt);
	if (!good && (rc == SQLITE_ROW || rc == SQLITE_DONE))
		return err_set(err, "%s: the secret that is stored in it is damaged",
		               file->path);
	return good || history_file_failed(file, err);
}

static bool
write_secret(struct history_file *file, const struct key_secret *secret, struct err *err)
{
	char text[KEY_SECRET_TEXT_LEN + 1];
	sqlite3_stmt *stmt =
		history_prepare(file, "INSERT OR REPLACE INTO meta VALUES ('secret', ?1)",
	                        err);
	if (!stmt)
		return false;
	key_secret_print(secret, text);
	sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC);
	bool good = history_run(file, stmt, err);
	explicit_bzero(text, sizeof(text));
	return good;
}

bool
sqlite_set_secret(struct history *history, const struct key_secret *secret,
                  struct err *err)
{
	struct history_file *file = history_mail_file(history, err);
	int64_t rows;
	if (!file || !history_begin(file, err))
		return false;
	bool good = history_integer(file,
	                            "SELECT EXISTS (SELECT 1 FROM triplet) OR EXISTS "
	                            "(SELECT 1 FROM identity)",
	                            0, &rows, err);
	if (good && rows > 0)
		good = err_set(err, "%s holds records already", file->path);
	return history_end(file, good && write_secret(file, secret, err), err);
}

/* ---- single records */

static sqlite3_stmt *
prepare_of(struct history *history, const char *const texts[], enum history_record kind,
           const struct key *key, struct history_file **file_out, struct err *err)
{
	*file_out = history_mail_file(history, err);
	sqlite3_stmt *stmt =
		*file_out ? history_prepare(*file_out, texts[kind], err) : NULL;
	if (stmt)
		history_bind_key(stmt, 1, key);
	return stmt;
}

bool
sqlite_get_record(struct history *history, enum history_record kind,
                  const struct key *key, int64_t *packed_out, struct err *err)
{
	struct history_file *file;
	sqlite3_stmt *stmt = prepare_of(history, gets_of, kind, key, &file, err);
	if (!stmt)
		return false;
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*packed_out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || history_file_failed(file, err);
}

bool
sqlite_drop_record(struct history *history, enum history_record kind,
                   const struct key *key, bool *found_out, struct err *err)
{
	struct history_file *file;
	sqlite3_stmt *stmt = prepare_of(history, drops_of, kind, key, &file, err);
	if (!stmt || !history_run(file, stmt, err))
		return false;
	*found_out = sqlite3_changes(file->handle) > 0;
	return true;
}

/* ---- many of them */

static bool
get_rows(struct history_file *file, sqlite3_stmt *const stmts[], size_t n,
         struct history_row *rows, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *stmt = stmts[rows[i].kind];
		history_bind_key(stmt, 1, &rows[i].key);
		int rc = sqlite3_step(stmt);
		rows[i].packed = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
		sqlite3_reset(stmt);
		if (rc != SQLITE_ROW && rc != SQLITE_DONE)
			return history_file_failed(file, err);
	}
	return true;
}

bool
sqlite_get_records(struct history *history, size_t n, struct history_row *rows,
                   struct err *err)
{
	struct history_file *file = history_mail_file(history, err);
	sqlite3_stmt *stmts[2] = {NULL, NULL};
	bool good = file != NULL;
	for (int kind = 0; good && kind < 2; kind++)
		good = (stmts[kind] = history_prepare(file, gets_of[kind], err)) != NULL;
	good = good && get_rows(file, stmts, n, rows, err);
	for (int kind = 0; kind < 2; kind++)
		sqlite3_finalize(stmts[kind]);
	return good;
}

static bool
put_rows(struct history_file *file, sqlite3_stmt *const stmts[], size_t n,
         const struct history_row *rows, const int64_t *kept_s, struct err *err)
{
	bool good = true;
	for (size_t i = 0; good && i < n; i++) {
		sqlite3_stmt *stmt = stmts[rows[i].kind];
		if (kept_s[i] == 0)
			continue;
		history_bind_key(stmt, 1, &rows[i].key);
		sqlite3_bind_int64(stmt, 2, rows[i].packed);
		good = history_step(file, stmt, err);
	}
	return good;
}

bool
sqlite_put_records(struct history *history, size_t n, const struct history_row *rows,
                   const int64_t *kept_s, struct err *err)
{
	struct history_file *file = history_mail_file(history, err);
	sqlite3_stmt *stmts[2] = {NULL, NULL};
	if (!file || !history_begin(file, err))
		return false;
	bool good = true;
	for (int kind = 0; good && kind < 2; kind++)
		good = (stmts[kind] = history_prepare(file, puts_of[kind], err)) != NULL;
	good = good && put_rows(file, stmts, n, rows, kept_s, err);
	for (int kind = 0; kind < 2; kind++)
		sqlite3_finalize(stmts[kind]);
	return history_end(file, good, err);
}

struct scan {
	enum history_record kind;
	struct history_row rows[SCAN_ROWS]; /* the last one is where it goes on */
	size_t n;
	bool begun;
};

/* Reads the next rows, without what is no record. */
static bool
read_chunk(struct history_file *file, sqlite3_stmt *stmt, struct scan *scan,
           struct key *cursor, struct err *err)
{
	int rc;
	if (scan->begun)
		history_bind_key(stmt, 1, cursor);
	else
		sqlite3_bind_zeroblob(stmt, 1, 0);
	sqlite3_bind_int(stmt, 2, SCAN_ROWS);
	struct key last = *cursor;
	size_t seen = 0;
	scan->n = 0;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct history_row *row = &scan->rows[scan->n];
		memcpy(last.bytes, sqlite3_column_blob(stmt, 0), KEY_BYTES);
		*row = (struct history_row){scan->kind, last,
		                            sqlite3_column_int64(stmt, 1)};
		scan->n += history_is_record(scan->kind, row->packed);
		seen++;
	}
	sqlite3_reset(stmt);
	*cursor = last;
	scan->begun = seen == SCAN_ROWS;
	return rc == SQLITE_DONE || history_file_failed(file, err);
}

/* *wanted: cleared when no more is. */
static bool
scan_table(struct history_file *file, struct scan *scan, history_row_fn *fn, void *arg,
           bool *wanted, struct err *err)
{
	struct key cursor = {0};
	bool good;
	sqlite3_stmt *stmt = history_prepare(file, scans_of[scan->kind], err);
	if (!stmt)
		return false;
	scan->begun = false;
	do {
		good = read_chunk(file, stmt, scan, &cursor, err);
		for (size_t i = 0; good && *wanted && i < scan->n; i++)
			*wanted = fn(arg, &scan->rows[i]);
	} while (good && *wanted && scan->begun);
	sqlite3_finalize(stmt);
	return good;
}

bool
sqlite_scan(struct history *history, history_row_fn *fn, void *arg, struct err *err)
{
	struct history_file *file = history_mail_file(history, err);
	if (!file)
		return false;
	struct scan *scan = mem_new(struct scan);
	bool wanted = true;
	scan->kind = RECORD_TRIPLET;
	bool good = scan_table(file, scan, fn, arg, &wanted, err);
	scan->kind = RECORD_IDENTITY;
	if (good && wanted)
		good = scan_table(file, scan, fn, arg, &wanted, err);
	free(scan);
	return good;
}

bool
sqlite_estimate(struct history *history, int64_t *rows_out, struct err *err)
{
	struct history_file *file = history_mail_file(history, err);
	return file && history_integer(file,
	                               "SELECT (SELECT count(*) FROM triplet) + "
	                               "(SELECT count(*) FROM identity)",
	                               0, rows_out, err);
}
