/* engine.c - what every decision of a daemon shares. */
#include "engine/engine.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "books/heartbeat.h"
#include "books/recorder.h"
#include "books/tally.h"
#include "books/web.h"
#include "conf/schema.h"
#include "engine/delivery.h"
#include "engine/local_limits.h"
#include "engine/newcap.h"
#include "rules/crowd.h"
#include "rules/overrides.h"

#define SECOND_MS 1000

/* Settings that are allowed but hardly meant. */
static void
warn_about(const struct conf *conf)
{
	if (conf->greylist.mode != MODE_OFF && conf->greylist.delay_ms < 60000)
		log_warning(
			"greylist.delay is shorter than a minute, the least that RFC 6647 advises");
}

/* ---- each second ---- */

static struct self
describe(void *arg)
{
	const struct engine *engine = arg;
	return (struct self){.daemon = engine_name(engine->kind),
	                     .conf = engine->conf,
	                     .store = engine->store,
	                     .tally = engine->tally,
	                     .crowd = engine->crowd,
	                     .started_s = engine->started_s,
	                     .under_way = deliveries_under_way(engine)};
}

static void
tell_recorder(struct engine *engine, bool stops)
{
	struct funnel_hour hours[TALLY_HOURS_MAX];
	struct self self = describe(engine);
	size_t n = tally_take_funnel(engine->tally, hours, TALLY_HOURS_MAX);
	recorder_funnel(engine->recorder, n, hours);
	recorder_heartbeat(engine->recorder, heartbeat_print(&self, stops));
}

static void
on_second(void *arg)
{
	struct engine *engine = arg;
	store_tick(engine->store);
	deliveries_renew(engine);
	tell_recorder(engine, false);
	timer_start(engine->second_timer, SECOND_MS);
}

/* ---- what the store tells ---- */

static void
on_secret(void *arg)
{
	deliveries_rekey(arg);
}

static void
on_put_all(void *arg)
{
	deliveries_put_all(arg);
}

static bool
next_put(void *arg, struct ask *ask_out)
{
	return deliveries_next_put(arg, ask_out);
}

static bool
owes_puts(void *arg)
{
	const struct engine *engine = arg;
	return engine->to_put != NULL;
}

static const struct store_events store_events = {
	.secret_changed = on_secret,
	.put_all = on_put_all,
	.next_put = next_put,
	.owes_puts = owes_puts,
};

/* ---- what the recorder tells ---- */

static void
log_limit(struct log_record *rec, const struct override *override)
{
	char buf[RATES_TEXT_MAX];
	struct text text = TEXT(buf);
	override_print_limit(override, &text);
	log_slice(rec, "limit", text_slice(&text));
}

static void
log_new_overrides(const struct overrides *overrides, const struct overrides *before)
{
	for (size_t i = 0; i < overrides_count(overrides); i++) {
		const struct override *override = overrides_at(overrides, i);
		struct log_record rec;
		if (overrides_has(before, override))
			continue;
		log_start(&rec, LOG_LEVEL_INFO);
		log_word(&rec, "event", "override");
		log_word(&rec, "kind", override_kind_word(override->kind));
		log_slice(&rec, "name", slice_of(override->name));
		if (override_is_limit(override->kind))
			log_limit(&rec, override);
		log_int(&rec, "until", override->until_s);
		log_slice(&rec, "by", slice_of(override->by));
		log_send(&rec);
	}
}

static void
on_overrides(void *arg, struct overrides *overrides)
{
	struct engine *engine = arg;
	if (log_wants(LOG_LEVEL_INFO))
		log_new_overrides(overrides, engine->overrides);
	overrides_unref(&engine->overrides);
	engine->overrides = overrides;
}

static void
on_status(void *arg, struct site_status *site)
{
	struct engine *engine = arg;
	web_tell(engine->web, site);
}

static void
ask_status(void *arg)
{
	struct engine *engine = arg;
	recorder_ask_status(engine->recorder);
}

static struct web *
open_web(struct engine *engine)
{
	static const struct web_source source = {.self = describe,
	                                         .ask_status = ask_status};
	const struct conf *conf = engine->conf;
	return web_open(engine->loop, conf,
	                engine->kind == ENGINE_OF_MILTER ? &conf->http.milter_listen
	                                                 : &conf->http.listen,
	                &source, engine);
}

static void
start_recorder(struct engine *engine)
{
	static const struct recorder_events events = {.on_overrides = on_overrides,
	                                              .on_status = on_status};
	engine->recorder = recorder_start(engine->loop, engine_name(engine->kind),
	                                  engine->conf, &events, engine);
	tell_recorder(engine, false);
}

/* ---- its life ---- */

const char *
engine_name(enum engine_kind kind)
{
	return kind == ENGINE_OF_MILTER ? "milter" : "policyd";
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
	engine->steps.least = kind == ENGINE_OF_MILTER ? STAGE_DATA : STAGE_RCPT;
	engine->test_clock = test_clock;
	engine->next_serial = first_serial();
	engine->store = open_store(engine, conf, err_out);
	if (!engine->store) {
		free(engine);
		return NULL;
	}
	engine->newcap = newcap_new();
	engine->local_limits = local_limits_new();
	store_follow(engine->store, &store_events, engine);
	engine->tally = tally_new();
	engine->crowd = mem_new(struct crowd);
	engine->conf = conf_ref(conf);
	engine->overrides = overrides_new();
	engine->started_s = clock_wall_s();
	engine->second_timer = timer_new(loop, on_second, engine);
	timer_start(engine->second_timer, SECOND_MS);
	engine->web = open_web(engine);
	start_recorder(engine);
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
	engine->steps.n = 0; /* perhaps the MTA's settings were changed, too */
	store_configure(engine->store, conf);
	recorder_configure(engine->recorder, conf);
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
		delivery_part(&delivery);
	}
	timer_free(&engine->second_timer);
	web_close(&engine->web);
	tell_recorder(engine, true);
	store_close(&engine->store);
	recorder_stop(&engine->recorder);
	newcap_free(&engine->newcap);
	local_limits_free(&engine->local_limits);
	tally_free(&engine->tally);
	free(engine->crowd);
	overrides_unref(&engine->overrides);
	conf_unref(&engine->conf);
	free(engine);
}
