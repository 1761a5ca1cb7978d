/* delivery_priv.h - what delivery.c and deliveries.c share: the parts of a delivery. */
#ifndef WEIR_DELIVERY_PRIV_H
#define WEIR_DELIVERY_PRIV_H

#include "engine/delivery.h"
#include "engine/parked.h"

struct held {
	struct limit_use use;
	char *name; /* of the limit, for a key with another secret; NULL while `maybe` */
	bool unnamed, shared;         /* as in struct limit_of */
	bool to_put;                  /* the store is to be told that it is held */
	bool unasked;                 /* the store has never heard of it */
	unsigned tokens;              /* of a rate, from the store; the milter's only */
	unsigned local_limits_tokens; /* from this host's share */
	bool maybe; /* a slot that may be held: not to be counted, only to be given back */
};

/* The note on what policyd took, or may have taken, for a recipient. */
struct receipt {
	struct key note;
	uint64_t message;
	unsigned n;
	uint16_t held[LIMIT_USES_MAX]; /* which rates */
};

struct delivery {
	struct engine *engine; /* NULL: has not asked for anything */
	char holder[HOLDER_MAX + 1];
	char other[HOLDER_MAX + 1];
	char service[SERVICE_MAX + 1];
	char queue[QUEUE_ID_MAX + 1];
	struct parked *parked; /* decisions that wait for it, of that engine */
	struct engine *parked_by;
	enum stage heard;
	bool quiet;       /* DATA was heard: others may hear the end before, or alone */
	int64_t spoke_ms; /* the MTA, last */
	bool unkeyed; /* the store's secret is not known yet: nothing of it is stored */
	struct held *held;
	size_t n, cap;
	char **recipients; /* that were accepted, where their number is limited */
	size_t n_recipients, cap_recipients;
	struct receipt *receipts;
	size_t n_receipts, cap_receipts;
	int64_t renewed_ms;           /* or taken last */
	struct delivery *prev, *next; /* among those of the engine */
};

static inline bool
held_is_slot(const struct held *held)
{
	return held->use.kind == LIMIT_CONCURRENCY;
}

/* A question about what is held; its uses are added one by one. */
struct ask delivery_begin_ask(const struct delivery *delivery, enum ask_kind kind);

/* Sends what was gathered when it is full, or at the end; without `fn` nobody waits for an answer. */
void delivery_send(struct engine *engine, struct ask *ask, bool at_end, store_fn *fn);

/* A slot counts in this host's share, or no more. */
void delivery_count(const struct delivery *delivery, const struct held *held, bool in);

bool delivery_holds_slots(const struct delivery *delivery);

/* Its slots are given back, its tokens are not. */
void delivery_give_back_slots(struct delivery *delivery);

/* Its slots count no more in this host's share. */
void delivery_leave_local_limits(struct delivery *delivery);

/* From here on somebody may hold what is to be put: the list is looked through from its start. */
void delivery_begin_puts(struct engine *engine);

#endif
