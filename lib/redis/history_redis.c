/* history_redis.c - the history in Redis: what it begins and ends with. */
#include "history_redis.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

extern const struct history_ops history_redis_ops;

static void
close_redis(struct history *base)
{
	struct history_redis *history = (struct history_redis *)base;
	talk_close(history);
	explicit_bzero(history->password, strlen(history->password));
	free(history->username);
	free(history->password);
	free(history->prefix);
	free(history->db);
	if (history->out)
		explicit_bzero(history->out, history->out_cap);
	free(history->out);
	free(history);
}

static struct history *
open_redis(const struct conf *conf, int64_t patience_ms, struct err *err)
{
	struct history_redis *history = mem_new(struct history_redis);
	char db[24];
	struct text text = TEXT(db);
	text_int(&text, conf->store.redis.db);
	history->base =
		(struct history){.ops = &history_redis_ops, .patience_ms = patience_ms};
	if (!endpoint_parse(slice_of(conf->store.redis.servers.v[0]), &history->server))
		log_fatal("store.redis.servers was not checked");
	history->username = mem_dup(slice_of(conf->store.redis.username));
	history->password = mem_dup(slice_of(conf->store.redis.password));
	history->prefix = mem_dup(slice_of(conf->store.redis.prefix));
	history->db = mem_dup(text_slice(&text));
	history->dropped_before = INT64_MIN;
	if (talk_begin(&history->base, err))
		return &history->base;
	close_redis(&history->base);
	return NULL;
}

const struct history_ops history_redis_ops = {
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
