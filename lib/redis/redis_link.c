/* redis_link.c - one connection to Redis, kept up by itself. */
#include "redis_link.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "redis_reply.h"

#define CONNECT_MS    250
#define PAUSE_MIN_MS  50
#define PAUSE_MAX_MS  1000
#define LASTED_MS     5000 /* a connection this old was a good one */
#define AT_ONCE_MAX   20   /* times in a row without such a one */
#define UNDER_WAY_MAX 32768
#define OUT_MAX       (8 << 20)
#define READ_BYTES    65536

enum link_state { LINK_PAUSED, LINK_RESOLVING, LINK_CONNECTING, LINK_CONNECTED };

struct under_way {
	redis_fn *fn;
	void *arg;
	int64_t sent_ms;
};

struct redis_link {
	struct loop *loop;
	struct endpoint server;
	enum link_state state;
	loop_fn *on_ready, *on_lost;
	void *arg;

	int fd;
	struct watch *watch;
	struct resolve *resolve;
	struct loop_timer *timer; /* pause, connecting, or patience, by state */
	redisReader *reader;
	size_t unanswered; /* bytes read since the last complete reply */
	int64_t pause_ms;
	int64_t patience_ms;
	int64_t good_ms; /* since when the connection is good; 0: it is not */
	bool hopeful; /* nothing has failed since the last that was good, or the start */
	unsigned at_once; /* times it was made anew without a pause */
	bool said_why;    /* since the last connection that lasted */
	unsigned tries;   /* each takes the next address of the server's name */

	char *out;
	size_t out_used, out_cap;

	struct under_way *ring; /* commands without a reply, oldest at `first` */
	size_t first, count, cap;
};

static void connect_to(void *arg, const struct sockaddr *addr, unsigned len,
                       const char *why);

/* Between half and one and a half times the pause, which doubles each time. */
static void
pause_link(struct redis_link *link)
{
	int64_t jitter = clock_mono_us() % (link->pause_ms + 1);
	link->state = LINK_PAUSED;
	timer_start(link->timer, link->pause_ms / 2 + jitter);
	link->pause_ms *= 2;
	if (link->pause_ms > PAUSE_MAX_MS)
		link->pause_ms = PAUSE_MAX_MS;
}

static void
disconnect(struct redis_link *link)
{
	resolve_cancel(&link->resolve);
	watch_free(&link->watch);
	timer_stop(link->timer);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	if (link->reader)
		redisReaderFree(link->reader);
	link->reader = NULL;
	link->out_used = 0;
}

static struct under_way
take_oldest(struct redis_link *link)
{
	struct under_way oldest = link->ring[link->first];
	link->first = (link->first + 1) % link->cap;
	link->count--;
	return oldest;
}

static void
tell_lost(struct redis_link *link)
{
	while (link->count > 0) {
		struct under_way command = take_oldest(link);
		command.fn(command.arg, &(struct redis_reply){.kind = REDIS_LOST});
	}
}

static void
note_lasted(struct redis_link *link)
{
	if (!link->good_ms || loop_now_ms(link->loop) - link->good_ms < LASTED_MS)
		return;
	link->pause_ms = PAUSE_MIN_MS;
	link->said_why = false;
	link->at_once = 0;
}

/* In the next turn, since nothing can be sent from the callbacks. */
static void
connect_again(struct redis_link *link)
{
	if (!link->hopeful) {
		pause_link(link);
		return;
	}
	link->state = LINK_PAUSED;
	timer_start(link->timer, 0);
	link->at_once++;
}

/* `clean`: the other side has ended it, which says nothing against another. */
static void
lose(struct redis_link *link, const char *why, bool clean)
{
	note_lasted(link);
	link->hopeful = clean && link->good_ms && link->at_once < AT_ONCE_MAX;
	link->good_ms = 0;
	if (!link->said_why)
		log_warning("redis at %s: %s", link->server.host, why);
	link->said_why = true;
	disconnect(link);
	connect_again(link);
	link->on_lost(link->arg);
	tell_lost(link);
}

void
link_drop(struct redis_link *link, const char *why)
{
	lose(link, why, false);
}

static void
lose_errno(struct redis_link *link, const char *doing, bool clean)
{
	char why[200];
	struct text text = TEXT(why);
	text_printf(&text, "%s: %s", doing, strerror(errno));
	lose(link, why, clean);
}

