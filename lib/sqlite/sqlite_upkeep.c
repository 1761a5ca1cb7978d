/* sqlite_upkeep.c - what the database file needs besides answers: its log moved, its dead swept. */
#include "sqlite_db_priv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/record.h"

#define SWEEP_ROWS 256
#define DEAD_MS    10000 /* how often leases and notes are looked through */

/* A pass moves what there was when it began; passes go on until that is little. */
#define LITTLE_PAGES 1000
#define PASSES_MAX   5

/* Questions come first where the processor is short. */
#define NICE 10

/* ---- the write-ahead log: a thread moves the bulk, the database thread the rest ---- */

struct checkpointer {
	pthread_t thread;
	sqlite3 *handle; /* the thread's */

	pthread_mutex_t lock; /* of these */
	pthread_cond_t wake;
	bool asked;
	bool done;
	bool stop;
};

/* A connection that has read nothing yet does not know of the log. */
static bool
see_log(struct checkpointer *checkpointer)
{
	return sqlite3_exec(checkpointer->handle, "SELECT 1 FROM sqlite_schema", NULL,
	                    NULL, NULL) == SQLITE_OK;
}

/* How many pages of the log were new to this pass; `moved` counts them all. */
static int
pass(struct checkpointer *checkpointer, int *moved)
{
	int pages = 0, now_moved = 0;
	if (!see_log(checkpointer) ||
	    sqlite3_wal_checkpoint_v2(checkpointer->handle, NULL,
	                              SQLITE_CHECKPOINT_PASSIVE, &pages,
	                              &now_moved) != SQLITE_OK)
		return 0;
	int fresh = pages - *moved;
	*moved = now_moved;
	return fresh;
}

static void
move_bulk(struct checkpointer *checkpointer)
{
	int moved = 0;
	for (int i = 0; i < PASSES_MAX; i++)
		if (pass(checkpointer, &moved) < LITTLE_PAGES)
			return;
}

static void *
checkpoint_thread(void *arg)
{
	struct checkpointer *checkpointer = arg;
	setpriority(PRIO_PROCESS, (id_t)gettid(),
	            NICE); /* of this thread alone, on Linux */
	pthread_mutex_lock(&checkpointer->lock);
	while (!checkpointer->stop) {
		if (!checkpointer->asked) {
			pthread_cond_wait(&checkpointer->wake, &checkpointer->lock);
			continue;
		}
		pthread_mutex_unlock(&checkpointer->lock);
		move_bulk(checkpointer);
		pthread_mutex_lock(&checkpointer->lock);
		checkpointer->asked = false;
		checkpointer->done = true;
	}
	pthread_mutex_unlock(&checkpointer->lock);
	return NULL;
}

struct checkpointer *
checkpointer_start(const char *db_path)
{
	struct checkpointer *checkpointer = mem_new(struct checkpointer);
	pthread_mutex_init(&checkpointer->lock, NULL);
	pthread_cond_init(&checkpointer->wake, NULL);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	if (sqlite3_open_v2(db_path, &checkpointer->handle, flags, NULL) != SQLITE_OK)
		log_warning("%s: no second connection for checkpoints: %s", db_path,
		            sqlite3_errmsg(checkpointer->handle));
	if (pthread_create(&checkpointer->thread, NULL, checkpoint_thread,
	                   checkpointer) != 0)
		log_fatal("cannot start the checkpoint thread");
	return checkpointer;
}

void
checkpointer_stop(struct checkpointer **checkpointer_at)
{
	struct checkpointer *checkpointer = *checkpointer_at;
	*checkpointer_at = NULL;
	if (!checkpointer)
		return;
	pthread_mutex_lock(&checkpointer->lock);
	checkpointer->stop = true;
	pthread_cond_signal(&checkpointer->wake);
	pthread_mutex_unlock(&checkpointer->lock);
	pthread_join(checkpointer->thread, NULL);
	sqlite3_close(checkpointer->handle);
	pthread_cond_destroy(&checkpointer->wake);
	pthread_mutex_destroy(&checkpointer->lock);
	free(checkpointer);
}

void
checkpointer_ask(struct checkpointer *checkpointer)
{
	pthread_mutex_lock(&checkpointer->lock);
	if (!checkpointer->asked && !checkpointer->done) {
		checkpointer->asked = true;
		pthread_cond_signal(&checkpointer->wake);
	}
	pthread_mutex_unlock(&checkpointer->lock);
}

bool
checkpointer_is_done(struct checkpointer *checkpointer)
{
	pthread_mutex_lock(&checkpointer->lock);
	bool done = checkpointer->done;
	checkpointer->done = false;
	pthread_mutex_unlock(&checkpointer->lock);
	return done;
}

int
db_wal_pages(const struct sqlite_db *db)
{
	return db->wal_pages;
}

