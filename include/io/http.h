/*
 * http.h - a small HTTP server for the operator's eyes: GET of a few paths, on the loop.
 *
 * Everything is bounded: connections (of more the oldest are closed), the size of a request, how
 * long it may take.  Anything but GET of a known path is refused.  A Host that is a DNS name other
 * than "localhost" is refused on loopback addresses, so that no web page can read it by DNS
 * rebinding.
 */
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"
#include "io/listen.h"
#include "io/loop.h"

struct http;

/* What is answered; the slices must live until the handler returns control to the loop. */
struct http_answer {
	int status;       /* 200, 503, ... */
	const char *type; /* of the content: "text/plain; version=0.0.4; charset=utf-8" */
	const char *policy; /* Content-Security-Policy; NULL: "default-src 'none'" */
	struct slice body;
	bool may_wait; /* told to the handler: it may want to be asked again */
	bool waits;    /* it wants to, and there is no answer yet */
};

/* Fills in the answer; it was called for its own path. */
typedef void http_fn(void *arg, struct http_answer *answer_out);

struct http_path {
	const char *path; /* "/metrics" */
	http_fn *fn;
};

/* `paths` and `arg` must live until http_close(). */
struct http *http_open(struct loop *loop, const struct http_path *paths, size_t n_paths,
                       void *arg);

/*
 * Listens at "inet:127.0.0.1:10041", "unix:/run/weir/status.sock", ... as well.  False with a
 * text.  An address beyond loopback is said in the log.
 */
bool http_listen(struct http *http, const char *endpoint,
                 const struct socket_rights *rights, struct err *err_out);

/* Where it listens, with the ports that were really taken, separated by blanks. */
void http_names(const struct http *http, struct text *out);

/* What waits is asked for again now, for the last time; without this some seconds later. */
void http_go_on(struct http *http);

/* How many descriptors it may use at most. */
size_t http_descriptors(void);

void http_close(struct http **http);

#endif
