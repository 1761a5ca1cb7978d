/* redis_errors.h - what an error reply of Redis means for us (by its first word). */
#ifndef WEIR_REDIS_ERRORS_H
#define WEIR_REDIS_ERRORS_H

#include "base/slice.h"
#include "rules/ask.h"

enum redis_cure {
	REDIS_NONE,      /* answer by the failure rule */
	REDIS_LOAD,      /* NOSCRIPT: send the whole script once */
	REDIS_RECONNECT, /* another server, or the same one later */
	REDIS_OPERATOR,  /* settings are wrong: say so, trying again is no use */
	REDIS_RIGHTS,    /* the same of the rights that weir has there */
};

struct redis_error {
	const char *word;
	enum store_status status;
	enum redis_cure cure;
	const char *advice; /* for the log; NULL: none */
};

/* Never NULL: unknown words have a row of their own. */
const struct redis_error *redis_error_find(struct slice text);

#endif
