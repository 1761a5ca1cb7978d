/*
 * status.h - the state of the whole site as one JSON value, which /status.json, the page, the metrics
 * and `weirctl status` show.  weirctl(8), STATUS, describes its members.
 */
#ifndef WEIR_STATUS_H
#define WEIR_STATUS_H

#include <stdint.h>

#include "base/err.h"
#include "conf/conf.h"
#include "rules/decision_line.h"
#include "rules/overrides.h"
#include "store/history.h"

struct json_t; /* jansson's */

/* Minutes that the chart of deferrals by cause shows. */
#define STATUS_MINUTES 30

/* Recent decisions in it. */
#define STATUS_RECENT 200

/* Destinations in it besides those of the settings. */
#define STATUS_OTHERS 20

/* The most destinations in a heartbeat. */
#define STATUS_TOLD 100

/*
 * Reads the history; the caller frees the value with json_decref().  Never NULL: if the history fails
 * (or is NULL: `not_open` says why), "store" says so, and members that could not be read are null.
 */
struct json_t *status_build(const struct conf *conf, struct history *history,
                            const struct err *not_open, int64_t now_s);

/* Whether the daemon of this heartbeat is alive, as far as can be known. */
bool status_is_alive(const struct json_t *heartbeat, int64_t now_s);

/* One decision as an object of "recent", and of `weirctl why --json`. */
struct json_t *status_decision(const struct decision_line *decided);

/* One override as an object of "overrides", and of `weirctl overrides --json`. */
struct json_t *status_override(const struct conf *conf, const struct override *override);

/* Text that may come from outside as a JSON string: bytes that are no UTF-8 are escaped. */
struct json_t *status_text(struct slice text);

#endif
