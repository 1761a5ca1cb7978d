/*
 * main.c - weir-milter: greylisting and limits for Postfix and Sendmail, as a milter.
 *
 * The loop runs on the main thread.  libmilter runs on threads of its own, which ask the loop
 * and sleep on the answer.
 */
#include "engine/ask_queue.h"
#include "engine/engine.h"
#include "io/daemon.h"
#include "server.h"
#include "sessions.h"

/* libmilter's threads may come to it until the process is gone. */
static struct milter {
	struct engine *engine;
	struct ask_queue *ask_queue;
	struct loop_post *drained;
	struct sessions sessions;
	struct server server;
} milter;

static bool
bind_milter(struct daemon *daemon, struct err *err)
{
	return server_bind(&milter.server, daemon, &milter.sessions, err);
}

static void
on_drained(void *arg)
{
	daemon_drained(arg);
}

static bool
start_milter(struct daemon *daemon, struct err *err)
{
	milter.engine = engine_open(ENGINE_OF_MILTER, daemon->loop, daemon->conf,
	                            daemon->test_clock, err);
	if (!milter.engine)
		return false;
	milter.ask_queue = ask_queue_new(milter.engine);
	milter.drained = post_new(daemon->loop, on_drained, daemon);
	sessions_open(&milter.sessions, milter.ask_queue, milter.drained);
	sessions_configure(&milter.sessions, daemon->conf);
	return server_start(&milter.server, daemon, err);
}

static void
reload_milter(struct daemon *daemon)
{
	engine_reload(milter.engine, daemon->conf);
	sessions_configure(&milter.sessions, daemon->conf);
}

static void
drain_milter(struct daemon *daemon)
{
	if (!sessions_drain(&milter.sessions))
		daemon_drained(daemon);
}

static void
stop_milter(struct daemon *daemon)
{
	(void)daemon;
	if (milter.engine) {
		sessions_close(&milter.sessions);
		post_free(&milter.drained);
		engine_close(&milter.engine);
	}
	server_stop(&milter.server);
}

int
main(int argc, char **argv)
{
	static const struct program program = {
		.name = "weir-milter",
		.descriptors = server_descriptors,
		.bind = bind_milter,
		.start = start_milter,
		.reload = reload_milter,
		.drain = drain_milter,
		.stop = stop_milter,
	};
	return daemon_main(&program, argc, argv);
}
