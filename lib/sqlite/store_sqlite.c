/*
 * store_sqlite.c - the embedded store: one thread that owns the database.
 *
 * The loop hands over what one turn gathered; the thread answers it in one transaction
 * and wakes the loop once.  When nothing is asked, it looks after the file.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "rules/plan.h"
#include "sqlite_check.h"
#include "sqlite_db.h"
#include "store/backend.h"

#define UPKEEP_MS     200  /* how often the file is looked after */
#define CHECKPOINT_MS 5000 /* the log is moved this often, when it is worth it */
#define WAL_PAGES_DUE 1024
#define WAL_PAGES_MAX 32768 /* and at once when it is so long */
#define OPEN_TRIES    5
#define OPEN_PAUSE_US 50000
#define REOPEN_MS     1000
#define LOOK_MS       1000 /* how often it is looked whether the file is in its place */

struct store_backend {
	struct store *store;
	const struct store_reports *reports;
	struct store_job *gathered; /* the loop's, until flush() */
	struct loop_post *post;     /* wakes the loop */
	pthread_t thread;

	pthread_mutex_t lock; /* of these */
	pthread_cond_t wake;
	struct store_job *queued;
	struct store_job *done;
	bool opened;
	bool closed; /* before it was opened anew, if it was */
	bool stop;
	struct grey_rules rules;
	struct key_secret secret; /* when opened */

	/* the thread's */
	struct sqlite_db *db;
	struct checkpointer *checkpointer; /* while db is open */
	struct sqlite_check *check;        /* while a large db is looked through */
	struct sqlite_place damaged;       /* is not opened again */
	char *path;
	char *owner;
	int64_t max_size;
	int64_t next_upkeep_ms;
	int64_t next_checkpoint_ms;
	int64_t next_open_ms;
	int64_t next_look_ms;
	struct err trouble; /* with opening it, as it was said last */
};

/* On the loop: hands out what the thread answered. */
static void
on_done(void *arg)
{
	struct store_backend *backend = arg;
	pthread_mutex_lock(&backend->lock);
	struct store_job *done = backend->done;
	backend->done = NULL;
	bool opened = backend->opened, closed = backend->closed;
	backend->opened = backend->closed = false;
	pthread_mutex_unlock(&backend->lock);
	if (closed)
		backend->reports->went_down(backend->store);
	if (opened)
		backend->reports->came_up(backend->store, &backend->secret);
	while (done) {
		struct store_job *job = done;
		done = job->next_job;
		backend->reports->job_done(job);
	}
}

static void
publish_secret(struct store_backend *backend)
{
	pthread_mutex_lock(&backend->lock);
	backend->secret = *db_secret(backend->db);
	backend->opened = true;
	pthread_mutex_unlock(&backend->lock);
	loop_post(backend->post);
}

static bool
is_known_as_damaged(const struct store_backend *backend)
{
	char path[1024];
	snprintf(path, sizeof(path), "%s/weir.db", backend->path);
	return backend->damaged.ino != 0 && sqlite_place_holds(path, &backend->damaged);
}

/* What goes along with an open database. */
static void
start_helpers(struct store_backend *backend)
{
	backend->checkpointer = checkpointer_start(db_path(backend->db));
	if (db_is_large(backend->db))
		backend->check = sqlite_check_start(db_path(backend->db));
}

/*
 * The disk was full or the file locked when the daemon started, or it is gone.  Each reason is said
 * once.
 */
static void
try_open(struct store_backend *backend)
{
	struct err err;
	if (clock_mono_ms() < backend->next_open_ms || is_known_as_damaged(backend))
		return;
	backend->next_open_ms = clock_mono_ms() + REOPEN_MS;
	if (db_open(backend->path, backend->max_size, backend->owner, &backend->db,
	            &err) == DB_OPENED) {
		start_helpers(backend);
		publish_secret(backend);
		backend->trouble.text[0] = '\0';
	} else if (strcmp(err.text, backend->trouble.text) != 0) {
		log_error("%s", err.text);
		backend->trouble = err;
	}
}

