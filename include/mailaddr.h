/*
 * mailaddr.h - envelope addresses in the form greylisting compares.
 *
 * A retry must give the same text as the first try, so what changes between tries is
 * folded away: case, +extension, SRS and BATV wrapping, and in senders runs of digits
 * (VERP and sequence numbers) become '#'.
 */
#ifndef WEIR_MAILADDR_H
#define WEIR_MAILADDR_H

#include "mem.h"
#include "slice.h"

/*
 * "SRS0=x2y3=TT=example.org=User+list-1234@forwarder.example" -> "user@example.org";
 * "prvs=1234abcdef=bounce-778-90@lists.example" -> "bounce-#-#@lists.example".
 * The null sender stays empty.  The result lives in the arena.
 */
struct slice mailaddr_fold_sender(struct slice address, struct arena *arena);

/* Case and +extension only: a recipient keeps its digits. */
struct slice mailaddr_fold_recipient(struct slice address, struct arena *arena);

/* "<user@example.org>", as SMTP writes it, without its brackets; "<>" becomes empty. */
struct slice mailaddr_bare(struct slice address);

/* What stands behind the last '@', without a dot at its end; empty without one. */
struct slice mailaddr_domain(struct slice address);

/* "\"first last\"@example.com" -> "first last@example.com", as RFC 5321 4.1.2 quotes it. */
struct slice mailaddr_unquote(struct slice address, struct arena *arena);

#endif
