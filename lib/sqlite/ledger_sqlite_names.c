/* ledger_sqlite_names.c - whose limits are, in ledger.db. */
#include "base/clock.h"
#include "ledger_sqlite.h"

#define CLEAR_EVERY_S 600

/* What has run out goes, now and then. */
static bool
clear(struct ledger_sqlite *ledger, struct ledger_file *file, struct err *err)
{
	int64_t now_s = clock_wall_s();
	if (now_s - ledger->cleared_s < CLEAR_EVERY_S)
		return true;
	ledger->cleared_s = now_s;
	sqlite3_stmt *stmt =
		ledger_prepare(file, "DELETE FROM name WHERE until <= ?1", err);
	if (!stmt)
		return false;
	sqlite3_bind_int64(stmt, 1, now_s);
	return ledger_run(file, stmt, err);
}

static bool
put_all(struct ledger_file *file, size_t n, const struct ledger_name *names,
        int64_t until_s, struct err *err)
{
	sqlite3_stmt *stmt =
		ledger_prepare(file, "INSERT OR REPLACE INTO name VALUES (?1, ?2, ?3)",
	                       err);
	bool good = stmt != NULL;
	for (size_t i = 0; good && i < n; i++) {
		ledger_bind_key(stmt, 1, &names[i].key);
		sqlite3_bind_int64(stmt, 2, until_s);
		ledger_bind_slice(stmt, 3, slice_of(names[i].text));
		good = ledger_step(file, stmt, err);
	}
	sqlite3_finalize(stmt);
	return good;
}

bool
sqlite_put_names(struct ledger *base, size_t n, const struct ledger_name *names,
                 int64_t until_s, struct err *err)
{
	struct ledger_file *file = ledger_aside_file(base, err);
	if (!file || !clear((struct ledger_sqlite *)base, file, err) ||
	    !ledger_begin(file, err))
		return false;
	return ledger_end(file, put_all(file, n, names, until_s, err), err);
}

bool
sqlite_get_name(struct ledger *base, const struct key *key, int64_t now_s,
                struct text *name_out, struct err *err)
{
	struct ledger_file *file = ledger_aside_file(base, err);
	sqlite3_stmt *stmt =
		file ? ledger_prepare(
			       file,
			       "SELECT name FROM name WHERE key = ?1 AND until > ?2", err)
		     : NULL;
	if (!stmt)
		return false;
	sqlite3_bind_blob(stmt, 1, key->bytes, KEY_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, now_s);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		text_put(name_out, ledger_column(stmt, 0));
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || ledger_file_failed(file, err);
}
