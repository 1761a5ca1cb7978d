/*
 * history_redis_talk.c - one blocking connection to Redis.
 *
 * hiredis connects and reads replies; the bytes are carried here, since its own writes raise
 * SIGPIPE, and its time-out begins anew with each read.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "history_redis.h"
#include "redis_reply.h"

#define REPLIES_BYTES_MAX  (8 << 20) /* to all that was said; what we ask for has less */
#define REPLY_ELEMENTS_MAX (1 << 18)
#define SAID_TEXT_MAX      300 /* of an error reply */
#define READ_BYTES         32768

/* "redis at HOST: ..."; false. */
static bool
say_lost(struct history_redis *history, struct err *err, const char *why)
{
	char name[300];
	struct text text = TEXT(name);
	endpoint_print(&history->server, &text);
	talk_close(history);
	return err_set(err, "redis at %s: %s", name, why);
}

static bool
say_late(struct history_redis *history, struct err *err)
{
	char why[80];
	struct text text = TEXT(why);
	text_printf(&text, "does not answer within %lld ms",
	            (long long)history->base.patience_ms);
	return say_lost(history, err, why);
}

void
talk_close(struct history_redis *history)
{
	if (history->redis)
		redisFree(history->redis);
	history->redis = NULL;
	history->out_used = history->out_sent = 0;
	history->waiting = history->unanswered = 0;
}

/* ---- bytes */

/* NULL makes the reader fail instead of allocating what a hostile header announces. */
static void *
bounded_array(const redisReadTask *task, element_count elements)
{
	const struct history_redis *history = task->privdata;
	if (elements > REPLY_ELEMENTS_MAX ||
	    (task->parent && task->parent->elements > REDIS_ARRAY_MAX))
		return NULL;
	return history->plain_functions.createArray(task, elements);
}

static void
bound_reader(struct history_redis *history)
{
	redisReader *reader = history->redis->reader;
	history->functions = history->plain_functions = *reader->fn;
	history->functions.createArray = bounded_array;
	reader->fn = &history->functions;
	reader->privdata = history;
}

static bool
connect_to_server(struct history_redis *history, struct err *err)
{
	int64_t ms = history->base.patience_ms > 0 ? history->base.patience_ms : 1;
	struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	const struct endpoint *server = &history->server;
	history->redis =
		server->is_unix
			? redisConnectUnixWithTimeout(server->host, patience)
			: redisConnectWithTimeout(server->host, server->port, patience);
	if (!history->redis)
		log_fatal("out of memory (a connection)");
	if (history->redis->err) {
		bool forbidden = server->is_unix && errno == EACCES;
		char why[200];
		struct text text = TEXT(why);
		text_printf(&text, "cannot connect: %s", history->redis->errstr);
		say_lost(history, err, why);
		err->forbidden = forbidden;
		return false;
	}
	fcntl(history->redis->fd, F_SETFD, FD_CLOEXEC);
	bound_reader(history);
	return true;
}

