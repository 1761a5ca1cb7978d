/*
 * history_sqlite_decisions.c - decisions in ledger.db: one row for each call that adds some.
 *
 * A row's number counts the decisions up to its last line, so that what is beyond `keep` is told
 * by the number alone.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "history_sqlite.h"

#define PIECE_BYTES HISTORY_BYTES_MAX

/* Those that are too many, and the oldest up to the first that is young enough. */
static bool
trim(struct history_file *file, int64_t last, int64_t keep, int64_t lifetime_s,
     struct err *err)
{
	sqlite3_stmt *stmt = history_prepare(
		file,
		"DELETE FROM decision WHERE n <= max(?1, coalesce("
		"(SELECT n FROM decision WHERE at >= ?2 ORDER BY n LIMIT 1) - 1, ?3))",
		err);
	if (!stmt)
		return false;
	sqlite3_bind_int64(stmt, 1, last - keep);
	sqlite3_bind_int64(stmt, 2, clock_wall_s() - lifetime_s);
	sqlite3_bind_int64(stmt, 3, INT64_MAX);
	return history_run(file, stmt, err);
}

static bool
append(struct history_file *file, int64_t last, struct slice lines, struct err *err)
{
	sqlite3_stmt *stmt =
		history_prepare(file, "INSERT INTO decision VALUES (?1, ?2, ?3)", err);
	if (!stmt)
		return false;
	sqlite3_bind_int64(stmt, 1, last);
	sqlite3_bind_int64(stmt, 2, clock_wall_s());
	history_bind_slice(stmt, 3, lines);
	return history_run(file, stmt, err);
}

bool
sqlite_add_decisions(struct history *history, size_t n, struct slice lines, int64_t keep,
                     int64_t lifetime_s, struct err *err)
{
	struct history_file *file = history_aside_file(history, err);
	int64_t last;
	if (!file || !history_set_quota((struct history_sqlite *)history, keep, err) ||
	    !history_begin(file, err))
		return false;
	bool good = history_integer(file, "SELECT max(n) FROM decision", 0, &last, err) &&
	            trim(file, last + (int64_t)n, keep, lifetime_s, err) &&
	            (n == 0 || keep == 0 || append(file, last + (int64_t)n, lines, err));
	return history_end(file, good, err);
}

/* Fills the buffer from its end with rows older than *before; *before: the oldest it took. */
static bool
read_piece(struct history_file *file, sqlite3_stmt *stmt, char *buf, int64_t *before,
           struct slice *piece_out, struct err *err)
{
	size_t at = PIECE_BYTES;
	int rc;
	sqlite3_bind_int64(stmt, 1, *before);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct slice lines = history_column(stmt, 1);
		if (lines.n > at && at < PIECE_BYTES)
			break;
		*before = sqlite3_column_int64(stmt, 0);
		if (lines.n > at)
			continue; /* none of ours is so long */
		at -= lines.n;
		memcpy(buf + at, lines.p, lines.n);
	}
	sqlite3_reset(stmt);
	*piece_out = (struct slice){.p = buf + at, .n = PIECE_BYTES - at};
	return rc == SQLITE_ROW || rc == SQLITE_DONE || history_file_failed(file, err);
}

bool
sqlite_read_decisions(struct history *history, history_lines_fn *fn, void *arg,
                      struct err *err)
{
	struct history_file *file = history_aside_file(history, err);
	sqlite3_stmt *stmt = file ? history_prepare(file,
	                                            "SELECT n, lines FROM decision WHERE "
	                                            "n < ?1 ORDER BY n DESC",
	                                            err)
	                          : NULL;
	if (!stmt)
		return false;
	char *buf = mem_alloc(PIECE_BYTES);
	int64_t before = INT64_MAX;
	struct slice piece;
	bool good;
	do
		good = read_piece(file, stmt, buf, &before, &piece, err);
	while (good && piece.n > 0 && fn(arg, piece));
	free(buf);
	sqlite3_finalize(stmt);
	return good;
}
