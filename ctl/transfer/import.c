/* import.c - weirctl import: records of another store, or of another greylister. */
#include "import.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "audit.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "commands.h"
#include "rules/plan.h"

#define POSTGREY        "postgrey"
#define MILTER_GREYLIST "milter-greylist"

static bool
on_any(void *arg, const struct history_row *row)
{
	bool *holds = arg;
	(void)row;
	*holds = true;
	return false;
}

int
import_open(struct import *import, struct ctl *ctl, const char *source)
{
	int status;
	struct err err;
	*import = (struct import){.ctl = ctl, .source = source};
	ctl->makes_store = true;
	import->history = history_of(ctl, &status);
	if (!import->history)
		return status;
	import->conf = ctl_conf(ctl, false);
	if (!import->conf)
		return ctl->conf_status;
	if (!history_secret(import->history, &import->secret, &err) ||
	    !history_scan(import->history, on_any, &import->holds_records, &err))
		return ctl_store_failed(&err);
	import->intake = mem_new(struct intake);
	import->intake->history = import->history;
	import->intake->rules = plan_rules(import->conf);
	import->intake->now_s = clock_wall_s();
	import->intake->apply = ctl_option(ctl, "apply") != NULL;
	import->intake->replace =
		ctl_option(ctl, "replace") != NULL || !import->holds_records;
	return EX_OK;
}

void
import_close(struct import *import)
{
	free(import->intake);
	import->intake = NULL;
}

void
import_report(const struct import *import)
{
	struct log_record audit;
	intake_report(import->intake, import->ctl, import->source);
	if (!import->intake->apply)
		return;
	audit_start(&audit, import->ctl, "import");
	log_slice(&audit, "source", slice_of(import->source));
	log_int(&audit, "taken", import->intake->count[INTAKE_TAKEN]);
	audit_send(&audit);
}

static int
fail_unknown(const char *kind)
{
	struct nearest nearest;
	nearest_start(&nearest, slice_of(kind));
	nearest_offer(&nearest, POSTGREY);
	nearest_offer(&nearest, MILTER_GREYLIST);
	if (nearest.name)
		return ctl_fail(EX_USAGE,
		                "import: \"%.40s\" is unknown: did you mean \"%s\"?",
		                kind, nearest.name);
	return ctl_fail(EX_USAGE, "import: \"%.40s\" is neither %s nor %s", kind,
	                POSTGREY, MILTER_GREYLIST);
}

int
command_import(struct ctl *ctl, int argc, char **argv)
{
	static const char *const of_foreign[] = {"clients-to", "delay", "ipv4cidr",
	                                         "ipv6cidr", NULL};
	static const char *const *const of_postgrey = of_foreign + 1;
	if (strcmp(argv[1], POSTGREY) == 0)
		return import_postgrey(ctl, argc > 2 ? argv[2] : NULL);
	bool is_dump = strcmp(argv[1], MILTER_GREYLIST) == 0;
	if (is_dump && argc < 3) {
		ctl_fail(EX_USAGE, "import %s needs FILE", MILTER_GREYLIST);
		return command_misused(argv[0]);
	}
	if (!is_dump && argc > 2)
		return fail_unknown(argv[1]);
	int status = is_dump ? ctl_refuse(ctl, of_postgrey, MILTER_GREYLIST)
	                     : ctl_refuse(ctl, of_foreign, "an export of weir");
	if (status != EX_OK)
		return status;
	return is_dump ? import_milter_greylist(ctl, argv[2]) : import_weir(ctl, argv[1]);
}
