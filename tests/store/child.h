/* child.h - another process, which a test steers and kills. */
#ifndef WEIR_TESTS_CHILD_H
#define WEIR_TESTS_CHILD_H

#include <sys/types.h>

#include "store_fixture.h"

struct child {
	pid_t pid;
	int to, from; /* pipes */
};

typedef void child_fn(const struct store_place *place, int from, int to);

/*
 * Runs `fn` in a new process, which dies with this one.  Start it before the store, so that no
 * thread is there yet; it must not use Check, nor what fails a test.
 */
struct child start_child(child_fn *fn, const struct store_place *place);
void kill_child(struct child *child);

/* In the child: runs each of the SQL texts (NULL at the end) when it is told, then hangs. */
void run_steps(const struct store_place *place, int from, int to,
               const char *const *steps);

/* Lets the child do its next step, and waits until it has. */
void step_child(const struct child *child);

#endif
