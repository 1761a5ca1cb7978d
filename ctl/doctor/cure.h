/*
 * cure.h - the text of a cure, as finding_mend() keeps it: what an operator can copy.
 *
 * Each line is a command for root's shell on this host, or "in weir.conf: SETTING", or words, which
 * begin with a capital letter.  "Or ...:" begins another way to the same end.  A command has no
 * gaps to fill in: what only the operator knows is said in words.  Tests apply the lines as they are.
 */
#ifndef WEIR_CTL_CURE_H
#define WEIR_CTL_CURE_H

#include "base/slice.h"
#include "findings.h"

#define CURE_MAX 4000

/* For a command of the shell: in quotes when it needs them. */
void cure_quote(struct slice word, struct text *out);

/* The same, kept with the findings. */
const char *cure_quoted(struct findings *findings, const char *word);

/*
 * "chmod a+x /srv /srv/weir", for the directories above `path` that the user may not pass; nothing
 * when there are none.  Ends with a newline.
 */
void cure_open_way(const char *user, const char *path, struct text *out);

/* The cure of the last finding; in words when it is longer than a cure may be. */
void cure_set(struct findings *findings, const struct text *text);

#endif
