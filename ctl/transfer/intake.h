/*
 * intake.h - what an import does with each record: takes it, or counts why not.
 *
 * Records of the future count as of now.  Without `apply` nothing is written: the counts say what
 * would happen.
 */
#ifndef WEIR_CTL_INTAKE_H
#define WEIR_CTL_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl.h"
#include "rules/grey.h"
#include "store/history.h"

/* What becomes of a row. */
enum intake_fate {
	INTAKE_TAKEN,
	INTAKE_MALFORMED,
	INTAKE_UNKNOWN,       /* a kind of a later weir */
	INTAKE_EXPIRED,       /* by the settings of this site */
	INTAKE_OLDER,         /* the store has a newer one, or one that has passed */
	INTAKE_FOLDED,        /* another row of the source stands for the same here */
	INTAKE_HASHED,        /* postgrey --privacy */
	INTAKE_SHORT_NETWORK, /* the network is known by fewer bits than the settings want */
	INTAKE_NEVER_ALLOWED, /* a client, and no client is ever allowed here */
	INTAKE_TARPIT,        /* of milter-greylist */
	INTAKE_SENDER_LOST,   /* what is left of it is no mail's */
	INTAKE_NOT_FOUND,     /* written, but the store has no such record afterwards */
	INTAKE_FATES
};

#define INTAKE_BATCH 1000

struct intake {
	struct history *history;
	struct grey_rules rules;
	int64_t now_s;
	bool apply;
	bool replace;   /* what is there is no reason */
	bool only_look; /* the store is not asked either: the source alone is checked */
	int64_t count[INTAKE_FATES];
	int64_t malformed_line; /* the first one; 0: there is none, or it has no number */

	struct history_row batch[INTAKE_BATCH];
	size_t n_batch;
	struct history_row there[INTAKE_BATCH]; /* what the store has under those keys */
};

/* Whether `rec` tells more than `other` does: it has passed and the other waits, or it is newer. */
bool intake_prefers(const struct grey_record *rec, const struct grey_record *other);

/* A record for that key.  False when the store fails. */
bool intake_record(struct intake *intake, enum history_record kind, const struct key *key,
                   struct grey_record record, struct err *err_out) MUST_CHECK;

/*
 * The rest of the batch; to be called at the end, before the counts are right.  What was written is
 * looked up: only what is found counts as taken.
 */
bool intake_flush(struct intake *intake, struct err *err_out) MUST_CHECK;

/* Rows that came in. */
int64_t intake_rows(const struct intake *intake);

/* The counts on standard output, as JSON when `ctl` says so; `source` is what was read. */
void intake_report(const struct intake *intake, const struct ctl *ctl,
                   const char *source);

#endif