/* The log is moved when it is long, when it is a while since, or when room is missing. */
static void
look_after_log(struct store_backend *backend, int64_t now_ms)
{
	bool due = now_ms >= backend->next_checkpoint_ms;
	if (db_wal_pages(backend->db) > (due ? WAL_PAGES_DUE : WAL_PAGES_MAX) ||
	    db_was_full(backend->db))
		checkpointer_ask(backend->checkpointer);
	if (!checkpointer_is_done(backend->checkpointer))
		return;
	db_checkpoint_rest(backend->db);
	backend->next_checkpoint_ms = now_ms + CHECKPOINT_MS;
}

static void
close_db(struct store_backend *backend)
{
	sqlite_check_stop(&backend->check);
	checkpointer_stop(&backend->checkpointer);
	db_close(&backend->db);
}

static void
drop_db(struct store_backend *backend)
{
	close_db(backend);
	pthread_mutex_lock(&backend->lock);
	backend->closed = true;
	pthread_mutex_unlock(&backend->lock);
	loop_post(backend->post);
	backend->next_open_ms = 0;
}

/* What others read and write is the file that has the name; true: this one is not it. */
static bool
has_lost_its_place(struct store_backend *backend, int64_t now_ms)
{
	if (now_ms < backend->next_look_ms)
		return false;
	backend->next_look_ms = now_ms + LOOK_MS;
	if (db_is_in_place(backend->db))
		return false;
	log_error("%s was deleted or replaced: opening it again", db_path(backend->db));
	sqlite_place_leave(db_path(backend->db), db_place(backend->db));
	return true;
}

static bool
is_found_damaged(struct store_backend *backend)
{
	enum sqlite_checked checked =
		backend->check ? sqlite_check_result(backend->check) : CHECK_RUNS;
	struct err err;
	if (checked == CHECK_RUNS)
		return false;
	sqlite_check_stop(&backend->check);
	if (checked == CHECK_GOOD)
		return false;
	db_say_damaged(db_path(backend->db), &err);
	log_error("%s", err.text);
	backend->damaged = *db_place(backend->db);
	return true;
}

static void
look_after(struct store_backend *backend, const struct grey_rules *rules)
{
	int64_t now_ms = clock_mono_ms();
	if (is_found_damaged(backend) || has_lost_its_place(backend, now_ms)) {
		drop_db(backend);
		return;
	}
	look_after_log(backend, now_ms);
	if (now_ms < backend->next_upkeep_ms)
		return;
	backend->next_upkeep_ms = now_ms + UPKEEP_MS;
	int swept = db_sweep(backend->db, rules);
	stats_add(STAT_STORE_SWEPT, (uint64_t)swept);
}

static void
run_jobs(struct store_backend *backend, struct store_job *jobs)
{
	if (backend->db)
		db_run(backend->db, jobs);
	else
		for (struct store_job *job = jobs; job; job = job->next_job)
			job->answer.status = STORE_DOWN;
}

/* Waits for jobs until the next upkeep is due; with the lock held. */
static struct store_job *
next_jobs(struct store_backend *backend)
{
	if (!backend->queued && !backend->stop) {
		struct timespec until;
		clock_mono_after(UPKEEP_MS, &until);
		pthread_cond_timedwait(&backend->wake, &backend->lock, &until);
	}
	struct store_job *jobs = backend->queued;
	backend->queued = NULL;
	return jobs;
}

static void *
database_thread(void *arg)
{
	struct store_backend *backend = arg;
	pthread_mutex_lock(&backend->lock);
	for (;;) {
		struct store_job *jobs = next_jobs(backend);
		struct grey_rules rules = backend->rules;
		if (!jobs && backend->stop)
			break;
		pthread_mutex_unlock(&backend->lock);
		if (jobs)
			run_jobs(backend, jobs);
		pthread_mutex_lock(&backend->lock);
		LL_CONCAT2(backend->done, jobs, next_job);
		pthread_mutex_unlock(&backend->lock);
		if (jobs)
			loop_post(backend->post);
		if (backend->db && jobs)
			db_let_others_write(backend->db);
		if (backend->db)
			look_after(backend, &rules);
		if (!backend->db)
			try_open(backend);
		pthread_mutex_lock(&backend->lock);
	}
	pthread_mutex_unlock(&backend->lock);
	return NULL;
}

