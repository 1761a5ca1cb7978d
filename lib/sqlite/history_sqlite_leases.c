/* history_sqlite_leases.c - leases and rates in weir.db; names of limits in ledger.db. */
#include <string.h>

#include "base/clock.h"
#include "history_sqlite.h"
#include "sqlite_db.h"

/* Their times count from the boot; another boot's mean nothing. */
static bool
are_of_this_boot(struct history_file *file, bool *are_out, struct err *err)
{
	char boot[DB_BOOT_BYTES];
	sqlite3_stmt *stmt =
		history_prepare(file, "SELECT value FROM meta WHERE name = 'boot'", err);
	if (!stmt)
		return false;
	db_read_boot(boot);
	int rc = sqlite3_step(stmt);
	*are_out = !*boot || (rc == SQLITE_ROW &&
	                      slice_eq(history_column(stmt, 0), slice_of(boot)));
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || history_file_failed(file, err);
}

static bool
hand_leases(struct history_file *file, history_lease_fn *fn, void *arg, struct err *err)
{
	int rc;
	sqlite3_stmt *stmt =
		history_prepare(file, "SELECT key, holder, expires FROM lease", err);
	if (!stmt)
		return false;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct slice bytes = history_column(stmt, 0);
		struct key key;
		if (bytes.n != KEY_BYTES)
			continue;
		memcpy(key.bytes, bytes.p, KEY_BYTES);
		history_hand_lease(fn, arg, &key, history_column(stmt, 1),
		                   sqlite3_column_int64(stmt, 2) - clock_boot_ms());
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE || history_file_failed(file, err);
}

bool
sqlite_read_leases(struct history *history, history_lease_fn *fn, void *arg,
                   struct err *err)
{
	struct history_file *file = history_mail_file(history, err);
	bool ours;
	if (!file || !are_of_this_boot(file, &ours, err))
		return false;
	return !ours || hand_leases(file, fn, arg, err);
}

bool
sqlite_kill_leases(struct history *history, struct slice holder, int64_t *killed_out,
                   struct err *err)
{
	struct history_file *file = history_mail_file(history, err);
	sqlite3_stmt *stmt =
		file ? history_prepare(file,
	                               "DELETE FROM lease WHERE holder = ?1 AND "
	                               "expires > ?2",
	                               err)
		     : NULL;
	if (!stmt)
		return false;
	sqlite3_bind_int64(stmt, 2, clock_boot_ms());
	sqlite3_bind_text(stmt, 1, holder.p, (int)holder.n, SQLITE_STATIC);
	if (!history_run(file, stmt, err))
		return false;
	*killed_out = sqlite3_changes(file->handle);
	return true;
}

bool
sqlite_get_rate(struct history *history, const struct key *key, int64_t *tat_us_out,
                struct err *err)
{
	struct history_file *file = history_mail_file(history, err);
	sqlite3_stmt *stmt =
		file ? history_prepare(file, "SELECT tat FROM rate WHERE key = ?1", err)
		     : NULL;
	if (!stmt)
		return false;
	history_bind_key(stmt, 1, key);
	int rc = sqlite3_step(stmt);
	int64_t tat_us = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	*tat_us_out = tat_us < 0 || tat_us > HISTORY_TAT_MAX_US ? 0 : tat_us;
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || history_file_failed(file, err);
}

/* ---- whose limits are ---- */

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
