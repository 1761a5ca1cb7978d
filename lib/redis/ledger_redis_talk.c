/*
 * ledger_redis_talk.c - one blocking connection to Redis.
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
#include "ledger_redis.h"
#include "redis_errors.h"
#include "redis_reader.h"

#define REPLIES_BYTES_MAX  (8 << 20) /* to all that was said; what we ask for has less */
#define REPLY_ELEMENTS_MAX (1 << 18)
#define SAID_TEXT_MAX      300 /* of an error reply */
#define READ_BYTES         32768

/* "redis at HOST: ..."; false. */
static bool
say_lost(struct ledger_redis *ledger, struct err *err, const char *why)
{
	char name[300];
	struct text text = TEXT(name);
	endpoint_print(&ledger->server, &text);
	talk_close(ledger);
	return err_set(err, "redis at %s: %s", name, why);
}

static bool
say_late(struct ledger_redis *ledger, struct err *err)
{
	char why[80];
	struct text text = TEXT(why);
	text_printf(&text, "does not answer within %lld ms",
	            (long long)ledger->base.patience_ms);
	return say_lost(ledger, err, why);
}

void
talk_close(struct ledger_redis *ledger)
{
	if (ledger->redis)
		redisFree(ledger->redis);
	ledger->redis = NULL;
	ledger->out_used = ledger->out_sent = 0;
	ledger->waiting = ledger->unanswered = 0;
}

/* ---- bytes */

/* NULL makes the reader fail instead of allocating what a hostile header announces. */
static void *
bounded_array(const redisReadTask *task, element_count elements)
{
	const struct ledger_redis *ledger = task->privdata;
	if (elements > REPLY_ELEMENTS_MAX ||
	    (task->parent && task->parent->elements > REDIS_ARRAY_MAX))
		return NULL;
	return ledger->plain_functions.createArray(task, elements);
}

static void
bound_reader(struct ledger_redis *ledger)
{
	redisReader *reader = ledger->redis->reader;
	ledger->functions = ledger->plain_functions = *reader->fn;
	ledger->functions.createArray = bounded_array;
	reader->fn = &ledger->functions;
	reader->privdata = ledger;
}

static bool
connect_to_server(struct ledger_redis *ledger, struct err *err)
{
	int64_t ms = ledger->base.patience_ms > 0 ? ledger->base.patience_ms : 1;
	struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	const struct endpoint *server = &ledger->server;
	ledger->redis =
		server->is_unix
			? redisConnectUnixWithTimeout(server->host, patience)
			: redisConnectWithTimeout(server->host, server->port, patience);
	if (!ledger->redis)
		log_fatal("out of memory (a connection)");
	if (ledger->redis->err) {
		bool forbidden = server->is_unix && errno == EACCES;
		char why[200];
		struct text text = TEXT(why);
		text_printf(&text, "cannot connect: %s", ledger->redis->errstr);
		say_lost(ledger, err, why);
		err->forbidden = forbidden;
		return false;
	}
	fcntl(ledger->redis->fd, F_SETFD, FD_CLOEXEC);
	bound_reader(ledger);
	return true;
}

