/*
 * server.h - libmilter at work: its socket, its limits, the thread it runs on.
 *
 * It is never stopped, since it cannot be: smfi_stop() frees sessions that its own workers are
 * in.  It ends with the process; the sessions see to it that it does no harm before.
 */
#ifndef WEIR_SERVER_H
#define WEIR_SERVER_H

#include <stdbool.h>

#include "io/daemon.h"
#include "sessions.h"

struct server {
	struct listener *listener;
	struct loop_post *ended;
};

/* How many connections of MTAs may be open at once. */
size_t server_descriptors(const struct conf *conf);

/* Opens the socket, or takes systemd's; may need root. */
bool server_bind(struct server *server, const struct daemon *daemon,
                 struct sessions *sessions, struct err *err_out);

/* MTAs are served from now on; fails the daemon if libmilter ends by itself. */
bool server_start(struct server *server, struct daemon *daemon, struct err *err_out);

/* Removes the unix socket that server_bind() made. */
void server_stop(struct server *server);

#endif
