/* metrics_site.h - the figures of the whole site, from its status (status.h). */
#ifndef WEIR_METRICS_SITE_H
#define WEIR_METRICS_SITE_H

#include <stdio.h>

struct json_t;

/* NULL is fine. */
void metrics_print_site(FILE *out, const struct json_t *status);

#endif
