/* history_sqlite.c - the embedded history: what it begins and ends with. */
#include "history_sqlite.h"

#include <stdlib.h>

#include "base/mem.h"

extern const struct history_ops history_sqlite_ops;

static void
name_file(const struct history_sqlite *history, struct history_file *file,
          const char *name, const char *advice)
{
	struct text path = TEXT(file->path);
	text_printf(&path, "%s/%s", history->dir, name);
	file->advice = advice;
	file->patience_ms = history->base.patience_ms;
}

static void
close_sqlite(struct history *base)
{
	struct history_sqlite *history = (struct history_sqlite *)base;
	history_file_close(&history->mail);
	history_file_close(&history->aside);
	free(history->dir);
	free(history);
}

static struct history *
open_sqlite(const struct conf *conf, int64_t patience_ms, struct err *err)
{
	struct history_sqlite *history = mem_new(struct history_sqlite);
	history->base =
		(struct history){.ops = &history_sqlite_ops, .patience_ms = patience_ms};
	history->dir = mem_dup(slice_of(conf->store.path));
	history->max_size = conf->store.max_size;
	name_file(history, &history->mail, "weir.db",
	          "move it away to start afresh, or repair it with sqlite3's .recover");
	name_file(
		history, &history->aside, "ledger.db",
		"you may delete it with ledger.db-wal and ledger.db-shm, since it has only decisions and overrides");
	if (history_aside_file(&history->base, err))
		return &history->base;
	close_sqlite(&history->base);
	return NULL;
}

const struct history_ops history_sqlite_ops = {
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
