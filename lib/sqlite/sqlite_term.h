/* sqlite_term.h - a daemon's part in the life of a database file. */
#ifndef WEIR_SQLITE_TERM_H
#define WEIR_SQLITE_TERM_H

#include "sqlite_db_priv.h"
#include "store/backend.h"

/* Within a transaction; as in sqlite_limits.h. */
int db_answer_term(struct sqlite_db *db, struct store_job *job, bool may_write);

/* The row of the daemon that has the file open; TERM_OPEN when it has no name. */
int db_read_row(struct sqlite_db *db, enum term_row *row_out);

/* The life that leases of the file belong to: this boot, and this very file. */
void db_read_life(const struct sqlite_db *db, char id_out[TERM_ID_MAX + 1]);

#endif
