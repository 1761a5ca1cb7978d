/*
 * verdict.h - the answer for one recipient, gate by gate, and the one place of the failure rule.
 */
#ifndef WEIR_VERDICT_H
#define WEIR_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/slice.h"
#include "conf/conf.h"
#include "rules/ask.h"
#include "rules/plan.h"

enum verdict_action { VERDICT_ACCEPT, VERDICT_DEFER };

#define VERDICT_ID_LEN 6

struct verdict {
	enum verdict_action action;
	enum why why;
	bool observed;      /* mode observe, or milter.enforce = false: it would have been
	                       deferred */
	int64_t wait_s;     /* until a retry passes; 0 when there is no such time */
	int64_t delayed_s;  /* a first pass: how long the mail was held up */
	struct slice reply; /* DEFER: "451 4.7.1 text" */
	struct slice
		header; /* a first pass: to be added to the message, once; else empty */
	struct slice limit; /* of a limit that refused: what it allows, "500/1d", "20" */
	char id[VERDICT_ID_LEN + 1];
};

/* Before the first gate: accepted, for the reason of the plan; `serial` becomes the id. */
void verdict_begin(const struct plan *plan, uint32_t serial, struct verdict *verdict_out);

/*
 * A gate, as far as it is pure: what it has to ask, and what the answer makes of the verdict.  Reply and
 * header live in the arena.
 */
struct gate_rule {
	const char *name;
	enum planned (*plan)(const struct facts *facts, struct plan *plan);
	void (*judge)(const struct facts *facts, const struct plan *plan,
	              const void *answer, struct verdict *verdict);
};

/* The operator lets nothing through; what else is exempt. */
extern const struct gate_rule rule_drained;
extern const struct gate_rule rule_exempt;

/* struct grey_result */
extern const struct gate_rule rule_greylist;

/* The message has as many recipients as the plan allows, and this would be one more; no answer. */
extern const struct gate_rule rule_message;

/* A refusal turns the verdict into a deferral; one that is only observed is noted in it. */
extern const struct gate_rule rule_limits;

struct limits_answer {
	const struct limits_ask *ask;
	const struct limits_result *result;
};

/*
 * The failure rule: what a question without an answer means.  A record that cannot be read is no
 * outage, and no retry fixes it: deferring would hold the mail back for ever.
 */
void verdict_failed(const struct facts *facts, const struct plan *plan,
                    enum store_status status, struct verdict *verdict);

#endif
