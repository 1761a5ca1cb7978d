/* Socket addresses as the benchmark programs write them: inet:HOST:PORT, inet:[V6]:PORT
 * or unix:PATH.  On failure the program ends with a message and status 1. */
#ifndef BENCH_ENDPOINT_H
#define BENCH_ENDPOINT_H

#include <sys/socket.h>

struct endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

void endpoint_parse(const char *text, struct endpoint *endpoint_out);

/* These return a non-blocking descriptor, without Nagle's delay where it is TCP. */
int endpoint_connect(const struct endpoint *endpoint);
int endpoint_listen(const struct endpoint *endpoint);

/* Begins to connect and does not wait.  -1 with errno if that cannot be; EAGAIN means that
 * too many wait at a Unix socket already.  Whether it went well, SO_ERROR says once the
 * descriptor can be written to. */
int endpoint_begin(const struct endpoint *endpoint);

/* -1 if nobody waits to be accepted. */
int endpoint_accept(int listener);

#endif
