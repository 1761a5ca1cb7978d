/* Durations in buckets of equal relative width: fixed memory, a few instructions to
 * record, and a percentile that is off by less than 1 %. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_SUB_BITS = 6, /* 64 buckets for each doubling */
	HISTOGRAM_DOUBLINGS = 40,
	HISTOGRAM_BUCKETS = HISTOGRAM_DOUBLINGS << HISTOGRAM_SUB_BITS,
};

struct histogram {
	uint64_t count[HISTOGRAM_BUCKETS];
	uint64_t total;
	uint64_t max_ns;
};

void histogram_add(struct histogram *histogram, uint64_t ns);

/* The duration that a share of them, 0 to 1, does not exceed; 0 if there are none. */
uint64_t histogram_at(const struct histogram *histogram, double share);

#endif
