/*
 * group.h - which group of the settings a user, sender or mailbox belongs to.
 *
 * The most exact member wins: the address, then its domain, then the longest ".suffix" that the
 * domain lies below.  A user is named as a whole.
 */
#ifndef WEIR_GROUP_H
#define WEIR_GROUP_H

#include "base/slice.h"
#include "conf/conf.h"

/*
 * NULL when none has it.  Both in lower case; `domain` is that of an address, or empty.
 */
const struct conf_group *group_find(const struct conf_groups *groups, struct slice name,
                                    struct slice domain);

#endif
