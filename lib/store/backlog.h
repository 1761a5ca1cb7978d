/*
 * backlog.h - give-backs that could not be told to the store, to be told again.
 *
 * Without it a hiccup of the store would leave slots taken that nobody holds.  Bounded: the oldest
 * are dropped first, and one that fails again and again is dropped, too; their leases run out.
 */
#ifndef WEIR_BACKLOG_H
#define WEIR_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "ask.h"

struct told {
	struct ask ask;
	unsigned tells; /* how often it was told */
	struct told *next;
};

/* All zero = empty. */
struct backlog {
	struct told *first, *last;
	size_t n;
};

/* Keeps the slots of a give-back; tokens might be given back twice, so they are left out. */
void backlog_add(struct backlog *backlog, const struct ask *ask, unsigned tells);

/* Takes the oldest; false when there is none. */
bool backlog_take(struct backlog *backlog, struct ask *ask_out, unsigned *tells_out);

/* The holder takes these slots anew: an older give-back must not take them away. */
void backlog_forget(struct backlog *backlog, const struct limits_ask *ask);

void backlog_free(struct backlog *backlog);

#endif
