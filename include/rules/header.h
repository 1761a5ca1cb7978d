/* header.h - the header that tells how long greylisting held a message up. */
#ifndef WEIR_HEADER_H
#define WEIR_HEADER_H

#include <stdint.h>

#include "base/slice.h"

/* Appends "X-Greylist: delayed SECONDS seconds by weir at NODE; DATE". */
void header_print(const char *node, int64_t delayed_s, int64_t now_s, struct text *out);

#endif
