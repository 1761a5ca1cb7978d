/* history_sqlite_registries.c - registries and the funnel of greylisting in ledger.db. */
#include "history_sqlite.h"

static sqlite3_stmt *
prepare_named(struct history_file *file, const char *sql, enum history_registry registry,
              struct slice name, struct err *err)
{
	sqlite3_stmt *stmt = history_prepare(file, sql, err);
	if (!stmt)
		return NULL;
	sqlite3_bind_int(stmt, 1, (int)registry);
	history_bind_slice(stmt, 2, name);
	return stmt;
}

bool
sqlite_put(struct history *history, enum history_registry registry, struct slice name,
           struct slice text, int64_t until_s, struct err *err)
{
	struct history_file *file = history_aside_file(history, err);
	sqlite3_stmt *stmt =
		file ? prepare_named(
			       file,
			       "INSERT OR REPLACE INTO board VALUES (?1, ?2, ?3, ?4)",
			       registry, name, err)
		     : NULL;
	if (!stmt)
		return false;
	sqlite3_bind_int64(stmt, 3, until_s);
	history_bind_slice(stmt, 4, text);
	return history_run(file, stmt, err);
}

bool
sqlite_drop(struct history *history, enum history_registry registry, struct slice name,
            bool *found_out, struct err *err)
{
	struct history_file *file = history_aside_file(history, err);
	sqlite3_stmt *stmt =
		file ? prepare_named(file,
	                             "DELETE FROM board WHERE board = ?1 AND name = ?2",
	                             registry, name, err)
		     : NULL;
	if (!stmt || !history_run(file, stmt, err))
		return false;
	*found_out = sqlite3_changes(file->handle) > 0;
	return true;
}

/* A registry that can be read is told also when nothing can be taken down from it. */
static void
take_down(struct history_file *file, enum history_registry registry, int64_t ended_s)
{
	struct err err;
	sqlite3_stmt *stmt =
		history_prepare(file,
	                        "DELETE FROM board WHERE board = ?1 AND until <= ?2",
	                        &err);
	if (!stmt)
		return;
	sqlite3_bind_int(stmt, 1, (int)registry);
	sqlite3_bind_int64(stmt, 2, ended_s);
	sqlite3_step(stmt);
	sqlite3_finalize(stmt);
}

bool
sqlite_read(struct history *history, enum history_registry registry, int64_t now_s,
            history_text_fn *fn, void *arg, struct err *err)
{
	struct history_file *file = history_aside_file(history, err);
	sqlite3_stmt *stmt = file ? history_prepare(file,
	                                            "SELECT name, text, until FROM board "
	                                            "WHERE board = ?1 ORDER BY name",
	                                            err)
	                          : NULL;
	int64_t ended_s = now_s - HISTORY_LINGER_S;
	bool has_ended = false;
	int rc;
	if (!stmt)
		return false;
	sqlite3_bind_int(stmt, 1, (int)registry);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t until_s = sqlite3_column_int64(stmt, 2);
		if (until_s > now_s)
			fn(arg, history_column(stmt, 0), history_column(stmt, 1),
			   until_s);
		has_ended = has_ended || until_s <= ended_s;
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_DONE)
		return history_file_failed(file, err);
	if (has_ended)
		take_down(file, registry, ended_s);
	return true;
}

static bool
add_hours(struct history_file *file, size_t n, const struct funnel_hour *hours,
          struct err *err)
{
	sqlite3_stmt *stmt = history_prepare(
		file,
		"INSERT INTO funnel VALUES (?1, ?2, ?3) ON CONFLICT (hour) DO UPDATE SET "
		"fresh = fresh + excluded.fresh, back = back + excluded.back",
		err);
	bool good = stmt != NULL;
	for (size_t i = 0; good && i < n; i++) {
		sqlite3_bind_int64(stmt, 1, hours[i].hour);
		sqlite3_bind_int64(stmt, 2, hours[i].fresh);
		sqlite3_bind_int64(stmt, 3, hours[i].back);
		good = history_step(file, stmt, err);
	}
	sqlite3_finalize(stmt);
	return good;
}

static bool
drop_hours(struct history_file *file, int64_t oldest_hour, struct err *err)
{
	sqlite3_stmt *stmt =
		history_prepare(file, "DELETE FROM funnel WHERE hour < ?1", err);
	if (!stmt)
		return false;
	sqlite3_bind_int64(stmt, 1, oldest_hour);
	return history_run(file, stmt, err);
}

bool
sqlite_add_funnel(struct history *history, size_t n, const struct funnel_hour *hours,
                  int64_t kept_hours, struct err *err)
{
	struct history_file *file = history_aside_file(history, err);
	if (!file || !history_begin(file, err))
		return false;
	bool good = add_hours(file, n, hours, err) &&
	            drop_hours(file, history_oldest_hour(n, hours, kept_hours), err);
	return history_end(file, good, err);
}

bool
sqlite_read_funnel(struct history *history, history_funnel_fn *fn, void *arg,
                   struct err *err)
{
	struct history_file *file = history_aside_file(history, err);
	sqlite3_stmt *stmt =
		file ? history_prepare(file,
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
		history_hand_hour(fn, arg, &hour);
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE || history_file_failed(file, err);
}
