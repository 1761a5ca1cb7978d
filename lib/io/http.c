/*
 * http.c - a small HTTP server: one request and one answer on each connection.
 *
 * Not libevent's evhttp: 2.1 has no limit on connections, its time-out starts anew with each byte,
 * and it answers what it cannot parse by itself, without the headers that must be in each answer.
 */
#include "io/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/mem.h"
#include "http_request.h"

#define CONNECTIONS_MAX 64
#define LISTENERS_MAX   16
#define REQUEST_MS      5000  /* until the request is whole, from the connection on */
#define WAIT_MS         3000  /* until there is an answer */
#define ANSWER_MS       30000 /* until the answer has been taken */
#define LINGER_MS       1000  /* until the peer has read it and closes */
#define READ_BYTES      4096
#define HEADERS_ROOM    1024 /* for an answer's head, without type and policy */

/* An address listened on. */
struct port {
	struct http *http;
	struct listener *listener;
	bool is_loopback;
};

struct http {
	struct loop *loop;
	const struct http_path *paths;
	size_t n_paths;
	void *arg;
	struct port ports[LISTENERS_MAX];
	size_t n_ports;
	struct conn *conns;
	int count;
	int64_t full_said_ms;
};

struct conn {
	struct http *http;
	bool is_loopback;
	int fd;
	struct watch *watch;
	struct loop_timer *limit;
	char head[HTTP_HEAD_MAX];
	size_t head_n;
	const struct http_path *awaited; /* its answer is not there yet */
	char *answer;                    /* NULL until it is */
	size_t answer_n, sent;
	struct conn *prev, *next;
};

static void
conn_close(struct conn *conn)
{
	struct http *http = conn->http;
	DL_DELETE(http->conns, conn);
	http->count--;
	watch_free(&conn->watch);
	timer_free(&conn->limit);
	close(conn->fd);
	free(conn->answer);
	free(conn);
}

static const char *
reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = {
		{200, "OK"},
		{400, "Bad Request"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].status == status)
			return rows[i].reason;
	return "Unknown";
}

static void
print_head(const struct http_answer *answer, const char *policy, struct text *out)
{
	text_printf(out,
	            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	            "Connection: close\r\nCache-Control: no-store\r\n"
	            "Content-Security-Policy: %s\r\nReferrer-Policy: no-referrer\r\n"
	            "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
	            "Cross-Origin-Resource-Policy: same-origin\r\n%s\r\n",
	            answer->status, reason_of(answer->status), answer->type,
	            answer->body.n, policy,
	            answer->status == 405 ? "Allow: GET\r\n" : "");
}

/* The peer may still be sending: what is closed with bytes unread may cost it the answer. */
static void
linger(struct conn *conn)
{
	shutdown(conn->fd, SHUT_WR);
	timer_start(conn->limit, LINGER_MS);
	watch_set(conn->watch, LOOP_READ);
}

static void
send_some(struct conn *conn)
{
	ssize_t n = send(conn->fd, conn->answer + conn->sent, conn->answer_n - conn->sent,
	                 MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		conn_close(conn);
		return;
	}
	conn->sent += n > 0 ? (size_t)n : 0;
	if (conn->sent == conn->answer_n)
		linger(conn);
	else
		watch_set(conn->watch, LOOP_WRITE);
}

static void
send_answer(struct conn *conn, const struct http_answer *answer, bool with_body)
{
	const char *policy = answer->policy ? answer->policy : "default-src 'none'";
	size_t head_room = HEADERS_ROOM + strlen(answer->type) + strlen(policy);
	size_t body_n = with_body ? answer->body.n : 0;
	conn->answer = mem_alloc(head_room + body_n);
	struct text head = {.p = conn->answer, .cap = head_room};
	print_head(answer, policy, &head);
	if (body_n > 0)
		memcpy(conn->answer + head.n, answer->body.p, body_n);
	conn->answer_n = head.n + body_n;
	timer_start(conn->limit, ANSWER_MS);
	send_some(conn);
}

