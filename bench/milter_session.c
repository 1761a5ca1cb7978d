/* One session of an MTA with a milter. */
#include "milter_session.h"

#include "clock_ns.h"
#include "milter_reply.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	VERSION = 6,
	VERSION_OLDEST = 2,
	HEADERS = 3,
	PURPOSE_DROP = 2,
	PURPOSE_WHERE = 3
};

static void
put_connect(struct session *session)
{
	uint16_t port = htons(session->guest.port);
	char family = SMFIA_INET;

	wire_put_text(&session->out, "unknown");
	wire_put_bytes(&session->out, &family, 1);
	wire_put_bytes(&session->out, &port, sizeof port);
	wire_put_text(&session->out, session->guest.address);
}

static void
put_helo(struct session *session)
{
	wire_put_text(&session->out, session->guest.helo);
}

static void
put_mail(struct session *session)
{
	wire_put_text(&session->out, session->guest.sender);
	wire_put_text(&session->out, "SIZE=18342");
}

static void
put_rcpt(struct session *session)
{
	wire_put_text(&session->out, session->guest.recipient);
}

static void
put_header(struct session *session)
{
	static const char *const headers[HEADERS][2] = {
		{"From", "sender@bench.example"},
		{"Date", "Mon, 01 Jan 2024 00:00:00 +0000"},
		{"Subject", "a message of the benchmark"},
	};

	wire_put_text(&session->out, headers[session->header][0]);
	wire_put_text(&session->out, headers[session->header][1]);
}

static void
put_body(struct session *session)
{
	static const char body[] = "One line.\r\n";

	wire_put_bytes(&session->out, body, sizeof body - 1);
}

/* What a step sends, and the bits with which a milter declines it or its reply. */
static const struct command {
	const char *name;
	char letter;
	int stage; /* of its macros, or -1 */
	uint32_t declined, no_reply;
	void (*put)(struct session *session);
} commands[] = {
	[STEP_NEGOTIATE] = {"negotiation", SMFIC_OPTNEG, -1, 0, 0, NULL},
	[STEP_CONNECT] = {"connect", SMFIC_CONNECT, SMFIM_CONNECT, SMFIP_NOCONNECT,
                          SMFIP_NR_CONN, put_connect},
	[STEP_HELO] = {"helo", SMFIC_HELO, SMFIM_HELO, SMFIP_NOHELO, SMFIP_NR_HELO,
                       put_helo},
	[STEP_MAIL] = {"mail", SMFIC_MAIL, SMFIM_ENVFROM, SMFIP_NOMAIL, SMFIP_NR_MAIL,
                       put_mail},
	[STEP_RCPT] = {"rcpt", SMFIC_RCPT, SMFIM_ENVRCPT, SMFIP_NORCPT, SMFIP_NR_RCPT,
                       put_rcpt},
	[STEP_HOLD] = {"hold", 0, -1, 0, 0, NULL},
	[STEP_DATA] = {"data", SMFIC_DATA, SMFIM_DATA, SMFIP_NODATA, SMFIP_NR_DATA, NULL},
	[STEP_HEADER] = {"header", SMFIC_HEADER, -1, SMFIP_NOHDRS, SMFIP_NR_HDR,
                         put_header},
	[STEP_EOH] = {"end of header", SMFIC_EOH, SMFIM_EOH, SMFIP_NOEOH, SMFIP_NR_EOH,
                      NULL},
	[STEP_BODY] = {"body", SMFIC_BODY, -1, SMFIP_NOBODY, SMFIP_NR_BODY, put_body},
	[STEP_EOM] = {"end of message", SMFIC_BODYEOB, SMFIM_EOM, 0, 0, NULL},
	[STEP_QUIT] = {"quit", SMFIC_QUIT, -1, 0, 0, NULL},
};

/* --- deliveries under way ---------------------------------------------------------- */

static void
enter_domain(struct session *session)
{
	uint32_t domain = (uint32_t)session->guest.domain;

	for (unsigned i = 0; i < session->n_domains; i++)
		if (session->domains[i] == domain)
			return;
	session->domains[session->n_domains++] = domain;
	tally_enter(session->tally, domain);
}

/* Before the milter can know that the message is over, so that what is counted never
 * exceeds what it has allowed. */
