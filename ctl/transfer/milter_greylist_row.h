/* milter_greylist_row.h - the lines of milter-greylist's dump. */
#ifndef WEIR_CTL_MILTER_GREYLIST_ROW_H
#define WEIR_CTL_MILTER_GREYLIST_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/slice.h"

enum dump_line {
	DUMP_NOTHING, /* empty, or a comment */
	DUMP_HEADING, /* "# milter-greylist databases, ..." */
	DUMP_SUMMARY, /* "# Summary: ...", the last */
	DUMP_GREYLISTED,
	DUMP_WHITELISTED, /* AUTO */
	DUMP_TARPIT,
	DUMP_MALFORMED
};

struct dump_row {
	struct addr client;
	struct slice sender, recipient; /* in angle brackets, as they came */
	int64_t at_s; /* GREYLISTED: from when on it is accepted; WHITELISTED: until when */
};

/* The row is set for the three kinds that are one. */
enum dump_line dump_parse(struct slice line, struct dump_row *row_out);

#endif
