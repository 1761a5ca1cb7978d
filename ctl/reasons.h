/* reasons.h - the reasons of decisions in plain words. */
#ifndef WEIR_CTL_REASONS_H
#define WEIR_CTL_REASONS_H

#include "base/slice.h"

/* How such mail is let through now. */
enum remedy {
	REMEDY_NONE,
	REMEDY_GREYLIST, /* the triplet, or an exemption */
	REMEDY_LIMIT,    /* another limit, or an exemption from it */
	REMEDY_DRAIN,
	REMEDY_STORE,
};

struct reason {
	const char *word; /* of why_word() */
	const char *text; /* a sentence or two */
	enum remedy remedy;
};

/* NULL for a word of another version. */
const struct reason *reason_find(struct slice word);

#endif
