/*
 * give_back_queue.h - give-backs that could not be told to the store, to be told again.
 *
 * Without it a hiccup of the store would leave slots taken that nobody holds.  Bounded: the oldest
 * are dropped first, and one that fails again and again is dropped, too; their leases run out.
 */
#ifndef WEIR_GIVE_BACK_QUEUE_H
#define WEIR_GIVE_BACK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/ask.h"

struct limit_names {
	struct ask ask;
	unsigned tells; /* how often it was told */
	struct limit_names *next;
};

#define GIVE_BACK_QUEUE_HOLDERS 1024

/* All zero = empty. */
struct give_back_queue {
	struct limit_names *first, *last;
	size_t n;
	/* By hash of the holder: number of its last question, and how many are kept. */
	uint64_t asked[GIVE_BACK_QUEUE_HOLDERS];
	unsigned kept[GIVE_BACK_QUEUE_HOLDERS];
};

/* Keeps the slots of a give-back; tokens might be given back twice, so they are left out. */
void give_back_queue_add(struct give_back_queue *give_backs, const struct ask *ask,
                         unsigned tells);

/*
 * The same for a give-back that had the number `serial` and failed; not when its holder has asked
 * since, for it may have the slot again.
 */
void give_back_queue_add_failed(struct give_back_queue *give_backs, const struct ask *ask,
                                unsigned tells, uint64_t serial);

/* Takes the oldest; false when there is none. */
bool give_back_queue_take(struct give_back_queue *give_backs, struct ask *ask_out,
                          unsigned *tells_out);

/*
 * The holder takes these slots anew, by a question of that number: an older give-back must not
 * take them away.
 */
void give_back_queue_forget(struct give_back_queue *give_backs,
                            const struct limits_ask *ask, uint64_t serial);

/* Give-backs of the holders themselves: all that is stored under their names is put anew. */
void give_back_queue_drop_own(struct give_back_queue *give_backs);

void give_back_queue_free(struct give_back_queue *give_backs);

#endif
