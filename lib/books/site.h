/* site.h - the site's status, made beside the loop and handed over to it. */
#ifndef WEIR_SITE_H
#define WEIR_SITE_H

#include <stdint.h>

#include "conf/conf.h"
#include "store/ledger.h"

struct json_t; /* jansson's */

struct site {
	char *text;            /* as status.h has it */
	struct json_t *status; /* the same, without its decisions */
	int64_t made_ms;       /* when the ledger was looked at, by clock_mono_ms() */
};

/* `ledger` may be NULL: `not_open` tells why. */
struct site *site_build(const struct conf *conf, struct ledger *ledger,
                        const struct err *not_open);

/* NULL is fine; clears the caller's pointer. */
void site_free(struct site **site);

#endif
