/* hostname.h - what may be the name of a host or a domain. */
#ifndef WEIR_HOSTNAME_H
#define WEIR_HOSTNAME_H

#include <stdbool.h>

#include "base/slice.h"

#define HOSTNAME_MAX 253 /* RFC 1035 3.1, as text */

/*
 * Labels of letters, digits, '-' and '_' (which RFC 1123 lacks and the world uses), at most 63
 * bytes each, separated by single dots.  A last label of digits belongs to an address.
 */
bool hostname_is_valid(struct slice name);

#endif
