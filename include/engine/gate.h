/*
 * gate.h - how a decision asks what a gate has to ask.
 *
 * A gate is a rule, which is pure (verdict.h), and for what it asks: ask().  What comes of that is told
 * once, by decision_pass(), decision_judge() or decision_fail(), from within ask() or later; after that
 * the decision may be gone.  The walk (decision.c) does the rest: which gate is next, how long
 * one may wait, what a deferral means, and what no answer means.  A gate knows nothing of its neighbours.
 */
#ifndef WEIR_GATE_H
#define WEIR_GATE_H

#include "engine/decision.h"

struct gate {
	const struct gate_rule *rule;
	void (*ask)(struct decision *decision); /* NULL: what was planned is judged */
	/* Nobody wants the answer any more; the job of a store is abandoned for it. */
	void (*cancel)(struct decision *decision);
	/* In place of the failure rule; to end as ask() does. */
	void (*fail)(struct decision *decision);
	/* The MTA has refused the recipient, or another gate the message at DATA: what was taken at RCPT. */
	void (*give_back)(struct decision *decision);
	/* The store is awaited first, if it was never there; not asked if it has just been silent. */
	bool of_store;
};

/* The table, in the order in which they are asked; the end has no rule. */
extern const struct gate decision_gates[];

/* What comes of ask(): the gate has nothing against it; or an answer, for its rule; or none. */
void decision_pass(struct decision *decision);
void decision_judge(struct decision *decision, const void *answer);
void decision_fail(struct decision *decision, enum store_status status);

/* From within ask(): decision->ask is asked of the store. */
void decision_ask_store(struct decision *decision, store_fn *fn);

/* The answer of the store means nothing any more: the gate is asked anew. */
void decision_ask_anew(struct decision *decision);

/*
 * From within ask(): something else is waited for, so long at most.  Then the gate's cancel() is called,
 * and it has failed.
 */
void decision_wait(struct decision *decision, int64_t limit_ms);

/* The clock of what is judged in this process. */
int64_t decision_clock_ms(const struct decision *decision);

/* ---- the gates that ask ---- */

void greylist_ask(struct decision *decision);

/* Recipients of one message. */
void message_ask(struct decision *decision);

void limits_ask(struct decision *decision);
void limits_cancel(struct decision *decision);
void limits_fail(struct decision *decision);
void limits_give_back(struct decision *decision);

#endif
