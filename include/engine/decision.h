/*
 * decision.h - the walk of one recipient from its facts to its verdict.
 *
 * The MTA asks about a recipient.  decision_start() plans without waiting: lists and
 * exemptions settle much at once.  What is left is asked of the store, first the greylist gate,
 * then, for who got through it, the limits gate.  When the last answer is there, or its deadline
 * has passed, the verdict is made, logged and counted, and handed to who asked - never from
 * within decision_start().
 */
#ifndef WEIR_DECISION_H
#define WEIR_DECISION_H

#include <stdint.h>

#include "base/mem.h"
#include "engine/delivery.h"
#include "engine/engine.h"
#include "rules/plan.h"
#include "rules/query.h"
#include "rules/verdict.h"

/* The verdict is valid until the arena is reset. */
typedef void decision_fn(void *arg, const struct verdict *verdict);

/* In the caller's memory, all zero before the first use; one recipient at a time. */
struct decision {
	struct engine *engine;
	struct conf *conf;           /* the snapshot it began with */
	struct overrides *overrides; /* likewise */
	struct query query;          /* in its normal form */
	struct delivery *delivery;
	struct arena *arena;
	decision_fn *fn;
	void *arg;

	int64_t now_s;
	int64_t started_us;
	int64_t deadline_ms;    /* by the loop's clock: no question waits longer */
	int64_t await_until_ms; /* the same, while the store is awaited */
	struct plan plan;
	struct ask ask;     /* of the gate asked last */
	struct key triplet; /* that was asked about, when plan.ask and keyed */
	bool keyed;
	uint64_t secret_number;   /* that the keys of the limits gate were made with */
	struct store_job *job;    /* while the store is asked */
	enum store_status status; /* of the last answer; STORE_OK when none was needed */
	bool asked;               /* the store was to be asked */
	int64_t held; /* slots held at the destination, ours among them; 0: unknown */
	struct verdict verdict; /* as far as it is known */
	struct task later;      /* while the verdict waits to be handed over */
};

/*
 * The query, the delivery it belongs to and the arena must live until the verdict is handed over
 * or cancelled; that is about `limit_ms` at most.
 */
void decision_start(struct decision *decision, struct engine *engine,
                    const struct query *query, struct delivery *delivery,
                    int64_t limit_ms, struct arena *arena, decision_fn *fn, void *arg);

/* Nobody wants the verdict any more. */
void decision_cancel(struct decision *decision);

#endif
