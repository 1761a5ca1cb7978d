#include "both_stores.h"

static struct redis_server server;

static void
start_server(void)
{
	redis_server_start(&server, NULL);
}

static void
kill_server(void)
{
	redis_server_kill(&server);
}

int
both_stores(TCase *tcase)
{
	if (!redis_tests_wanted())
		return BACKEND_EMBEDDED + 1;
	tcase_add_unchecked_fixture(tcase, start_server, kill_server);
	return BACKEND_REDIS + 1;
}

const struct redis_server *
shared_redis(void)
{
	return &server;
}

struct store_place
place_on(int backend)
{
	return fresh_place(backend, backend == BACKEND_REDIS ? &server : NULL);
}