static bool
send_some(struct ledger_redis *ledger)
{
	ssize_t n =
		send(ledger->redis->fd, ledger->out + ledger->out_sent,
	             ledger->out_used - ledger->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	ledger->out_sent += (size_t)n;
	if (ledger->out_sent == ledger->out_used)
		ledger->out_sent = ledger->out_used = 0;
	return true;
}

static bool
read_some(struct ledger_redis *ledger, struct err *err)
{
	char buf[READ_BYTES];
	ssize_t n = recv(ledger->redis->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n == 0)
		return say_lost(ledger, err, "closed the connection");
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ||
		       say_lost(ledger, err, strerror(errno));
	ledger->unanswered += (size_t)n;
	redisReaderFeed(ledger->redis->reader, buf, (size_t)n);
	return true;
}

/* Sends and reads what can be; false when patience is over or the connection is lost. */
static bool
carry(struct ledger_redis *ledger, struct err *err)
{
	struct pollfd fd = {.fd = ledger->redis->fd, .events = POLLIN};
	int64_t left_ms = ledger->until_ms - clock_mono_ms();
	if (ledger->out_used > 0)
		fd.events |= POLLOUT;
	if (left_ms <= 0)
		return say_late(ledger, err);
	int ready = poll(&fd, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
	if (ready <= 0)
		return true; /* the clock tells at the next turn */
	if (fd.revents & POLLOUT && !send_some(ledger))
		return say_lost(ledger, err, strerror(errno));
	return !(fd.revents & ~POLLOUT) || read_some(ledger, err);
}

/* ---- commands and replies */

static void
append(struct ledger_redis *ledger, const char *bytes, size_t n)
{
	if (ledger->out_cap - ledger->out_used < n) {
		ledger->out_cap = (ledger->out_used + n) * 2;
		ledger->out = mem_grow(ledger->out, ledger->out_cap);
	}
	memcpy(ledger->out + ledger->out_used, bytes, n);
	ledger->out_used += n;
}

void
talk_be_patient(struct ledger_redis *ledger)
{
	ledger->until_ms = clock_mono_ms() + ledger->base.patience_ms;
}

/* What fails here fails again when the reply is waited for. */
void
talk_send(struct ledger_redis *ledger)
{
	if (ledger->redis && ledger->out_used > 0)
		send_some(ledger);
}

void
talk_say(struct ledger_redis *ledger, size_t n, const struct slice *words)
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
	if (ledger->waiting == 0)
		talk_be_patient(ledger);
	append(ledger, command, (size_t)len);
	ledger->waiting++;
	redisFreeSdsCommand(command);
}

redisReply *
talk_hear_any(struct ledger_redis *ledger, struct err *err)
{
	void *reply = NULL;
	while (ledger->redis) {
		if (redisReaderGetReply(ledger->redis->reader, &reply) != REDIS_OK ||
		    (!reply && ledger->unanswered > REPLIES_BYTES_MAX)) {
			talk_nonsense(ledger, err);
			return NULL;
		}
		if (reply) {
			if (--ledger->waiting == 0)
				ledger->unanswered = 0;
			return reply;
		}
		if (!carry(ledger, err))
			return NULL;
	}
	return NULL;
}

bool
talk_nonsense(struct ledger_redis *ledger, struct err *err)
{
	return say_lost(ledger, err,
	                "answers a command with something else than its reply");
}

bool
talk_refused(struct ledger_redis *ledger, const redisReply *reply, struct err *err)
{
	char name[300], said[SAID_TEXT_MAX];
	struct text text = TEXT(name), plain = TEXT(said);
	struct slice words = reply_text(reply);
	const struct redis_error *error = redis_error_find(words);
	endpoint_print(&ledger->server, &text);
	text_put(&plain, words);
	for (size_t i = 0; i < plain.n; i++)
		if ((unsigned char)said[i] < ' ' || said[i] == 0x7f)
			said[i] = '?';
	if (error->remedy == REMEDY_RECONNECT)
		talk_close(ledger);
	err_set(err, "redis at %s: %s%s%s", name, said, error->advice ? ": " : "",
	        error->advice ? error->advice : "");
	err->forbidden = error->remedy == REMEDY_RIGHTS;
	return false;
}

/* Of a reply that must be of a type. */
static redisReply *
check_reply(struct ledger_redis *ledger, redisReply *reply, int type, struct err *err)
{
	if (!reply)
		return NULL;
	if (reply->type == REDIS_REPLY_ERROR)
		talk_refused(ledger, reply, err);
	else if (type == 0 || reply->type == type ||
	         (type == REDIS_REPLY_STRING && reply->type == REDIS_REPLY_NIL))
		return reply;
	else
		talk_nonsense(ledger, err);
	freeReplyObject(reply);
	return NULL;
}

redisReply *
talk_hear(struct ledger_redis *ledger, int type, struct err *err)
{
	return check_reply(ledger, talk_hear_any(ledger, err), type, err);
}

bool
talk_hear_done(struct ledger_redis *ledger, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		redisReply *reply = talk_hear(ledger, 0, err);
		if (!reply)
			return false;
		freeReplyObject(reply);
	}
	return true;
}

bool
talk_hear_integer(struct ledger_redis *ledger, int64_t *value_out, struct err *err)
{
	redisReply *reply = talk_hear(ledger, REDIS_REPLY_INTEGER, err);
	*value_out = reply ? reply->integer : 0;
	freeReplyObject(reply);
	return reply != NULL;
}

