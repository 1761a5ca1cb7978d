/* conn.c - one connection of a Postfix smtpd. */
#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/log.h"
#include "base/stats.h"
#include "complain.h"
#include "engine/decision.h"
#include "policy.h"

#define READ_BYTES 16384
#define REQUEST_MS 500 /* both gates together; each has store.deadline */

/* A client that is gone so soon after its only answer opens a connection for each request. */
#define ONE_REQUEST_MS 500

struct conn {
	struct conns *conns;
	int fd;
	struct watch *watch;
	struct arena arena; /* of the request under way */
	struct policy policy;
	struct decision decision;
	struct message *message; /* asked about last */
	bool deciding;
	bool ended; /* the peer sends no more: close when all it sent is answered */
	unsigned requests;
	int64_t touched_ms; /* a request began, or was answered */

	char *ahead; /* bytes behind the request under way */
	size_t ahead_n;
	struct conn *prev, *next;
};

static void on_verdict(void *arg, const struct verdict *verdict);

/* `over`: whoever has sent the requests sends no others. */
static void
conn_end(struct conn *conn, bool over)
{
	struct conns *conns = conn->conns;
	if (conn->deciding) {
		decision_cancel(&conn->decision);
		message_decided(conn->message);
	}
	messages_leave(&conn->message, over);
	DL_DELETE(conns->all, conn);
	conns->count--;
	watch_free(&conn->watch);
	close(conn->fd);
	arena_free(&conn->arena);
	free(conn->ahead);
	free(conn);
	if (conns->draining && conns->count == 0)
		conns->on_drained(conns->arg);
}

/* By ourselves: Postfix makes another connection for its next request. */
static void
conn_close(struct conn *conn)
{
	conn_end(conn, false);
}

/*
 * By the peer: an smtpd of Postfix does that when it ends, or between two sessions.  Others have a
 * connection for each request; they are gone at once.
 */
static void
conn_closed(struct conn *conn)
{
	int64_t now_ms = loop_now_ms(conn->conns->engine->loop);
	bool one_request =
		conn->requests == 1 && now_ms - conn->touched_ms < ONE_REQUEST_MS;
	conn_end(conn, !one_request);
}

static void
close_bad(struct conn *conn)
{
	stats_add(STAT_POLICY_BAD_REQUESTS, 1);
	complain(conn->fd, conn->policy.trouble);
	conn_close(conn);
}

static void
decide(struct conn *conn)
{
	messages_follow(conn->conns->messages, &conn->message, &conn->policy.query);
	conn->deciding = true;
	conn->requests++;
	decision_start(&conn->decision, conn->conns->engine, &conn->policy.query,
	               message_decide(conn->message), REQUEST_MS, &conn->arena,
	               on_verdict, conn);
}

/* Begins to decide when a request is complete; false when the connection is gone. */
static bool
feed(struct conn *conn, struct slice in, size_t *used_out)
{
	bool had_begun = policy_has_begun(&conn->policy);
	switch (policy_feed(&conn->policy, in, used_out)) {
	case POLICY_MORE:
		if (!had_begun)
			conn->touched_ms = loop_now_ms(conn->conns->engine->loop);
		return true;
	case POLICY_DONE: decide(conn); return true;
	case POLICY_BAD: break;
	}
	close_bad(conn);
	return false;
}

/* Keeps what came ahead of its turn; a peer that never waits is not read from for a while. */
static void
keep_ahead(struct conn *conn, struct slice in)
{
	if (in.n == 0)
		return;
	if (!conn->ahead)
		conn->ahead = mem_alloc(2 * READ_BYTES);
	memcpy(conn->ahead + conn->ahead_n, in.p, in.n);
	conn->ahead_n += in.n;
	if (conn->ahead_n > READ_BYTES)
		watch_set(conn->watch, 0);
}

/* Goes on with what came ahead. */
static void
feed_ahead(struct conn *conn)
{
	size_t used = 0;
	if (conn->ahead_n == 0)
		return;
	if (!feed(conn, (struct slice){.p = conn->ahead, .n = conn->ahead_n}, &used))
		return;
	conn->ahead_n -= used;
	memmove(conn->ahead, conn->ahead + used, conn->ahead_n);
	if (conn->ended && !conn->deciding)
		conn_closed(conn);
	else if (conn->ahead_n <= READ_BYTES && !conn->ended)
		watch_set(conn->watch, LOOP_READ);
}

