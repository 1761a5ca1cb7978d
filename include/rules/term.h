/*
 * term.h - on which life of the store its leases are known to be whole.
 *
 * A store that restarts, is emptied or replaced, or whose clock steps may have lost leases whose
 * holders deliver all the same.  So it has a term: the name of the life that its leases belong to,
 * and the daemons that take part in it.  A daemon that finds another life, or none, begins a new
 * term: all leases are dropped, each daemon puts what it holds, without asking for room, and signs
 * in.  Nobody is granted a slot before all have; or before the longest lease is over, when what
 * those hold who are missing counts no more.  Where there was no term, as in an empty store, hosts
 * are awaited, too: as many as the site has.
 *
 * These are the rules of the store's side, without a clock; scripts/term.lua is their twin.
 */
#ifndef WEIR_TERM_H
#define WEIR_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define TERM_ID_MAX      95
#define TERM_DAEMON_MAX  (2 + 64 + 1) /* "m/mx1/": the beginning of its holders' names */
#define TERM_MEMBERS_MAX 64           /* more do not take part, and are not waited for */
#define TERM_NAMES_MAX   511

enum term_row {
	TERM_STRANGER, /* does not take part */
	TERM_OUT,      /* takes part, and has not put what it holds */
	TERM_IN,       /* has; others have not */
	TERM_OPEN,     /* may be granted slots */
	TERM_ROWS
};

struct term_member {
	char daemon[TERM_DAEMON_MAX + 1];
	enum term_row row;
};

struct term {
	char id[TERM_ID_MAX + 1]; /* of the store's life; empty: there is no term */
	uint64_t number;          /* another in each term; below 2^53 */
	bool open;                /* all have signed in */
	int64_t hosts;            /* and so many hosts, until then */
	size_t n;
	struct term_member members[TERM_MEMBERS_MAX];
};

enum term_step {
	TERM_BEGIN,    /* before anything else, on each connection */
	TERM_SIGN_IN,  /* all that is held has been put */
	TERM_LOOK,     /* now and then */
	TERM_SIGN_OUT, /* all that was held has been given back: the daemon ends */
	TERM_STEPS
};

/* What a daemon says. */
struct term_call {
	enum term_step step;
	char daemon[TERM_DAEMON_MAX + 1];
	char id[TERM_ID_MAX + 1]; /* of the store's life, as it knows it */
	uint64_t
		number; /* BEGIN: of a new term, used by nobody else; SIGN_IN: of the term that
	                    all was put in */
	int64_t hosts;                  /* that the site has */
	bool fresh;                     /* the first call of its life: it holds nothing */
	bool doubts;                    /* leases may have run out unseen: begin anew */
	bool waited;                    /* the longest lease is over since it signed in */
	char known[TERM_NAMES_MAX + 1]; /* the others it knows of, a blank behind each */
};

/* What is to be done with the leases. */
struct term_effect {
	bool drop_all; /* a new term has begun */
	bool drop_own; /* those of the daemon are put anew */
};

void term_apply(struct term *term, const struct term_call *call,
                struct term_effect *effect_out);

enum term_row term_row(const struct term *term, const char *daemon);

/* How many hosts are missing, apart from daemons that are. */
int64_t term_hosts_missing(const struct term *term);

/* "+m/mx1/ -p/mx2/ ": who has signed in, and who has not. */
void term_put_members(const struct term *term, struct text *out);

/* "out", "in", ... ; TERM_STRANGER for any other word. */
const char *term_row_word(enum term_row row);
enum term_row term_row_of(struct slice word);

#endif
