/*
 * destination.h - which configured destination a recipient's domain belongs to.
 *
 * The most exact name wins: the domain itself, then the longest ".suffix" it lies below, then
 * "*".  Any spelling of a name will do (normal.h).  Where the destination is
 * found by the next hop, that is the name: "[192.0.2.1]:25" matches as text.
 */
#ifndef WEIR_DESTINATION_H
#define WEIR_DESTINATION_H

#include "base/slice.h"
#include "conf/conf.h"

/* NULL when no destination names it: it is its own then, under limits.default. */
const struct conf_destination *destination_find(const struct conf *conf,
                                                struct slice domain);

/* The one of that name, in any case; NULL: there is none. */
const struct conf_destination *destination_named(const struct conf *conf,
                                                 struct slice name);

#endif
