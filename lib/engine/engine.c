/* engine.c - what every decision of a daemon shares. */
#include "engine.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "newcap.h"

/* Settings that are allowed but hardly meant. */
static void
warn_about(const struct conf *conf)
{
	if (conf->greylist.mode != MODE_OFF && conf->greylist.delay_ms < 60000)
		log_warning(
			"greylist.delay is below the minute that RFC 6647 asks for at least");
}

struct engine *
engine_open(struct loop *loop, struct conf *conf, bool test_clock, struct err *err_out)
{
	struct engine *engine = mem_new(struct engine);
	engine->loop = loop;
	engine->test_clock = test_clock;
	engine->next_serial = (uint32_t)(clock_wall_s() * 1000003);
	engine->store = store_open(loop, conf, err_out);
	if (!engine->store) {
		free(engine);
		return NULL;
	}
	engine->newcap = newcap_new();
	engine->conf = conf_ref(conf);
	warn_about(conf);
	return engine;
}

void
engine_reload(struct engine *engine, struct conf *conf)
{
	conf_ref(conf);
	conf_unref(&engine->conf);
	engine->conf = conf;
	store_configure(engine->store, conf);
	warn_about(conf);
}

void
engine_close(struct engine **engine_at)
{
	struct engine *engine = *engine_at;
	*engine_at = NULL;
	if (!engine)
		return;
	conf_unref(&engine->conf);
	newcap_free(&engine->newcap);
	store_close(&engine->store);
	free(engine);
}
