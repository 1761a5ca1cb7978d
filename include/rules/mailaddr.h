/*
 * mailaddr.h - envelope addresses in the forms that are compared.
 *
 * The same mailbox is spelled in many ways, and one front end hears of it as the MTA rewrote it, the
 * other as the client wrote it.  mailaddr_normal() gives both the same text; everything behind the
 * door (query_normal()) works with that.  Greylisting compares a shorter form still, so that a retry
 * is the same as the first try.
 */
#ifndef WEIR_MAILADDR_H
#define WEIR_MAILADDR_H

#include "base/mem.h"
#include "base/slice.h"
#include "conf/conf.h"

/*
 * The address as Postfix would rewrite it: trivial-rewrite(8) and ADDRESS_REWRITING_README, by the
 * settings of the group "rewrite".  Brackets, quotes and source routes are taken off, "user%domain"
 * and "domain!user" become "user@domain", an origin is appended where there is no domain; then case
 * and the spelling of the domain are settled (normal.h).  The null sender, "" or "<>", is "".  The
 * result lives in the arena; it is its own normal form unless it was cut at 512 bytes.
 */
struct slice mailaddr_normal(struct slice address, const struct conf_rewrite *rewrite,
                             struct arena *arena);

/*
 * All functions below take an address in its normal form; their results live in the arena or are
 * part of the address.
 *
 * Without SRS, BATV and +extension: whose mail it is.
 * "srs0=x2y3=tt=example.org=user+list@forwarder.example" -> "user@example.org"
 */
struct slice mailaddr_mailbox(struct slice address, struct arena *arena);

/*
 * As greylisting compares senders: without SRS, BATV and +extension, and with '#' for runs of digits
 * (VERP and sequence numbers).
 * "prvs=1234abcdef=bounce-778-90@lists.example" -> "bounce-#-#@lists.example"
 */
struct slice mailaddr_fold_sender(struct slice address, struct arena *arena);

/* As greylisting compares recipients: without +extension; they keep their digits. */
struct slice mailaddr_fold_recipient(struct slice address, struct arena *arena);

/* "<user@example.org>", as SMTP writes it, without its brackets; "<>" becomes empty. */
struct slice mailaddr_bare(struct slice address);

/* What stands behind the last '@', without a dot at its end; empty without one.  Any address. */
struct slice mailaddr_domain(struct slice address);

#endif