static void
init_lock(struct store_backend *backend)
{
	pthread_condattr_t attr;
	pthread_mutex_init(&backend->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&backend->wake, &attr);
	pthread_condattr_destroy(&attr);
}

static struct store_backend *
open_sqlite(struct store *store, const struct store_reports *reports, struct loop *loop,
            const struct conf *conf, const char *owner, struct err *err)
{
	struct sqlite_db *db = NULL;
	enum db_opened kind = DB_LATER;
	/* Another daemon may be making the file just now. */
	for (int i = 0; kind == DB_LATER && i < OPEN_TRIES; i++) {
		if (i > 0)
			usleep(OPEN_PAUSE_US);
		kind = db_open(conf->store.path, conf->store.max_size, owner, &db, err);
	}
	if (kind == DB_REFUSED)
		return NULL;
	if (kind == DB_LATER)
		log_error("%s", err->text);
	struct store_backend *backend = mem_new(struct store_backend);
	backend->store = store;
	backend->reports = reports;
	backend->db = db;
	backend->path = mem_dup(slice_of(conf->store.path));
	backend->owner = mem_dup(slice_of(owner));
	backend->max_size = conf->store.max_size;
	backend->rules = plan_rules(conf);
	if (kind == DB_LATER)
		backend->trouble = *err;
	init_lock(backend);
	backend->post = post_new(loop, on_done, backend);
	if (db) {
		start_helpers(backend);
		reports->came_up(store, db_secret(db));
	}
	if (pthread_create(&backend->thread, NULL, database_thread, backend) != 0)
		log_fatal("cannot start the database thread");
	return backend;
}

static void
configure_sqlite(struct store_backend *backend, const struct conf *conf)
{
	pthread_mutex_lock(&backend->lock);
	backend->rules = plan_rules(conf);
	pthread_mutex_unlock(&backend->lock);
}

static bool
submit_sqlite(struct store_backend *backend, struct store_job *job)
{
	LL_PREPEND2(backend->gathered, job, next_job);
	return true;
}

static void
flush_sqlite(struct store_backend *backend)
{
	struct store_job *in_order = NULL;
	if (!backend->gathered)
		return;
	while (backend->gathered) {
		struct store_job *job = backend->gathered;
		backend->gathered = job->next_job;
		job->next_job = in_order;
		in_order = job;
	}
	pthread_mutex_lock(&backend->lock);
	LL_CONCAT2(backend->queued, in_order, next_job);
	pthread_cond_signal(&backend->wake);
	pthread_mutex_unlock(&backend->lock);
}

/* The answers that came last may have had something to be given back. */
static void
run_gathered(struct store_backend *backend)
{
	while (backend->gathered) {
		flush_sqlite(backend);
		run_jobs(backend, backend->queued);
		backend->done = backend->queued;
		backend->queued = NULL;
		on_done(backend);
	}
}

static void
close_sqlite(struct store_backend *backend)
{
	flush_sqlite(backend);
	pthread_mutex_lock(&backend->lock);
	backend->stop = true;
	pthread_cond_signal(&backend->wake);
	pthread_mutex_unlock(&backend->lock);
	pthread_join(backend->thread, NULL);
	on_done(backend);
	run_gathered(backend);
	close_db(backend);
	post_free(&backend->post);
	pthread_cond_destroy(&backend->wake);
	pthread_mutex_destroy(&backend->lock);
	explicit_bzero(&backend->secret, sizeof(backend->secret));
	free(backend->path);
	free(backend->owner);
	free(backend);
}

const struct store_ops store_sqlite_ops = {
	.name = "embedded",
	.open = open_sqlite,
	.configure = configure_sqlite,
	.close = close_sqlite,
	.submit = submit_sqlite,
	.flush = flush_sqlite,
};
