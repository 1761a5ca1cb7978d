/*
 * member.h - which configured destination a domain belongs to, which group a user, sender or mailbox.
 */
#ifndef WEIR_MEMBER_H
#define WEIR_MEMBER_H

#include "base/slice.h"
#include "conf/conf.h"

/*
 * The most exact name wins: the domain itself, then the longest ".suffix" it lies below, then
 * "*".  Any spelling of a name will do (normal.h).  Where the destination is
 * found by the next hop, that is the name: "[192.0.2.1]:25" matches as text.  NULL when no
 * destination names it: it is its own then, under limits.default.
 */
const struct conf_destination *destination_find(const struct conf *conf,
                                                struct slice domain);

/* The one of that name, in any case; NULL: there is none. */
const struct conf_destination *destination_named(const struct conf *conf,
                                                 struct slice name);

/*
 * The most exact member wins: the address, then its domain, then the longest ".suffix" that the
 * domain lies below.  A user is named as a whole.  NULL when none has it.  Both in lower case;
 * `domain` is that of an address, or empty.
 */
const struct conf_group *group_find(const struct conf_groups *groups, struct slice name,
                                    struct slice domain);

#endif
