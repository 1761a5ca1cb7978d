/*
 * story.h - a story with a clock: mail arrives, time passes, and what weir says is checked.
 *
 * A story is a text file, run by the real engine on a fresh store.  One keyword a line:
 *
 *   only redis                    not for the embedded store (or: only sqlite)
 *   set NAME=VALUE                a setting, as -o takes it; holds from the start or from `reload`
 *   list clients ENTRY            a line for a list file (senders, recipients); as `set`
 *   pool NAME ENTRY ...           a provider pool; as `set`
 *   at 1d2h3m4s                   what the clock shows, counted from the start
 *   ask client=192.0.2.1 ...      the MTA asks: client, name, sender (sender= is the null
 *                                 sender), rcpt, stage=rcpt|data|end, user, cert, instance
 *   want accept|defer ...         what was answered: why, wait, delayed, rung, identity,
 *                                 observed, and last: reply contains "text"
 *   store down|up                 Redis is killed, and comes back with what it had
 *   reload                        the settings are read anew
 *
 * The clock starts on 2036-07-18 13:20:00 UTC.  Empty lines and lines with '#' are skipped.
 */
#ifndef WEIR_TESTS_STORY_H
#define WEIR_TESTS_STORY_H

#include <stdbool.h>

/* Whether the story is meant for that backend (enum conf_backend). */
bool story_is_for(const char *path, int backend);

/* Fails the test, naming file and line, where the story and weir differ. */
void story_run(const char *path, int backend);

#endif
