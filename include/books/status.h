/*
 * status.h - how the whole site is, as one JSON value: what /status.json, the page, the metrics and
 * `weirctl status` all show.  Its members are described in weirctl(8), STATUS.
 */
#ifndef WEIR_STATUS_H
#define WEIR_STATUS_H

#include <stdint.h>

#include "base/err.h"
#include "conf/conf.h"
#include "rules/decided.h"
#include "rules/orders.h"
#include "store/ledger.h"

struct json_t; /* jansson's */

/* Minutes that the chart of deferrals by cause shows. */
#define STATUS_MINUTES 30

/* Recent decisions in it. */
#define STATUS_RECENT 200

/* Destinations in it besides those of the settings. */
#define STATUS_OTHERS 20

/* Destinations that a beat tells of. */
#define STATUS_TOLD 100

/*
 * Reads the ledger; the caller gives the value back with json_decref().  Never NULL: when the
 * ledger fails (or is NULL: `not_open` tells why), "store" says so, and what could not be read is
 * null.
 */
struct json_t *status_build(const struct conf *conf, struct ledger *ledger,
                            const struct err *not_open, int64_t now_s);

/* Whether the daemon that told this (its beat) lives still, as far as it can be known. */
bool status_is_alive(const struct json_t *beat, int64_t now_s);

/* One decision as an object of "recent", and of `weirctl why --json`. */
struct json_t *status_decision(const struct decided *decided);

/* One order as an object of "orders", and of `weirctl orders --json`. */
struct json_t *status_order(const struct conf *conf, const struct order *order);

/* Text that may come from outside as a JSON string: bytes that are no UTF-8 are escaped. */
struct json_t *status_text(struct slice text);

#endif
