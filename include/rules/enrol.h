/*
 * enrol.h - the daemon's side of a term (term.h): when it may ask for slots, and what it says.
 *
 *     AWAY -> BEGINNING -> PUTTING -> DONE
 *
 * On each connection, and whenever the store says that it is not signed in, a daemon begins anew:
 * it asks for the term, puts what the store does not have of what it holds (all of it, unless the
 * term is the same as before), and signs in.  Questions about slots wait meanwhile.  Pure; times
 * are of a clock that never steps, in ms.
 */
#ifndef WEIR_ENROL_H
#define WEIR_ENROL_H

#include "rules/term.h"

enum enrol_state {
	ENROL_AWAY,
	ENROL_BEGINNING, /* TERM_BEGIN was said */
	ENROL_PUTTING,   /* what is held is being put */
	ENROL_DONE       /* questions may be asked */
};

struct enrol {
	enum enrol_state state;
	char daemon[TERM_DAEMON_MAX + 1];
	bool takes_part; /* has asked about slots or rates, in this life or in an earlier one */
	bool begun;  /* once in this life */
	bool doubts; /* leases may have run out unseen */
	bool said_doubts;
	bool signs_in;                    /* when all is put */
	enum term_row row;                /* as it was told last */
	uint64_t number;                  /* of the term */
	int64_t begun_ms;                 /* when it began, and was not signed in */
	int64_t contact_ms;               /* when the store answered last */
	int64_t lease_ms;                 /* limits.lease, the longest of this life */
	int64_t hold_ms;                  /* policyd.hold, likewise */
	char members[TERM_NAMES_MAX + 1]; /* as term_put_members() prints them */
};

/* What the store answered. */
struct enrol_answer {
	enum term_row row;
	uint64_t number;
	struct slice members;
};

/* `daemon` as in term.h. */
void enrol_init(struct enrol *enrol, const char *daemon);

/* Settings that count: the lease of a slot, and how long policyd holds one. */
void enrol_configure(struct enrol *enrol, int64_t lease_ms, int64_t hold_ms);

/* The connection is lost, or the store has failed. */
void enrol_lost(struct enrol *enrol);

/* The store has answered a question, or begins to be asked again. */
void enrol_heard(struct enrol *enrol, int64_t now_ms);

/* What to say at this step; for TERM_BEGIN the state becomes BEGINNING.  The caller adds the store's
 * id, the site's hosts and, for TERM_BEGIN, a number. */
void enrol_say(struct enrol *enrol, enum term_step step, int64_t now_ms,
               struct term_call *call_out);

/*
 * The answer to TERM_BEGIN: whether all that is held is to be put, not only what was never.  When
 * not, and there are doubts since, it is to be said again.
 */
bool enrol_begun(struct enrol *enrol, const struct enrol_answer *answer, int64_t now_ms);

/* All is put: whether to sign in.  Questions may follow at once. */
bool enrol_put(struct enrol *enrol);

/* The answer to another step, or what a question about slots showed of the own row. */
void enrol_learned(struct enrol *enrol, enum term_row row);
void enrol_answered(struct enrol *enrol, const struct enrol_answer *answer);

/* The longest lease that may be out: policyd's, where there is one. */
int64_t enrol_longest_ms(const struct enrol *enrol);

/* Whether the daemon has put what it holds, and others have not. */
bool enrol_waits(const struct enrol *enrol);

/*
 * Whether the store was silent for so long that leases may have run out on it which are held: those
 * of all, when the store itself was stopped.
 */
bool enrol_doubts(const struct enrol *enrol, int64_t now_ms);

#endif
