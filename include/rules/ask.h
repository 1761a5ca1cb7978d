/*
 * ask.h - what is asked of the store for one recipient, and what it answers.
 * Plain data, copied by value.
 */
#ifndef WEIR_ASK_H
#define WEIR_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rules/grey.h"
#include "rules/key.h"
#include "rules/limit.h"
#include "rules/term.h"

enum ask_kind {
	ASK_GREYLIST,  /* the greylist gate */
	ASK_LIMITS,    /* the limits gate: room in every limit, or in none */
	ASK_RENEW,     /* slots that are held go on */
	ASK_PUT,       /* slots are held: they are not asked for */
	ASK_GIVE_BACK, /* slots and tokens that are held; nobody waits for the answer */
	ASK_RETURN, /* the tokens that policyd took for a recipient, if its note still says so */
	ASK_REFUSED, /* gives back what policyd took for a recipient that the MTA refused */
	ASK_TERM,    /* a daemon takes part in the store's life, or no longer */
	ASK_KINDS
};

struct ask {
	enum ask_kind kind;

	union {
		/* The greylist gate: is the identity allowed, else may the triplet pass? */
		struct {
			struct key identity;
			struct key triplet;
			struct grey_rules rules;
			bool may_store; /* a new triplet may be kept */
			bool is_second; /* as in grey_triplet_observe() */
			unsigned mark;  /* likewise */
			int64_t now_s; /* 0: the store's own clock; else the test clock */
		};
		struct term_call term;    /* ASK_TERM */
		struct limits_ask limits; /* all others */
	};
};

/* Copies a question, of limits only the uses that it has: there is room for many, and most have few. */
static inline void
ask_copy(struct ask *to, const struct ask *from)
{
	size_t n = offsetof(struct ask, limits.uses);
	if (from->kind == ASK_TERM)
		n = sizeof(*from);
	else if (from->kind != ASK_GREYLIST)
		n += from->limits.n * sizeof(*from->limits.uses);
	memcpy(to, from, n);
}

/* What became of a step of the term, and who takes part. */
struct term_answer {
	enum term_row row;
	uint64_t number;
	int64_t hosts_missing;
	int64_t store_ms; /* the store's clock, where it can step */
	struct slice
		members; /* as term_put_members() prints them; valid while it is told */
};

enum store_status {
	STORE_OK,
	STORE_TIMEOUT,    /* no answer within the deadline */
	STORE_DOWN,       /* not connected, or the breaker is open */
	STORE_OVERLOADED, /* more under way than the store is given */
	STORE_FULL,       /* disk, quota or memory is used up */
	STORE_BAD_RECORD, /* what is stored there cannot be read; other questions are fine */
	STORE_FAILED,     /* any other refusal */
	STORE_STATUSES
};

struct answer {
	enum store_status status;
	struct grey_result grey;     /* ASK_GREYLIST, when status is STORE_OK */
	struct limits_result limits; /* the others, when status is STORE_OK */
	struct term_answer term;     /* ASK_TERM, when status is STORE_OK */
	bool unasked;                /* it never reached the store */
};

#endif
