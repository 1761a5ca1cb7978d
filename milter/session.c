/* session.c - one SMTP session: what the MTA tells, and what it is told. */
#include "session.h"

#include <stdlib.h>
#include <strings.h>

#include "base/stats.h"
#include "mailer.h"
#include "rules/mailaddr.h"

/* The beginning of what the MTA said. */
static struct slice
bounded(const char *value)
{
	return slice_head(slice_of(value), SESSION_VALUE_MAX);
}

/* Without its angle brackets; of one that is too long the end, where the domain is. */
static struct slice
address(const char *value)
{
	struct slice s = slice_of(value);
	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = slice_head(slice_from(s, 1), s.n - 2);
	return s.n > SESSION_VALUE_MAX ? slice_from(s, s.n - SESSION_VALUE_MAX) : s;
}

/*
 * What the MTA made of the address where it says so, since the same mailbox can be written in many
 * ways; Sendmail leaves the domain of its own users away.
 */
static struct slice
understood(const char *resolved, const char *written)
{
	bool is_whole = resolved && strchr(resolved, '@');
	return address(is_whole ? resolved : written);
}

/* An MTA gives the name even where the address and it do not confirm each other. */
static bool
is_confirmed(const struct session_peer *peer)
{
	if (!peer->name || peer->name[0] == '[' || peer->name[0] == '\0')
		return false;
	if (peer->resolve && *peer->resolve && strcasecmp(peer->resolve, "OK") != 0)
		return false;
	return !peer->validated || !strstr(peer->validated, "may be forged");
}

void
session_connect(struct session *session, const struct session_peer *peer)
{
	struct addr addr;
	uint16_t port;
	struct text address_text = TEXT(session->client_address),
		    port_text = TEXT(session->client_port);
	session->client_address[0] = session->client_port[0] = '\0';
	if (addr_of_socket(peer->address, &addr, &port)) {
		addr_print(&addr, &address_text);
		text_int(&port_text, port);
	}
	struct text server = TEXT(session->server_port);
	text_puts(&server, peer->port ? peer->port : "");
	free(session->client_name);
	session->client_name = is_confirmed(peer) ? mem_dup(bounded(peer->name)) : NULL;
}

void
session_mail(struct session *session, const struct session_mail *mail)
{
	struct arena *arena = &session->message;
	session_end(session);
	session->sender = arena_copy(arena, understood(mail->resolved, mail->sender));
	session->user = arena_copy(arena, bounded(mail->user));
	session->certificate = arena_copy(arena, bounded(mail->certificate));
	session->instance = arena_copy(arena, bounded(mail->instance));
	session->queue_id = session->instance;
}

void
session_queue(struct session *session, const char *queue_id)
{
	if (queue_id && session->queue_id.n == 0)
		session->queue_id = arena_copy(&session->message, bounded(queue_id));
}

static void
forget_message(struct session *session)
{
	arena_free(&session->message);
	session->sender = session->user = session->certificate = (struct slice){0};
	session->instance = session->queue_id = session->header = (struct slice){0};
	session->only_recipient = (struct slice){0};
	session->accepted = 0;
}

static void
end(struct session *session, enum stage heard)
{
	if (session_enter(session, false)) {
		if (session->delivery && heard != STAGE_OTHER)
			ask_queue_hear(session->sessions->ask_queue, session->delivery,
			               heard, session->queue_id);
		ask_queue_end(session->sessions->ask_queue, &session->delivery);
		session_leave(session, false);
	}
	forget_message(session);
}

void
session_end_of_message(struct session *session)
{
	end(session, STAGE_END_OF_MESSAGE);
}

void
session_end(struct session *session)
{
	end(session, STAGE_OTHER);
}

static struct query
query_of(const struct session *session, enum stage stage)
{
	return (struct query){
		.stage = stage,
		.client_address = slice_of(session->client_address),
		.client_port = slice_of(session->client_port),
		.client_name = slice_of(session->client_name),
		.server_port = slice_of(session->server_port),
		.sender = session->sender,
		.instance = session->instance,
		.queue_id = session->queue_id,
		.sasl_username = session->user,
		.ccert_fingerprint = session->certificate,
	};
}

