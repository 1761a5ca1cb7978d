/*
 * reply.h - a verdict's reply in the form libmilter takes: code, enhanced code, text.
 */
#ifndef WEIR_REPLY_H
#define WEIR_REPLY_H

#include <stdbool.h>

#include "base/slice.h"

#define REPLY_TEXT_MAX 512 /* a line of SMTP, RFC 5321 4.5.3.1.5 */

struct reply {
	char code[4];      /* "451" */
	char enhanced[12]; /* "4.7.1"; empty when the reply has none */
	char text[REPLY_TEXT_MAX + 1];
};

/*
 * Takes "451 4.7.1 text" apart.  The text is one line, bounded, and its '%' are doubled, since
 * both MTAs turn "%%" into '%'.  False when that is no temporary failure.
 */
bool reply_parse(struct slice verdict_reply, struct reply *reply_out);

#endif
