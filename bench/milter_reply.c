/* What a milter may answer. */
#include "milter_reply.h"

#include <string.h>

enum { VERSION_OLDEST = 2 };

bool
reply_take_negotiation(struct session *session, struct wire_frame *reply)
{
	uint32_t version;

	return reply->letter == SMFIC_OPTNEG && wire_take_number(reply, &version) &&
	       version >= VERSION_OLDEST && version <= VERSION_OFFERED &&
	       wire_take_number(reply, &session->actions) &&
	       wire_take_number(reply, &session->protocol) &&
	       (session->actions & ~ACTIONS_OFFERED) == 0 &&
	       (session->protocol & ~PROTOCOL_OFFERED) == 0 &&
	       macro_lists_take(&session->lists, reply);
}

/* A header to add, insert or change; the last two have a position in front. */
static bool
is_good_header(const struct session *session, struct wire_frame reply)
{
	uint32_t action = reply.letter == SMFIR_CHGHEADER ? SMFIF_CHGHDRS : SMFIF_ADDHDRS;
	uint32_t position;
	const char *text;

	if (reply.letter != SMFIR_ADDHEADER && !wire_take_number(&reply, &position))
		return false;
	return session->step == STEP_EOM && (session->actions & action) != 0 &&
	       wire_take_text(&reply, &text) && wire_take_text(&reply, &text) &&
	       reply.length == 0;
}

static bool
is_good_reply_code(struct wire_frame reply)
{
	const char *text;

	return wire_take_text(&reply, &text) && reply.length == 0 &&
	       (text[0] == '4' || text[0] == '5') && strspn(text, "0123456789") == 3;
}

enum reply_class
reply_class(const struct session *session, const struct wire_frame *reply)
{
	switch (reply->letter) {
	case SMFIR_PROGRESS: return CLASS_MORE;
	case SMFIR_ADDHEADER:
	case SMFIR_INSHEADER:
	case SMFIR_CHGHEADER:
		return is_good_header(session, *reply) ? CLASS_MORE : CLASS_BAD;
	case SMFIR_ADDRCPT:
	case SMFIR_ADDRCPT_PAR:
	case SMFIR_DELRCPT:
	case SMFIR_REPLBODY:
	case SMFIR_CHGFROM:
	case SMFIR_QUARANTINE: return session->step == STEP_EOM ? CLASS_MORE : CLASS_BAD;
	case SMFIR_REPLYCODE: return is_good_reply_code(*reply) ? CLASS_LAST : CLASS_BAD;
	case SMFIR_SKIP: return session->step == STEP_BODY ? CLASS_LAST : CLASS_BAD;
	case SMFIR_CONTINUE:
	case SMFIR_ACCEPT:
	case SMFIR_TEMPFAIL:
	case SMFIR_REJECT:
	case SMFIR_DISCARD:
	case SMFIR_SHUTDOWN:
	case SMFIR_CONN_FAIL: return CLASS_LAST;
	default: return CLASS_BAD;
	}
}
