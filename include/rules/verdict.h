/*
 * verdict.h - the answer for one recipient, and the one place of the failure rule.
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

/*
 * Turns what was planned and what the greylist gate answered (NULL when it was not asked) into
 * the verdict.  Reply and header live in the arena; `serial` becomes the id.
 */
void verdict_make(const struct conf *conf, const struct plan *plan,
                  const struct answer *answer, uint32_t serial, struct arena *arena,
                  struct verdict *verdict_out);

/*
 * What the limits gate answered, after the greylist gate let the recipient pass: a refusal turns
 * the verdict into a deferral; one that is only observed is noted in it.
 */
void verdict_limits(const struct conf *conf, const struct plan *plan,
                    const struct limits_ask *ask, const struct limits_result *result,
                    struct arena *arena, struct verdict *verdict);

/* The message has as many recipients as the plan allows, and this would be one more: a deferral. */
void verdict_message_full(const struct conf *conf, const struct plan *plan,
                          struct arena *arena, struct verdict *verdict);

#endif