static enum session_says
obey(struct session *session, const struct verdict *verdict, struct slice *reply_out)
{
	if (verdict->action == VERDICT_DEFER) {
		*reply_out = verdict->reply;
		return SESSION_DEFER;
	}
	if (session->header.n == 0 && verdict->header.n > 0)
		session->header = arena_copy(&session->message, verdict->header);
	return SESSION_GO_ON;
}

/* Between session_enter() and session_leave(). */
static enum session_says
ask(struct session *session, const struct query *query, struct slice *reply_out)
{
	struct verdict verdict;
	arena_reset(&session->step);
	if (!session->delivery) {
		session->delivery = delivery_new();
		stats_add(STAT_MILTER_DELIVERIES, 1);
	}
	if (!ask_queue_ask(session->sessions->ask_queue, session->delivery, query,
	                   &session->step, &verdict)) {
		stats_add(STAT_MILTER_UNANSWERED, 1);
		return SESSION_GO_ON;
	}
	return obey(session, &verdict, reply_out);
}

static void
count_accepted(struct session *session, struct slice recipient)
{
	session->accepted++;
	session->only_recipient = session->accepted == 1
	                                  ? arena_copy(&session->message, recipient)
	                                  : (struct slice){0};
}

/* The MTA has refused the recipient: whatever was taken for it elsewhere is given back. */
static enum session_says
ask_refused(struct session *session, struct query *query)
{
	struct slice reply;
	bool under_way = session->accepted > 0;
	query->stage = STAGE_RCPT_REFUSED;
	if (session_enter(session, true)) {
		ask(session, query, &reply);
		session_leave(session, under_way);
	}
	return SESSION_GO_ON;
}

enum session_says
session_rcpt(struct session *session, const struct session_rcpt *rcpt,
             struct slice *reply_out)
{
	struct query query = query_of(session, STAGE_RCPT);
	if (session->accepted >= SESSION_RECIPIENTS_MAX) {
		*reply_out = SLICE("452 4.5.3 Too many recipients");
		return SESSION_DEFER;
	}
	stats_add(STAT_MILTER_RECIPIENTS, 1);
	const struct mailer mailer = {.name = bounded(rcpt->mailer),
	                              .host = bounded(rcpt->host),
	                              .address = address(rcpt->resolved),
	                              .written = address(rcpt->recipient)};
	bool refused = mailer_refuses(&mailer);
	query.recipient = understood(refused ? NULL : rcpt->resolved, rcpt->recipient);
	if (refused)
		return ask_refused(session, &query);
	query.nexthop = mailer_next_hop(&mailer);
	if (query.nexthop.n == 0)
		query.nexthop = mailaddr_domain(query.recipient);
	if (!session_enter(session, true))
		return SESSION_LEAVE;
	enum session_says says = ask(session, &query, reply_out);
	if (says == SESSION_GO_ON)
		count_accepted(session, query.recipient);
	session_leave(session, session->accepted > 0);
	return says;
}

/* Asks only about the null sender: what was to be asked of a named one was asked at RCPT. */
static enum session_says
ask_at_data(struct session *session, struct slice *reply_out)
{
	if (session->sender.n > 0 || session->accepted == 0)
		return SESSION_GO_ON;
	struct query query = query_of(session, STAGE_DATA);
	query.recipient = session->only_recipient;
	return ask(session, &query, reply_out);
}

enum session_says
session_data(struct session *session, struct slice *reply_out)
{
	if (!session->delivery)
		return SESSION_GO_ON;
	if (!session_enter(session, false))
		return SESSION_LEAVE;
	enum session_says says = ask_at_data(session, reply_out);
	if (says == SESSION_GO_ON)
		ask_queue_hear(session->sessions->ask_queue, session->delivery,
		               STAGE_DATA, session->queue_id);
	session_leave(session, session->under_way);
	/* libmilter does not call back for the end of a message that it refused. */
	if (says == SESSION_DEFER)
		session_end(session);
	return says;
}

struct session *
session_open(struct sessions *sessions)
{
	struct session *session = mem_new(struct session);
	session->sessions = sessions;
	if (sessions_add(sessions, session))
		return session;
	free(session);
	return NULL;
}

void
session_close(struct session **session_at)
{
	struct session *session = *session_at;
	*session_at = NULL;
	if (!session)
		return;
	session_end(session);
	if (!sessions_remove(session->sessions, session))
		return;
	arena_free(&session->step);
	free(session->client_name);
	free(session);
}
