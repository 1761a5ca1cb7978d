/*
 * promtext.h - the text format 0.0.4 of Prometheus.
 *
 * Values are whole numbers, or decimals of them: no floating point, so no locale.
 */
#ifndef WEIR_PROMTEXT_H
#define WEIR_PROMTEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/slice.h"

/* Bytes that a label's value has at most. */
#define PROMTEXT_LABEL_MAX 255

struct label {
	const char *name;
	struct slice value; /* whatever it holds */
};

/* All samples of a family follow it.  `type`: "counter", "gauge". */
void promtext_family(FILE *out, const char *name, const char *type, const char *help);

/* name{labels} value */
void promtext_sample(FILE *out, const char *name, const struct label *labels, size_t n,
                     int64_t value);

/* name value / per_one */
void promtext_decimal(FILE *out, const char *name, int64_t value, int64_t per_one);

/* The number alone; per_one is a power of ten. */
void promtext_number(FILE *out, int64_t value, int64_t per_one);

/*
 * The value as it will be shown, before the format escapes it: cut, valid UTF-8, and '?' in place
 * of control bytes.  Two values may come out the same.
 */
struct slice promtext_clean(struct slice value, char buf[PROMTEXT_LABEL_MAX + 1]);

#endif
