/* status_priv.h - between the parts of the site's status. */
#ifndef WEIR_STATUS_PRIV_H
#define WEIR_STATUS_PRIV_H

#include <jansson.h>

#include "base/hash.h"
#include "books/status.h"
#include "rules/overrides.h"
#include "store/history.h"

/* ---- status_heartbeats.c: what the daemons tell of themselves ---- */

/* A destination, as all daemons together see it. */
struct seen {
	char *name; /* escaped */
	int64_t peak, deferred;
	UT_hash_handle hh;
};

struct heartbeats {
	int64_t now_s;
	json_t *daemons; /* an array */
	json_t *causes;  /* an object: cause -> counts of minutes, the last one is now */
	struct seen *seen;
};

bool heartbeats_read(struct heartbeats *heartbeats, struct history *history,
                     int64_t now_s, struct err *err);
void heartbeats_free(struct heartbeats *heartbeats);

/* "chart" */
json_t *heartbeats_chart(const struct heartbeats *heartbeats);

#endif
