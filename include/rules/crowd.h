/*
 * crowd.h - notices when nearly all mail comes from one private address, as it does when a proxy,
 * NAT or container bridge stands before the MTA and hides who its clients are.
 *
 * Decisions are looked at CROWD_WINDOW at a time.  Pure; fixed memory; zeroed it is empty.
 */
#ifndef WEIR_CROWD_H
#define WEIR_CROWD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"

#define CROWD_WINDOW 200

struct crowd {
	struct addr
		seen[CROWD_WINDOW]; /* private ones; ADDR_NONE stands for all others */
	size_t n;
	struct addr
		address;  /* that nine of ten of the last full window had; or ADDR_NONE */
	unsigned percent; /* how many had it */
};

/* A decision about that client; true when a window is full and `address` is set anew. */
bool crowd_note(struct crowd *crowd, const struct addr *client);

#endif
