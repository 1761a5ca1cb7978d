/* errand.h - what is done in a child process: other programs, and trying as another user. */
#ifndef WEIR_CTL_ERRAND_H
#define WEIR_CTL_ERRAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/endpoint.h"
#include "base/err.h"

/* More of a program's output is not read. */
#define ERRAND_OUTPUT_MAX (4 << 20)

/* It is killed when it takes longer. */
#define ERRAND_MS 20000

/*
 * Runs a program (found as execvp(3) does), without any input.  What it printed is to be given to
 * free(); NUL-terminated.  False with a text when it did not end well.
 */
bool errand_output(const char *const argv[], char **output_out, struct err *err_out)
	MUST_CHECK;

/*
 * Whether the user may open the path; `how` is R_OK, W_OK or X_OK, as for access(2).  0 or an
 * errno.  See doctor_can_be(): whoever is not root would try it as they are.
 */
int errand_try_access(const char *user, const char *path, int how);

/* Whether the user reaches who listens there, within some seconds.  0 or an errno. */
int errand_try_connect(const char *user, const struct endpoint *endpoint);

#endif