static void
refuse(struct conn *conn, int status, const char *text, bool with_body)
{
	struct http_answer refusal = {.status = status,
	                              .type = "text/plain; charset=utf-8",
	                              .body = slice_of(text)};
	send_answer(conn, &refusal, with_body);
}

static const struct http_path *
path_of(const struct http *http, struct slice path)
{
	for (size_t i = 0; i < http->n_paths; i++)
		if (slice_eq(path, slice_of(http->paths[i].path)))
			return &http->paths[i];
	return NULL;
}

static void
ask(struct conn *conn, const struct http_path *path, bool may_wait)
{
	struct http_answer given = {.status = 200,
	                            .type = "text/plain; charset=utf-8",
	                            .may_wait = may_wait};
	path->fn(conn->http->arg, &given);
	conn->awaited = given.waits ? path : NULL;
	if (!given.waits) {
		send_answer(conn, &given, true);
		return;
	}
	watch_set(conn->watch, 0);
	timer_start(conn->limit, WAIT_MS);
}

static void
answer_request(struct conn *conn, const struct http_request *request)
{
	const struct http_path *path = path_of(conn->http, request->path);
	bool is_head = slice_eq(request->method, SLICE("HEAD"));
	if (conn->is_loopback && !http_host_is_local(request)) {
		refuse(conn, 403, "Refused: use an address or localhost, not a name.\n",
		       !is_head);
	} else if (!slice_eq(request->method, SLICE("GET"))) {
		refuse(conn, 405, "Only GET is allowed.\n", !is_head);
	} else if (!path) {
		refuse(conn, 404, "Not found.\n", true);
	} else {
		ask(conn, path, true);
	}
}

static void
judge(struct conn *conn)
{
	struct slice bytes = {.p = conn->head, .n = conn->head_n};
	size_t length = http_head_length(bytes);
	struct http_request request;
	if (length == 0 && conn->head_n < sizeof(conn->head))
		return;
	if (length == 0)
		refuse(conn, 431, "The request is too long.\n", true);
	else if (!http_request_parse(slice_head(bytes, length), &request))
		refuse(conn, 400, "Bad request.\n", true);
	else
		answer_request(conn, &request);
}

