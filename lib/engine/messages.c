/* messages.c - messages by name, and by client session. */
#include "engine/messages.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/hash.h"
#include "base/mem.h"

#define INSTANCE_MAX 64
#define SESSION_MAX  (45 + 1 + 5) /* address, ':', port */

/* Of messages that no connection is open for; beyond so many the first of them is over. */
#define WAITING_MAX 16384

struct message {
	struct messages *messages;
	char name[INSTANCE_MAX + 1 + SESSION_MAX + 1]; /* empty: is not found by others */
	char session[SESSION_MAX + 1];                 /* empty: not known */
	struct delivery *delivery;
	unsigned connections; /* asked about it last */
	unsigned decisions;   /* under way */
	bool over;
	bool waits; /* no connection is open for it */
	bool headed;
	bool unheard; /* it may go on */
	int64_t heard_ms;
	struct message *prev, *next; /* of those that wait */
	UT_hash_handle by_name, by_session;
};

struct messages {
	struct engine *engine;
	struct message *by_name, *by_session;
	struct message *waiting; /* those that were left first */
	size_t n_waiting;
};

/* ---- one message ---- */

/* Frees it when it is over and nobody has it any more. */
static void
let_go(struct message *message)
{
	if (!message->over || message->decisions > 0)
		return;
	/* Nothing else can be heard of one without a name: it counts. */
	if (message->unheard || !*message->name)
		delivery_part(&message->delivery);
	else
		delivery_end(&message->delivery);
	if (message->connections == 0)
		free(message);
}

static void
stop_waiting(struct message *message)
{
	struct messages *messages = message->messages;
	if (!message->waits)
		return;
	message->waits = false;
	DL_DELETE(messages->waiting, message);
	messages->n_waiting--;
}

/* Must not be used any more, but by who still has it. */
static void
end(struct message *message)
{
	struct messages *messages = message->messages;
	if (message->over)
		return;
	stop_waiting(message);
	if (*message->name)
		HASH_DELETE(by_name, messages->by_name, message);
	if (*message->session)
		HASH_DELETE(by_session, messages->by_session, message);
	message->over = true;
	let_go(message);
}

static void
part(struct message *message)
{
	message->unheard = true;
	end(message);
}

static void
wait_for_more(struct message *message)
{
	struct messages *messages = message->messages;
	if (messages->n_waiting == WAITING_MAX)
		part(messages->waiting);
	message->waits = true;
	DL_APPEND(messages->waiting, message);
	messages->n_waiting++;
}

/* ---- names ---- */

struct names {
	char name[INSTANCE_MAX + 1 + SESSION_MAX + 1];
	char session[SESSION_MAX + 1];
};

static void
name_message(const struct query *query, struct names *names)
{
	struct text name = TEXT(names->name), session = TEXT(names->session);
	names->name[0] = names->session[0] = '\0';
	if (query->client_address.n > 0 && query->client_port.n > 0) {
		text_put(&session, query->client_address);
		text_putc(&session, ':');
		text_put(&session, query->client_port);
	}
	if (session.cut || slice_eq(query->client_port, SLICE("0")))
		names->session[0] = '\0';
	if (query->instance.n == 0 || query->instance.n > INSTANCE_MAX)
		return;
	text_put(&name, query->instance);
	text_putc(&name, '/');
	text_puts(&name, names->session);
}

/* A session's messages come one after the other. */
static void
replace_in_session(struct message *message)
{
	struct messages *messages = message->messages;
	struct message *before;
	size_t n = strlen(message->session);
	unsigned hash;
	if (n == 0)
		return;
	HASH_VALUE(message->session, n, hash);
	HASH_FIND_BYHASHVALUE(by_session, messages->by_session, message->session, n, hash,
	                      before);
	if (before)
		end(before);
	HASH_ADD_BYHASHVALUE(by_session, messages->by_session, session, n, hash, message);
}

static struct message *
add(struct messages *messages, const struct names *names, size_t n, unsigned hash)
{
	struct message *message = mem_new(struct message);
	message->messages = messages;
	memcpy(message->name, names->name, sizeof(message->name));
	memcpy(message->session, names->session, sizeof(message->session));
	message->delivery = delivery_new();
	replace_in_session(message);
	if (n > 0)
		HASH_ADD_BYHASHVALUE(by_name, messages->by_name, name, n, hash, message);
	return message;
}

static struct message *
find_or_add(struct messages *messages, const struct query *query)
{
	struct names names;
	struct message *message = NULL;
	unsigned hash = 0;
	name_message(query, &names);
	size_t n = strlen(names.name);
	if (n > 0) {
		HASH_VALUE(names.name, n, hash);
		HASH_FIND_BYHASHVALUE(by_name, messages->by_name, names.name, n, hash,
		                      message);
	}
	return message ? message : add(messages, &names, n, hash);
}

/* ---- what connections do ---- */

static void
drop(struct message **current)
{
	struct message *message = *current;
	*current = NULL;
	message->connections--;
	if (message->over)
		let_go(message);
	else if (message->connections == 0)
		wait_for_more(message);
}

void
messages_follow(struct messages *messages, struct message **current,
                const struct query *query)
{
	struct message *before = *current;
	struct message *message = find_or_add(messages, query);
	if (message != before) {
		stop_waiting(message);
		message->connections++;
		*current = message;
	}
	if (before && message != before) {
		end(before);
		drop(&before);
	}
	message->heard_ms = loop_now_ms(messages->engine->loop);
	delivery_hear(message->delivery, query->stage);
	if (query->stage == STAGE_END_OF_MESSAGE)
		end(message);
}

struct delivery *
message_decide(struct message *message)
{
	message->decisions++;
	return message->delivery;
}

void
message_decided(struct message *message)
{
	message->decisions--;
	let_go(message);
}

bool
message_takes_header(struct message *message)
{
	bool takes = !message->headed;
	message->headed = true;
	return takes;
}

void
messages_leave(struct message **current, bool over)
{
	struct message *message = *current;
	if (!message)
		return;
	bool waits = !over && *message->name && message->delivery &&
	             (message->headed || delivery_holds(message->delivery) ||
	              delivery_has_recipients(message->delivery));
	if (!waits && message->connections == 1)
		end(message);
	drop(current);
}

/* ---- all of them ---- */

struct messages *
messages_new(struct engine *engine)
{
	struct messages *messages = mem_new(struct messages);
	messages->engine = engine;
	return messages;
}

void
messages_tick(struct messages *messages)
{
	const struct engine *engine = messages->engine;
	int64_t until_ms = loop_now_ms(engine->loop) - engine->conf->policyd.hold_ms;
	while (messages->waiting && messages->waiting->heard_ms <= until_ms)
		end(messages->waiting);
}

void
messages_free(struct messages **messages_at)
{
	struct messages *messages = *messages_at;
	*messages_at = NULL;
	while (messages && messages->by_name)
		part(messages->by_name);
	free(messages);
}