static void
leave_domains(struct session *session)
{
	while (session->n_domains > 0)
		tally_leave(session->tally, session->domains[--session->n_domains]);
}

/* --- how it ends --------------------------------------------------------------------- */

enum session_state
session_fail(struct session *session, enum tally_error error)
{
	leave_domains(session);
	tally_error(session->tally, error, commands[session->step].name);
	return SESSION_OVER;
}

/* False if the milter does not take it. */
static bool
flush(struct session *session)
{
	struct wire_out *out = &session->out;
	bool done = write(session->fd, out->bytes, out->length) == (ssize_t)out->length;

	out->length = 0;
	return done;
}

static enum session_state
finish(struct session *session)
{
	leave_domains(session);
	if (!flush(session))
		return session_fail(session, ERROR_CLOSED);
	histogram_add(&session->tally->whole,
	              clock_ns(CLOCK_MONOTONIC) - session->begun_ns);
	session->tally->finished++;
	return SESSION_OVER;
}

/* Half of them break off with a reply on its way. */
static enum session_state
drop(struct session *session)
{
	leave_domains(session);
	if (session->drop_at % 2 == 0)
		(void)flush(session); /* if it fails, it is broken off all the same */
	session->tally->dropped++;
	return SESSION_OVER;
}

/* --- sending ------------------------------------------------------------------------- */

static void
put_command(struct session *session)
{
	const struct command *command = &commands[session->step];

	if (command->stage >= 0)
		macros_put(&session->out, &session->lists, command->stage,
		           command->letter, &session->guest);
	wire_begin(&session->out, command->letter);
	if (command->put != NULL)
		command->put(session);
	wire_end(&session->out);
}

/* The next message, or the end. */
static enum session_step
next_message(struct session *session)
{
	if (session->step != STEP_EOM && session->step != STEP_HELO) {
		wire_begin(&session->out, SMFIC_ABORT);
		wire_end(&session->out);
		session->message++;
	} else if (session->step == STEP_EOM) {
		session->message++;
	}
	leave_domains(session);
	session->message_over = false;
	session->accepted = 0;
	session->recipient = 0;
	session->header = 0;
	session->guest.queue_id[0] = '\0';
	return session->message < session->options->messages ? STEP_MAIL : STEP_QUIT;
}

static enum session_step
next_step(struct session *session)
{
	if (session->session_over)
		return STEP_QUIT;
	if (session->message_over)
		return next_message(session);
	switch (session->step) {
	case STEP_HELO:
	case STEP_EOM: return next_message(session);
	case STEP_RCPT:
		if (++session->recipient < session->options->recipients)
			return STEP_RCPT;
		return session->accepted > 0 ? STEP_HOLD : next_message(session);
	case STEP_HEADER: return ++session->header < HEADERS ? STEP_HEADER : STEP_EOH;
	default: return session->step + 1;
	}
}

/* Takes what was answered, or would have been: a step without reply goes on. */
static void
take_verdict(struct session *session, char letter)
{
	bool goes_on = letter == SMFIR_CONTINUE || letter == SMFIR_SKIP;

	switch (session->step) {
	case STEP_CONNECT:
	case STEP_HELO: session->session_over = !goes_on; break;
	case STEP_RCPT:
		session->message_over = letter == SMFIR_ACCEPT || letter == SMFIR_DISCARD;
		if (!goes_on)
			break;
		enter_domain(session);
		if (session->accepted++ == 0)
			guest_set_queue_id(&session->guest, session->message);
		break;
	case STEP_EOM:
		session->tally->delivered += goes_on || letter == SMFIR_ACCEPT;
		break;
	default: session->message_over = !goes_on; break;
	}
	session->session_over |= letter == SMFIR_SHUTDOWN || letter == SMFIR_CONN_FAIL;
}

/* True if the milter is to answer, and there is nothing more to send before it does. */
static bool
put_step(struct session *session)
{
	const struct command *command = &commands[session->step];

	if (session->step == STEP_RCPT)
		guest_set_recipient(&session->guest, session->options, session->message,
		                    session->recipient);
	if ((session->protocol & command->declined) == 0) {
		put_command(session);
		session->commands++;
		if (session->step == STEP_EOM)
			leave_domains(session);
		if ((session->protocol & command->no_reply) == 0)
			return true;
	}
	take_verdict(session, SMFIR_CONTINUE);
	return false;
}