static void
on_readable(void *arg, int ready)
{
	static char buf[READ_BYTES];
	struct conn *conn = arg;
	size_t used = 0;
	(void)ready;
	ssize_t n = read(conn->fd, buf, sizeof(buf));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0 && conn->deciding) {
		conn->ended = true;
		watch_set(conn->watch, 0);
		return;
	}
	if (n <= 0) {
		conn_closed(conn);
		return;
	}
	struct slice in = {.p = buf, .n = (size_t)n};
	if (!conn->deciding && !feed(conn, in, &used))
		return;
	keep_ahead(conn, slice_from(in, used));
}

/* Once for each message: its other recipients come with the same instance. */
static struct slice
header_for(struct conn *conn, const struct verdict *verdict)
{
	if (verdict->header.n > 0 && message_takes_header(conn->message))
		return verdict->header;
	return (struct slice){0};
}

/* Answers are far smaller than a socket's buffer: a peer that lets it fill up is not Postfix. */
static bool
answer(struct conn *conn, const struct verdict *verdict)
{
	char buf[1024];
	struct text out = TEXT(buf);
	policy_print(verdict, header_for(conn, verdict), &out);
	stats_add(STAT_POLICY_REQUESTS, 1);
	ssize_t n = send(conn->fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n == (ssize_t)out.n;
}

static void
on_verdict(void *arg, const struct verdict *verdict)
{
	struct conn *conn = arg;
	bool draining = conn->conns->draining;
	conn->deciding = false;
	message_decided(conn->message);
	bool answered = answer(conn, verdict);
	conn->touched_ms = loop_now_ms(conn->conns->engine->loop);
	if (!answered || (conn->ahead_n == 0 && (conn->ended || draining))) {
		if (draining)
			conn_close(conn);
		else
			conn_closed(conn);
		return;
	}
	arena_reset(&conn->arena);
	policy_reset(&conn->policy, &conn->arena);
	feed_ahead(conn);
}

void
conn_open(struct conns *conns, int fd)
{
	static int64_t last_ms;
	if (conns->count >= (size_t)conns->engine->conf->policyd.max_connections) {
		stats_add(STAT_POLICY_REFUSED_CONNECTIONS, 1);
		if (log_ration(&last_ms, 60))
			log_warning(
				"policyd.max_connections is reached: refusing a connection");
		close(fd);
		return;
	}
	struct conn *conn = mem_new(struct conn);
	conn->conns = conns;
	conn->fd = fd;
	arena_init(&conn->arena);
	policy_reset(&conn->policy, &conn->arena);
	conn->touched_ms = loop_now_ms(conns->engine->loop);
	conn->watch = watch_new(conns->engine->loop, fd, on_readable, conn);
	watch_set(conn->watch, LOOP_READ);
	DL_APPEND(conns->all, conn);
	conns->count++;
	stats_add(STAT_POLICY_CONNECTIONS, 1);
}

void
conns_tick(struct conns *conns)
{
	const struct conf *conf = conns->engine->conf;
	int64_t now_ms = loop_now_ms(conns->engine->loop);
	struct conn *conn, *next;
	DL_FOREACH_SAFE(conns->all, conn, next) {
		bool begun = policy_has_begun(&conn->policy);
		int64_t limit_ms = begun ? conf->policyd.request_timeout_ms
		                         : conf->policyd.idle_timeout_ms;
		if (conn->deciding || now_ms - conn->touched_ms < limit_ms)
			continue;
		conn->policy.trouble = "the request was not completed in time";
		if (begun)
			close_bad(conn);
		else
			conn_close(conn);
	}
	messages_tick(conns->messages);
}

void
conns_drain(struct conns *conns)
{
	struct conn *conn, *next;
	conns->draining = true;
	if (conns->count == 0) {
		conns->on_drained(conns->arg);
		return;
	}
	DL_FOREACH_SAFE(conns->all, conn, next)
		if (!conn->deciding && !policy_has_begun(&conn->policy))
			conn_close(conn);
}

void
conns_close(struct conns *conns)
{
	struct conn *conn, *next;
	conns->draining = false;
	DL_FOREACH_SAFE(conns->all, conn, next)
		conn_close(conn);
	messages_free(&conns->messages);
}
