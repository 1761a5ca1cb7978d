/*
 * story.h - a story with a clock: mail arrives, time passes, and what weir says is checked.
 *
 * A story is a text file, run by the real engines on a fresh store.  One keyword a line:
 *
 *   only redis                    not for the embedded store (or: only sqlite)
 *   set NAME=VALUE                a setting, as -o takes it; holds from the start or from `reload`
 *   list clients ENTRY            a line for a list file (senders, recipients); as `set`
 *   pool NAME ENTRY ...           a provider pool; as `set`
 *   destination name = "x"; ...   a group of limits.destinations; as `set`.  `destinations none`
 *                                 forgets those before
 *   group users name = "x"; ...   a group of limits.users (senders, mailboxes), or without a name
 *                                 what holds for all others; as `set`
 *   at 1d2h3m4s                   what the clock shows, counted from the start
 *   given client=192.0.2.1 ...    facts of each `ask` that does not say otherwise
 *   ask client=192.0.2.1 ...      the MTA asks.  by=policyd (or not said) or by=milter: which of
 *                                 the two daemons; session=1: of which SMTP session, each with a
 *                                 client's port of its own; and client, port, name, sender
 *                                 (sender= is the null sender), rcpt, nexthop, user, cert,
 *                                 instance, stage=rcpt|refused|data|end; connection=own: policyd
 *                                 is asked over a connection that is there for this request only
 *   end by=milter session=1       the milter hears that the message has ended; policyd's
 *                                 connection is closed
 *   drop by=milter session=1      the milter hears that the message was given up, or the session's end
 *   want accept|defer ...         what was answered: why, wait, delayed, rung, identity,
 *                                 observed, header (0 or 1), destination, held, limit (blanks as
 *                                 _), late and lost (leases so far), and last: reply contains "text"
 *   store down|up                 Redis is killed, and comes back with what it had
 *   store empty                   everything in it is flushed
 *   reload                        the settings are read anew by all daemons that run
 *   close by=milter               the daemon stops, as it should
 *   kill by=milter                the daemon dies; the next question starts it again
 *   override KIND NAME [for=1h] [limit=N|RATES] [no-limits]
 *                                 weirctl's: an override, until the daemons have taken it
 *   renew by=milter               a third of limits.lease passes for those who hold slots; takes
 *                                 a second, and limits.lease=3s
 *
 * As with Postfix, a session's messages come to policyd over one connection, told apart by
 * `instance`; without `session` all questions come over one.  The clock starts on 2036-07-18
 * 13:20:00 UTC.  Empty lines and lines with '#' are skipped.
 */
#ifndef WEIR_TESTS_STORY_H
#define WEIR_TESTS_STORY_H

#include <stdbool.h>

/* Whether the story is meant for that backend (enum conf_backend). */
bool story_is_for(const char *path, int backend);

/* Fails the test, naming file and line, where the story and weir differ. */
void story_run(const char *path, int backend);

#endif