static void
begin_connecting(struct redis_link *link)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct text path = TEXT(name.sun_path);
	link->state = LINK_RESOLVING;
	if (link->server.is_unix) {
		text_puts(&path, link->server.host);
		connect_to(link, (struct sockaddr *)&name, sizeof(name), "");
		return;
	}
	timer_start(link->timer, 20 * CONNECT_MS);
	link->resolve = resolve_start(link->loop, link->server.host, link->server.port,
	                              link->tries++, connect_to, link);
}

/* The one timer, which means another thing in each state. */
static void
on_timer(void *arg)
{
	struct redis_link *link = arg;
	switch (link->state) {
	case LINK_PAUSED: begin_connecting(link); return;
	case LINK_RESOLVING: link_drop(link, "its name was not resolved in time"); return;
	case LINK_CONNECTING:
		link_drop(link, "does not accept the connection in time");
		return;
	case LINK_CONNECTED: break;
	}
	if (link->count == 0)
		return;
	int64_t waited_ms = loop_now_ms(link->loop) - link->ring[link->first].sent_ms;
	if (waited_ms >= link->patience_ms)
		link_drop(link, "does not answer");
	else
		timer_start(link->timer, link->patience_ms - waited_ms);
}

static void
deliver(struct redis_link *link, redisReply *reply)
{
	struct redis_reply ours;
	redis_reply_take(reply, &ours);
	struct under_way command = take_oldest(link);
	command.fn(command.arg, &ours);
}

/* A callback may drop the link, so its reader is looked at anew each time. */
static void
deliver_replies(struct redis_link *link)
{
	while (link->reader) {
		void *reply = NULL;
		if (redisReaderGetReply(link->reader, &reply) != REDIS_OK ||
		    (reply && link->count == 0) ||
		    (!reply && link->unanswered > REDIS_REPLY_MAX)) {
			freeReplyObject(reply);
			stats_add(STAT_STORE_PROTOCOL_ERRORS, 1);
			link_drop(link,
			          "sent something that is not an answer to a command");
			return;
		}
		if (!reply)
			return;
		link->unanswered = 0;
		deliver(link, reply);
		freeReplyObject(reply);
	}
}

static void
read_replies(struct redis_link *link)
{
	static char buf[READ_BYTES];
	ssize_t n = read(link->fd, buf, sizeof(buf));
	if (n > 0 && link->count == 0) {
		stats_add(STAT_STORE_PROTOCOL_ERRORS, 1);
		link_drop(link, "sent something that is not an answer to a command");
	} else if (n > 0) {
		link->unanswered += (size_t)n;
		redisReaderFeed(link->reader, buf, (size_t)n);
		deliver_replies(link);
	} else if (n == 0) {
		lose(link, "closed the connection", true);
	} else if (errno != EAGAIN && errno != EINTR) {
		lose_errno(link, "cannot read", true);
	}
}

static void
become_connected(struct redis_link *link)
{
	int error = 0;
	socklen_t len = sizeof(error);
	getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		errno = error;
		lose_errno(link, "cannot connect", false);
		return;
	}
	timer_stop(link->timer);
	link->state = LINK_CONNECTED;
	link->reader = redis_reader_new();
	link->unanswered = 0;
	watch_set(link->watch, LOOP_READ);
	link->on_ready(link->arg);
}

static void
on_ready(void *arg, int ready)
{
	struct redis_link *link = arg;
	if (link->state == LINK_CONNECTING)
		become_connected(link);
	else if (ready & LOOP_READ)
		read_replies(link);
	if (link->state == LINK_CONNECTED && ready & LOOP_WRITE)
		link_flush(link);
}

static void
connect_to(void *arg, const struct sockaddr *addr, unsigned len, const char *why)
{
	struct redis_link *link = arg;
	int on = 1;
	link->resolve = NULL; /* it is over once it called */
	if (!addr) {
		link_drop(link, why);
		return;
	}
	link->fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (link->fd < 0) {
		lose_errno(link, "cannot make a socket", false);
		return;
	}
	setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	link->state = LINK_CONNECTING;
	if (connect(link->fd, addr, len) != 0 && errno != EINPROGRESS) {
		lose_errno(link, "cannot connect", false);
		return;
	}
	timer_start(link->timer, CONNECT_MS);
	link->watch = watch_new(link->loop, link->fd, on_ready, link);
	watch_set(link->watch, LOOP_WRITE);
}

