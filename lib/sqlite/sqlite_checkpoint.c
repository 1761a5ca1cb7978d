/* sqlite_checkpoint.c - the thread that moves the write-ahead log into the database. */
#include "sqlite_checkpoint.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* A pass moves what there was when it began; passes go on until that is little. */
#define LITTLE_PAGES 1000
#define PASSES_MAX   5

/* Questions come first where the processor is short. */
#define NICE 10

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
