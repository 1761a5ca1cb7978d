/* import.h - what the imports of all kinds share. */
#ifndef WEIR_CTL_IMPORT_H
#define WEIR_CTL_IMPORT_H

#include <stdbool.h>

#include "ctl.h"
#include "foreign.h"
#include "intake.h"
#include "outfile.h"

struct import {
	struct ctl *ctl;
	const char *source;
	struct history *history;
	const struct conf *conf;
	struct key_secret secret; /* of the store */
	bool holds_records;
	struct intake *intake;
};

/* Opens the store: root's rights are gone then.  EX_OK, or a status after it was said why. */
int import_open(struct import *import, struct ctl *ctl, const char *source);
void import_close(struct import *import);

/* Says what became of the rows, and in the log too when they were taken. */
void import_report(const struct import *import);

/* ---- another greylister's records ---- */

struct import_foreign {
	struct import import;
	struct foreign *foreign;
	struct outfile clients; /* --clients-to */
	const char *clients_path;
};

/* Before the rights are gone: opens what is to be written. */
int import_foreign_prepare(struct import_foreign *foreign, struct ctl *ctl);

/* Opens the store. */
int import_foreign_begin(struct import_foreign *foreign, struct ctl *ctl,
                         const char *source);

/* Takes what was gathered and reports; the exit status. */
int import_foreign_finish(struct import_foreign *foreign);

/* In every case. */
void import_foreign_close(struct import_foreign *foreign);

/* ---- the kinds of import; `path` as it was given, NULL: the usual one ---- */

int import_weir(struct ctl *ctl, const char *path);
int import_postgrey(struct ctl *ctl, const char *path);
int import_milter_greylist(struct ctl *ctl, const char *path);

#endif
