/* when.h - times as people write and read them. */
#ifndef WEIR_CTL_WHEN_H
#define WEIR_CTL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/slice.h"

/* "2026-11-22 10:11:12", local time. */
void when_print(int64_t at_s, struct text *out);

/* The same without the date when that is today's: "10:11:12". */
void when_print_short(int64_t at_s, int64_t now_s, struct text *out);

/* "45s", "3m 20s", "2h", "3d 4h": the two largest units. */
void when_print_long(int64_t seconds, struct text *out);

/* "90s", "1h 30m", "1d12h": each part with its unit, as in the settings. */
bool when_parse_span(struct slice text, int64_t *ms_out) MUST_CHECK;

/* "2h" ago or a date "2026-11-22" (its start, local time); seconds since 1970. */
bool when_parse_since(struct slice text, int64_t now_s, int64_t *since_s_out) MUST_CHECK;

#endif
