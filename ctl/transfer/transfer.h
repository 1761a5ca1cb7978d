/*
 * transfer.h - the lines of an export.
 *
 * JSON, one object a line: first {"weir":"export","version":1,"secret":"...","at":T}, then records
 * and overrides in any order, last {"kind":"end","rows":N} with the number of lines between.
 */
#ifndef WEIR_CTL_TRANSFER_H
#define WEIR_CTL_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "rules/grey.h"
#include "rules/key.h"
#include "rules/overrides.h"
#include "store/history.h"

#define TRANSFER_VERSION 1

/* A line is never longer, '\n' included. */
#define TRANSFER_LINE_MAX 8192

enum transfer_kind {
	TRANSFER_RECORD,
	TRANSFER_OVERRIDE,
	TRANSFER_UNKNOWN,   /* of a later weir, maybe */
	TRANSFER_MALFORMED, /* JSON, but not as its kind wants it */
	TRANSFER_END
};

struct transfer_line {
	enum transfer_kind kind;
	struct history_row row;    /* RECORD: kind and key */
	struct grey_record record; /* RECORD */
	struct override override;  /* ORDER */
	int64_t rows;              /* END */
};

void transfer_print_header(const struct key_secret *secret, int64_t now_s, FILE *to);

/* False when the record is of a version that is not known: nothing is printed. */
bool transfer_print_row(const struct history_row *row, FILE *to);
void transfer_print_override(const struct override *override, FILE *to);
void transfer_print_end(int64_t rows, FILE *to);

/* Without the '\n'.  False with a text: this is no header of a version that can be read. */
bool transfer_parse_header(struct slice line, struct key_secret *secret_out,
                           struct err *err_out) MUST_CHECK;

/* False with a text when it is no JSON object. */
bool transfer_parse(struct slice line, struct transfer_line *line_out,
                    struct err *err_out) MUST_CHECK;

#endif
