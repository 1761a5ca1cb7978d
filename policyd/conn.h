/*
 * conn.h - one connection of a Postfix smtpd: requests in, answers out, one at a time.
 *
 * Whatever the peer does wrong ends its connection without an answer, so that Postfix
 * applies its default_action, and disturbs nobody else.
 */
#ifndef WEIR_CONN_H
#define WEIR_CONN_H

#include "engine/engine.h"
#include "engine/messages.h"

struct conn;

/* All connections of the daemon. */
struct conns {
	struct engine *engine;
	struct messages *messages; /* freed by conns_close() */
	struct conn *all;
	size_t count;
	bool draining;
	loop_fn *on_drained; /* the last one is gone, while draining */
	void *arg;
};

/* Takes over the descriptor; closes it at once when there are too many. */
void conn_open(struct conns *conns, int fd);

/* Closes those that are idle, or slow with their request, for too long. */
void conns_tick(struct conns *conns);

/* Idle ones are closed now, the others when they have their answer. */
void conns_drain(struct conns *conns);

/* Closes all, answered or not. */
void conns_close(struct conns *conns);

#endif
