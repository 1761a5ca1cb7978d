/*
 * decision.h - the walk of one recipient from its facts to its verdict.
 *
 * The MTA asks about a recipient.  decision_start() plans without waiting: lists and
 * exemptions settle many at once.  For the others the greylist gate is asked of the store;
 * when its answer is there, or the deadline has passed, the verdict is made, logged and
 * counted, and handed to who asked - never from within decision_start().
 */
#ifndef WEIR_DECISION_H
#define WEIR_DECISION_H

#include <stdint.h>

#include "engine.h"
#include "mem.h"
#include "plan.h"
#include "query.h"
#include "verdict.h"

/* The verdict is valid until the arena is reset. */
typedef void decision_fn(void *arg, const struct verdict *verdict);

/* In the caller's memory, all zero before the first use; one recipient at a time. */
struct decision {
	struct engine *engine;
	struct conf *conf; /* the snapshot it began with */
	const struct query *query;
	struct arena *arena;
	decision_fn *fn;
	void *arg;

	int64_t now_s;
	int64_t started_us;
	struct plan plan;
	struct ask ask;
	struct store_job *job; /* while the store is asked */
	struct task later;     /* while the verdict waits to be handed over */
};

/* The query and the arena must live until the verdict is handed over or cancelled. */
void decision_start(struct decision *decision, struct engine *engine,
                    const struct query *query, struct arena *arena, decision_fn *fn,
                    void *arg);

/* Nobody wants the verdict any more. */
void decision_cancel(struct decision *decision);

#endif
