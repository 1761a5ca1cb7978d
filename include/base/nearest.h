/* nearest.h - the known name that is nearest to a wrong one, for hints. */
#ifndef WEIR_NEAREST_H
#define WEIR_NEAREST_H

#include <stddef.h>

#include "base/slice.h"

/* A search; known names are offered to it one after the other. */
struct nearest {
	struct slice wanted;
	const char *name; /* the nearest yet; NULL while none is near */
	size_t best;
};

/* At most a third of the letters may be wrong, case aside. */
void nearest_start(struct nearest *nearest, struct slice wanted);

/* `name` must stay as long as the search. */
void nearest_offer(struct nearest *nearest, const char *name);

#endif
