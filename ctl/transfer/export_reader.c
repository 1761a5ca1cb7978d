/* export_reader.c - an export read line by line, and held to what it must be as a whole. */
#include "export_reader.h"

#include <inttypes.h>

#include "infile.h"

/* Puts the place in front of what is wrong. */
static bool
refuse(const struct export_reader *reader, const char *why, struct err *err_out)
{
	struct err told;
	err_set(&told, "%s:%" PRId64 ": %.200s", reader->name, reader->line, why);
	*err_out = told;
	return false;
}

/* False at the end of the file, and where the text says so. */
static bool
next_line(struct export_reader *reader, char buf[TRANSFER_LINE_MAX],
          struct slice *line_out, struct err *err_out)
{
	bool too_long;
	err_out->text[0] = '\0';
	bool there =
		infile_line(reader->file, buf, TRANSFER_LINE_MAX, line_out, &too_long);
	if (ferror(reader->file))
		return refuse(reader, "it cannot be read", err_out);
	if (!there)
		return false;
	reader->line++;
	reader->bytes += (int64_t)line_out->n + 1;
	return !too_long || refuse(reader, "the line is too long", err_out);
}

bool
export_reader_open(struct export_reader *reader, FILE *file, const char *name,
                   struct err *err_out)
{
	struct err why;
	struct slice line;
	char buf[TRANSFER_LINE_MAX];
	*reader = (struct export_reader){.file = file, .name = name};
	rewind(file);
	if (!next_line(reader, buf, &line, err_out))
		return err_out->text[0] ? false
		                        : refuse(reader, "the file is empty", err_out);
	return transfer_parse_header(line, &reader->secret, &why) ||
	       refuse(reader, why.text, err_out);
}

static enum export_read
at_end(struct export_reader *reader, int64_t rows, struct err *err_out)
{
	struct slice line;
	char buf[TRANSFER_LINE_MAX];
	if (rows != reader->rows) {
		err_set(err_out,
		        "%s:%" PRId64 ": %" PRId64 " rows are announced, but %" PRId64
		        " are there",
		        reader->name, reader->line, rows, reader->rows);
		return EXPORT_REFUSED;
	}
	if (next_line(reader, buf, &line, err_out))
		refuse(reader, "there is more after the end", err_out);
	return err_out->text[0] ? EXPORT_REFUSED : EXPORT_DONE;
}

enum export_read
export_reader_next(struct export_reader *reader, struct transfer_line *line_out,
                   struct err *err_out)
{
	struct err why;
	struct slice line;
	char buf[TRANSFER_LINE_MAX];
	if (!next_line(reader, buf, &line, err_out)) {
		if (!err_out->text[0])
			refuse(reader, "the file is cut: its last line is missing",
			       err_out);
		return EXPORT_REFUSED;
	}
	if (!transfer_parse(line, line_out, &why)) {
		refuse(reader, why.text, err_out);
		return EXPORT_REFUSED;
	}
	if (line_out->kind == TRANSFER_MALFORMED) {
		refuse(reader, "the row is malformed", err_out);
		return EXPORT_REFUSED;
	}
	if (line_out->kind == TRANSFER_END)
		return at_end(reader, line_out->rows, err_out);
	reader->rows++;
	return EXPORT_LINE;
}
