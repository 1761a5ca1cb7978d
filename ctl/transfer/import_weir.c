/*
 * import_weir.c - weirctl import FILE: an export of another store, or of this one.
 *
 * The file is read twice: first all of it is checked, so that one that is cut or something else
 * changes nothing; then what is wanted of it is taken.
 */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sysexits.h>

#include "books/status.h"
#include "export_reader.h"
#include "import.h"
#include "infile.h"
#include "override_intake.h"
#include "progress.h"

struct export_import {
	struct import import;
	struct export_reader reader;
	struct override_intake overrides;
	FILE *file;
	int64_t size;
	bool other_secret;
};

static bool
on_line(struct export_import *run, const struct transfer_line *line, struct err *err)
{
	struct intake *intake = run->import.intake;
	switch (line->kind) {
	case TRANSFER_RECORD:
		return intake_record(intake, line->row.kind, &line->row.key, line->record,
		                     err);
	case TRANSFER_OVERRIDE:
		return override_intake_take(&run->overrides, &line->override, err);
	case TRANSFER_UNKNOWN: intake->count[INTAKE_UNKNOWN]++; return true;
	case TRANSFER_MALFORMED:
	case TRANSFER_END: break; /* the reader keeps them */
	}
	return true;
}

static int
read_lines(struct export_import *run, struct progress *progress)
{
	struct err err;
	struct transfer_line line;
	enum export_read read;
	while ((read = export_reader_next(&run->reader, &line, &err)) == EXPORT_LINE) {
		if (!on_line(run, &line, &err))
			return ctl_store_failed(&err);
		progress_row(progress, run->reader.bytes);
	}
	if (read == EXPORT_REFUSED)
		return ctl_fail(EX_DATAERR, "%s; nothing was changed", err.text);
	return intake_flush(run->import.intake, &err) ? EX_OK : ctl_store_failed(&err);
}

/* All of the file, in one of the three ways of the intake. */
static int
pass(struct export_import *run, const char *what)
{
	struct err err;
	struct progress progress;
	const struct ctl *ctl = run->import.ctl;
	struct intake *intake = run->import.intake;
	memset(intake->count, 0, sizeof(intake->count));
	if (!export_reader_open(&run->reader, run->file, run->import.source, &err))
		return ctl_fail(EX_DATAERR, "%s; nothing was changed", err.text);
	run->other_secret = memcmp(&run->reader.secret, &run->import.secret,
	                           sizeof(run->import.secret)) != 0;
	progress_start(&progress, what, run->size, !ctl->json);
	int status = read_lines(run, &progress);
	progress_end(&progress);
	return status;
}

/* Names of daemons that use the store just now; empty without any. */
static void
list_daemons(const struct import *import, struct text *names)
{
	size_t i;
	json_t *daemon;
	json_t *status =
		status_build(import->conf, import->history, NULL, import->intake->now_s);
	json_array_foreach(json_object_get(status, "daemons"), i, daemon) {
		if (!json_is_true(json_object_get(daemon, "alive")))
			continue;
		text_printf(names, "%sweir-%s on ", names->n > 0 ? ", " : "",
		            json_string_value(json_object_get(daemon, "daemon")));
		text_put_escaped(names, slice_of(json_string_value(
						json_object_get(daemon, "node"))));
	}
	json_decref(status);
}

/* Keys of records are made with the secret: those of another one mean nothing here. */
static int
check_secret(struct export_import *run)
{
	char buf[512];
	struct text names = TEXT(buf);
	if (!run->other_secret)
		return EX_OK;
	if (run->import.holds_records)
		return ctl_fail(
			CTL_NO,
			"%s: is of another site: its records have another secret than those in this store, so they cannot be merged; import it into an empty store (another store.path or store.redis.prefix)",
			run->import.source);
	list_daemons(&run->import, &names);
	if (names.n > 0)
		return ctl_fail(
			CTL_NO,
			"%s: is of another site, and this empty store would take over its secret; first stop the daemons, which know the old one: %s",
			run->import.source, buf);
	return EX_OK;
}

static int
take_all(struct export_import *run)
{
	struct err err;
	if (run->other_secret &&
	    !history_set_secret(run->import.history, &run->reader.secret, &err))
		return ctl_store_failed(&err);
	run->import.intake->apply = true;
	run->import.intake->only_look = false;
	return pass(run, "importing");
}

static int
run_import(struct export_import *run)
{
	struct err err;
	struct intake *intake = run->import.intake;
	bool apply = intake->apply;
	intake->apply = false;
	if (!override_intake_open(&run->overrides, intake, &err))
		return ctl_store_failed(&err);
	intake->only_look = apply;
	int status = pass(run, "checking");
	if (status == EX_OK)
		status = check_secret(run);
	if (status == EX_OK && apply)
		status = take_all(run);
	if (status != EX_OK)
		return status;
	import_report(&run->import);
	if (run->other_secret && !run->import.ctl->json)
		puts(apply ? "The site's secret was taken over."
		           : "The site's secret would be taken over: the store is empty.");
	return EX_OK;
}

int
import_weir(struct ctl *ctl, const char *path)
{
	struct err err;
	struct export_import run = {.file = NULL};
	run.file = infile_open(path, &run.size, &err);
	if (!run.file)
		return ctl_fail(EX_NOINPUT, "%s", err.text);
	int status = import_open(&run.import, ctl,
	                         strcmp(path, "-") == 0 ? "standard input" : path);
	if (status == EX_OK)
		status = run_import(&run);
	override_intake_close(&run.overrides);
	import_close(&run.import);
	if (run.file != stdin)
		fclose(run.file);
	return status;
}