bool
db_was_full(struct sqlite_db *db)
{
	bool full = db->full;
	db->full = false;
	return full;
}

void
db_checkpoint_rest(struct sqlite_db *db)
{
	int pages = 0, moved = 0;
	if (sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages,
	                              &moved) == SQLITE_OK)
		db->wal_pages = pages - moved;
}

/* ---- what has expired ---- */

struct expired {
	size_t n;
	struct key keys[SWEEP_ROWS];
	int64_t recs[SWEEP_ROWS]; /* what changed meanwhile stays */
};

/* One of the tables whose rows tell by their value whether they may go. */
struct table {
	enum statement sweep, drop;
	bool (*is_expired)(int64_t value, const struct grey_rules *rules);
};

static bool
is_record_expired(int64_t value, const struct grey_rules *rules)
{
	struct grey_record rec;
	return record_unpack(value, &rec) && grey_is_expired(&rec, rules, clock_wall_s());
}

static bool
is_rate_expired(int64_t tat_us, const struct grey_rules *rules)
{
	(void)rules;
	return tat_us < clock_wall_us();
}

static const struct table triplets = {ST_SWEEP_TRIPLET, ST_DROP_TRIPLET,
                                      is_record_expired};
static const struct table identities = {ST_SWEEP_IDENTITY, ST_DROP_IDENTITY,
                                        is_record_expired};
static const struct table rates = {ST_SWEEP_RATE, ST_DROP_RATE, is_rate_expired};

/* Reads on from the cursor, which goes back to the start behind the last row. */
static bool
find_expired(struct sqlite_db *db, const struct table *table, struct key *cursor,
             const struct grey_rules *rules, struct expired *expired)
{
	sqlite3_stmt *stmt = db->stmts[table->sweep];
	int rows = 0, rc;
	sqlite3_bind_blob(stmt, 1, cursor->bytes, KEY_BYTES, SQLITE_TRANSIENT);
	sqlite3_bind_int(stmt, 2, SWEEP_ROWS);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (sqlite3_column_bytes(stmt, 0) != KEY_BYTES)
			continue;
		memcpy(cursor->bytes, sqlite3_column_blob(stmt, 0), KEY_BYTES);
		rows++;
		int64_t value = sqlite3_column_int64(stmt, 1);
		if (!table->is_expired(value, rules))
			continue;
		expired->recs[expired->n] = value;
		expired->keys[expired->n++] = *cursor;
	}
	sqlite3_reset(stmt);
	if (rows < SWEEP_ROWS)
		*cursor = (struct key){0};
	return rc == SQLITE_DONE;
}

static int
sweep_table(struct sqlite_db *db, const struct table *table, struct key *cursor,
            const struct grey_rules *rules)
{
	struct expired expired;
	expired.n = 0;
	if (!find_expired(db, table, cursor, rules, &expired) || expired.n == 0)
		return 0;
	if (db_step(db, ST_BEGIN_IMMEDIATE) != SQLITE_DONE)
		return 0;
	for (size_t i = 0; i < expired.n; i++) {
		sqlite3_bind_blob(db->stmts[table->drop], 1, expired.keys[i].bytes,
		                  KEY_BYTES, SQLITE_STATIC);
		sqlite3_bind_int64(db->stmts[table->drop], 2, expired.recs[i]);
		if (db_step(db, table->drop) != SQLITE_DONE) {
			db_step(db, ST_ROLLBACK);
			return 0;
		}
	}
	if (db_step(db, ST_COMMIT) == SQLITE_DONE)
		return (int)expired.n;
	db_step(db, ST_ROLLBACK);
	return 0;
}

/* Few rows, read as a whole; written only when some are dead. */
static void
sweep_dead(struct sqlite_db *db)
{
	static const enum statement steps[] = {ST_FIND_DEAD, ST_SWEEP_LEASES,
	                                       ST_SWEEP_NOTES};

	int64_t now_ms = clock_boot_ms();
	if (now_ms < db->next_dead_ms)
		return;
	db->next_dead_ms = now_ms + DEAD_MS;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		sqlite3_stmt *stmt = db->stmts[steps[i]];
		sqlite3_bind_int64(stmt, 1, now_ms);
		int rc = sqlite3_step(stmt);
		bool found = rc == SQLITE_ROW && sqlite3_column_int(stmt, 0) != 0;
		sqlite3_reset(stmt);
		if (steps[i] == ST_FIND_DEAD && !found)
			return;
	}
}

int
db_sweep(struct sqlite_db *db, const struct grey_rules *rules)
{
	sweep_dead(db);
	return sweep_table(db, &triplets, &db->triplet_cursor, rules) +
	       sweep_table(db, &identities, &db->identity_cursor, rules) +
	       sweep_table(db, &rates, &db->rate_cursor, rules);
}