redisReply *
talk_script(struct ledger_redis *ledger, const struct script *script, size_t n_args,
            const struct slice *key_and_args, int type, struct err *err)
{
	struct slice words[REDIS_WORDS_MAX] = {SLICE("EVALSHA"), script->sha, SLICE("1")};
	size_t n = 3;
	while (n_args > 0 && n < REDIS_WORDS_MAX) {
		words[n++] = *key_and_args++;
		n_args--;
	}
	talk_say(ledger, n, words);
	redisReply *reply = talk_hear_any(ledger, err);
	if (reply && reply->type == REDIS_REPLY_ERROR &&
	    redis_error_find(reply_text(reply))->remedy == REMEDY_LOAD) {
		freeReplyObject(reply);
		words[0] = SLICE("EVAL");
		words[1] = script->text;
		talk_say(ledger, n, words);
		reply = talk_hear_any(ledger, err);
	}
	return check_reply(ledger, reply, type, err);
}

/* ---- the beginning */

/* Who cannot save refuses a PING, too, but can be read. */
static bool
hear_ping(struct ledger_redis *ledger, struct err *err)
{
	redisReply *reply = talk_hear_any(ledger, err);
	if (!reply)
		return false;
	bool good = reply->type != REDIS_REPLY_ERROR ||
	            redis_error_find(reply_text(reply))->remedy == REMEDY_NONE ||
	            talk_refused(ledger, reply, err);
	freeReplyObject(reply);
	return good;
}

static bool
greet(struct ledger_redis *ledger, struct err *err)
{
	struct slice user = slice_of(ledger->username);
	struct slice password = slice_of(ledger->password);
	struct slice auth[] = {SLICE("AUTH"), user, password};
	struct slice auth_default[] = {SLICE("AUTH"), password};
	struct slice select_db[] = {SLICE("SELECT"), slice_of(ledger->db)};
	struct slice ping[] = {SLICE("PING")};
	if (user.n > 0)
		talk_say(ledger, COUNT_OF(auth), auth);
	else if (password.n > 0)
		talk_say(ledger, COUNT_OF(auth_default), auth_default);
	if (!slice_eq(slice_of(ledger->db), SLICE("0")))
		talk_say(ledger, COUNT_OF(select_db), select_db);
	talk_say(ledger, COUNT_OF(ping), ping);
	return talk_hear_done(ledger, ledger->waiting - 1, err) && hear_ping(ledger, err);
}

/* Nothing is to be read from a connection that is idle: neither its end nor a surplus reply. */
static bool
still_works(struct ledger_redis *ledger)
{
	char byte;
	if (!ledger->redis || ledger->waiting > 0)
		return false;
	ssize_t n = recv(ledger->redis->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

struct ledger_redis *
talk_begin(struct ledger *base, struct err *err)
{
	struct ledger_redis *ledger = (struct ledger_redis *)base;
	if (still_works(ledger))
		return ledger;
	talk_close(ledger);
	if (!connect_to_server(ledger, err))
		return NULL;
	if (greet(ledger, err))
		return ledger;
	talk_close(ledger);
	return NULL;
}

redisReply *
talk_do(struct ledger *base, size_t n, const struct slice *words, struct err *err)
{
	struct ledger_redis *ledger = talk_begin(base, err);
	if (!ledger)
		return NULL;
	talk_say(ledger, n, words);
	return talk_hear(ledger, 0, err);
}

/* ---- names */

struct slice
talk_name(const struct ledger_redis *ledger, const char *rest, struct redis_key *name)
{
	name->text = TEXT(name->buf);
	text_puts(&name->text, ledger->prefix);
	text_puts(&name->text, rest);
	return text_slice(&name->text);
}

struct slice
talk_key(const struct ledger_redis *ledger, char kind, const struct key *key,
         struct redis_key *name)
{
	char rest[1 + KEY_TEXT_LEN + 1] = {kind};
	key_print(key, rest + 1);
	return talk_name(ledger, rest, name);
}

bool
talk_parse_key(const struct ledger_redis *ledger, char kind, struct slice name,
               struct key *key_out)
{
	size_t n = strlen(ledger->prefix);
	return name.n == n + 1 + KEY_TEXT_LEN &&
	       slice_eq(slice_head(name, n), slice_of(ledger->prefix)) &&
	       name.p[n] == kind && key_parse(slice_from(name, n + 1), key_out);
}
