/* findings.h - what weirctl doctor has found, and how it is shown. */
#ifndef WEIR_FINDINGS_H
#define WEIR_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/mem.h"
#include "view.h"

struct json_t; /* jansson's */

enum finding_level {
	FINDING_OK,
	FINDING_NOTE,
	FINDING_WARNING,
	FINDING_PROBLEM,
	FINDING_LEVELS
};

/* Texts are never NULL, and may be from outside; of what is well, `why` and `mend` are empty. */
struct finding {
	enum finding_level level;
	const char *topic; /* "settings", "store", ... */
	const char *title;
	const char *seen;
	const char *why;  /* it matters */
	const char *mend; /* how to: commands and settings, one a line */
};

/* Empty when zeroed. */
struct findings {
	const char *topic; /* of what is added from now on */
	struct finding *v;
	size_t n;
	struct arena arena;
};

void findings_free(struct findings *findings);

/* Adds what is well. */
void finding_ok(struct findings *findings, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Adds another one; `title` and `why` are literals. */
void finding_add(struct findings *findings, enum finding_level level, const char *title,
                 const char *why);

/* The rest of the last one. */
void finding_seen(struct findings *findings, const char *fmt, ...) PRINTF_LIKE(2, 3);
void finding_mend(struct findings *findings, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Leaves out what was added twice since there were `from`. */
void findings_drop_repeated(struct findings *findings, size_t from);

/* How many are of that level. */
size_t findings_count(const struct findings *findings, enum finding_level level);

/* Whether nothing is worse than a note. */
bool findings_good(const struct findings *findings);

/* Prints for a human reader: a line for what is well unless `quiet`, a block for the rest, a sum. */
void findings_print(const struct findings *findings, bool quiet, const struct view *view);

/* An array with one object for each; with `quiet` none for what is well. */
struct json_t *findings_json(const struct findings *findings, bool quiet);

#endif
