/* backends.c - THE table of backends: what each is for the mail's path, and beside it. */
#include "conf/conf.h"
#include "store/backend.h"
#include "store/ledger_backend.h"

extern const struct store_ops store_sqlite_ops, store_redis_ops;
extern const struct ledger_ops ledger_sqlite_ops, ledger_redis_ops;

static const struct {
	const struct store_ops *store;
	const struct ledger_ops *ledger;
} backends[] = {
	[BACKEND_EMBEDDED] = {&store_sqlite_ops, &ledger_sqlite_ops},
	[BACKEND_REDIS] = {&store_redis_ops, &ledger_redis_ops},
};

const struct store_ops *
backend_ops(const struct conf *conf)
{
	return backends[conf->store.backend].store;
}

const struct ledger_ops *
backend_ledger_ops(const struct conf *conf)
{
	return backends[conf->store.backend].ledger;
}
