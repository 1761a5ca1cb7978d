/*
 * mem.h - allocation that dies, and one arena per request.
 *
 * Running out of memory ends the program; sizes that come from outside are bounded
 * before they get here.  What one request needs lives in an arena and goes at once.
 */
#ifndef WEIR_MEM_H
#define WEIR_MEM_H

#include <stddef.h>

#include "base/slice.h"

/* Zeroed memory, to be given to free(); never NULL. */
void *mem_alloc(size_t size);
void *mem_grow(void *old, size_t size);
char *mem_dup(struct slice s);

/*
 * From now on memory that was freed stays with the program, up to 64 MB: for one that reads much, in
 * pieces, and ends soon.  (glibc gives it back and asks for it anew with each piece, which takes
 * longer than the reading.)
 */
void mem_keep_freed(void);

#define mem_new(type) ((type *)mem_alloc(sizeof(type)))

/* Chunks of memory that are taken piece by piece and given back together. */
struct arena {
	struct arena_chunk *first;
	struct arena_chunk *current;
};

void arena_init(struct arena *arena);

/* Not zeroed, aligned for any type, valid until the next reset. */
void *arena_take(struct arena *arena, size_t size);

/* A copy with a NUL behind it. */
struct slice arena_copy(struct arena *arena, struct slice s);

/* Forgets all that was taken and keeps the first chunk for the next request. */
void arena_reset(struct arena *arena);

void arena_free(struct arena *arena);

#endif
