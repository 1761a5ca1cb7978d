/*
 * sqlite_db.h - the database file of the embedded store, used by one thread at a time.
 *
 * Tables triplet and identity hold packed records (record.h) by their key; lease, rate and note
 * what limits need (limit.h); meta the site's secret and the boot that lease times belong to.
 * Integrity survives kill -9 and power loss (WAL, synchronous=NORMAL).
 */
#ifndef WEIR_SQLITE_DB_H
#define WEIR_SQLITE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "rules/ask.h"
#include "rules/key.h"
#include "sqlite_place.h"

struct store_job;
struct sqlite_db;

enum db_opened {
	DB_OPENED,
	DB_LATER,   /* disk full or locked: try again */
	DB_REFUSED, /* not ours, damaged, or not permitted: never to be used */
};

/*
 * Opens DIR/weir.db, making it when there is none.  Never changes a file that is not ours.
 * `owner`: the daemon that has it open (term.h), or empty.
 */
enum db_opened db_open(const char *dir, int64_t max_size, const char *owner,
                       struct sqlite_db **db_out, struct err *err_out);
void db_close(struct sqlite_db **db);

const struct key_secret *db_secret(const struct sqlite_db *db);

/* Answers all jobs of the list, in one transaction where nothing is in the way. */
void db_run(struct sqlite_db *db, struct store_job *jobs);

/* To be called when the answers are handed over: a pause, when another process writes too. */
void db_let_others_write(const struct sqlite_db *db);

#define DB_BOOT_BYTES 64

/* The boot that lease times count from; empty when the kernel does not tell. */
void db_read_boot(char id_out[DB_BOOT_BYTES]);

/* Full path of the file; lives as long as the database is open. */
const char *db_path(const struct sqlite_db *db);

/* Whether it was too large to be looked through for damage when it was opened. */
bool db_is_large(const struct sqlite_db *db);

/* Whether the file was neither deleted nor replaced. */
bool db_is_in_place(const struct sqlite_db *db);
const struct sqlite_place *db_place(const struct sqlite_db *db);

void db_say_damaged(const char *path, struct err *err_out);

/* Pages of the write-ahead log that await a checkpoint. */
int db_wal_pages(const struct sqlite_db *db);

/* Whether room was missing since this was asked last: a checkpoint may find some. */
bool db_was_full(struct sqlite_db *db);

/*
 * Moves what is left of the write-ahead log into the file, so that it can begin anew: little,
 * when the checkpointer has done the bulk before.
 */
void db_checkpoint_rest(struct sqlite_db *db);

/* Looks at the next few rows and removes the expired ones; how many those were. */
int db_sweep(struct sqlite_db *db, const struct grey_rules *rules);

/*
 * ---- the write-ahead log, moved into the database beside the path ----
 *
 * A thread with a connection of its own does the bulk, while the database thread goes on
 * answering; what was added meanwhile is little, and left to the database thread.
 */

struct checkpointer;

struct checkpointer *checkpointer_start(const char *db_path);

/* Ends the thread when it is done with what it does. */
void checkpointer_stop(struct checkpointer **checkpointer);

/* Asks for the bulk to be moved; nothing happens while that is under way. */
void checkpointer_ask(struct checkpointer *checkpointer);

/* Whether the bulk has been moved since this last said so. */
bool checkpointer_is_done(struct checkpointer *checkpointer);

#endif
