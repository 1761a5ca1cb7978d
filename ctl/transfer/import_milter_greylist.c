/*
 * import_milter_greylist.c - weirctl import milter-greylist FILE: its dump.
 *
 * The dump tells when an entry ends, not when it began.  What has passed is taken so that it ends
 * when it would have ended there; what waits, so that its wait ends when it would have.
 */
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "import.h"
#include "infile.h"
#include "milter_greylist_row.h"
#include "progress.h"

struct dump {
	struct import_foreign foreign;
	FILE *file;
	const char *path;
	struct progress progress;
	int64_t line;
	int64_t bytes;
	bool headed;
	bool whole;
};

static void
add_row(struct dump *dump, const struct dump_row *row, enum dump_line kind)
{
	const struct grey_rules *rules = &dump->foreign.import.intake->rules;
	bool passed = kind == DUMP_WHITELISTED;
	struct grey_record record = {
		.state = passed ? GREY_PASSED : GREY_WAITING,
		.at_s = row->at_s - (passed ? rules->lifetime_s : rules->delay_s),
	};
	foreign_triplet(dump->foreign.foreign, &row->client,
	                addr_max_bits(row->client.family), row->sender, row->recipient,
	                record);
}

static void
on_line(struct dump *dump, struct slice line)
{
	struct dump_row row;
	struct intake *intake = dump->foreign.import.intake;
	enum dump_line kind = dump_parse(line, &row);
	switch (kind) {
	case DUMP_NOTHING: return;
	case DUMP_HEADING: dump->headed = true; return;
	case DUMP_SUMMARY: dump->whole = true; return;
	case DUMP_GREYLISTED:
	case DUMP_WHITELISTED: add_row(dump, &row, kind); break;
	case DUMP_TARPIT: intake->count[INTAKE_TARPIT]++; break;
	case DUMP_MALFORMED:
		if (intake->count[INTAKE_MALFORMED]++ == 0)
			intake->malformed_line = dump->line;
		break;
	}
	progress_row(&dump->progress, dump->bytes);
}

static int
refuse(const struct dump *dump, const char *why)
{
	return ctl_fail(EX_DATAERR, "%s:%" PRId64 ": %s; nothing was changed", dump->path,
	                dump->line, why);
}

static int
read_dump(struct dump *dump)
{
	char buf[INFILE_LINE_MAX];
	struct slice line;
	bool too_long;
	while (infile_line(dump->file, buf, sizeof(buf), &line, &too_long)) {
		dump->line++;
		dump->bytes += (int64_t)line.n + 1;
		if (too_long)
			return refuse(dump, "the line is too long");
		on_line(dump, line);
		if (!dump->headed && line.n > 0 && line.p[0] != '#')
			return refuse(dump, "this is no dump of milter-greylist");
	}
	if (ferror(dump->file))
		return refuse(dump, "it cannot be read");
	if (!dump->headed)
		return refuse(dump, "this is no dump of milter-greylist");
	return dump->whole ? EX_OK
	                   : refuse(dump, "the file is cut: its summary is missing");
}

static int
run(struct dump *dump, struct ctl *ctl, int64_t size)
{
	int status = import_foreign_begin(&dump->foreign, ctl, dump->path);
	if (status != EX_OK)
		return status;
	progress_start(&dump->progress, "reading", size, !ctl->json);
	status = read_dump(dump);
	progress_end(&dump->progress);
	return status == EX_OK ? import_foreign_finish(&dump->foreign) : status;
}

int
import_milter_greylist(struct ctl *ctl, const char *path)
{
	struct err err;
	int64_t size = 0;
	struct dump dump = {.path = strcmp(path, "-") == 0 ? "standard input" : path};
	int status = import_foreign_prepare(&dump.foreign, ctl);
	if (status != EX_OK)
		return status;
	dump.file = infile_open(path, &size, &err);
	status = dump.file ? run(&dump, ctl, size) : ctl_fail(EX_NOINPUT, "%s", err.text);
	if (dump.file && dump.file != stdin)
		fclose(dump.file);
	import_foreign_close(&dump.foreign);
	return status;
}
