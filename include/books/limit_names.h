/*
 * limit_names.h - of whose limits the store was told in this hour.
 *
 * Names come from outside, and the store keeps each for a while: so many an hour are told, and the
 * others not at all.
 */
#ifndef WEIR_LIMIT_NAMES_H
#define WEIR_LIMIT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/key.h"

#define TOLD_MAX 4096

/* All zero = nothing was told. */
struct limit_names {
	struct limit_names_key *keys;
	int64_t began_ms;
};

/* Whether there is room for that key, and it was not told. */
bool told_lacks(struct limit_names *told, const struct key *key, int64_t now_ms);

void limit_names_note(struct limit_names *told, const struct key *key);

/* All of it may be told again. */
void limit_names_forget(struct limit_names *told);

#endif
