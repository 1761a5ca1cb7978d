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

static struct conf_rate
rate_part(const struct limit_use *use, int64_t nodes)
{
	struct conf_rate rate = limit_rate(use);
	rate.count = part_of(rate.count, nodes);
	rate.burst = rate.burst > 0 ? part_of(rate.burst, nodes) : 0;
	return rate;
}

static bool
has_room(const struct local_limits *share, const struct limit_use *use, int64_t nodes,
         int64_t now_us, int64_t *wait_ms_out)
{
	const struct entry *entry = find(share, &use->key);
	*wait_ms_out = 0;
	if (!entry)
		return true;
	if (use->kind == LIMIT_CONCURRENCY)
		return entry->slots < part_of(use->count, nodes);
	const struct conf_rate rate = rate_part(use, nodes);
	int64_t wait_us = gcra_wait_us(entry->tat_us, &rate, now_us);
	*wait_ms_out = (wait_us + 999) / 1000;
	return wait_us == 0;
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
	struct limits_result *result = result_out;
	*result = (struct limits_result){.refused = -1};
	for (size_t i = 0; i < ask->n; i++) {
		const struct limit_use *use = &ask->uses[i];
		int64_t wait_ms = 0;
		if (mine & LIMIT_BIT(i) ||
		    has_room(share, use, nodes, now_us, &wait_ms)) {
			result->taken |= LIMIT_BIT(i);
			continue;
		}
		if (!use->observed || result->refused < 0)
			result->refused = (int)i;
		if (!use->observed) {
			result->taken = 0;
			result->wait_ms = wait_ms;
			return;
		}
	}
	result->granted = true;
	take_tokens(share, ask, result->taken, nodes, now_us);
}

bool
local_limits_is_full(const struct local_limits *share, const struct limits_ask *ask,
                     struct limits_result *result_out)
{
	bool first = true;
	for (size_t i = 0; i < ask->n; i++) {
		const struct limit_use *use = &ask->uses[i];
		if (use->kind != LIMIT_CONCURRENCY)
			continue;
		const struct entry *entry = find(share, &use->key);
		int64_t slots = entry ? entry->slots - entry->quiet : 0;
		bool is_mine = ask->mine & LIMIT_BIT(i);
		if (slots >= use->count && !is_mine && !use->observed) {
			*result_out = (struct limits_result){.refused = (int)i,
			                                     .held = first ? slots : 0};
			return true;
		}
		first = false;
	}
	return false;
}
