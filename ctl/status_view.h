/* status_view.h - how the whole site is, for people. */
#ifndef WEIR_CTL_STATUS_VIEW_H
#define WEIR_CTL_STATUS_VIEW_H

#include <stdbool.h>

#include "view.h"

struct json_t; /* jansson's */

/* `status`: as status_build() makes it. */
void status_view_print(const struct view *view, const struct json_t *status);

/* Whether the store is up, a daemon is alive, and each other one, too, or was stopped. */
bool status_is_well(const struct json_t *status);

#endif
