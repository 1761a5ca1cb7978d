/* infile.h - an input file that can be read twice, and its lines. */
#ifndef WEIR_CTL_INFILE_H
#define WEIR_CTL_INFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/slice.h"

/*
 * "-" is standard input.  What cannot be read twice, as a pipe, is copied to a private temporary
 * file first, which has no name.  NULL with a text; the size is in *bytes_out.
 */
FILE *infile_open(const char *path, int64_t *bytes_out, struct err *err_out) MUST_CHECK;

/*
 * The next line, without its '\n'; of one that does not fit into the buffer the beginning, and
 * *too_long_out is set.  False at the end of the file.
 */
bool infile_line(FILE *file, char *buf, size_t size, struct slice *line_out,
                 bool *too_long_out);

/* Room for a line of the files of other programs. */
#define INFILE_LINE_MAX 4096

#endif
