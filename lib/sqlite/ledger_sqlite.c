/* ledger_sqlite.c - the embedded ledger: what it begins and ends with. */
#include "ledger_sqlite.h"

#include <stdlib.h>

#include "base/mem.h"

extern const struct ledger_ops ledger_sqlite_ops;

static void
name_file(const struct ledger_sqlite *ledger, struct ledger_file *file, const char *name,
          const char *advice)
{
	struct text path = TEXT(file->path);
	text_printf(&path, "%s/%s", ledger->dir, name);
	file->advice = advice;
	file->patience_ms = ledger->base.patience_ms;
}

static void
close_sqlite(struct ledger *base)
{
	struct ledger_sqlite *ledger = (struct ledger_sqlite *)base;
	ledger_file_close(&ledger->mail);
	ledger_file_close(&ledger->aside);
	free(ledger->dir);
	free(ledger);
}

static struct ledger *
open_sqlite(const struct conf *conf, int64_t patience_ms, struct err *err)
{
	struct ledger_sqlite *ledger = mem_new(struct ledger_sqlite);
	ledger->base =
		(struct ledger){.ops = &ledger_sqlite_ops, .patience_ms = patience_ms};
	ledger->dir = mem_dup(slice_of(conf->store.path));
	ledger->max_size = conf->store.max_size;
	name_file(ledger, &ledger->mail, "weir.db",
	          "move it away to begin anew, or mend it with sqlite3's .recover");
	name_file(
		ledger, &ledger->aside, "ledger.db",
		"it may be deleted together with ledger.db-wal and ledger.db-shm, since "
		"it holds decisions and orders only");
	if (ledger_aside_file(&ledger->base, err))
		return &ledger->base;
	close_sqlite(&ledger->base);
	return NULL;
}

const struct ledger_ops ledger_sqlite_ops = {
	.open = open_sqlite,
	.close = close_sqlite,
	.add_decisions = sqlite_add_decisions,
	.read_decisions = sqlite_read_decisions,
	.put = sqlite_put,
	.put_names = sqlite_put_names,
	.get_name = sqlite_get_name,
	.drop = sqlite_drop,
	.read = sqlite_read,
	.add_funnel = sqlite_add_funnel,
	.read_funnel = sqlite_read_funnel,
	.secret = sqlite_secret,
	.set_secret = sqlite_set_secret,
	.get_record = sqlite_get_record,
	.get_records = sqlite_get_records,
	.put_records = sqlite_put_records,
	.drop_record = sqlite_drop_record,
	.scan = sqlite_scan,
	.estimate = sqlite_estimate,
	.read_leases = sqlite_read_leases,
	.kill_leases = sqlite_kill_leases,
	.get_rate = sqlite_get_rate,
	.facts = sqlite_facts,
	.try_it = sqlite_try,
};
