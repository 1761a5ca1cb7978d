/* give_back_queue.c - a bounded queue of give-backs. */
#include "give_back_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define TOLD_MAX  16384
#define TELLS_MAX 20

static size_t
place_of(const struct limits_ask *ask)
{
	size_t hash = 0;
	for (const char *p = ask->holder; *p; p++)
		hash = hash * 131 + (unsigned char)*p;
	return hash % GIVE_BACK_QUEUE_HOLDERS;
}

void
give_back_queue_add(struct give_back_queue *give_backs, const struct ask *ask,
                    unsigned tells)
{
	struct ask slots;
	ask_copy(&slots, ask);
	limits_keep(&slots.limits, ~limits_rates(&slots.limits));
	if (slots.limits.n == 0 || tells >= TELLS_MAX)
		return;
	if (give_backs->n == TOLD_MAX) {
		struct ask oldest;
		give_back_queue_take(give_backs, &oldest, &(unsigned){0});
	}
	struct limit_names *told = mem_new(struct limit_names);
	ask_copy(&told->ask, &slots);
	told->tells = tells;
	if (give_backs->last)
		give_backs->last->next = told;
	else
		give_backs->first = told;
	give_backs->last = told;
	give_backs->n++;
	give_backs->kept[place_of(&told->ask.limits)]++;
}

bool
give_back_queue_take(struct give_back_queue *give_backs, struct ask *ask_out,
                     unsigned *tells_out)
{
	struct limit_names *told = give_backs->first;
	if (!told)
		return false;
	give_backs->first = told->next;
	if (!give_backs->first)
		give_backs->last = NULL;
	give_backs->n--;
	give_backs->kept[place_of(&told->ask.limits)]--;
	ask_copy(ask_out, &told->ask);
	*tells_out = told->tells;
	free(told);
	return true;
}

static bool
has_use(const struct limits_ask *ask, const struct key *key)
{
	for (size_t i = 0; i < ask->n; i++)
		if (memcmp(&ask->uses[i].key, key, sizeof(*key)) == 0)
			return true;
	return false;
}

void
give_back_queue_add_failed(struct give_back_queue *give_backs, const struct ask *ask,
                           unsigned tells, uint64_t serial)
{
	if (give_backs->asked[place_of(&ask->limits)] < serial)
		give_back_queue_add(give_backs, ask, tells);
}

void
give_back_queue_forget(struct give_back_queue *give_backs, const struct limits_ask *ask,
                       uint64_t serial)
{
	size_t place = place_of(ask);
	give_backs->asked[place] = serial;
	if (give_backs->kept[place] == 0)
		return;
	for (struct limit_names *told = give_backs->first; told; told = told->next) {
		struct limits_ask *old = &told->ask.limits;
		limit_set others = 0;
		if (strcmp(old->holder, ask->holder) != 0)
			continue;
		for (size_t i = 0; i < old->n; i++)
			if (!has_use(ask, &old->uses[i].key))
				others |= LIMIT_BIT(i);
		limits_keep(old, others);
	}
}

void
give_back_queue_drop_own(struct give_back_queue *give_backs)
{
	struct ask ask;
	unsigned tells;
	for (size_t n = give_backs->n;
	     n > 0 && give_back_queue_take(give_backs, &ask, &tells); n--)
		if (ask.kind != ASK_GIVE_BACK)
			give_back_queue_add(give_backs, &ask, tells);
}

void
give_back_queue_free(struct give_back_queue *give_backs)
{
	struct ask ask;
	unsigned tells;
	while (give_back_queue_take(give_backs, &ask, &tells))
		;
}
