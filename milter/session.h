/*
 * session.h - one SMTP session as the milter hears of it: facts in, what to tell the MTA out.
 *
 * Knows nothing of libmilter.  One thread at a time is in a session, not always the same.
 * Whatever comes from outside is bounded, and copied when it must live on.
 */
#ifndef WEIR_SESSION_H
#define WEIR_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/slice.h"
#include "engine/delivery.h"
#include "sessions.h"

struct sockaddr;

#define SESSION_VALUE_MAX      1000 /* bytes of an address or a macro that are looked at */
#define SESSION_RECIPIENTS_MAX 1000 /* of one message; the others are deferred */

enum session_says {
	SESSION_GO_ON,
	SESSION_DEFER, /* with a reply */
	SESSION_LEAVE, /* this message is not looked at any more */
};

struct session {
	/* of the session */
	char client_address[ADDR_TEXT_MAX]; /* empty: not over TCP */
	char client_port[8];
	char server_port[SERVICE_MAX + 1];
	char *client_name; /* confirmed, else NULL */

	/* of the message */
	struct arena message;
	struct slice sender;
	struct slice user;
	struct slice certificate;
	struct slice instance;
	struct slice queue_id; /* empty until the MTA has one */
	struct slice header;   /* of the first verdict that had one */
	struct slice only_recipient;
	unsigned accepted; /* recipients that the MTA goes on with */

	struct arena step; /* of the recipient under way */

	/* under the lock of sessions, or while asking */
	struct sessions *sessions;
	struct delivery *delivery;
	bool asking;
	bool under_way; /* the MTA goes on with a recipient */
	struct session *prev, *next;
};

/* What the MTA says in macros; NULL is nothing. */
struct session_peer {
	const char *name; /* the hostname of xxfi_connect */
	const struct sockaddr *address;
	const char *resolve;   /* {client_resolve} */
	const char *validated; /* _ */
	const char *port;      /* {daemon_port}: at which the MTA listens */
};

struct session_mail {
	const char *sender;      /* "<user@example.com>", as the client wrote it */
	const char *resolved;    /* {mail_addr}: as the MTA understood it */
	const char *user;        /* {auth_authen} */
	const char *certificate; /* {cert_fp} */
	const char *instance;    /* i */
};

struct session_rcpt {
	const char *recipient;
	const char *resolved; /* {rcpt_addr}; of a refused one something else */
	const char *mailer;   /* {rcpt_mailer}; what it says is in mailer.h */
	const char *host;     /* {rcpt_host}: the next hop, or a text */
};

/* NULL when there are too many, or when the daemon is about to end: it is not judged then. */
struct session *session_open(struct sessions *sessions);

/* The session has ended, with whatever is under way in it; clears the pointer. */
void session_close(struct session **session);

void session_connect(struct session *session, const struct session_peer *peer);

/* Ends the message before, if there is one. */
void session_mail(struct session *session, const struct session_mail *mail);

/* With each step behind MAIL; NULL while there is none. */
void session_queue(struct session *session, const char *queue_id);

/* The reply holds until the next call. */
enum session_says session_rcpt(struct session *session, const struct session_rcpt *rcpt,
                               struct slice *reply_out);
enum session_says session_data(struct session *session, struct slice *reply_out);

/* The message has come to its end, and is accepted as far as the milter is concerned. */
void session_end_of_message(struct session *session);

/* It came to nothing, or is over; may be called again. */
void session_end(struct session *session);

#endif
