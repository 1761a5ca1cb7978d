/* remembered.h - decisions looked up among those that are remembered. */
#ifndef WEIR_CTL_REMEMBERED_H
#define WEIR_CTL_REMEMBERED_H

#include "base/err.h"
#include "base/mem.h"
#include "rules/decision_line.h"
#include "rules/verdict.h"
#include "store/history.h"

/*
 * The id in what a user pasted: in any case, O, I and L for 0 and 1, alone, in parentheses, or behind
 * "id" in a whole reply.  False: there is none.
 */
bool remembered_id(struct slice text, char id_out[VERDICT_ID_LEN + 1]);

/*
 * Appends the address in what a user pasted, as decisions have it: "from=<Alice@x.test>" without what
 * is around it, "2001:DB8:0::1" in its short form, "mx.x.test." without the last dot.
 */
void remembered_address(struct slice text, struct text *out);

struct remembered {
	struct decision_line *v; /* the newest first */
	size_t n;
	struct arena arena;
};

/* At most `most` of them.  False with a text; to be freed in both cases. */
bool remembered_find(struct history *history, struct decision_line_filter *filter,
                     size_t most, struct remembered *found_out, struct err *err_out)
	MUST_CHECK;

/* What was decided about the same triplet after this one, the newest first. */
bool remembered_later(struct history *history, const struct decision_line *decided,
                      struct remembered *found_out, struct err *err_out) MUST_CHECK;

void remembered_free(struct remembered *found);

#endif
