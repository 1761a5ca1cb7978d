/*
 * mailer.h - what an MTA says of a recipient in {rcpt_mailer}, {rcpt_host} and {rcpt_addr}.
 *
 * Postfix' mailer "error" has two meanings.  It refuses the recipient: then the host is the status
 * code of its reply ("5.1.1") and the address is a piece of the reply's text.  Or it accepts an
 * address of which its resolver says "error:", as of every virtual alias domain, whose addresses
 * become others after weir has been asked: then the host is the resolver's text, and the address
 * is the recipient's.
 */
#ifndef WEIR_MILTER_MAILER_H
#define WEIR_MILTER_MAILER_H

#include <stdbool.h>

#include "base/slice.h"

/* Empty where the MTA says nothing. */
struct mailer {
	struct slice name;    /* {rcpt_mailer} */
	struct slice host;    /* {rcpt_host} */
	struct slice address; /* {rcpt_addr} */
	struct slice written; /* the recipient as the client wrote it, without brackets */
};

/* The MTA itself refuses the recipient. */
bool mailer_refuses(const struct mailer *mailer);

/* The next hop; empty when the host is none: a text, or nothing. */
struct slice mailer_next_hop(const struct mailer *mailer);

#endif
