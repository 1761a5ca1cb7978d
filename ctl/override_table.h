/* override_table.h - overrides in force as a table. */
#ifndef WEIR_CTL_OVERRIDE_TABLE_H
#define WEIR_CTL_OVERRIDE_TABLE_H

#include <stdint.h>

#include "view.h"

struct json_t; /* jansson's */

/* `list`: of objects as status_order() makes them. */
void override_table_print(const struct view *view, const struct json_t *list,
                          int64_t now_s);

#endif
