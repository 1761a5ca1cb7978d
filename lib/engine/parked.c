/* parked.c - decisions of a message that wait for its queue id. */
#include "engine/parked.h"

#include <stdlib.h>

#include "base/mem.h"

#define PARKED_MAX 1000 /* of one message */

/* Its slices live in the arena. */
struct waiting {
	struct decision_line decided;
	struct waiting *next;
};

struct parked {
	struct arena arena;
	struct waiting *first, **last;
	unsigned n;
};

static void
copy_slices(struct decision_line *decided, struct arena *arena)
{
	struct slice *slices[] = {
		&decided->id,     &decided->daemon,    &decided->node,
		&decided->action, &decided->why,       &decided->client,
		&decided->name,   &decided->identity,  &decided->identity_by,
		&decided->sender, &decided->recipient, &decided->destination,
		&decided->entry,  &decided->store,     &decided->triplet,
		&decided->user,   &decided->limit,     &decided->queue,
	};
	for (size_t i = 0; i < COUNT_OF(slices); i++)
		*slices[i] = arena_copy(arena, *slices[i]);
}

bool
parked_add(struct parked **parked_at, const struct decision_line *decided)
{
	if (!*parked_at) {
		*parked_at = mem_new(struct parked);
		arena_init(&(*parked_at)->arena);
		(*parked_at)->last = &(*parked_at)->first;
	}
	struct parked *parked = *parked_at;
	if (parked->n == PARKED_MAX)
		return false;
	struct waiting *waiting = arena_take(&parked->arena, sizeof(*waiting));
	*waiting = (struct waiting){.decided = *decided};
	copy_slices(&waiting->decided, &parked->arena);
	*parked->last = waiting;
	parked->last = &waiting->next;
	parked->n++;
	return true;
}

void
parked_tell(struct parked **parked_at, struct slice queue, struct recorder *recorder)
{
	struct parked *parked = *parked_at;
	*parked_at = NULL;
	if (!parked)
		return;
	for (struct waiting *waiting = parked->first; waiting; waiting = waiting->next) {
		waiting->decided.queue = queue;
		recorder_decision(recorder, &waiting->decided);
	}
	arena_free(&parked->arena);
	free(parked);
}
