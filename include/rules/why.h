/* why.h - the reasons of verdicts, and each in plain words. */
#ifndef WEIR_WHY_H
#define WEIR_WHY_H

#include "base/slice.h"
#include "rules/limit.h"

/* Why the verdict is what it is; words are in why.c. */
enum why {
	WHY_NOT_JUDGED, /* a stage or a recipient nothing is asked about */
	WHY_NO_CLIENT_ADDRESS,
	WHY_OFF,
	WHY_AUTHENTICATED,
	WHY_OWN_NETWORK,
	WHY_PRIVATE_NETWORK,
	WHY_CERTIFICATE,
	WHY_LIST_CLIENT,
	WHY_LIST_SENDER,
	WHY_LIST_RECIPIENT,
	WHY_OVERRIDE_CLIENT, /* exempt for a time: overrides.h */
	WHY_OVERRIDE_SENDER,
	WHY_OVERRIDE_RECIPIENT,
	WHY_NULL_SENDER, /* is judged at DATA */
	WHY_CLIENT_ALLOWED,
	WHY_GREYLIST_KNOWN,
	WHY_GREYLIST_PASSED,
	WHY_GREYLIST_RELEASED, /* by the operator, and this is the first try since */
	WHY_GREYLIST_NEW,
	WHY_GREYLIST_UNSTORED,
	WHY_GREYLIST_EARLY,
	WHY_GREYLIST_AGED,
	WHY_STORE_FAILURE,
	WHY_DRAINED,            /* the operator lets nothing through to the destination */
	WHY_USER_DRAINED,       /* or from the user */
	WHY_MESSAGE_RECIPIENTS, /* the message has as many recipients as it may have */
	WHY_RECOVERING, /* limits wait for daemons that have not told what they hold */
	WHY_LIMIT,      /* the first of SCOPES * LIMIT_KINDS, in the order of limit.h */
	WHY_COUNT = WHY_LIMIT + LIMIT_BOUNDS
};

/* How such mail is let through now. */
enum remedy {
	REMEDY_NONE,
	REMEDY_GREYLIST, /* the triplet, or an exemption */
	REMEDY_LIMIT,    /* another limit, or an exemption from it */
	REMEDY_DRAIN,
	REMEDY_STORE,
};

struct reason {
	const char *word; /* of the log, the metrics and the manual: "greylist-new" */
	enum remedy remedy;
	const char *text; /* a sentence or two */
};

const char *why_word(enum why why);

/* NULL for a word of another version. */
const struct reason *reason_find(struct slice word);

#endif
