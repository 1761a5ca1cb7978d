/* export.c - weirctl export: all that the store keeps of greylisting, and overrides, as JSON lines. */
#include <inttypes.h>
#include <sysexits.h>
#include <unistd.h>

#include "audit.h"
#include "base/clock.h"
#include "commands.h"
#include "outfile.h"
#include "progress.h"
#include "store/override_store.h"
#include "transfer.h"

#define EXPORT_MODE 0600 /* the site's secret is in it */

struct export
{
	struct history *history;
	FILE *to;
	struct progress progress;
	int64_t rows;
	int64_t unreadable;
};

static bool
on_row(void *arg, const struct history_row *row)
{
	struct export *export = arg;
	if (transfer_print_row(row, export->to))
		export->rows++;
	else
		export->unreadable++;
	progress_row(&export->progress, export->rows);
	return !ferror(export->to);
}

static bool
print_overrides(struct export *export, int64_t now_s, struct err *err)
{
	struct overrides *overrides = override_store_read(export->history, now_s, err);
	for (size_t i = 0; overrides && i < overrides_count(overrides);
	     i++, export->rows++)
		transfer_print_override(overrides_at(overrides, i), export->to);
	bool read = overrides != NULL;
	overrides_unref(&overrides);
	return read;
}

static bool
print_all(struct export *export, bool wants_progress, struct err *err)
{
	int64_t now_s = clock_wall_s(), about;
	struct key_secret secret;
	if (!history_secret(export->history, &secret, err) ||
	    !history_estimate(export->history, &about, err))
		return false;
	transfer_print_header(&secret, now_s, export->to);
	progress_start(&export->progress, "exporting", about, wants_progress);
	bool ok = history_scan(export->history, on_row, export, err);
	progress_end(&export->progress);
	if (!ok || ferror(export->to) || !print_overrides(export, now_s, err))
		return ok && ferror(export->to);
	transfer_print_end(export->rows, export->to);
	return true;
}

static int
report(struct ctl *ctl, const struct export *export)
{
	struct log_record audit;
	audit_start(&audit, ctl, "export");
	log_int(&audit, "rows", export->rows);
	audit_send(&audit);
	if (isatty(STDERR_FILENO))
		fprintf(stderr,
		        "%" PRId64
		        " rows exported. The file contains the site's secret: whoever has it can test\nwhich addresses are in the store. Keep it as safe as the store.\n",
		        export->rows);
	if (export->unreadable > 0)
		return ctl_fail(CTL_NO,
		                "%" PRId64 " records of an unknown version were left out",
		                export->unreadable);
	return EX_OK;
}

/* On standard output. */
static int
print_out(struct ctl *ctl, struct export *export)
{
	struct err err;
	export->to = stdout;
	if (!print_all(export, !isatty(STDOUT_FILENO), &err))
		return ctl_store_failed(&err);
	if (fflush(stdout) != 0 || ferror(stdout))
		return EX_IOERR; /* said at the end of the program */
	return report(ctl, export);
}

static int
print_file(struct ctl *ctl, struct export *export, struct outfile *out)
{
	struct err err;
	export->to = out->file;
	if (!print_all(export, true, &err))
		return ctl_store_failed(&err);
	if (!outfile_finish(out, &err))
		return ctl_fail(EX_IOERR, "%s", err.text);
	return report(ctl, export);
}

int
command_export(struct ctl *ctl, int argc, char **argv)
{
	struct err err;
	struct outfile out = {.file = NULL};
	struct export export = {.to = NULL};
	int status = EX_OK;
	const char *path = ctl_option(ctl, "output");
	(void)argc, (void)argv;
	if (path && !outfile_open(&out, path, EXPORT_MODE, &err))
		return ctl_fail(EX_CANTCREAT, "%s", err.text);
	export.history = history_of(ctl, &status);
	if (export.history)
		status = path ? print_file(ctl, &export, &out) : print_out(ctl, &export);
	outfile_abandon(&out);
	return status;
}
