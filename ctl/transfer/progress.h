/* progress.h - a bar on a terminal while something long goes on; elsewhere nothing. */
#ifndef WEIR_CTL_PROGRESS_H
#define WEIR_CTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct progress {
	const char *what;
	int64_t total; /* of what is measured: rows or bytes; 0 = unknown */
	int64_t done;
	int64_t rows;
	int64_t started_ms;
	int64_t shown_ms;
	bool on;
};

/* Shows nothing unless standard error is a terminal and `wanted` is set. */
void progress_start(struct progress *progress, const char *what, int64_t total,
                    bool wanted);

/* One row more; `done` of the total has been reached. */
void progress_row(struct progress *progress, int64_t done);

/* Takes the bar away. */
void progress_end(struct progress *progress);

/* The bar as it is `elapsed_ms` after the start, in at most `width` columns. */
void progress_print(const struct progress *progress, int64_t elapsed_ms, int width,
                    struct text *out);

#endif