static bool
has_ended(ssize_t n)
{
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void
read_request(struct conn *conn)
{
	ssize_t n = read(conn->fd, conn->head + conn->head_n,
	                 sizeof(conn->head) - conn->head_n);
	if (has_ended(n)) {
		conn_close(conn);
	} else if (n > 0) {
		conn->head_n += (size_t)n;
		judge(conn);
	}
}

static void
read_no_more(struct conn *conn)
{
	char ignored[READ_BYTES];
	if (has_ended(read(conn->fd, ignored, sizeof(ignored))))
		conn_close(conn);
}

static void
on_ready(void *arg, int ready)
{
	struct conn *conn = arg;
	if (!conn->answer)
		read_request(conn);
	else if (ready & LOOP_WRITE)
		send_some(conn);
	else
		read_no_more(conn);
}

static void
on_limit(void *arg)
{
	struct conn *conn = arg;
	if (conn->awaited)
		ask(conn, conn->awaited, false);
	else
		conn_close(conn);
}

void
http_go_on(struct http *http)
{
	struct conn *conn, *next;
	DL_FOREACH_SAFE(http->conns, conn, next)
		if (conn->awaited)
			ask(conn, conn->awaited, false);
}

/* Who has not asked gives way first, then who has the answer: idle ones keep nobody out. */
static void
make_room(struct http *http)
{
	struct conn *conn;
	DL_FOREACH(http->conns, conn)
		if (!conn->answer && !conn->awaited)
			break;
	if (!conn)
		DL_FOREACH(http->conns, conn)
			if (conn->answer && conn->sent == conn->answer_n)
				break;
	conn_close(conn ? conn : http->conns);
	if (log_ration(&http->full_said_ms, 60))
		log_warning("http: more than %d connections at once: closing the oldest",
		            CONNECTIONS_MAX);
}

static void
on_connection(void *arg, int fd)
{
	const struct port *port = arg;
	struct http *http = port->http;
	if (http->count >= CONNECTIONS_MAX)
		make_room(http);
	struct conn *conn = mem_new(struct conn);
	conn->http = http;
	conn->is_loopback = port->is_loopback;
	conn->fd = fd;
	conn->watch = watch_new(http->loop, fd, on_ready, conn);
	conn->limit = timer_new(http->loop, on_limit, conn);
	watch_set(conn->watch, LOOP_READ);
	timer_start(conn->limit, REQUEST_MS);
	DL_APPEND(http->conns, conn);
	http->count++;
}

struct http *
http_open(struct loop *loop, const struct http_path *paths, size_t n_paths, void *arg)
{
	struct http *http = mem_new(struct http);
	http->loop = loop;
	http->paths = paths;
	http->n_paths = n_paths;
	http->arg = arg;
	return http;
}

enum reach { REACH_UNIX, REACH_LOOPBACK, REACH_BEYOND };

static enum reach
reach_of(const struct listener *listener)
{
	union {
		struct sockaddr any;
		struct sockaddr_storage room;
	} name = {0};

	socklen_t len = sizeof(name);
	struct addr addr;
	uint16_t port;
	getsockname(listen_fd(listener), &name.any, &len);
	if (!addr_of_socket(&name.any, &addr, &port))
		return REACH_UNIX;
	const struct addr ipv6_loopback = {.family = ADDR_V6, .bytes = {[15] = 1}};
	bool is_loopback = addr.family == ADDR_V4 ? addr.bytes[0] == 127
	                                          : addr_eq(&addr, &ipv6_loopback);
	return is_loopback ? REACH_LOOPBACK : REACH_BEYOND;
}

static void
add_port(struct http *http, struct listener *listener)
{
	struct port *port = &http->ports[http->n_ports++];
	enum reach reach = reach_of(listener);
	*port = (struct port){.http = http,
	                      .listener = listener,
	                      .is_loopback = reach == REACH_LOOPBACK};
	if (reach == REACH_BEYOND) {
		char buf[300];
		struct text name = TEXT(buf);
		listen_name(listener, &name);
		log_warning(
			"http: %s is beyond loopback: anyone who reaches it can read who sends mail to whom, without a password",
			name.p);
	}
	listen_start(listener, http->loop, on_connection, port);
}

bool
http_listen(struct http *http, const char *endpoint, const struct socket_rights *rights,
            struct err *err_out)
{
	struct endpoint where;
	if (!endpoint_parse(slice_of(endpoint), &where))
		return err_set(err_out, "\"%s\" is not an address to listen on",
		               endpoint);
	if (http->n_ports == LISTENERS_MAX)
		return err_set(err_out, "http listens on at most %d addresses",
		               LISTENERS_MAX);
	struct listener *listener = listen_open(&where, rights, err_out);
	if (!listener)
		return false;
	add_port(http, listener);
	return true;
}

void
http_names(const struct http *http, struct text *out)
{
	for (size_t i = 0; i < http->n_ports; i++) {
		if (i > 0)
			text_putc(out, ' ');
		listen_name(http->ports[i].listener, out);
	}
}

size_t
http_descriptors(void)
{
	return CONNECTIONS_MAX + LISTENERS_MAX + 1; /* one that another gives way to */
}

void
http_close(struct http **http_at)
{
	struct http *http = *http_at;
	*http_at = NULL;
	if (!http)
		return;
	for (size_t i = 0; i < http->n_ports; i++)
		listen_close(&http->ports[i].listener);
	while (http->conns)
		conn_close(http->conns);
	free(http);
}
