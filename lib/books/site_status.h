/* site_status.h - the site's status, made beside the loop and handed over to it. */
#ifndef WEIR_SITE_STATUS_H
#define WEIR_SITE_STATUS_H

#include <stdint.h>

#include "conf/conf.h"
#include "store/history.h"

struct json_t; /* jansson's */

struct site_status {
	char *text;            /* as status.h has it */
	struct json_t *status; /* the same, without its decisions */
	int64_t made_ms;       /* when the history was looked at, by clock_mono_ms() */
};

/* `history` may be NULL: `not_open` tells why. */
struct site_status *site_status_build(const struct conf *conf, struct history *history,
                                      const struct err *not_open);

/* NULL is fine; clears the caller's pointer. */
void site_status_free(struct site_status **site);

#endif
