/* limit_names.c - of whose limits the store was told in this hour. */
#include "books/limit_names.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

#define AGAIN_MS INT64_C(3600000)

struct limit_names_key {
	struct key key;
	UT_hash_handle hh;
};

bool
told_lacks(struct limit_names *told, const struct key *key, int64_t now_ms)
{
	struct limit_names_key *found;
	if (now_ms - told->began_ms >= AGAIN_MS) {
		limit_names_forget(told);
		told->began_ms = now_ms;
	}
	HASH_FIND(hh, told->keys, key, sizeof(*key), found);
	return !found && HASH_COUNT(told->keys) < TOLD_MAX;
}

void
limit_names_note(struct limit_names *told, const struct key *key)
{
	struct limit_names_key *noted = mem_new(struct limit_names_key);
	noted->key = *key;
	HASH_ADD(hh, told->keys, key, sizeof(noted->key), noted);
}

void
limit_names_forget(struct limit_names *told)
{
	struct limit_names_key *noted, *next;
	HASH_ITER(hh, told->keys, noted, next) {
		HASH_DEL(told->keys, noted);
		free(noted);
	}
}
