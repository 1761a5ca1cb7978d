/* backends.c - THE table of backends: what each is for the mail's path, and beside it. */
#include "conf/conf.h"
#include "store/backend.h"
#include "store/history_backend.h"

extern const struct store_ops store_sqlite_ops, store_redis_ops;
extern const struct history_ops history_sqlite_ops, history_redis_ops;

static const struct {
	const struct store_ops *store;
	const struct history_ops *history;
} backends[] = {
	[BACKEND_EMBEDDED] = {&store_sqlite_ops, &history_sqlite_ops},
	[BACKEND_REDIS] = {&store_redis_ops, &history_redis_ops},
};

const struct store_ops *
backend_ops(const struct conf *conf)
{
	return backends[conf->store.backend].store;
}

const struct history_ops *
backend_history_ops(const struct conf *conf)
{
	return backends[conf->store.backend].history;
}
