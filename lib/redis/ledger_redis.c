/* ledger_redis.c - the ledger in Redis: what it begins and ends with. */
#include "ledger_redis.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

extern const struct ledger_ops ledger_redis_ops;

static void
close_redis(struct ledger *base)
{
	struct ledger_redis *ledger = (struct ledger_redis *)base;
	talk_close(ledger);
	explicit_bzero(ledger->password, strlen(ledger->password));
	free(ledger->username);
	free(ledger->password);
	free(ledger->prefix);
	free(ledger->db);
	if (ledger->out)
		explicit_bzero(ledger->out, ledger->out_cap);
	free(ledger->out);
	free(ledger);
}

static struct ledger *
open_redis(const struct conf *conf, int64_t patience_ms, struct err *err)
{
	struct ledger_redis *ledger = mem_new(struct ledger_redis);
	char db[24];
	struct text text = TEXT(db);
	text_int(&text, conf->store.redis.db);
	ledger->base =
		(struct ledger){.ops = &ledger_redis_ops, .patience_ms = patience_ms};
	if (!endpoint_parse(slice_of(conf->store.redis.servers.v[0]), &ledger->server))
		log_fatal("store.redis.servers was not checked");
	ledger->username = mem_dup(slice_of(conf->store.redis.username));
	ledger->password = mem_dup(slice_of(conf->store.redis.password));
	ledger->prefix = mem_dup(slice_of(conf->store.redis.prefix));
	ledger->db = mem_dup(text_slice(&text));
	ledger->dropped_before = INT64_MIN;
	if (talk_begin(&ledger->base, err))
		return &ledger->base;
	close_redis(&ledger->base);
	return NULL;
}

const struct ledger_ops ledger_redis_ops = {
	.open = open_redis,
	.close = close_redis,
	.add_decisions = redis_add_decisions,
	.read_decisions = redis_read_decisions,
	.put = redis_put,
	.put_names = redis_put_names,
	.get_name = redis_get_name,
	.drop = redis_drop,
	.read = redis_read,
	.add_funnel = redis_add_funnel,
	.read_funnel = redis_read_funnel,
	.secret = redis_secret,
	.set_secret = redis_set_secret,
	.get_record = redis_get_record,
	.get_records = redis_get_records,
	.put_records = redis_put_records,
	.drop_record = redis_drop_record,
	.scan = redis_scan,
	.estimate = redis_estimate,
	.read_leases = redis_read_leases,
	.kill_leases = redis_kill_leases,
	.get_rate = redis_get_rate,
	.facts = redis_facts,
	.try_it = redis_try,
};
