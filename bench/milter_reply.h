/* What a milter may answer, and what it may not. */
#ifndef BENCH_MILTER_REPLY_H
#define BENCH_MILTER_REPLY_H

#include "milter_session.h"

#include <libmilter/mfapi.h>
#include <stdbool.h>

enum { VERSION_OFFERED = 6 };

#define ACTIONS_OFFERED  SMFI_CURR_ACTS
#define PROTOCOL_OFFERED SMFI_CURR_PROT

/* Takes what the milter chose of what was offered; false if it cannot be. */
bool reply_take_negotiation(struct session *session, struct wire_frame *reply);

enum reply_class {
	CLASS_BAD,  /* no answer to this command */
	CLASS_MORE, /* a part of the answer */
	CLASS_LAST, /* the end of it */
};

enum reply_class reply_class(const struct session *session,
                             const struct wire_frame *reply);

#endif
