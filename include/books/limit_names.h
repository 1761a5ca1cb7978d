/*
 * limit_names.h - names of limits that were written to the store within the hour.
 *
 * Names come from outside, and the store keeps each for a while.  So only a bounded number is
 * written in an hour; the others are left out.
 */
#ifndef WEIR_LIMIT_NAMES_H
#define WEIR_LIMIT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/key.h"

#define TOLD_MAX 4096

/* All zero: nothing was written yet. */
struct limit_names {
	struct limit_names_key *keys;
	int64_t began_ms;
};

/* Whether there is room for that key, and it was not written within the hour. */
bool told_lacks(struct limit_names *told, const struct key *key, int64_t now_ms);

void limit_names_note(struct limit_names *told, const struct key *key);

/* Forgets all keys, so that they are written again. */
void limit_names_forget(struct limit_names *told);

#endif