struct redis_link *
link_new(struct loop *loop, const struct conf *conf, loop_fn *ready_fn, loop_fn *lost_fn,
         void *arg)
{
	struct redis_link *link = mem_new(struct redis_link);
	*link = (struct redis_link){.loop = loop,
	                            .on_ready = ready_fn,
	                            .on_lost = lost_fn,
	                            .arg = arg,
	                            .fd = -1,
	                            .hopeful = true,
	                            .pause_ms = PAUSE_MIN_MS};
	if (!endpoint_parse(slice_of(conf->store.redis.servers.v[0]), &link->server))
		log_fatal("store.redis.servers was not checked");
	link->timer = timer_new(loop, on_timer, link);
	link->state = LINK_PAUSED;
	timer_start(link->timer, 0);
	return link;
}

void
link_free(struct redis_link **link_at)
{
	struct redis_link *link = *link_at;
	*link_at = NULL;
	if (!link)
		return;
	disconnect(link);
	link->state = LINK_PAUSED;
	tell_lost(link);
	timer_free(&link->timer);
	free(link->out);
	free(link->ring);
	free(link);
}

static void
grow_ring(struct redis_link *link)
{
	size_t cap = link->cap ? link->cap * 2 : 256;
	struct under_way *ring = mem_alloc(cap * sizeof(*ring));
	for (size_t i = 0; i < link->count; i++)
		ring[i] = link->ring[(link->first + i) % link->cap];
	free(link->ring);
	link->ring = ring;
	link->first = 0;
	link->cap = cap;
}

static void
append(struct redis_link *link, const char *bytes, size_t n)
{
	if (link->out_cap - link->out_used < n) {
		link->out_cap = (link->out_used + n) * 2;
		link->out = mem_grow(link->out, link->out_cap);
	}
	memcpy(link->out + link->out_used, bytes, n);
	link->out_used += n;
}

bool
link_send(struct redis_link *link, size_t n, const struct slice *words, redis_fn *fn,
          void *arg)
{
	if (link->state != LINK_CONNECTED || link->count >= UNDER_WAY_MAX ||
	    link->out_used >= OUT_MAX)
		return false;
	const char *argv[REDIS_WORDS_MAX];
	size_t lengths[REDIS_WORDS_MAX];
	for (size_t i = 0; i < n; i++) {
		argv[i] = words[i].p;
		lengths[i] = words[i].n;
	}
	sds command = NULL;
	int len = redisFormatSdsCommandArgv(&command, (int)n, argv, lengths);
	if (len < 0)
		log_fatal("out of memory (a command)");
	append(link, command, (size_t)len);
	redisFreeSdsCommand(command);
	if (link->count == link->cap)
		grow_ring(link);
	if (link->count == 0 && !timer_is_running(link->timer))
		timer_start(link->timer, link->patience_ms);
	link->ring[(link->first + link->count++) % link->cap] =
		(struct under_way){.fn = fn,
	                           .arg = arg,
	                           .sent_ms = loop_now_ms(link->loop)};
	return true;
}

void
link_flush(struct redis_link *link)
{
	if (link->state != LINK_CONNECTED || link->out_used == 0)
		return;
	ssize_t n = send(link->fd, link->out, link->out_used, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		lose_errno(link, "cannot write", true);
		return;
	}
	if (n > 0) {
		link->out_used -= (size_t)n;
		memmove(link->out, link->out + n, link->out_used);
	}
	watch_set(link->watch, link->out_used ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

void
link_settle(struct redis_link *link, int64_t limit_ms)
{
	int64_t until_ms = clock_mono_ms() + limit_ms;
	while (link->state == LINK_CONNECTED && link->count > 0) {
		int64_t left_ms = until_ms - clock_mono_ms();
		link_flush(link);
		if (left_ms <= 0 || link->state != LINK_CONNECTED)
			return;
		struct pollfd fd = {.fd = link->fd, .events = POLLIN};
		if (link->out_used > 0)
			fd.events |= POLLOUT;
		if (poll(&fd, 1, (int)left_ms) > 0 && fd.revents & ~POLLOUT)
			read_replies(link);
	}
}

void
link_set_patience(struct redis_link *link, int64_t ms)
{
	link->patience_ms = ms;
}

void
link_is_good(struct redis_link *link)
{
	link->good_ms = loop_now_ms(link->loop);
}

bool
link_is_coming(const struct redis_link *link)
{
	return link->hopeful && !link->good_ms;
}
