/*
 * identity.h - who the client is taken to be.
 *
 * Senders retry from another address of the same pool, so a triplet is not keyed by the
 * address but by the first of these rungs that fits:
 *   pool    a configured provider pool the address or confirmed name belongs to
 *   domain  the organisational domain (Public Suffix List, private rules on) of the
 *           forward-confirmed name, unless that name looks dynamically assigned
 *   prefix  the address cut to the configured prefix length
 */
#ifndef WEIR_IDENTITY_H
#define WEIR_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/slice.h"
#include "conf/conf.h"

enum identity_by { IDENTITY_BY_POOL, IDENTITY_BY_DOMAIN, IDENTITY_BY_PREFIX };

struct identity {
	enum identity_by by;
	struct slice text; /* pool name, domain, or "192.0.2.0/24" */
};

/* "pool", "domain", "prefix" */
const char *identity_by_word(enum identity_by by);

/* `name` is the forward-confirmed name, empty or "unknown" without one. */
struct identity identity_find(const struct conf *conf, const struct addr *addr,
                              struct slice name, int64_t now_s, struct arena *arena);

/*
 * Whether the name looks assigned to whoever holds the address just now.  Octets of the address
 * (decimal, hexadecimal, in any order) and words such as dyn, dsl, pool, dhcp, ppp speak for it,
 * words of mail servers such as mail, out, smtp, mx against it; they are weighed.
 */
bool identity_name_looks_dynamic(struct slice name, const struct addr *addr);

/* Frees the Public Suffix List; the next question loads it again. */
void identity_forget_suffixes(void);

#endif
