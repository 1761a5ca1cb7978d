#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

struct child
start_child(child_fn *fn, const struct store_place *place)
{
	int down[2], up[2];
	ck_assert_int_eq(pipe2(down, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(up, O_CLOEXEC), 0);
	fflush(NULL);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(down[1]);
		close(up[0]);
		fn(place, down[0], up[1]);
		_exit(0);
	}
	close(down[0]);
	close(up[1]);
	return (struct child){.pid = pid, .to = down[1], .from = up[0]};
}

void
kill_child(struct child *child)
{
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	close(child->to);
	close(child->from);
}

void
step_child(const struct child *child)
{
	char done;
	ck_assert_int_eq(write(child->to, "x", 1), 1);
	ck_assert_int_eq(read(child->from, &done, 1), 1);
	ck_assert_int_eq(done, '+');
}

void
run_steps(const struct store_place *place, int from, int to, const char *const *steps)
{
	sqlite3 *db = NULL;
	char go;
	for (; *steps && read(from, &go, 1) == 1; steps++) {
		if (!db)
			sqlite3_open(place_database(place), &db);
		sqlite3_busy_timeout(db, FIXTURE_PATIENCE_MS);
		int rc = sqlite3_exec(db, *steps, NULL, NULL, NULL);
		if (write(to, rc == SQLITE_OK ? "+" : "-", 1) != 1)
			_exit(1);
	}
	/* Waits for its end, as a process would that hangs. */
	while (read(from, &go, 1) == 1)
		;
}
