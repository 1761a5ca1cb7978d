/* One session of an MTA with a milter, from the negotiation to QUIT.  It sends all commands
 * up to the first that has a reply, and is then run again when there is something to read. */
#ifndef BENCH_MILTER_SESSION_H
#define BENCH_MILTER_SESSION_H

#include "milter_guest.h"
#include "milter_macros.h"
#include "milter_options.h"
#include "milter_tally.h"
#include "milter_wire.h"

#include <stdbool.h>
#include <stdint.h>

enum session_state {
	SESSION_READS, /* a reply is on its way */
	SESSION_HOLDS, /* all recipients are in; go on with session_release() */
	SESSION_OVER,  /* counted; the descriptor is for the caller to close */
};

enum session_step {
	STEP_NEGOTIATE,
	STEP_CONNECT,
	STEP_HELO,
	STEP_MAIL,
	STEP_RCPT,
	STEP_HOLD,
	STEP_DATA,
	STEP_HEADER,
	STEP_EOH,
	STEP_BODY,
	STEP_EOM,
	STEP_QUIT,
};

struct session {
	const struct milter_options *options;
	struct tally *tally;
	int fd;
	enum session_step step;
	uint64_t begun_ns, asked_ns;
	uint32_t actions, protocol; /* SMFIF_*, SMFIP_* as the milter chose */
	uint64_t message, recipient, header, accepted;
	bool message_over; /* refused, or accepted early */
	bool session_over;
	uint64_t commands, drop_at; /* breaks off at that command; 0: never */
	unsigned n_domains;         /* where this message is being delivered */
	uint32_t domains[RECIPIENTS_MAX];
	struct guest guest;
	struct macro_lists lists;
	struct wire_out out;
	struct wire_in in;
};

void session_begin(struct session *session, const struct milter_options *options,
                   struct tally *tally, uint64_t number, uint16_t port);

/* Once it has its descriptor, connected. */
enum session_state session_start(struct session *session, int fd);
enum session_state session_readable(struct session *session);
enum session_state session_release(struct session *session);

/* Ends it as an error. */
enum session_state session_fail(struct session *session, enum tally_error error);

#endif
