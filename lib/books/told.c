/* told.c - of whose limits the store was told in this hour. */
#include "books/told.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

#define AGAIN_MS INT64_C(3600000)

struct told_key {
	struct key key;
	UT_hash_handle hh;
};

bool
told_lacks(struct told *told, const struct key *key, int64_t now_ms)
{
	struct told_key *found;
	if (now_ms - told->began_ms >= AGAIN_MS) {
		told_forget(told);
		told->began_ms = now_ms;
	}
	HASH_FIND(hh, told->keys, key, sizeof(*key), found);
	return !found && HASH_COUNT(told->keys) < TOLD_MAX;
}

void
told_note(struct told *told, const struct key *key)
{
	struct told_key *noted = mem_new(struct told_key);
	noted->key = *key;
	HASH_ADD(hh, told->keys, key, sizeof(noted->key), noted);
}

void
told_forget(struct told *told)
{
	struct told_key *noted, *next;
	HASH_ITER(hh, told->keys, noted, next) {
		HASH_DEL(told->keys, noted);
		free(noted);
	}
}
