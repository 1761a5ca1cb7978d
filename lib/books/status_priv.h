/* status_priv.h - between the parts of the site's status. */
#ifndef WEIR_STATUS_PRIV_H
#define WEIR_STATUS_PRIV_H

#include <jansson.h>

#include "base/hash.h"
#include "books/status.h"
#include "rules/orders.h"
#include "store/ledger.h"

/* ---- status_beats.c: what the daemons tell of themselves ---- */

/* A destination, as all daemons together see it. */
struct seen {
	char *name; /* escaped */
	int64_t peak, deferred;
	UT_hash_handle hh;
};

struct beats {
	int64_t now_s;
	json_t *daemons; /* an array */
	json_t *causes;  /* an object: cause -> counts of minutes, the last one is now */
	struct seen *seen;
};

bool beats_read(struct beats *beats, struct ledger *ledger, int64_t now_s,
                struct err *err);
void beats_free(struct beats *beats);

/* "chart" */
json_t *beats_chart(const struct beats *beats);

/* ---- status_destinations.c ---- */

/* "destinations"; NULL with a text when the slots in use cannot be read. */
json_t *status_destinations(const struct conf *conf, struct ledger *ledger,
                            const struct beats *beats, const struct orders *orders,
                            int64_t now_s, struct err *err);

#endif
