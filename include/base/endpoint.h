/* endpoint.h - where to listen or to connect: "inet:HOST:PORT", "HOST:PORT" or "unix:PATH". */
#ifndef WEIR_ENDPOINT_H
#define WEIR_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/slice.h"

struct endpoint {
	bool is_unix;
	char host[256]; /* name or address without brackets; or the path of the socket */
	uint16_t port;  /* 0 when listening: any free one */
};

bool endpoint_parse(struct slice text, struct endpoint *endpoint_out) MUST_CHECK;

/* A path, or a loopback address: nobody on another host reaches it. */
bool endpoint_is_local(const struct endpoint *endpoint);

/* In the form it is written in the settings. */
void endpoint_print(const struct endpoint *endpoint, struct text *out);

#endif
