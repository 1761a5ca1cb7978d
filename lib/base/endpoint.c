/* endpoint.c - where to listen or to connect. */
#include "base/endpoint.h"

#include <string.h>
#include <sys/un.h>

static bool
set_host(struct endpoint *endpoint, struct slice host, size_t max)
{
	if (host.n == 0 || host.n >= max || memchr(host.p, '\0', host.n))
		return false;
	memcpy(endpoint->host, host.p, host.n);
	endpoint->host[host.n] = '\0';
	return true;
}

static bool
parse_inet(struct slice text, struct endpoint *endpoint)
{
	ptrdiff_t colon = slice_rfind(text, ':');
	uint64_t port;
	if (colon < 0 ||
	    !slice_to_u64(slice_from(text, (size_t)colon + 1), UINT16_MAX, &port))
		return false;
	struct slice host = slice_head(text, (size_t)colon);
	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = slice_head(slice_from(host, 1), host.n - 2);
	else if (slice_find(host, ':') >= 0) /* an IPv6 address needs its brackets */
		return false;
	endpoint->port = (uint16_t)port;
	return set_host(endpoint, host, sizeof(endpoint->host));
}

bool
endpoint_parse(struct slice text, struct endpoint *endpoint_out)
{
	*endpoint_out = (struct endpoint){0};
	if (slice_starts_nocase(text, SLICE("unix:"))) {
		endpoint_out->is_unix = true;
		size_t max = sizeof((struct sockaddr_un){0}.sun_path);
		struct slice path = slice_from(text, 5);
		return path.n > 0 && path.p[0] == '/' &&
		       set_host(endpoint_out, path, max);
	}
	if (slice_starts_nocase(text, SLICE("inet:")))
		text = slice_from(text, 5);
	return parse_inet(text, endpoint_out);
}

bool
endpoint_is_local(const struct endpoint *endpoint)
{
	const char *host = endpoint->host;
	return endpoint->is_unix || strncmp(host, "127.", 4) == 0 ||
	       strcmp(host, "::1") == 0 ||
	       slice_eq_nocase(slice_of(host), SLICE("localhost"));
}

void
endpoint_print(const struct endpoint *endpoint, struct text *out)
{
	if (endpoint->is_unix)
		text_printf(out, "unix:%s", endpoint->host);
	else if (strchr(endpoint->host, ':'))
		text_printf(out, "inet:[%s]:%u", endpoint->host, endpoint->port);
	else
		text_printf(out, "inet:%s:%u", endpoint->host, endpoint->port);
}
