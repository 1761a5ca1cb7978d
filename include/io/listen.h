/*
 * listen.h - listening sockets, and the connections that come in on them.
 */
#ifndef WEIR_LISTEN_H
#define WEIR_LISTEN_H

#include <stdbool.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "io/loop.h"

struct listener;

/* What a unix socket is made with. */
struct socket_rights {
	unsigned mode;
	const char *group; /* "" = leave as it is */
};

/* Takes over the descriptor, which does not block. */
typedef void accept_fn(void *arg, int fd);

/*
 * A bound and listening socket, or NULL with a text.  A unix socket that a process
 * left behind is replaced, one that is served is not.
 */
struct listener *listen_open(const struct endpoint *endpoint,
                             const struct socket_rights *rights, struct err *err_out);

/* The same over a descriptor that listens already (socket activation). */
struct listener *listen_take(int fd);

/* As log lines and tests need it, with the port that was really taken. */
void listen_name(const struct listener *listener, struct text *out);

/* For a library that accepts by itself; remains the listener's. */
int listen_fd(const struct listener *listener);

/* Connections are taken from now on. */
void listen_start(struct listener *listener, struct loop *loop, accept_fn *fn, void *arg);

/* Stops taking connections and closes; removes the unix socket that listen_open() made. */
void listen_close(struct listener **listener);

/* The first of the descriptors that systemd passes. */
#define LISTEN_FIRST_INHERITED 3

/*
 * Descriptors that systemd passed (sd_listen_fds(3)), numbered from 3 on; 0 when none. The
 * variables are removed from the environment.
 */
int listen_inherited(void);

#endif
