/* import.c - weirctl import: records of another store, or of another greylister. */
#include "import.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "audit.h"
#include "clock.h"
#include "commands.h"
#include "mem.h"
#include "plan.h"

static bool
on_any(void *arg, const struct ledger_row *row)
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
	import->ledger = ledger_of(ctl, &status);
	if (!import->ledger)
		return status;
	import->conf = ctl_conf(ctl, false);
	if (!import->conf)
		return EX_CONFIG;
	if (!ledger_secret(import->ledger, &import->secret, &err) ||
	    !ledger_scan(import->ledger, on_any, &import->holds_records, &err))
		return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	import->intake = mem_new(struct intake);
	import->intake->ledger = import->ledger;
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
	audit_start(&audit, import->conf, "import");
	log_slice(&audit, "source", slice_of(import->source));
	log_int(&audit, "taken", import->intake->count[INTAKE_TAKEN]);
	audit_send(&audit);
}

int
command_import(struct ctl *ctl, int argc, char **argv)
{
	if (strcmp(argv[1], "postgrey") == 0)
		return import_postgrey(ctl, argc > 2 ? argv[2] : NULL);
	if (strcmp(argv[1], "milter-greylist") == 0 && argc == 3)
		return import_milter_greylist(ctl, argv[2]);
	return argc == 2 && strcmp(argv[1], "milter-greylist") != 0
	               ? import_weir(ctl, argv[1])
	               : command_misused(argv[0]);
}
