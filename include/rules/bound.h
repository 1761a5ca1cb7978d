/* bound.h - what a limit is of (its scope), and what it bounds. */
#ifndef WEIR_BOUND_H
#define WEIR_BOUND_H

enum limit_scope {
	SCOPE_DESTINATION,
	SCOPE_CLIENT, /* the identity, as in greylisting */
	SCOPE_SENDER,
	SCOPE_USER,
	SCOPE_MAILBOX, /* one of recipients */
	SCOPES
};

enum limit_kind { LIMIT_CONCURRENCY, LIMIT_MESSAGES, LIMIT_RECIPIENTS, LIMIT_KINDS };

#endif
