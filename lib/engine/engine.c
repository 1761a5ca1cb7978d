/* engine.c - what every decision of a daemon shares. */
#include "engine.h"

#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "delivery.h"
#include "log.h"
#include "mem.h"
#include "newcap.h"
#include "share.h"

#define RENEW_MS 1000 /* how often those are looked for that are due */

/* Settings that are allowed but hardly meant. */
static void
warn_about(const struct conf *conf)
{
	if (conf->greylist.mode != MODE_OFF && conf->greylist.delay_ms < 60000)
		log_warning(
			"greylist.delay is below the minute that RFC 6647 asks for at least");
}

static void
on_renew_timer(void *arg)
{
	struct engine *engine = arg;
	bool up = store_is_up(engine->store);
	if (up && !engine->store_was_up)
		deliveries_renew_all(engine);
	else
		deliveries_renew(engine);
	engine->store_was_up = up;
	timer_start(engine->renew_timer, RENEW_MS);
}

static struct store *
open_store(const struct engine *engine, const struct conf *conf, struct err *err)
{
	char owner[HOLDER_MAX + 1];
	struct text text = TEXT(owner);
	text_printf(&text, "%c/%s/", engine->kind == ENGINE_OF_MILTER ? 'm' : 'p',
	            conf->node);
	return store_open(engine->loop, conf, owner, err);
}

/* Ids of daemons that start together should not be the same, nor those after a restart. */
static uint32_t
first_serial(void)
{
	return (uint32_t)clock_wall_us() * UINT32_C(2654435761) ^
	       (uint32_t)getpid() * UINT32_C(40503);
}

struct engine *
engine_open(enum engine_kind kind, struct loop *loop, struct conf *conf, bool test_clock,
            struct err *err_out)
{
	struct engine *engine = mem_new(struct engine);
	engine->kind = kind;
	engine->loop = loop;
	engine->test_clock = test_clock;
	engine->next_serial = first_serial();
	engine->store = open_store(engine, conf, err_out);
	if (!engine->store) {
		free(engine);
		return NULL;
	}
	engine->newcap = newcap_new();
	engine->share = share_new();
	engine->conf = conf_ref(conf);
	engine->renew_timer = timer_new(loop, on_renew_timer, engine);
	timer_start(engine->renew_timer, RENEW_MS);
	warn_about(conf);
	return engine;
}

void
engine_reload(struct engine *engine, struct conf *conf)
{
	bool lease_changed = conf->limits.lease_ms != engine->conf->limits.lease_ms;
	conf_ref(conf);
	conf_unref(&engine->conf);
	engine->conf = conf;
	store_configure(engine->store, conf);
	if (lease_changed)
		deliveries_renew_all(engine);
	warn_about(conf);
}

void
engine_close(struct engine **engine_at)
{
	struct engine *engine = *engine_at;
	*engine_at = NULL;
	if (!engine)
		return;
	while (engine->deliveries) {
		struct delivery *delivery = engine->deliveries;
		delivery_end(&delivery);
	}
	timer_free(&engine->renew_timer);
	store_close(&engine->store);
	newcap_free(&engine->newcap);
	share_free(&engine->share);
	conf_unref(&engine->conf);
	free(engine);
}