/* Sends until a reply is needed. */
static enum session_state
go_on(struct session *session)
{
	bool asks = false;

	while (!asks) {
		session->step = next_step(session);
		if (session->step == STEP_HOLD) {
			if (session->options->hold_ms == 0)
				continue;
			return flush(session) ? SESSION_HOLDS
			                      : session_fail(session, ERROR_CLOSED);
		}
		asks = put_step(session);
		if (session->step == STEP_QUIT)
			return finish(session);
		if (session->drop_at > 0 && session->commands >= session->drop_at)
			return drop(session);
	}
	session->asked_ns = clock_ns(CLOCK_MONOTONIC);
	return flush(session) ? SESSION_READS : session_fail(session, ERROR_CLOSED);
}

/* --- replies ------------------------------------------------------------------------- */

static void
count_reply(struct session *session, const struct wire_frame *reply)
{
	if (session->step == STEP_RCPT)
		histogram_add(&session->tally->recipients,
		              clock_ns(CLOCK_MONOTONIC) - session->asked_ns);
	if (session->step == STEP_RCPT || reply->letter != SMFIR_CONTINUE)
		tally_reply(session->tally, reply);
}

static enum session_state
take_reply(struct session *session, struct wire_frame *reply)
{
	enum reply_class class = CLASS_LAST;

	if (session->step != STEP_NEGOTIATE)
		class = reply_class(session, reply);
	else if (!reply_take_negotiation(session, reply))
		class = CLASS_BAD;
	if (class == CLASS_MORE)
		return SESSION_READS;
	/* nothing may follow the last: no command is on its way that it could answer */
	if (class == CLASS_BAD || session->in.taken != session->in.length)
		return session_fail(session, ERROR_BAD_FRAME);
	if (session->step != STEP_NEGOTIATE) {
		count_reply(session, reply);
		take_verdict(session, reply->letter);
	}
	return go_on(session);
}

enum session_state
session_readable(struct session *session)
{
	enum session_state state = SESSION_READS;
	struct wire_frame reply;
	long got = wire_read(&session->in, session->fd);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return SESSION_READS;
	if (got <= 0)
		return session_fail(session, ERROR_CLOSED);
	while (state == SESSION_READS) {
		switch (wire_next(&session->in, &reply)) {
		case WIRE_NOTHING: return SESSION_READS;
		case WIRE_BAD: return session_fail(session, ERROR_BAD_FRAME);
		case WIRE_FRAME: state = take_reply(session, &reply); break;
		}
	}
	return state;
}

/* --- from outside -------------------------------------------------------------------- */

void
session_begin(struct session *session, const struct milter_options *options,
              struct tally *tally, uint64_t number, uint16_t port)
{
	/* not the buffers: what is in them is told by these */
	session->options = options;
	session->tally = tally;
	session->step = STEP_NEGOTIATE;
	session->begun_ns = clock_ns(CLOCK_MONOTONIC);
	session->message = session->recipient = session->header = session->accepted = 0;
	session->message_over = session->session_over = false;
	session->n_domains = 0;
	session->out.length = session->in.length = session->in.taken = 0;
	session->commands = session->drop_at = 0;
	guest_init(&session->guest, options, number, port);
	if (guest_draw(options, number, PURPOSE_DROP) % 100 < options->drop_percent)
		session->drop_at =
			1 + guest_draw(options, number, PURPOSE_WHERE) %
				    (2 + options->messages * (options->recipients + 3));
	tally->begun++;
}

enum session_state
session_start(struct session *session, int fd)
{
	session->fd = fd;
	wire_begin(&session->out, SMFIC_OPTNEG);
	wire_put_number(&session->out, VERSION_OFFERED);
	wire_put_number(&session->out, ACTIONS_OFFERED);
	wire_put_number(&session->out, PROTOCOL_OFFERED);
	wire_end(&session->out);
	return flush(session) ? SESSION_READS : session_fail(session, ERROR_CLOSED);
}

enum session_state
session_release(struct session *session)
{
	return go_on(session);
}
