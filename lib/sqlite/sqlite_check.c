/* sqlite_check.c - looks through a large database for damage, while it is in use. */
#include "sqlite_check.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* Questions come first where the processor is short. */
#define NICE 10

struct sqlite_check {
	pthread_t thread;
	sqlite3 *handle; /* the thread's; interrupted by others */
	_Atomic enum sqlite_checked result;
	atomic_bool stop;
};

/* What cannot be looked at, such as a busy file, is not damaged. */
static enum sqlite_checked
look_through(struct sqlite_check *check)
{
	sqlite3_stmt *stmt;
	enum sqlite_checked result = CHECK_GOOD;
	int rc = sqlite3_prepare_v2(check->handle, "PRAGMA quick_check(1)", -1, &stmt,
	                            NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(stmt, 0);
		if (text && strcmp((const char *)text, "ok") != 0)
			result = CHECK_DAMAGED;
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB ? CHECK_DAMAGED : result;
}

static int
on_progress(void *arg)
{
	struct sqlite_check *check = arg;
	return check->stop;
}

static void *
check_thread(void *arg)
{
	struct sqlite_check *check = arg;
	setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* of this thread, on Linux */
	check->result = look_through(check);
	return NULL;
}

struct sqlite_check *
sqlite_check_start(const char *db_path)
{
	struct sqlite_check *check = mem_new(struct sqlite_check);
	int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
	sqlite3_open_v2(db_path, &check->handle, flags, NULL);
	sqlite3_progress_handler(check->handle, 1000, on_progress, check);
	sqlite3_exec(check->handle, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
	if (pthread_create(&check->thread, NULL, check_thread, check) != 0)
		log_fatal("cannot start the thread that checks the database");
	return check;
}

enum sqlite_checked
sqlite_check_result(struct sqlite_check *check)
{
	return check->result;
}

void
sqlite_check_stop(struct sqlite_check **check_at)
{
	struct sqlite_check *check = *check_at;
	*check_at = NULL;
	if (!check)
		return;
	check->stop = true;
	pthread_join(check->thread, NULL);
	sqlite3_close(check->handle);
	free(check);
}
