/* postgrey_row.h - what postgrey keeps, as its keys and values spell it. */
#ifndef WEIR_CTL_POSTGREY_ROW_H
#define WEIR_CTL_POSTGREY_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "slice.h"

struct postgrey_triplet {
	struct addr client;
	bool whole; /* the client's own address: --lookup-by-host */
	struct slice sender;
	struct slice recipient;
};

/*
 * "192.0.2.0/sender@example.com/user@example.org", or "192.0.2.1/32/..." with --lookup-by-host.
 * Local parts may contain '/'.
 */
bool postgrey_parse_triplet(struct slice key, struct postgrey_triplet *out) MUST_CHECK;

/* "FIRST,LAST" of a triplet (what follows is ignored), "COUNT,LAST" of a client. */
bool postgrey_parse_value(struct slice value, int64_t *first_out, int64_t *last_out)
	MUST_CHECK;

/* Whether the key was hashed: --privacy. */
bool postgrey_is_hashed(struct slice key);

#endif
