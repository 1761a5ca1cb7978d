/* newcap.c - a table of fixed size: identities and the rate of their new triplets. */
#include "engine/newcap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rules/gcra.h"

#define SLOTS      4096 /* a power of two; 64 KiB stay in the processor's cache */
#define NEIGHBOURS 4

struct slot {
	uint64_t tag;
	int64_t tat_us; /* gcra.h; 0 = free */
};

struct newcap {
	struct slot slots[SLOTS];
};

struct newcap *
newcap_new(void)
{
	return mem_new(struct newcap);
}

void
newcap_free(struct newcap **newcap)
{
	free(*newcap);
	*newcap = NULL;
}

/* Keys are hashes, so any bits of them will do. */
static uint64_t
tag_of(const struct key *identity)
{
	uint64_t tag;
	memcpy(&tag, identity->bytes, sizeof(tag));
	return tag;
}

static size_t
place(uint64_t tag, size_t i)
{
	return (size_t)(tag + i) % SLOTS;
}

bool
newcap_has_room(const struct newcap *newcap, const struct key *identity,
                const struct conf_rate *rate, int64_t now_ms)
{
	uint64_t tag = tag_of(identity);
	if (rate->count == 0)
		return true;
	for (size_t i = 0; i < NEIGHBOURS; i++) {
		const struct slot *slot = &newcap->slots[place(tag, i)];
		if (slot->tat_us != 0 && slot->tag == tag)
			return gcra_has_room(slot->tat_us, rate, now_ms * 1000);
	}
	return true;
}

void
newcap_take(struct newcap *newcap, const struct key *identity,
            const struct conf_rate *rate, int64_t now_ms)
{
	uint64_t tag = tag_of(identity);
	if (rate->count == 0)
		return;
	struct slot *chosen = &newcap->slots[place(tag, 0)];
	for (size_t i = 0; i < NEIGHBOURS; i++) {
		struct slot *slot = &newcap->slots[place(tag, i)];
		if (slot->tat_us != 0 && slot->tag == tag) {
			chosen = slot;
			break;
		}
		if (slot->tat_us < chosen->tat_us)
			chosen = slot;
	}
	if (chosen->tag != tag)
		*chosen = (struct slot){.tag = tag};
	chosen->tat_us = gcra_take(chosen->tat_us, rate, now_ms * 1000);
}
