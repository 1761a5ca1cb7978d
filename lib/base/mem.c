/* mem.c - allocation that dies, and the arena of one request. */
#include "base/mem.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdlib.h>

#include "base/log.h"

#define CHUNK_BYTES      4096
#define FREED_BYTES_KEPT (64 << 20)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t size;
	alignas(max_align_t) char bytes[];
};

void *
mem_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);
	if (!p)
		log_fatal("out of memory (%zu bytes wanted)", size);
	return p;
}

void *
mem_grow(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);
	if (!p)
		log_fatal("out of memory (%zu bytes wanted)", size);
	return p;
}

char *
mem_dup(struct slice s)
{
	char *copy = mem_alloc(s.n + 1);
	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	return copy;
}

void
mem_keep_freed(void)
{
#ifdef M_TRIM_THRESHOLD
	mallopt(M_TRIM_THRESHOLD, FREED_BYTES_KEPT);
#endif
}

void
arena_init(struct arena *arena)
{
	*arena = (struct arena){0};
}

/* Makes the next chunk that holds `size` bytes the current one. */
static void
next_chunk(struct arena *arena, size_t size)
{
	struct arena_chunk **link =
		arena->current ? &arena->current->next : &arena->first;
	if (!*link || (*link)->size < size) {
		size_t bytes = size > CHUNK_BYTES ? size : CHUNK_BYTES;
		struct arena_chunk *chunk = mem_grow(NULL, sizeof(*chunk) + bytes);
		*chunk = (struct arena_chunk){.next = *link, .size = bytes};
		*link = chunk;
	}
	arena->current = *link;
	arena->current->used = 0;
}

void *
arena_take(struct arena *arena, size_t size)
{
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!arena->current || arena->current->size - arena->current->used < size)
		next_chunk(arena, size);
	void *p = arena->current->bytes + arena->current->used;
	arena->current->used += size;
	return p;
}

struct slice
arena_copy(struct arena *arena, struct slice s)
{
	char *copy = arena_take(arena, s.n + 1);
	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return (struct slice){.p = copy, .n = s.n};
}

static void
free_from(struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *next = chunk->next;
		free(chunk);
		chunk = next;
	}
}

void
arena_reset(struct arena *arena)
{
	if (!arena->first)
		return;
	free_from(arena->first->next);
	arena->first->next = NULL;
	arena->first->used = 0;
	arena->current = arena->first;
}

void
arena_free(struct arena *arena)
{
	free_from(arena->first);
	arena_init(arena);
}
