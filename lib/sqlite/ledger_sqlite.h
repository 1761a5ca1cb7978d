/*
 * ledger_sqlite.h - the two files of an embedded ledger, each with a connection of its own.
 *
 * They are opened when a call needs them, and again when they were replaced or found damaged.
 */
#ifndef WEIR_LEDGER_SQLITE_H
#define WEIR_LEDGER_SQLITE_H

#include <sqlite3.h>
#include <stdint.h>

#include "sqlite_place.h"
#include "store/ledger_backend.h"

struct ledger_file {
	const char *advice; /* what to do with it when it is damaged */
	char path[1024];
	sqlite3 *handle;           /* NULL: not open */
	struct sqlite_place place; /* which file that is */
	int64_t patience_ms;
	int64_t busy_since_ms;
};

struct ledger_sqlite {
	struct ledger base;
	char *dir;
	int64_t max_size;         /* of weir.db; 0: no quota */
	int64_t cleared_s;        /* when names that had run out went last */
	int64_t keep;             /* decisions; ledger.db's quota goes by them */
	struct ledger_file mail;  /* weir.db */
	struct ledger_file aside; /* ledger.db */
};

/* The file, open; NULL with a text.  weir.db, and ledger.db. */
struct ledger_file *ledger_mail_file(struct ledger *ledger, struct err *err);
struct ledger_file *ledger_aside_file(struct ledger *ledger, struct err *err);

void ledger_file_close(struct ledger_file *file);

/* Gives ledger.db, which is open, room for so many decisions. */
bool ledger_set_quota(struct ledger_sqlite *ledger, int64_t keep, struct err *err);

/* Says what SQLite says against the last call, as an operator needs it; false. */
bool ledger_file_failed(struct ledger_file *file, struct err *err);

/* Says which right is missing to read or write the file, and to whom.  False: none is. */
bool ledger_say_rights(const char *path, struct err *err);

/*
 * Makes an empty file for who owns weir.db, or the directory where there is none.  True when there
 * is one already.  What a deleted one has left beside it goes.
 */
bool ledger_make_file(const char *dir, const char *path, struct err *err);

/* NULL with a text when it cannot be prepared. */
sqlite3_stmt *ledger_prepare(struct ledger_file *file, const char *sql, struct err *err);

/* Runs a statement that gives no row, and resets it; or finalizes it. */
bool ledger_step(struct ledger_file *file, sqlite3_stmt *stmt, struct err *err);
bool ledger_run(struct ledger_file *file, sqlite3_stmt *stmt, struct err *err);
bool ledger_exec(struct ledger_file *file, const char *sql, struct err *err);

/* The integer a query gives; `none` when it gives no row, or NULL. */
bool ledger_integer(struct ledger_file *file, const char *sql, int64_t none,
                    int64_t *value_out, struct err *err);

/* A transaction that writes; ended with COMMIT when all was `good`, else undone.  Gives `good`. */
bool ledger_begin(struct ledger_file *file, struct err *err);
bool ledger_end(struct ledger_file *file, bool good, struct err *err);

void ledger_bind_key(sqlite3_stmt *stmt, int at, const struct key *key);
void ledger_bind_slice(sqlite3_stmt *stmt, int at, struct slice value);

/* What a column holds; valid until the next step. */
struct slice ledger_column(sqlite3_stmt *stmt, int at);

/* ledger_sqlite_decisions.c, ..._boards.c, ..._records.c, ..._leases.c, ledger_facts_sqlite.c */
bool sqlite_add_decisions(struct ledger *ledger, size_t n, struct slice lines,
                          int64_t keep, int64_t lifetime_s, struct err *err);
bool sqlite_read_decisions(struct ledger *ledger, ledger_lines_fn *fn, void *arg,
                           struct err *err);
bool sqlite_put_names(struct ledger *ledger, size_t n, const struct ledger_name *names,
                      int64_t until_s, struct err *err);
bool sqlite_get_name(struct ledger *ledger, const struct key *key, int64_t now_s,
                     struct text *name_out, struct err *err);
bool sqlite_put(struct ledger *ledger, enum ledger_board board, struct slice name,
                struct slice text, int64_t until_s, struct err *err);
bool sqlite_drop(struct ledger *ledger, enum ledger_board board, struct slice name,
                 bool *found_out, struct err *err);
bool sqlite_read(struct ledger *ledger, enum ledger_board board, int64_t now_s,
                 ledger_text_fn *fn, void *arg, struct err *err);
bool sqlite_add_funnel(struct ledger *ledger, size_t n, const struct funnel_hour *hours,
                       int64_t kept_hours, struct err *err);
bool sqlite_read_funnel(struct ledger *ledger, ledger_funnel_fn *fn, void *arg,
                        struct err *err);
bool sqlite_secret(struct ledger *ledger, struct key_secret *secret_out, struct err *err);
bool sqlite_set_secret(struct ledger *ledger, const struct key_secret *secret,
                       struct err *err);
bool sqlite_get_record(struct ledger *ledger, enum ledger_record kind,
                       const struct key *key, int64_t *packed_out, struct err *err);
bool sqlite_get_records(struct ledger *ledger, size_t n, struct ledger_row *rows,
                        struct err *err);
bool sqlite_put_records(struct ledger *ledger, size_t n, const struct ledger_row *rows,
                        const int64_t *kept_s, struct err *err);
bool sqlite_drop_record(struct ledger *ledger, enum ledger_record kind,
                        const struct key *key, bool *found_out, struct err *err);
bool sqlite_scan(struct ledger *ledger, ledger_row_fn *fn, void *arg, struct err *err);
bool sqlite_estimate(struct ledger *ledger, int64_t *rows_out, struct err *err);
bool sqlite_read_leases(struct ledger *ledger, ledger_lease_fn *fn, void *arg,
                        struct err *err);
bool sqlite_kill_leases(struct ledger *ledger, struct slice holder, int64_t *killed_out,
                        struct err *err);
bool sqlite_get_rate(struct ledger *ledger, const struct key *key, int64_t *tat_us_out,
                     struct err *err);
bool sqlite_facts(struct ledger *ledger, bool deep, ledger_fact_fn *fn, void *arg,
                  struct err *err);
bool sqlite_try(struct ledger *ledger, struct err *err);

#endif
