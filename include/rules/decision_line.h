/*
 * decision_line.h - a decision as it is remembered, so that an operator can ask "why?" by its id.
 *
 * One line of text for each: fields separated by tabs, tabs and control bytes escaped.  Kept are
 * deferrals, what would have been one (mode observe), first passes, and what was let through by a
 * list, by the operator, or because the store failed.
 */
#ifndef WEIR_DECISION_LINE_H
#define WEIR_DECISION_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/slice.h"

/* decisions.addresses: how much of them is kept. */
enum decision_line_addresses {
	ADDRESSES_FULL,
	ADDRESSES_DOMAIN, /* of mail addresses the domain only */
	ADDRESSES_NONE,   /* no mail address; of the client its identity only */
};

struct decision_line {
	struct slice id;
	int64_t at_s;
	struct slice daemon; /* "policyd" or "milter" */
	struct slice node;
	struct slice action; /* "defer" or "accept" */
	bool observed;
	struct slice why; /* a word of why_word() */
	struct slice client, name, identity, identity_by;
	struct slice sender, recipient; /* "<>": the null sender */
	struct slice destination;
	struct slice entry; /* of a list */
	int64_t wait_s, delayed_s, held;
	struct slice store;   /* "ok", or what the store answered instead */
	struct slice triplet; /* its key as key_print() has it; empty without one */
	struct slice user;    /* who has logged in */
	struct slice queue;   /* the MTA's queue id, as it writes it; empty: not known */
	struct slice limit;   /* of a limit: what it allows, "500/1d" */
};

/* A line is never longer, '\n' included. */
#define DECISION_LINE_MAX 1280

/* Appends the line; addresses in lower case, and only as much of them as `addresses` says. */
void decision_line_print(const struct decision_line *decided,
                         enum decision_line_addresses addresses, struct text *out);

/* Slices live in the arena or point into the line.  False: no such line. */
bool decision_line_parse(struct slice line, struct arena *arena,
                         struct decision_line *decision_line_out) MUST_CHECK;

/* Takes the last of some lines off them, without its '\n'; false when there is none. */
bool decision_line_cut_last(struct slice *lines, struct slice *line_out);

/* What is looked for; what is empty or 0 does not matter.  All zero before the words are set. */
struct decision_line_filter {
	struct slice id; /* in upper case */
	/* client or its network, its name, sender, recipient, a domain of these, destination, or user */
	struct slice address;
	struct slice destination;
	struct slice queue;
	struct slice user;
	struct slice why;
	int64_t since_s, until_s;
	/* private: `address` as a network; the bytes that each line which matches has in it */
	struct cidr net;
	bool is_net;
	char needle[DECISION_LINE_MAX];
	size_t needle_n;
};

/* Whether any of these lines may be; false spares a look at each. */
bool decision_lines_may_match(struct slice lines, struct decision_line_filter *filter);

/*
 * Whether the line is one of these.  Bytes that it must have in it are looked for first, so that a
 * hundred thousand lines take some 10 ms.
 */
bool decision_line_matches(struct slice line, struct decision_line_filter *filter);

#endif