static bool
send_some(struct history_redis *history)
{
	ssize_t n =
		send(history->redis->fd, history->out + history->out_sent,
	             history->out_used - history->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	history->out_sent += (size_t)n;
	if (history->out_sent == history->out_used)
		history->out_sent = history->out_used = 0;
	return true;
}

static bool
read_some(struct history_redis *history, struct err *err)
{
	char buf[READ_BYTES];
	ssize_t n = recv(history->redis->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n == 0)
		return say_lost(history, err, "closed the connection");
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ||
		       say_lost(history, err, strerror(errno));
	history->unanswered += (size_t)n;
	redisReaderFeed(history->redis->reader, buf, (size_t)n);
	return true;
}

/* Sends and reads what can be; false when patience is over or the connection is lost. */
static bool
carry(struct history_redis *history, struct err *err)
{
	struct pollfd fd = {.fd = history->redis->fd, .events = POLLIN};
	int64_t left_ms = history->until_ms - clock_mono_ms();
	if (history->out_used > 0)
		fd.events |= POLLOUT;
	if (left_ms <= 0)
		return say_late(history, err);
	int ready = poll(&fd, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
	if (ready <= 0)
		return true; /* the clock tells at the next turn */
	if (fd.revents & POLLOUT && !send_some(history))
		return say_lost(history, err, strerror(errno));
	return !(fd.revents & ~POLLOUT) || read_some(history, err);
}

/* ---- commands and replies */

static void
append(struct history_redis *history, const char *bytes, size_t n)
{
	if (history->out_cap - history->out_used < n) {
		history->out_cap = (history->out_used + n) * 2;
		history->out = mem_grow(history->out, history->out_cap);
	}
	memcpy(history->out + history->out_used, bytes, n);
	history->out_used += n;
}

void
talk_be_patient(struct history_redis *history)
{
	history->until_ms = clock_mono_ms() + history->base.patience_ms;
}

/* What fails here fails again when the reply is waited for. */
void
talk_send(struct history_redis *history)
{
	if (history->redis && history->out_used > 0)
		send_some(history);
}

void
talk_say(struct history_redis *history, size_t n, const struct slice *words)
{
	const char *argv[REDIS_WORDS_MAX];
	size_t lengths[REDIS_WORDS_MAX];
	for (size_t i = 0; i < n && i < REDIS_WORDS_MAX; i++) {
		argv[i] = words[i].n ? words[i].p : "";
		lengths[i] = words[i].n;
	}
	sds command = NULL;
	int len = redisFormatSdsCommandArgv(&command, (int)n, argv, lengths);
	if (len < 0)
		log_fatal("out of memory (a command)");
	if (history->waiting == 0)
		talk_be_patient(history);
	append(history, command, (size_t)len);
	history->waiting++;
	redisFreeSdsCommand(command);
}

redisReply *
talk_hear_any(struct history_redis *history, struct err *err)
{
	void *reply = NULL;
	while (history->redis) {
		if (redisReaderGetReply(history->redis->reader, &reply) != REDIS_OK ||
		    (!reply && history->unanswered > REPLIES_BYTES_MAX)) {
			talk_nonsense(history, err);
			return NULL;
		}
		if (reply) {
			if (--history->waiting == 0)
				history->unanswered = 0;
			return reply;
		}
		if (!carry(history, err))
			return NULL;
	}
	return NULL;
}

bool
talk_nonsense(struct history_redis *history, struct err *err)
{
	return say_lost(history, err, "answered a command with an unexpected reply");
}

bool
talk_refused(struct history_redis *history, const redisReply *reply, struct err *err)
{
	char name[300], said[SAID_TEXT_MAX];
	struct text text = TEXT(name), plain = TEXT(said);
	struct slice words = reply_text(reply);
	const struct redis_error *error = redis_error_find(words);
	endpoint_print(&history->server, &text);
	text_put(&plain, words);
	for (size_t i = 0; i < plain.n; i++)
		if ((unsigned char)said[i] < ' ' || said[i] == 0x7f)
			said[i] = '?';
	if (error->cure == REDIS_RECONNECT)
		talk_close(history);
	err_set(err, "redis at %s: %s%s%s", name, said, error->advice ? ": " : "",
	        error->advice ? error->advice : "");
	err->forbidden = error->cure == REDIS_RIGHTS;
	return false;
}

/* Of a reply that must be of a type. */
static redisReply *
check_reply(struct history_redis *history, redisReply *reply, int type, struct err *err)
{
	if (!reply)
		return NULL;
	if (reply->type == REDIS_REPLY_ERROR)
		talk_refused(history, reply, err);
	else if (type == 0 || reply->type == type ||
	         (type == REDIS_REPLY_STRING && reply->type == REDIS_REPLY_NIL))
		return reply;
	else
		talk_nonsense(history, err);
	freeReplyObject(reply);
	return NULL;
}

redisReply *
talk_hear(struct history_redis *history, int type, struct err *err)
{
	return check_reply(history, talk_hear_any(history, err), type, err);
}

bool
talk_hear_done(struct history_redis *history, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		redisReply *reply = talk_hear(history, 0, err);
		if (!reply)
			return false;
		freeReplyObject(reply);
	}
	return true;
}

bool
talk_hear_integer(struct history_redis *history, int64_t *value_out, struct err *err)
{
	redisReply *reply = talk_hear(history, REDIS_REPLY_INTEGER, err);
	*value_out = reply ? reply->integer : 0;
	freeReplyObject(reply);
	return reply != NULL;
}

redisReply *
talk_script(struct history_redis *history, const struct script *script, size_t n_args,
            const struct slice *key_and_args, int type, struct err *err)
{
	struct slice words[REDIS_WORDS_MAX] = {SLICE("EVALSHA"), script->sha, SLICE("1")};
	size_t n = 3;
	while (n_args > 0 && n < REDIS_WORDS_MAX) {
		words[n++] = *key_and_args++;
		n_args--;
	}
	talk_say(history, n, words);
	redisReply *reply = talk_hear_any(history, err);
	if (reply && reply->type == REDIS_REPLY_ERROR &&
	    redis_error_find(reply_text(reply))->cure == REDIS_LOAD) {
		freeReplyObject(reply);
		words[0] = SLICE("EVAL");
		words[1] = script->text;
		talk_say(history, n, words);
		reply = talk_hear_any(history, err);
	}
	return check_reply(history, reply, type, err);
}

/* ---- the beginning */

/* Who cannot save refuses a PING, too, but can be read. */
static bool
hear_ping(struct history_redis *history, struct err *err)
{
	redisReply *reply = talk_hear_any(history, err);
	if (!reply)
		return false;
	bool good = reply->type != REDIS_REPLY_ERROR ||
	            redis_error_find(reply_text(reply))->cure == REDIS_NONE ||
	            talk_refused(history, reply, err);
	freeReplyObject(reply);
	return good;
}

static bool
greet(struct history_redis *history, struct err *err)
{
	struct slice user = slice_of(history->username);
	struct slice password = slice_of(history->password);
	struct slice auth[] = {SLICE("AUTH"), user, password};
	struct slice auth_default[] = {SLICE("AUTH"), password};
	struct slice select_db[] = {SLICE("SELECT"), slice_of(history->db)};
	struct slice ping[] = {SLICE("PING")};
	if (user.n > 0)
		talk_say(history, COUNT_OF(auth), auth);
	else if (password.n > 0)
		talk_say(history, COUNT_OF(auth_default), auth_default);
	if (!slice_eq(slice_of(history->db), SLICE("0")))
		talk_say(history, COUNT_OF(select_db), select_db);
	talk_say(history, COUNT_OF(ping), ping);
	return talk_hear_done(history, history->waiting - 1, err) &&
	       hear_ping(history, err);
}

/* Nothing is to be read from a connection that is idle: neither its end nor a surplus reply. */
static bool
still_works(struct history_redis *history)
{
	char byte;
	if (!history->redis || history->waiting > 0)
		return false;
	ssize_t n = recv(history->redis->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

struct history_redis *
talk_begin(struct history *base, struct err *err)
{
	struct history_redis *history = (struct history_redis *)base;
	if (still_works(history))
		return history;
	talk_close(history);
	if (!connect_to_server(history, err))
		return NULL;
	if (greet(history, err))
		return history;
	talk_close(history);
	return NULL;
}

redisReply *
talk_do(struct history *base, size_t n, const struct slice *words, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	if (!history)
		return NULL;
	talk_say(history, n, words);
	return talk_hear(history, 0, err);
}

/* ---- names */

struct slice
talk_name(const struct history_redis *history, const char *rest, struct redis_key *name)
{
	name->text = TEXT(name->buf);
	text_puts(&name->text, history->prefix);
	text_puts(&name->text, rest);
	return text_slice(&name->text);
}

struct slice
talk_key(const struct history_redis *history, char kind, const struct key *key,
         struct redis_key *name)
{
	char rest[1 + KEY_TEXT_LEN + 1] = {kind};
	key_print(key, rest + 1);
	return talk_name(history, rest, name);
}

bool
talk_parse_key(const struct history_redis *history, char kind, struct slice name,
               struct key *key_out)
{
	size_t n = strlen(history->prefix);
	return name.n == n + 1 + KEY_TEXT_LEN &&
	       slice_eq(slice_head(name, n), slice_of(history->prefix)) &&
	       name.p[n] == kind && key_parse(slice_from(name, n + 1), key_out);
}
