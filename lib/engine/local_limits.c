/* local_limits.c - a table of what this process holds, and the rates while the store is away. */
#include "engine/local_limits.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "rules/gcra.h"

/* Beyond so many limits the table is cleared of those without slots. */
#define ENTRIES_MAX 65536

struct entry {
	struct key key;
	int64_t slots;  /* held by deliveries of this process */
	int64_t quiet;  /* of these, slots that may have been given back for them */
	int64_t tat_us; /* gcra.h */
	UT_hash_handle hh;
};

struct local_limits {
	struct entry *entries;
	size_t clear_at;
};

struct local_limits *
local_limits_new(void)
{
	struct local_limits *local = mem_new(struct local_limits);
	local->clear_at = ENTRIES_MAX;
	return local;
}

static void
drop_entry(struct local_limits *local, struct entry *entry)
{
	HASH_DEL(local->entries, entry);
	free(entry);
}

void
local_limits_free(struct local_limits **local_limits_at)
{
	struct local_limits *local = *local_limits_at;
	struct entry *entry, *next;
	*local_limits_at = NULL;
	if (!local)
		return;
	HASH_ITER(hh, local->entries, entry, next)
		drop_entry(local, entry);
	free(local);
}

static struct entry *
find(const struct local_limits *local, const struct key *key)
{
	struct entry *entry;
	HASH_FIND(hh, local->entries, key, sizeof(*key), entry);
	return entry;
}

/* Twice as many as have to stay may come before the next time. */
static void
drop_idle(struct local_limits *local)
{
	struct entry *entry, *next;
	HASH_ITER(hh, local->entries, entry, next)
		if (entry->slots == 0)
			drop_entry(local, entry);
	local->clear_at = ENTRIES_MAX + 2 * HASH_COUNT(local->entries);
}

static struct entry *
find_or_add(struct local_limits *local, const struct key *key)
{
	struct entry *entry = find(local, key);
	if (entry)
		return entry;
	if (HASH_COUNT(local->entries) >= local->clear_at)
		drop_idle(local);
	entry = mem_new(struct entry);
	entry->key = *key;
	HASH_ADD(hh, local->entries, key, sizeof(entry->key), entry);
	return entry;
}

void
local_limits_hold(struct local_limits *local, const struct key *key)
{
	find_or_add(local, key)->slots++;
}

void
local_limits_drop(struct local_limits *local, const struct key *key)
{
	struct entry *entry = find(local, key);
	if (!entry)
		return;
	entry->slots--;
	if (entry->slots == 0 && entry->tat_us == 0)
		drop_entry(local, entry);
}

void
local_limits_quiet(struct local_limits *local, const struct key *key, int by)
{
	struct entry *entry = find(local, key);
	if (entry)
		entry->quiet += by;
}

static int64_t
part_of(int64_t count, int64_t nodes)
{
	return count > nodes ? count / nodes : 1;
}

/* The use as this host may have it. */
static struct limit_use
use_part(const struct limit_use *use, int64_t nodes)
{
	struct limit_use part = *use;
	part.count = part_of(use->count, nodes);
	part.burst = use->burst > 0 ? part_of(use->burst, nodes) : 0;
	return part;
}

/* `entry` is NULL when nothing is known of the limit. */
static struct limit_fact
fact_of(const struct entry *entry, bool has)
{
	return (struct limit_fact){.held = entry ? entry->slots : 0,
	                           .has = has,
	                           .tat_us = entry ? entry->tat_us : 0};
}

static void
take_tokens(struct local_limits *local, const struct limits_ask *part, limit_set taken,
            int64_t now_us)
{
	for (size_t i = 0; i < part->n; i++) {
		const struct limit_use *use = &part->uses[i];
		if (use->kind == LIMIT_CONCURRENCY || !(taken & LIMIT_BIT(i)))
			continue;
		struct entry *entry = find_or_add(local, &use->key);
		const struct conf_rate rate = limit_rate(use);
		entry->tat_us = gcra_take(entry->tat_us, &rate, now_us);
	}
}

void
local_limits_give_back(struct local_limits *local, const struct limit_use *use,
                       int64_t nodes, int64_t now_us)
{
	struct entry *entry = find(local, &use->key);
	const struct limit_use part = use_part(use, nodes);
	const struct conf_rate rate = limit_rate(&part);
	if (entry)
		entry->tat_us = gcra_give_back(entry->tat_us, &rate, now_us);
}

void
local_limits_judge(struct local_limits *local, const struct limits_ask *ask,
                   limit_set mine, int64_t nodes, int64_t now_us,
                   struct limits_result *result_out)
{
	struct limits_ask part = {.n = ask->n};
	for (size_t i = 0; i < ask->n; i++)
		part.uses[i] = use_part(&ask->uses[i], nodes);
	*result_out = (struct limits_result){.granted = true, .refused = -1};
	for (size_t i = 0; i < part.n && result_out->granted; i++) {
		const struct limit_fact fact =
			fact_of(find(local, &part.uses[i].key), mine & LIMIT_BIT(i));
		limits_judge(&part, i, &fact, false, now_us, result_out);
	}
	result_out->held = 0; /* those of this host are not all */
	take_tokens(local, &part, result_out->taken, now_us);
}

bool
local_limits_is_full(const struct local_limits *local, const struct limits_ask *ask,
                     struct limits_result *result_out)
{
	*result_out = (struct limits_result){.granted = true, .refused = -1};
	for (size_t i = 0; i < ask->n; i++) {
		if (ask->uses[i].kind != LIMIT_CONCURRENCY)
			continue;
		const struct entry *entry = find(local, &ask->uses[i].key);
		struct limit_fact fact = fact_of(entry, ask->mine & LIMIT_BIT(i));
		fact.held -= entry ? entry->quiet : 0;
		if (!limits_judge(ask, i, &fact, true, 0, result_out))
			return true;
	}
	return false;
}
