/*
 * outfile.h - a file written beside its name and put there when it is whole.
 *
 * It is opened while the program has the rights of who called it, and renamed after they were given
 * up: by a child that keeps them, and that takes the unfinished file away however the program ends.
 */
#ifndef WEIR_CTL_OUTFILE_H
#define WEIR_CTL_OUTFILE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"

struct outfile {
	FILE *file;
	const char *path;
	char *beside;
	int to_keeper;
	pid_t keeper;
};

/* `path` must live as long.  What is there and is no regular file is left alone: false. */
bool outfile_open(struct outfile *out, const char *path, mode_t mode, struct err *err_out)
	MUST_CHECK;

/* All is written: it gets its name. */
bool outfile_finish(struct outfile *out, struct err *err_out) MUST_CHECK;

/* It goes away; fine when it was never opened, or is finished. */
void outfile_abandon(struct outfile *out);

#endif
