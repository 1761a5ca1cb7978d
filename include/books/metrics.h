/* metrics.h - the figures of a daemon and of its site for Prometheus (text format 0.0.4). */
#ifndef WEIR_METRICS_H
#define WEIR_METRICS_H

#include <stdio.h>

#include "books/self.h"

struct json_t;

/*
 * Prints all of them.  `status` is the site's as status.h has it, NULL while it is not known: then
 * what it would tell is left out.
 */
void metrics_print(FILE *out, const struct self *self, const struct json_t *status);

#endif
