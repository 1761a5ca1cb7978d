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
#include <stdint.h>

#include "rules/ask.h"

struct told {
	struct ask ask;
	unsigned tells; /* how often it was told */
	struct told *next;
};

#define BACKLOG_HOLDERS 1024

/* All zero = empty. */
struct backlog {
	struct told *first, *last;
	size_t n;
	/* By hash of the holder: number of its last question, and how many are kept. */
	uint64_t asked[BACKLOG_HOLDERS];
	unsigned kept[BACKLOG_HOLDERS];
};

/* Keeps the slots of a give-back; tokens might be given back twice, so they are left out. */
void backlog_add(struct backlog *backlog, const struct ask *ask, unsigned tells);

/*
 * The same for a give-back that had the number `serial` and failed; not when its holder has asked
 * since, for it may have the slot again.
 */
void backlog_add_failed(struct backlog *backlog, const struct ask *ask, unsigned tells,
                        uint64_t serial);

/* Takes the oldest; false when there is none. */
bool backlog_take(struct backlog *backlog, struct ask *ask_out, unsigned *tells_out);

/*
 * The holder takes these slots anew, by a question of that number: an older give-back must not
 * take them away.
 */
void backlog_forget(struct backlog *backlog, const struct limits_ask *ask,
                    uint64_t serial);

/* Give-backs of the holders themselves: all that is stored under their names is put anew. */
void backlog_drop_own(struct backlog *backlog);

void backlog_free(struct backlog *backlog);

#endif
