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
	struct local_limits *share = mem_new(struct local_limits);
	share->clear_at = ENTRIES_MAX;
	return share;
}

static void
drop_entry(struct local_limits *share, struct entry *entry)
{
	HASH_DEL(share->entries, entry);
	free(entry);
}

void
local_limits_free(struct local_limits **local_limits_at)
{
	struct local_limits *share = *local_limits_at;
	struct entry *entry, *next;
	*local_limits_at = NULL;
	if (!share)
		return;
	HASH_ITER(hh, share->entries, entry, next)
		drop_entry(share, entry);
	free(share);
}

static struct entry *
find(const struct local_limits *share, const struct key *key)
{
	struct entry *entry;
	HASH_FIND(hh, share->entries, key, sizeof(*key), entry);
	return entry;
}

/* Twice as many as have to stay may come before the next time. */
static void
drop_idle(struct local_limits *share)
{
	struct entry *entry, *next;
	HASH_ITER(hh, share->entries, entry, next)
		if (entry->slots == 0)
			drop_entry(share, entry);
	share->clear_at = ENTRIES_MAX + 2 * HASH_COUNT(share->entries);
}

static struct entry *
find_or_add(struct local_limits *share, const struct key *key)
{
	struct entry *entry = find(share, key);
	if (entry)
		return entry;
	if (HASH_COUNT(share->entries) >= share->clear_at)
		drop_idle(share);
	entry = mem_new(struct entry);
	entry->key = *key;
	HASH_ADD(hh, share->entries, key, sizeof(entry->key), entry);
	return entry;
}

void
local_limits_hold(struct local_limits *share, const struct key *key)
{
	find_or_add(share, key)->slots++;
}

void
local_limits_drop(struct local_limits *share, const struct key *key)
{
	struct entry *entry = find(share, key);
	if (!entry)
		return;
	entry->slots--;
	if (entry->slots == 0 && entry->tat_us == 0)
		drop_entry(share, entry);
}

void
local_limits_quiet(struct local_limits *share, const struct key *key, int by)
{
	struct entry *entry = find(share, key);
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

static struct conf_rate
rate_part(const struct limit_use *use, int64_t nodes)
{
	const struct limit_use part = use_part(use, nodes);
	return limit_rate(&part);
}

static struct limit_fact
look_at(const struct local_limits *share, const struct limit_use *use, bool has)
{
	const struct entry *entry = find(share, &use->key);
	return (struct limit_fact){.held = entry ? entry->slots : 0,
	                           .has = has,
	                           .tat_us = entry ? entry->tat_us : 0};
}

static void
take_tokens(struct local_limits *share, const struct limits_ask *ask, limit_set taken,
            int64_t nodes, int64_t now_us)
{
	for (size_t i = 0; i < ask->n; i++) {
		const struct limit_use *use = &ask->uses[i];
		if (use->kind == LIMIT_CONCURRENCY || !(taken & LIMIT_BIT(i)))
			continue;
		struct entry *entry = find_or_add(share, &use->key);
		const struct conf_rate rate = rate_part(use, nodes);
		entry->tat_us = gcra_take(entry->tat_us, &rate, now_us);
	}
}

void
local_limits_give_back(struct local_limits *share, const struct limit_use *use,
                       int64_t nodes, int64_t now_us)
{
	struct entry *entry = find(share, &use->key);
	const struct conf_rate rate = rate_part(use, nodes);
	if (entry)
		entry->tat_us = gcra_give_back(entry->tat_us, &rate, now_us);
}

void
local_limits_judge(struct local_limits *share, const struct limits_ask *ask,
                   limit_set mine, int64_t nodes, int64_t now_us,
                   struct limits_result *result_out)
{
	struct limits_ask part = {.takes_over = ask->takes_over};
	*result_out = (struct limits_result){.granted = true, .refused = -1};
	for (size_t i = 0; i < ask->n && result_out->granted; i++) {
		const struct limit_fact fact =
			look_at(share, &ask->uses[i], mine & LIMIT_BIT(i));
		part.uses[i] = use_part(&ask->uses[i], nodes);
		limits_judge(&part, i, &fact, false, now_us, result_out);
	}
	result_out->held = 0; /* those of this host are not all */
	take_tokens(share, ask, result_out->taken, nodes, now_us);
}

bool
local_limits_is_full(const struct local_limits *share, const struct limits_ask *ask,
                     struct limits_result *result_out)
{
	*result_out = (struct limits_result){.granted = true, .refused = -1};
	for (size_t i = 0; i < ask->n; i++) {
		struct limit_fact fact =
			look_at(share, &ask->uses[i], ask->mine & LIMIT_BIT(i));
		const struct entry *entry = find(share, &ask->uses[i].key);
		fact.held -= entry ? entry->quiet : 0;
		if (ask->uses[i].kind == LIMIT_CONCURRENCY &&
		    !limits_judge(ask, i, &fact, true, 0, result_out))
			return true;
	}
	return false;
}
