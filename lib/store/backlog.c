/* backlog.c - a bounded queue of give-backs. */
#include "backlog.h"

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
	return hash % BACKLOG_HOLDERS;
}

void
backlog_add(struct backlog *backlog, const struct ask *ask, unsigned tells)
{
	struct ask slots;
	ask_copy(&slots, ask);
	limits_keep(&slots.limits, ~limits_rates(&slots.limits));
	if (slots.limits.n == 0 || tells >= TELLS_MAX)
		return;
	if (backlog->n == TOLD_MAX) {
		struct ask oldest;
		backlog_take(backlog, &oldest, &(unsigned){0});
	}
	struct told *told = mem_new(struct told);
	ask_copy(&told->ask, &slots);
	told->tells = tells;
	if (backlog->last)
		backlog->last->next = told;
	else
		backlog->first = told;
	backlog->last = told;
	backlog->n++;
	backlog->kept[place_of(&told->ask.limits)]++;
}

bool
backlog_take(struct backlog *backlog, struct ask *ask_out, unsigned *tells_out)
{
	struct told *told = backlog->first;
	if (!told)
		return false;
	backlog->first = told->next;
	if (!backlog->first)
		backlog->last = NULL;
	backlog->n--;
	backlog->kept[place_of(&told->ask.limits)]--;
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
backlog_add_failed(struct backlog *backlog, const struct ask *ask, unsigned tells,
                   uint64_t serial)
{
	if (backlog->asked[place_of(&ask->limits)] < serial)
		backlog_add(backlog, ask, tells);
}

void
backlog_forget(struct backlog *backlog, const struct limits_ask *ask, uint64_t serial)
{
	size_t place = place_of(ask);
	backlog->asked[place] = serial;
	if (backlog->kept[place] == 0)
		return;
	for (struct told *told = backlog->first; told; told = told->next) {
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
backlog_drop_own(struct backlog *backlog)
{
	struct ask ask;
	unsigned tells;
	for (size_t n = backlog->n; n > 0 && backlog_take(backlog, &ask, &tells); n--)
		if (ask.kind != ASK_GIVE_BACK)
			backlog_add(backlog, &ask, tells);
}

void
backlog_free(struct backlog *backlog)
{
	struct ask ask;
	unsigned tells;
	while (backlog_take(backlog, &ask, &tells))
		;
}
