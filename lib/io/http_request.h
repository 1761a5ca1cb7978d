/*
 * http_request.h - the head of an HTTP request: found, judged, and what it asks for.
 *
 * Pure functions over bytes.  Strict where a browser, curl or a scraper never errs.
 */
#ifndef WEIR_HTTP_REQUEST_H
#define WEIR_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* Bytes of a head, with the blank line that ends it. */
#define HTTP_HEAD_MAX 8192

/* How long the head is, blank line included; 0 while that line has not come. */
size_t http_head_length(struct slice bytes);

struct http_request {
	struct slice method;
	struct slice path; /* without the query */
	struct slice host; /* as it stands in Host */
	bool has_host;
};

/* False when it is no request of HTTP/1.x, or one with a body.  The slices are parts of `head`. */
bool http_request_parse(struct slice head, struct http_request *request_out) MUST_CHECK;

/*
 * Whether Host is an address or "localhost", with or without a port; none will do.  A page that
 * has its own name resolve to 127.0.0.1 sends that name.
 */
bool http_host_is_local(const struct http_request *request);

#endif
