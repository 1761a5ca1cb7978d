/* conn.c - one connection of a Postfix smtpd. */
#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "complain.h"
#include "decision.h"
#include "log.h"
#include "policy.h"
#include "stats.h"

#define INSTANCE_MAX 64
#define READ_BYTES   16384
#define REQUEST_MS   500 /* both gates together; each has store.deadline */

struct conn {
	struct conns *conns;
	int fd;
	struct watch *watch;
	struct arena arena; /* of the request under way */
	struct policy policy;
	struct decision decision;
	struct delivery *delivery;      /* of the message asked about last */
	char message[INSTANCE_MAX + 1]; /* its instance */
	bool deciding;
	bool ended; /* the peer sends no more: close when all it sent is answered */
	int64_t touched_ms;            /* a request began, or was answered */
	char headed[INSTANCE_MAX + 1]; /* the message that got its header last */

	char *ahead; /* bytes behind the request under way */
	size_t ahead_n;
	struct conn *prev, *next;
};

static void on_verdict(void *arg, const struct verdict *verdict);

static void
conn_close(struct conn *conn)
{
	struct conns *conns = conn->conns;
	if (conn->deciding)
		decision_cancel(&conn->decision);
	delivery_end(&conn->delivery);
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

static void
close_bad(struct conn *conn)
{
	stats_add(STAT_POLICY_BAD_REQUESTS, 1);
	complain(conn->fd, conn->policy.trouble);
	conn_close(conn);
}

/*
 * A session's messages come one after the other, so a new instance tells that the message before
 * it has ended, as does its END-OF-MESSAGE and the end of the connection.
 */
static void
follow_message(struct conn *conn)
{
	const struct query *query = &conn->policy.query;
	bool same = query->instance.n > 0 &&
	            slice_eq(query->instance, slice_of(conn->message));
	if (!same || query->stage == STAGE_END_OF_MESSAGE)
		delivery_end(&conn->delivery);
	if (!conn->delivery)
		conn->delivery = delivery_new();
	struct text message = TEXT(conn->message);
	text_put(&message, query->instance);
}

static void
decide(struct conn *conn)
{
	follow_message(conn);
	conn->deciding = true;
	decision_start(&conn->decision, conn->conns->engine, &conn->policy.query,
	               conn->delivery, REQUEST_MS, &conn->arena, on_verdict, conn);
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
		conn_close(conn);
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
		conn_close(conn);
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
	struct slice instance = conn->policy.query.instance;
	if (verdict->header.n == 0)
		return verdict->header;
	if (instance.n > 0 && slice_eq(instance, slice_of(conn->headed)))
		return (struct slice){0};
	struct text headed = TEXT(conn->headed);
	text_put(&headed, instance);
	return verdict->header;
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
	conn->deciding = false;
	bool is_last = conn->ahead_n == 0 && (conn->ended || conn->conns->draining);
	if (!answer(conn, verdict) || is_last) {
		conn_close(conn);
		return;
	}
	arena_reset(&conn->arena);
	policy_reset(&conn->policy, &conn->arena);
	conn->touched_ms = loop_now_ms(conn->conns->engine->loop);
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
				"policyd.max_connections is reached: a connection is refused");
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
		conn->policy.trouble = "the request is not completed in time";
		if (begun)
			close_bad(conn);
		else
			conn_close(conn);
	}
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
}
