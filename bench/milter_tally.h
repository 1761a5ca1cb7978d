/* What milter_load counts, and its one line of figures. */
#ifndef BENCH_MILTER_TALLY_H
#define BENCH_MILTER_TALLY_H

#include "histogram.h"
#include "milter_options.h"
#include "milter_wire.h"

#include <stdint.h>

/* To RCPT all of them count, elsewhere what is not SMFIR_CONTINUE. */
enum tally_reply {
	REPLY_CONTINUE,
	REPLY_ACCEPT,
	REPLY_TEMPFAIL,
	REPLY_REJECT,
	REPLY_DISCARD,
	REPLY_GREYLISTED, /* reply codes by the first words of their text */
	REPLY_TOO_MANY,
	REPLY_RATE_LIMIT,
	REPLY_OTHER,
	REPLY_KINDS,
};

enum tally_error {
	ERROR_CONNECT,
	ERROR_CLOSED,
	ERROR_BAD_FRAME,
	ERROR_TIMEOUT,
	ERROR_KINDS,
};

struct tally {
	uint64_t begun, finished, dropped, delivered;
	uint64_t replies[REPLY_KINDS];
	uint64_t errors[ERROR_KINDS];
	struct histogram recipients,
		whole;              /* from command to reply, from connect to QUIT */
	uint32_t *under_way, *most; /* by domain */
	char other[160];            /* the first reply that has no kind */
	char error[160];            /* what was wrong first */
};

void tally_init(struct tally *tally, const struct milter_options *options);
void tally_free(struct tally *tally);

enum tally_reply tally_kind(const struct wire_frame *reply);
void tally_reply(struct tally *tally, const struct wire_frame *reply);
void tally_error(struct tally *tally, enum tally_error error, const char *where);

/* A delivery to a domain: from its first recipient being accepted to the end of message. */
void tally_enter(struct tally *tally, uint64_t domain);
void tally_leave(struct tally *tally, uint64_t domain);

uint64_t tally_errors(const struct tally *tally);
void tally_print(const struct tally *tally, const struct milter_options *options,
                 uint64_t ns, uint64_t cpu_ns);

#endif
