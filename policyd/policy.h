/*
 * policy.h - Postfix' policy delegation protocol (SMTPD_POLICY_README): the parser and the
 * printer.
 *
 * A request is name=value lines ended by an empty line.  The parser is fed whatever bytes
 * have come; unknown names are skipped, missing ones stay empty.
 */
#ifndef WEIR_POLICY_H
#define WEIR_POLICY_H

#include "base/mem.h"
#include "base/slice.h"
#include "rules/query.h"
#include "rules/verdict.h"

#define POLICY_LINE_MAX       8192
#define POLICY_ATTRIBUTES_MAX 128
#define POLICY_REQUEST_MAX    65536

enum policy_state {
	POLICY_MORE, /* all bytes are used, the request is not complete */
	POLICY_DONE, /* a request is complete; bytes behind it are not used */
	POLICY_BAD,  /* not a policy request: close the connection */
};

struct policy {
	struct query query;  /* complete when policy_feed() says so; lives in the arena */
	const char *trouble; /* POLICY_BAD: what is wrong */
	struct arena *arena;
	size_t bytes;
	unsigned attributes;
	unsigned expected; /* the row of the table that likely comes next */
	bool is_policy;    /* request=smtpd_access_policy was seen */
	char *held;        /* the beginning of a line that is not complete */
	size_t held_n;
};

/* Ready for the next request, whose values will live in the arena. */
void policy_reset(struct policy *policy, struct arena *arena);

enum policy_state policy_feed(struct policy *policy, struct slice in, size_t *used_out);

/* Whether part of a request has come. */
bool policy_has_begun(const struct policy *policy);

/* Appends the answer; `header` is to be added to the message, empty = none. */
void policy_print(const struct verdict *verdict, struct slice header, struct text *out);

#endif
