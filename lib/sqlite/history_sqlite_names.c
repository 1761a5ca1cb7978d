/* history_sqlite_names.c - whose limits are, in ledger.db. */
#include "base/clock.h"
#include "history_sqlite.h"

#define CLEAR_EVERY_S 600

/* What has run out goes, now and then. */
static bool
clear(struct history_sqlite *history, struct history_file *file, struct err *err)
{
	int64_t now_s = clock_wall_s();
	if (now_s - history->cleared_s < CLEAR_EVERY_S)
		return true;
	history->cleared_s = now_s;
	sqlite3_stmt *stmt =
		history_prepare(file, "DELETE FROM name WHERE until <= ?1", err);
	if (!stmt)
		return false;
	sqlite3_bind_int64(stmt, 1, now_s);
	return history_run(file, stmt, err);
}

static bool
put_all(struct history_file *file, size_t n, const struct history_name *names,
        int64_t until_s, struct err *err)
{
	sqlite3_stmt *stmt =
		history_prepare(file, "INSERT OR REPLACE INTO name VALUES (?1, ?2, ?3)",
	                        err);
	bool good = stmt != NULL;
	for (size_t i = 0; good && i < n; i++) {
		history_bind_key(stmt, 1, &names[i].key);
		sqlite3_bind_int64(stmt, 2, until_s);
		history_bind_slice(stmt, 3, slice_of(names[i].text));
		good = history_step(file, stmt, err);
	}
	sqlite3_finalize(stmt);
	return good;
}

bool
sqlite_put_names(struct history *base, size_t n, const struct history_name *names,
                 int64_t until_s, struct err *err)
{
	struct history_file *file = history_aside_file(base, err);
	if (!file || !clear((struct history_sqlite *)base, file, err) ||
	    !history_begin(file, err))
		return false;
	return history_end(file, put_all(file, n, names, until_s, err), err);
}

bool
sqlite_get_name(struct history *base, const struct key *key, int64_t now_s,
                struct text *name_out, struct err *err)
{
	struct history_file *file = history_aside_file(base, err);
	sqlite3_stmt *stmt =
		file ? history_prepare(
			       file,
			       "SELECT name FROM name WHERE key = ?1 AND until > ?2", err)
		     : NULL;
	if (!stmt)
		return false;
	sqlite3_bind_blob(stmt, 1, key->bytes, KEY_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, now_s);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		text_put(name_out, history_column(stmt, 0));
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || history_file_failed(file, err);
}
