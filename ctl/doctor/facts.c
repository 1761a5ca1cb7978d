/* facts.c - what history_facts() told, by name. */
#include "facts.h"

#include <stdlib.h>

void
facts_add(void *arg, const char *name, struct slice value)
{
	struct facts *facts = arg;
	facts->v = mem_grow(facts->v, (facts->n + 1) * sizeof(*facts->v));
	facts->v[facts->n++] =
		(struct fact){.name = arena_copy(&facts->arena, slice_of(name)),
	                      .value = arena_copy(&facts->arena, value)};
}

void
facts_free(struct facts *facts)
{
	free(facts->v);
	arena_free(&facts->arena);
	*facts = (struct facts){0};
}

struct slice
facts_text(const struct facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->n; i++)
		if (slice_eq(facts->v[i].name, slice_of(name)))
			return facts->v[i].value;
	return SLICE("");
}

bool
facts_is(const struct facts *facts, const char *name, const char *value)
{
	return slice_eq(facts_text(facts, name), slice_of(value));
}

int64_t
facts_int(const struct facts *facts, const char *name, int64_t none)
{
	struct slice text = facts_text(facts, name);
	bool negative = text.n > 0 && text.p[0] == '-';
	uint64_t value;
	if (!slice_to_u64(slice_from(text, negative), INT64_MAX, &value))
		return none;
	return negative ? -(int64_t)value : (int64_t)value;
}
