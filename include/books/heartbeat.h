/*
 * heartbeat.h - what a daemon reports once a second to the registry that all daemons and weirctl read:
 * its name, its counters, its minutes and destinations (tally.h).
 */
#ifndef WEIR_HEARTBEAT_H
#define WEIR_HEARTBEAT_H

#include <stdbool.h>

#include "books/self.h"
#include "store/history.h"

/* JSON; the caller frees it with free().  `stops`: this is the last one. */
char *heartbeat_print(const struct self *self, bool stops);

/* ---- another daemon by the same name: each would give up the slots of the other ---- */

/* All zero at first. */
struct namesake {
	int64_t next_ms;
	int64_t said_ms;
};

/*
 * Looks from time to time whether the heartbeat that is up under `name` is of another daemon that lives,
 * since two overwrite each other's all the time, and says so in the log.  `own` is the newest heartbeat
 * of who asks, and not yet up.
 */
bool namesake_look(struct namesake *namesake, struct history *history, struct slice name,
                   const char *own, struct err *err_out) MUST_CHECK;

#endif
