/* watch.h - something that is shown again and again. */
#ifndef WEIR_CTL_WATCH_H
#define WEIR_CTL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "view.h"

/* Prints it on the view; the exit status that stands for it. */
typedef int watch_fn(void *arg, const struct view *view);

/*
 * On a terminal in place, until the key 'q' or a signal; else one after another with an empty line
 * between, until nobody reads them.  The last exit status.
 */
int watch(int64_t interval_ms, watch_fn *print, void *arg);

/* Waits so long behind what was printed; false when nobody reads it. */
bool watch_pause(int64_t ms);

#endif
