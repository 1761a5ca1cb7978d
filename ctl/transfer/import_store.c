/* import_store.c - the store that is imported into, as every kind of import opens it. */
#include <stdlib.h>
#include <sysexits.h>

#include "audit.h"
#include "base/clock.h"
#include "base/mem.h"
#include "import.h"
#include "rules/plan.h"

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
