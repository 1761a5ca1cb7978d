/* limit_words.h - the words of set-limit and unset-limit: whose limit, which bound, to what. */
#ifndef WEIR_CTL_LIMIT_WORDS_H
#define WEIR_CTL_LIMIT_WORDS_H

#include "ctl.h"
#include "rules/overrides.h"

struct limit_words {
	struct override override; /* its kind, and its name when it is to be given */
	const char *name;         /* as it was given */
	bool any_bound;           /* no bound was named */
	struct slice value;       /* behind the bound, in `buf` */
	char buf[512];
};

/*
 * Reads "[DESTINATION] [BOUND] VALUE...", where an option may stand for the destination.  EX_OK, or
 * EX_USAGE and said so.
 */
int limit_words_read(const struct ctl *ctl, int argc, char **argv,
                     struct limit_words *words_out);

#endif
