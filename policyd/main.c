/* main.c - weir-policyd: greylisting for Postfix, over its policy delegation protocol. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "conn.h"
#include "io/daemon.h"
#include "io/http.h"
#include "io/listen.h"

#define TICK_MS 1000

struct policyd {
	struct engine *engine;
	struct conns conns;
	struct loop_timer *tick;
	struct listener **listeners;
	size_t n_listeners;
};

static void
add_listener(struct policyd *policyd, struct listener *listener)
{
	policyd->listeners =
		mem_grow(policyd->listeners,
	                 (policyd->n_listeners + 1) * sizeof(struct listener *));
	policyd->listeners[policyd->n_listeners++] = listener;
}

static bool
open_listeners(struct policyd *policyd, const struct conf *conf, struct err *err)
{
	struct socket_rights rights = {.mode = (unsigned)conf->policyd.socket_mode,
	                               .group = conf->policyd.socket_group};
	for (size_t i = 0; i < conf->policyd.listen.n; i++) {
		struct endpoint endpoint;
		if (!endpoint_parse(slice_of(conf->policyd.listen.v[i]), &endpoint))
			return err_set(err, "policyd.listen: %s",
			               conf->policyd.listen.v[i]);
		struct listener *listener = listen_open(&endpoint, &rights, err);
		if (!listener)
			return false;
		add_listener(policyd, listener);
	}
	return true;
}

static size_t
descriptors_of_policyd(const struct conf *conf)
{
	return (size_t)conf->policyd.max_connections + http_descriptors();
}

static bool
bind_policyd(struct daemon *daemon, struct err *err)
{
	struct policyd *policyd = mem_new(struct policyd);
	daemon->state = policyd;
	for (int i = 0; i < daemon->inherited_fds; i++)
		add_listener(policyd, listen_take(LISTEN_FIRST_INHERITED + i));
	return daemon->inherited_fds > 0 || open_listeners(policyd, daemon->conf, err);
}

static void
on_connection(void *arg, int fd)
{
	struct policyd *policyd = arg;
	conn_open(&policyd->conns, fd);
}

static void
on_tick(void *arg)
{
	struct policyd *policyd = arg;
	conns_tick(&policyd->conns);
	timer_start(policyd->tick, TICK_MS);
}

static void
on_drained(void *arg)
{
	daemon_drained(arg);
}

static bool
start_policyd(struct daemon *daemon, struct err *err)
{
	struct policyd *policyd = daemon->state;
	policyd->engine = engine_open(ENGINE_OF_POLICYD, daemon->loop, daemon->conf,
	                              daemon->test_clock, err);
	if (!policyd->engine)
		return false;
	policyd->conns = (struct conns){.engine = policyd->engine,
	                                .messages = messages_new(policyd->engine),
	                                .on_drained = on_drained,
	                                .arg = daemon};
	policyd->tick = timer_new(daemon->loop, on_tick, policyd);
	timer_start(policyd->tick, TICK_MS);
	for (size_t i = 0; i < policyd->n_listeners; i++) {
		char buf[300];
		struct text name = TEXT(buf);
		listen_start(policyd->listeners[i], daemon->loop, on_connection, policyd);
		listen_name(policyd->listeners[i], &name);
		log_info("listening on %s", buf);
	}
	return true;
}

static void
reload_policyd(struct daemon *daemon)
{
	struct policyd *policyd = daemon->state;
	engine_reload(policyd->engine, daemon->conf);
}

static void
close_listeners(struct policyd *policyd)
{
	for (size_t i = 0; i < policyd->n_listeners; i++)
		listen_close(&policyd->listeners[i]);
	policyd->n_listeners = 0;
}

static void
drain_policyd(struct daemon *daemon)
{
	struct policyd *policyd = daemon->state;
	close_listeners(policyd);
	conns_drain(&policyd->conns);
}

static void
stop_policyd(struct daemon *daemon)
{
	struct policyd *policyd = daemon->state;
	conns_close(&policyd->conns);
	timer_free(&policyd->tick);
	engine_close(&policyd->engine);
	close_listeners(policyd);
	free(policyd->listeners);
	free(policyd);
}

int
main(int argc, char **argv)
{
	static const struct program program = {
		.name = "weir-policyd",
		.descriptors = descriptors_of_policyd,
		.bind = bind_policyd,
		.start = start_policyd,
		.reload = reload_policyd,
		.drain = drain_policyd,
		.stop = stop_policyd,
	};
	return daemon_main(&program, argc, argv);
}
