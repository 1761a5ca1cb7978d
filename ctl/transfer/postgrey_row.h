/* postgrey_row.h - what postgrey keeps, as its keys and values spell it. */
#ifndef WEIR_CTL_POSTGREY_ROW_H
#define WEIR_CTL_POSTGREY_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/slice.h"

struct postgrey_triplet {
	struct addr client;
	unsigned bits; /* how many of the client are known; 0: the key does not say */
	struct slice sender;
	struct slice recipient;
};

/*
 * "192.0.2.0/sender@example.com/user@example.org"; "192.0.2.0/24/..." of 1.36, "192.0.2.1/32/..."
 * with --lookup-by-host.  Local parts may contain '/'; a number in front of two addresses is a
 * length.
 */
bool postgrey_parse_triplet(struct slice key, struct postgrey_triplet *out) MUST_CHECK;

/* "192.0.2.1", maybe with a length; bits as above. */
bool postgrey_parse_client(struct slice key, struct addr *client_out, unsigned *bits_out)
	MUST_CHECK;

/* "FIRST,LAST" of a triplet (what follows is ignored), "COUNT,LAST" of a client. */
bool postgrey_parse_value(struct slice value, int64_t *first_out, int64_t *last_out)
	MUST_CHECK;

/* Whether the key was hashed: --privacy. */
bool postgrey_is_hashed(struct slice key);

#endif
