/* sqlite_db_priv.h - between the upkeep of the database file and the questions to it. */
#ifndef WEIR_SQLITE_DB_PRIV_H
#define WEIR_SQLITE_DB_PRIV_H

#include <sqlite3.h>

#include "rules/term.h"
#include "sqlite_db.h"

enum statement {
	ST_GET_TRIPLET,
	ST_PUT_TRIPLET,
	ST_GET_IDENTITY,
	ST_PUT_IDENTITY,
	ST_SWEEP_TRIPLET,
	ST_SWEEP_IDENTITY,
	ST_DROP_TRIPLET,
	ST_DROP_IDENTITY,
	ST_COUNT_SLOTS,
	ST_FIND_SLOT,
	ST_FIND_LEASE,
	ST_PUT_LEASE,
	ST_DROP_LEASE,
	ST_DROP_DEAD_LEASES,
	ST_GET_RATE,
	ST_PUT_RATE,
	ST_GET_NOTE,
	ST_PUT_NOTE,
	ST_DROP_NOTE,
	ST_SWEEP_RATE,
	ST_DROP_RATE,
	ST_FIND_DEAD,
	ST_SWEEP_LEASES,
	ST_SWEEP_NOTES,
	ST_GET_META,
	ST_LIST_META,
	ST_PUT_META,
	ST_DROP_ROWS,
	ST_DROP_LEASES_OF,
	ST_BEGIN,
	ST_BEGIN_IMMEDIATE,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_COUNT
};

struct sqlite_db {
	sqlite3 *handle;
	sqlite3_stmt *stmts[ST_COUNT];
	struct key_secret secret;
	char daemon[TERM_DAEMON_MAX + 1]; /* that has it open; or empty */
	struct sqlite_place place;
	bool is_large;
	int wal_pages;
	bool full;            /* room was missing */
	int64_t contended_ms; /* when another process was last seen writing; 0: never */
	struct key triplet_cursor; /* where the sweep goes on */
	struct key identity_cursor;
	struct key rate_cursor;
	int64_t next_dead_ms; /* when leases and notes are looked through */
};

/* Runs a statement that gives no row and resets it; SQLITE_DONE when it worked. */
int db_step(struct sqlite_db *db, enum statement statement);

/*
 * ---- sqlite_limits.c, sqlite_term.c: answers, within a transaction ----
 *
 * SQLITE_DONE; SQLITE_READONLY when it may not write but would have to; else the failure.
 */
int db_answer_limits(struct sqlite_db *db, const struct ask *ask, bool may_write,
                     struct limits_result *result_out);
int db_answer_term(struct sqlite_db *db, struct store_job *job, bool may_write);

/* The row of the daemon that has the file open; TERM_OPEN when it has no name. */
int db_read_row(struct sqlite_db *db, enum term_row *row_out);

/* The life that leases of the file belong to: this boot, and this very file. */
void db_read_life(const struct sqlite_db *db, char id_out[TERM_ID_MAX + 1]);

#endif
