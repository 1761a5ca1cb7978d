/* store_redis.c - the shared store: its connection, and who puts which question. */
#include "store_redis.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define HEARTBEAT_MS 60000
#define SETTLE_MS    500 /* for what was told last, when a daemon stops */

static void
on_lost(void *arg)
{
	struct store_backend *backend = arg;
	if (link_is_coming(backend->link))
		backend->reports->is_coming(backend->store);
	else
		backend->reports->went_down(backend->store);
}

/* Keeps an idle connection honest, and heals a secret that was flushed away. */
static void
on_heartbeat(void *arg)
{
	struct store_backend *backend = arg;
	redis_agree_on_secret(backend);
	timer_start(backend->heartbeat, HEARTBEAT_MS);
}

static struct store_backend *
open_redis(struct store *store, const struct store_reports *reports, struct loop *loop,
           const struct conf *conf, const char *owner, struct err *err)
{
	(void)err;
	struct store_backend *backend = mem_new(struct store_backend);
	char db[24];
	struct text text = TEXT(db);
	text_int(&text, conf->store.redis.db);
	backend->store = store;
	backend->reports = reports;
	backend->username = mem_dup(slice_of(conf->store.redis.username));
	backend->password = mem_dup(slice_of(conf->store.redis.password));
	backend->prefix = mem_dup(slice_of(conf->store.redis.prefix));
	backend->db = mem_dup(text_slice(&text));
	backend->daemon = mem_dup(slice_of(owner));
	key_secret_make(&backend->secret);
	backend->link = link_new(loop, conf, redis_greet, on_lost, backend);
	link_set_patience(backend->link, 2 * conf->store.deadline_ms);
	reports->is_coming(store);
	backend->heartbeat = timer_new(loop, on_heartbeat, backend);
	timer_start(backend->heartbeat, HEARTBEAT_MS);
	return backend;
}

static void
configure_redis(struct store_backend *backend, const struct conf *conf)
{
	link_set_patience(backend->link, 2 * conf->store.deadline_ms);
}

static void
close_redis(struct store_backend *backend)
{
	link_settle(backend->link, SETTLE_MS);
	link_free(&backend->link);
	timer_free(&backend->heartbeat);
	explicit_bzero(backend->password, strlen(backend->password));
	explicit_bzero(&backend->secret, sizeof(backend->secret));
	free(backend->username);
	free(backend->password);
	free(backend->prefix);
	free(backend->db);
	free(backend->daemon);
	free(backend);
}

static bool
submit_redis(struct store_backend *backend, struct store_job *job)
{
	(void)backend;
	switch (job->ask.kind) {
	case ASK_GREYLIST: return redis_ask_greylist(job);
	case ASK_TERM: return redis_ask_term(job);
	default: return redis_ask_limits(job);
	}
}

static void
flush_redis(struct store_backend *backend)
{
	link_flush(backend->link);
}

const struct store_ops store_redis_ops = {
	.name = "redis",
	.open = open_redis,
	.configure = configure_redis,
	.close = close_redis,
	.submit = submit_redis,
	.flush = flush_redis,
};
