/* ledger_sqlite_boards.c - boards and the funnel of greylisting in ledger.db. */
#include "ledger_sqlite.h"

static sqlite3_stmt *
prepare_named(struct ledger_file *file, const char *sql, enum ledger_board board,
              struct slice name, struct err *err)
{
	sqlite3_stmt *stmt = ledger_prepare(file, sql, err);
	if (!stmt)
		return NULL;
	sqlite3_bind_int(stmt, 1, (int)board);
	ledger_bind_slice(stmt, 2, name);
	return stmt;
}

bool
sqlite_put(struct ledger *ledger, enum ledger_board board, struct slice name,
           struct slice text, int64_t until_s, struct err *err)
{
	struct ledger_file *file = ledger_aside_file(ledger, err);
	sqlite3_stmt *stmt =
		file ? prepare_named(
			       file,
			       "INSERT OR REPLACE INTO board VALUES (?1, ?2, ?3, ?4)",
			       board, name, err)
		     : NULL;
	if (!stmt)
		return false;
	sqlite3_bind_int64(stmt, 3, until_s);
	ledger_bind_slice(stmt, 4, text);
	return ledger_run(file, stmt, err);
}

bool
sqlite_drop(struct ledger *ledger, enum ledger_board board, struct slice name,
            bool *found_out, struct err *err)
{
	struct ledger_file *file = ledger_aside_file(ledger, err);
	sqlite3_stmt *stmt =
		file ? prepare_named(file,
	                             "DELETE FROM board WHERE board = ?1 AND name = ?2",
	                             board, name, err)
		     : NULL;
	if (!stmt || !ledger_run(file, stmt, err))
		return false;
	*found_out = sqlite3_changes(file->handle) > 0;
	return true;
}

/* A board that can be read is told also when nothing can be taken down from it. */
static void
take_down(struct ledger_file *file, enum ledger_board board, int64_t ended_s)
{
	struct err err;
	sqlite3_stmt *stmt =
		ledger_prepare(file, "DELETE FROM board WHERE board = ?1 AND until <= ?2",
	                       &err);
	if (!stmt)
		return;
	sqlite3_bind_int(stmt, 1, (int)board);
	sqlite3_bind_int64(stmt, 2, ended_s);
	sqlite3_step(stmt);
	sqlite3_finalize(stmt);
}

bool
sqlite_read(struct ledger *ledger, enum ledger_board board, int64_t now_s,
            ledger_text_fn *fn, void *arg, struct err *err)
{
	struct ledger_file *file = ledger_aside_file(ledger, err);
	sqlite3_stmt *stmt = file ? ledger_prepare(file,
	                                           "SELECT name, text, until FROM board "
	                                           "WHERE board = ?1 ORDER BY name",
	                                           err)
	                          : NULL;
	int64_t ended_s = now_s - LEDGER_LINGER_S;
	bool has_ended = false;
	int rc;
	if (!stmt)
		return false;
	sqlite3_bind_int(stmt, 1, (int)board);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t until_s = sqlite3_column_int64(stmt, 2);
		if (until_s > now_s)
			fn(arg, ledger_column(stmt, 0), ledger_column(stmt, 1), until_s);
		has_ended = has_ended || until_s <= ended_s;
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_DONE)
		return ledger_file_failed(file, err);
	if (has_ended)
		take_down(file, board, ended_s);
	return true;
}

static bool
add_hours(struct ledger_file *file, size_t n, const struct funnel_hour *hours,
          struct err *err)
{
	sqlite3_stmt *stmt = ledger_prepare(
		file,
		"INSERT INTO funnel VALUES (?1, ?2, ?3) ON CONFLICT (hour) DO UPDATE SET "
		"fresh = fresh + excluded.fresh, back = back + excluded.back",
		err);
	bool good = stmt != NULL;
	for (size_t i = 0; good && i < n; i++) {
		sqlite3_bind_int64(stmt, 1, hours[i].hour);
		sqlite3_bind_int64(stmt, 2, hours[i].fresh);
		sqlite3_bind_int64(stmt, 3, hours[i].back);
		good = ledger_step(file, stmt, err);
	}
	sqlite3_finalize(stmt);
	return good;
}

static bool
drop_hours(struct ledger_file *file, int64_t oldest_hour, struct err *err)
{
	sqlite3_stmt *stmt =
		ledger_prepare(file, "DELETE FROM funnel WHERE hour < ?1", err);
	if (!stmt)
		return false;
	sqlite3_bind_int64(stmt, 1, oldest_hour);
	return ledger_run(file, stmt, err);
}

bool
sqlite_add_funnel(struct ledger *ledger, size_t n, const struct funnel_hour *hours,
                  int64_t kept_hours, struct err *err)
{
	struct ledger_file *file = ledger_aside_file(ledger, err);
	if (!file || !ledger_begin(file, err))
		return false;
	bool good = add_hours(file, n, hours, err) &&
	            drop_hours(file, ledger_oldest_hour(n, hours, kept_hours), err);
	return ledger_end(file, good, err);
}

bool
sqlite_read_funnel(struct ledger *ledger, ledger_funnel_fn *fn, void *arg,
                   struct err *err)
{
	struct ledger_file *file = ledger_aside_file(ledger, err);
	sqlite3_stmt *stmt = file ? ledger_prepare(file,
	                                           "SELECT hour, fresh, back FROM funnel "
	                                           "ORDER BY hour",
	                                           err)
	                          : NULL;
	int rc;
	if (!stmt)
		return false;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct funnel_hour hour = {.hour = sqlite3_column_int64(stmt, 0),
		                           .fresh = sqlite3_column_int64(stmt, 1),
		                           .back = sqlite3_column_int64(stmt, 2)};
		ledger_hand_hour(fn, arg, &hour);
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE || ledger_file_failed(file, err);
}
