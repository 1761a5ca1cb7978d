/* http_request.c - the head of an HTTP request. */
#include "http_request.h"

#include "base/addr.h"

size_t
http_head_length(struct slice bytes)
{
	const char *line = bytes.p, *end = bytes.p + bytes.n, *lf;
	while (line < end && (lf = memchr(line, '\n', (size_t)(end - line)))) {
		if (lf == line || (lf == line + 1 && *line == '\r'))
			return (size_t)(lf + 1 - bytes.p);
		line = lf + 1;
	}
	return 0;
}

/* Takes the next line off, without its end. */
static bool
cut_line(struct slice *rest, struct slice *line_out)
{
	if (!slice_cut(rest, '\n', line_out))
		return false;
	if (line_out->n > 0 && line_out->p[line_out->n - 1] == '\r')
		line_out->n--;
	return true;
}

/* A token of RFC 9110: names of methods and headers. */
static bool
is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!ascii_alpha(c) && !ascii_digit(c) &&
		    (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return s.n > 0;
}

/* No blank, no control character, nothing beyond ASCII. */
static bool
is_visible(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

static bool
is_field_value(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool
parse_request_line(struct slice line, struct http_request *out)
{
	struct slice target;
	if (!slice_cut(&line, ' ', &out->method) || !slice_cut(&line, ' ', &target))
		return false;
	if (!is_token(out->method) || !is_visible(target))
		return false;
	if (target.n == 0 || target.p[0] != '/')
		return false;
	ptrdiff_t query = slice_find(target, '?');
	out->path = query < 0 ? target : slice_head(target, (size_t)query);
	return slice_eq(line, SLICE("HTTP/1.1")) || slice_eq(line, SLICE("HTTP/1.0"));
}

/* False when the header alone refuses the request. */
static bool
take_header(struct slice name, struct slice value, struct http_request *out)
{
	if (slice_eq_nocase(name, SLICE("Transfer-Encoding")))
		return false;
	if (slice_eq_nocase(name, SLICE("Content-Length")))
		return slice_eq(value, SLICE("0"));
	if (!slice_eq_nocase(name, SLICE("Host")))
		return true;
	if (out->has_host)
		return false;
	out->has_host = true;
	out->host = value;
	return true;
}

static bool
parse_header(struct slice line, struct http_request *out)
{
	ptrdiff_t colon = slice_find(line, ':');
	if (colon <= 0)
		return false;
	struct slice name = slice_head(line, (size_t)colon);
	struct slice value = slice_trim(slice_from(line, (size_t)colon + 1));
	return is_token(name) && is_field_value(value) && take_header(name, value, out);
}

bool
http_request_parse(struct slice head, struct http_request *request_out)
{
	struct slice line;
	*request_out = (struct http_request){0};
	if (!cut_line(&head, &line) || !parse_request_line(line, request_out))
		return false;
	bool wants_host = line.p[line.n - 1] == '1';
	while (cut_line(&head, &line) && line.n > 0)
		if (!parse_header(line, request_out))
			return false;
	return request_out->has_host || !wants_host;
}

/* Without ":80" at its end; the colons of a bare IPv6 address stay, and fail. */
static bool
cut_port(struct slice *host)
{
	ptrdiff_t colon = slice_rfind(*host, ':');
	if (colon < 0 || host->p[host->n - 1] == ']')
		return true;
	uint64_t port;
	struct slice digits = slice_from(*host, (size_t)colon + 1);
	if (digits.n > 0 && !slice_to_u64(digits, 65535, &port))
		return false;
	*host = slice_head(*host, (size_t)colon);
	return true;
}

bool
http_host_is_local(const struct http_request *request)
{
	struct slice host = request->host;
	struct addr addr;
	if (!request->has_host)
		return true;
	if (!cut_port(&host) || host.n == 0)
		return false;
	if (slice_eq_nocase(host, SLICE("localhost")))
		return true;
	bool in_brackets = host.p[0] == '[';
	if (!in_brackets && slice_find(host, ':') >= 0)
		return false;
	return addr_parse(host, &addr) && in_brackets == (slice_find(host, ':') >= 0);
}
