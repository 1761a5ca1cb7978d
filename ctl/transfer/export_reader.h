/* export_reader.h - an export read line by line, and held to what it must be as a whole. */
#ifndef WEIR_CTL_EXPORT_READER_H
#define WEIR_CTL_EXPORT_READER_H

#include <stdint.h>
#include <stdio.h>

#include "transfer.h"

struct export_reader {
	FILE *file;
	const char *name;
	int64_t line;  /* number of the one read last */
	int64_t bytes; /* read so far */
	int64_t rows;  /* records and overrides */
	struct key_secret secret;
};

enum export_read { EXPORT_LINE, EXPORT_DONE, EXPORT_REFUSED };

/* From the beginning of the file: reads the header.  False with "name:line: text". */
bool export_reader_open(struct export_reader *reader, FILE *file, const char *name,
                        struct err *err_out) MUST_CHECK;

/* DONE: the last line is there and names the number of those before; REFUSED with a text. */
enum export_read export_reader_next(struct export_reader *reader,
                                    struct transfer_line *line_out, struct err *err_out);

#endif
