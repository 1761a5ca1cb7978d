/*
 * engine.h - what every decision of a daemon shares: settings, loop, store, clock.
 */
#ifndef WEIR_ENGINE_H
#define WEIR_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "loop.h"
#include "store.h"

struct newcap;

struct engine {
	struct loop *loop;
	struct conf *conf; /* the snapshot for requests that begin now */
	struct store *store;
	struct newcap *newcap;
	uint32_t next_serial; /* of a decision; becomes its id */
	bool test_clock;
};

/* Keeps a reference to the settings.  NULL with a text when the store must not be used. */
struct engine *engine_open(struct loop *loop, struct conf *conf, bool test_clock,
                           struct err *err_out);

/* Requests under way keep the settings they began with. */
void engine_reload(struct engine *engine, struct conf *conf);

void engine_close(struct engine **engine);

#endif
