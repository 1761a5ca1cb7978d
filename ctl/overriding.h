/* overriding.h - the overrides of the operator, as weirctl reads and names them. */
#ifndef WEIR_CTL_OVERRIDING_H
#define WEIR_CTL_OVERRIDING_H

#include "ctl.h"
#include "rules/overrides.h"

/* Whether both are the same override to an operator: of one kind, about one destination or entry. */
bool overriding_is_same(const struct conf *conf, const struct override *override,
                        const struct override *like);

/* The name among them that was perhaps meant; NULL: none is near. */
const char *overriding_nearest(const struct conf *conf, const struct overrides *overrides,
                               const struct override *like);

/* The one of the settings with that name, or that domain; NULL: there is none. */
const struct conf_destination *overriding_configured(const struct conf *conf,
                                                     struct slice name);

/*
 * Names the destination that a command's operand means: a configured one by its name, or a domain,
 * of one or of none.  EX_OK, or EX_USAGE and said so.
 */
int overriding_destination(const struct conf *conf, const char *given,
                           struct override *override);

/*
 * Names the client, sender, user or mailbox, or the group that shares, whose limit the override sets, as
 * limits name it.  EX_OK, or EX_USAGE and said so.
 */
int overriding_limited(const struct conf *conf, const char *given,
                       struct override *override);

/*
 * Warns of what makes the override moot: no daemon sees it, the settings refuse nothing, or another
 * destination was meant.
 */
void overriding_warn(const struct conf *conf, struct history *history,
                     const struct override *override, int64_t now_s);

/* Writes the audit's line: "event=override kind=drain name=acme ...". */
void overriding_log(const struct ctl *ctl, const char *event,
                    const struct override *override);

#endif
