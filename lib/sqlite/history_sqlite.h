/*
 * history_sqlite.h - the two files of an embedded history, each with a connection of its own.
 *
 * They are opened when a call needs them, and again when they were replaced or found damaged.
 */
#ifndef WEIR_HISTORY_SQLITE_H
#define WEIR_HISTORY_SQLITE_H

#include <sqlite3.h>
#include <stdint.h>

#include "sqlite_place.h"
#include "store/history_backend.h"

struct history_file {
	const char *advice; /* what to do with it when it is damaged */
	char path[1024];
	sqlite3 *handle;           /* NULL: not open */
	struct sqlite_place place; /* which file that is */
	int64_t patience_ms;
	int64_t busy_since_ms;
};

struct history_sqlite {
	struct history base;
	char *dir;
	int64_t max_size;          /* of weir.db; 0: no quota */
	int64_t cleared_s;         /* when names that had run out went last */
	int64_t keep;              /* decisions; ledger.db's quota goes by them */
	struct history_file mail;  /* weir.db */
	struct history_file aside; /* ledger.db */
};

/* The file, open; NULL with a text.  weir.db, and ledger.db. */
struct history_file *history_mail_file(struct history *history, struct err *err);
struct history_file *history_aside_file(struct history *history, struct err *err);

void history_file_close(struct history_file *file);

/* Gives ledger.db, which is open, room for so many decisions. */
bool history_set_quota(struct history_sqlite *history, int64_t keep, struct err *err);

/* Says what SQLite says against the last call, as an operator needs it; false. */
bool history_file_failed(struct history_file *file, struct err *err);

/* NULL with a text when it cannot be prepared. */
sqlite3_stmt *history_prepare(struct history_file *file, const char *sql,
                              struct err *err);

/* Runs a statement that gives no row, and resets it; or finalizes it. */
bool history_step(struct history_file *file, sqlite3_stmt *stmt, struct err *err);
bool history_run(struct history_file *file, sqlite3_stmt *stmt, struct err *err);
bool history_exec(struct history_file *file, const char *sql, struct err *err);

/* The integer a query gives; `none` when it gives no row, or NULL. */
bool history_integer(struct history_file *file, const char *sql, int64_t none,
                     int64_t *value_out, struct err *err);

/* A transaction that writes; ended with COMMIT when all was `good`, else undone.  Gives `good`. */
bool history_begin(struct history_file *file, struct err *err);
bool history_end(struct history_file *file, bool good, struct err *err);

void history_bind_key(sqlite3_stmt *stmt, int at, const struct key *key);
void history_bind_slice(sqlite3_stmt *stmt, int at, struct slice value);

/* What a column holds; valid until the next step. */
struct slice history_column(sqlite3_stmt *stmt, int at);

/* history_sqlite_decisions.c, ..._registries.c, ..._records.c, ..._leases.c, history_facts_sqlite.c */
bool sqlite_add_decisions(struct history *history, size_t n, struct slice lines,
                          int64_t keep, int64_t lifetime_s, struct err *err);
bool sqlite_read_decisions(struct history *history, history_lines_fn *fn, void *arg,
                           struct err *err);
bool sqlite_put_names(struct history *history, size_t n, const struct history_name *names,
                      int64_t until_s, struct err *err);
bool sqlite_get_name(struct history *history, const struct key *key, int64_t now_s,
                     struct text *name_out, struct err *err);
bool sqlite_put(struct history *history, enum history_registry registry,
                struct slice name, struct slice text, int64_t until_s, struct err *err);
bool sqlite_drop(struct history *history, enum history_registry registry,
                 struct slice name, bool *found_out, struct err *err);
bool sqlite_read(struct history *history, enum history_registry registry, int64_t now_s,
                 history_text_fn *fn, void *arg, struct err *err);
bool sqlite_add_funnel(struct history *history, size_t n, const struct funnel_hour *hours,
                       int64_t kept_hours, struct err *err);
bool sqlite_read_funnel(struct history *history, history_funnel_fn *fn, void *arg,
                        struct err *err);
bool sqlite_secret(struct history *history, struct key_secret *secret_out,
                   struct err *err);
bool sqlite_set_secret(struct history *history, const struct key_secret *secret,
                       struct err *err);
bool sqlite_get_record(struct history *history, enum history_record kind,
                       const struct key *key, int64_t *packed_out, struct err *err);
bool sqlite_get_records(struct history *history, size_t n, struct history_row *rows,
                        struct err *err);
bool sqlite_put_records(struct history *history, size_t n, const struct history_row *rows,
                        const int64_t *kept_s, struct err *err);
bool sqlite_drop_record(struct history *history, enum history_record kind,
                        const struct key *key, bool *found_out, struct err *err);
bool sqlite_scan(struct history *history, history_row_fn *fn, void *arg, struct err *err);
bool sqlite_estimate(struct history *history, int64_t *rows_out, struct err *err);
bool sqlite_read_leases(struct history *history, history_lease_fn *fn, void *arg,
                        struct err *err);
bool sqlite_kill_leases(struct history *history, struct slice holder, int64_t *killed_out,
                        struct err *err);
bool sqlite_get_rate(struct history *history, const struct key *key, int64_t *tat_us_out,
                     struct err *err);
bool sqlite_facts(struct history *history, bool deep, history_fact_fn *fn, void *arg,
                  struct err *err);
bool sqlite_try(struct history *history, struct err *err);

#endif
