/*
 * callbacks.c - what libmilter calls.
 *
 * Any thread of its pool may come in for any session, one at a time for each.
 */
#include "callbacks.h"

#include <libmilter/mfapi.h>
#include <stdatomic.h>

#include "reply.h"
#include "session.h"

/* Steps that are not looked at; refused recipients are, for what policyd took for them. */
#define STEPS                                                                  \
 (SMFIP_NOHELO | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY | SMFIP_NOUNKNOWN | \
  SMFIP_RCPT_REJ)

/*
 * A step that is only listened to: where the MTA offers it, it waits for no answer.  MAIL is another
 * such step, but with its answer Postfix also sends on the abort of the message before it.
 */
#define SILENT_STEP SMFIP_NR_CONN

static struct sessions *all; /* libmilter has no room for an argument */

/*
 * Which connections negotiated the silent step.  It holds for all sessions of a connection, but
 * private data must not outlive a session: libmilter logs a warning then.  Where two connections
 * meet in a place the older one is forgotten: then libmilter itself keeps from answering.
 */
#define SILENT_PLACES 4096

static SMFICTX *_Atomic silent[SILENT_PLACES];

static SMFICTX *_Atomic *
silent_place(SMFICTX *ctx)
{
	return &silent[((uintptr_t)ctx >> 5) * UINT32_C(2654435761) % SILENT_PLACES];
}

/* libmilter's strings are not const, and not written to. */
static const char *
macro(SMFICTX *ctx, const char *name)
{
	char copy[32];
	struct text text = TEXT(copy);
	text_puts(&text, name);
	return smfi_getsymval(ctx, copy);
}

static void
want_macros(SMFICTX *ctx)
{
	static char connect_macros[] = "{client_resolve} _ {daemon_port}",
		    mail_macros[] = "i {mail_addr} {auth_authen} {cert_fp}",
		    rcpt_macros[] = "i {rcpt_mailer} {rcpt_host} {rcpt_addr}",
		    data_macros[] = "i";
	smfi_setsymlist(ctx, SMFIM_CONNECT, connect_macros);
	smfi_setsymlist(ctx, SMFIM_ENVFROM, mail_macros);
	smfi_setsymlist(ctx, SMFIM_ENVRCPT, rcpt_macros);
	smfi_setsymlist(ctx, SMFIM_DATA, data_macros);
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
             unsigned long unused2, unsigned long unused3, unsigned long *actions_out,
             unsigned long *steps_out, unsigned long *unused2_out,
             unsigned long *unused3_out)
{
	(void)unused2, (void)unused3;
	unsigned long wanted = SMFIF_SETSYMLIST;
	if (sessions_adds_header(all))
		wanted |= SMFIF_ADDHDRS;
	*actions_out = actions & wanted;
	*steps_out = steps & (STEPS | SILENT_STEP);
	*silent_place(ctx) = steps & SILENT_STEP ? ctx : NULL;
	*unused2_out = *unused3_out = 0;
	if (*actions_out & SMFIF_SETSYMLIST)
		want_macros(ctx);
	return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
	bool is_silent = *silent_place(ctx) == ctx;
	struct session *session = smfi_getpriv(ctx);
	session_close(&session);
	session = session_open(all);
	smfi_setpriv(ctx, session);
	if (!session)
		return is_silent ? SMFIS_NOREPLY : SMFIS_ACCEPT;
	session_connect(session, &(struct session_peer){
					 .name = name,
					 .address = address,
					 .resolve = macro(ctx, "{client_resolve}"),
					 .validated = macro(ctx, "_"),
					 .port = macro(ctx, "{daemon_port}"),
				 });
	return is_silent ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

/* NULL when this one is not judged. */
static struct session *
session_of(SMFICTX *ctx)
{
	return smfi_getpriv(ctx);
}

static sfsistat
on_mail(SMFICTX *ctx, char **args)
{
	struct session *session = session_of(ctx);
	if (!session)
		return SMFIS_ACCEPT;
	session_mail(session, &(struct session_mail){
				      .sender = args[0],
				      .resolved = macro(ctx, "{mail_addr}"),
				      .user = macro(ctx, "{auth_authen}"),
				      .certificate = macro(ctx, "{cert_fp}"),
				      .instance = macro(ctx, "i"),
			      });
	return SMFIS_CONTINUE;
}

static sfsistat
defer(SMFICTX *ctx, struct slice verdict_reply)
{
	struct reply reply;
	if (reply_parse(verdict_reply, &reply))
		smfi_setreply(ctx, reply.code, *reply.enhanced ? reply.enhanced : NULL,
		              reply.text);
	return SMFIS_TEMPFAIL;
}

static sfsistat
say(SMFICTX *ctx, enum session_says says, struct slice reply)
{
	switch (says) {
	case SESSION_GO_ON: return SMFIS_CONTINUE;
	case SESSION_DEFER: return defer(ctx, reply);
	case SESSION_LEAVE: break;
	}
	return SMFIS_ACCEPT;
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **args)
{
	struct slice reply = {0};
	struct session *session = session_of(ctx);
	if (!session)
		return SMFIS_ACCEPT;
	session_queue(session, macro(ctx, "i"));
	enum session_says says =
		session_rcpt(session,
	                     &(struct session_rcpt){
				     .recipient = args[0],
				     .resolved = macro(ctx, "{rcpt_addr}"),
				     .mailer = macro(ctx, "{rcpt_mailer}"),
				     .host = macro(ctx, "{rcpt_host}"),
			     },
	                     &reply);
	return say(ctx, says, reply);
}

static sfsistat
on_data(SMFICTX *ctx)
{
	struct slice reply = {0};
	struct session *session = session_of(ctx);
	if (!session)
		return SMFIS_ACCEPT;
	session_queue(session, macro(ctx, "i"));
	enum session_says says = session_data(session, &reply);
	return say(ctx, says, reply);
}

/* At the top, where policyd's PREPEND puts it. */
static void
add_header(SMFICTX *ctx, struct slice header)
{
	char name_buf[64], value_buf[512];
	struct text name = TEXT(name_buf), value = TEXT(value_buf);
	struct slice head;
	if (!slice_cut(&header, ':', &head) || header.n == 0)
		return;
	text_put(&name, head);
	text_put(&value, slice_trim(header));
	smfi_insheader(ctx, 0, name.p, value.p);
}

static sfsistat
on_end_of_message(SMFICTX *ctx)
{
	struct session *session = session_of(ctx);
	if (session) {
		add_header(ctx, session->header);
		session_queue(session, macro(ctx, "i"));
		session_end_of_message(session);
	}
	return SMFIS_CONTINUE;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	struct session *session = session_of(ctx);
	if (session)
		session_end(session);
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct session *session = session_of(ctx);
	smfi_setpriv(ctx, NULL);
	session_close(&session);
	return SMFIS_CONTINUE;
}

bool
callbacks_register(struct sessions *sessions)
{
	static char name[] = "libmilter"; /* in what it logs */
	all = sessions;
	return smfi_register((struct smfiDesc){
		       .xxfi_name = name,
		       .xxfi_version = SMFI_VERSION,
		       .xxfi_flags = SMFIF_ADDHDRS | SMFIF_SETSYMLIST,
		       .xxfi_connect = on_connect,
		       .xxfi_envfrom = on_mail,
		       .xxfi_envrcpt = on_rcpt,
		       .xxfi_eom = on_end_of_message,
		       .xxfi_abort = on_abort,
		       .xxfi_close = on_close,
		       .xxfi_data = on_data,
		       .xxfi_negotiate = on_negotiate,
	       }) == MI_SUCCESS;
}
