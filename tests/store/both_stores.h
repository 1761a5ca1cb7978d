/* both_stores.h - tests on both stores: the embedded one, and a Redis that the tests of a case share. */
#ifndef WEIR_TESTS_BOTH_STORES_H
#define WEIR_TESTS_BOTH_STORES_H

#include <check.h>

#include "store_fixture.h"

/*
 * How many stores the tests of the case run on: up to BACKEND_EMBEDDED, or BACKEND_REDIS where Redis
 * is wanted, which is started before the first of them and killed after the last.
 */
int both_stores(TCase *tcase);

const struct redis_server *shared_redis(void);

/* A fresh place in that Redis, or a new directory. */
struct store_place place_on(int backend);

#endif
