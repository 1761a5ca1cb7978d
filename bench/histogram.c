/* Durations in buckets of equal relative width. */
#include "histogram.h"

#include <stddef.h>

enum { SUB_BUCKETS = 1 << HISTOGRAM_SUB_BITS };

/* Values below 2 * SUB_BUCKETS have a bucket each, every doubling above SUB_BUCKETS. */
static size_t
bucket_of(uint64_t ns)
{
	if (ns < SUB_BUCKETS)
		return (size_t)ns;

	unsigned shift = 63U - (unsigned)__builtin_clzll(ns) - HISTOGRAM_SUB_BITS;
	size_t bucket = ((size_t)shift << HISTOGRAM_SUB_BITS) + (size_t)(ns >> shift);
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static uint64_t
middle_of(size_t bucket)
{
	if (bucket < 2 * SUB_BUCKETS)
		return bucket;

	unsigned shift = (unsigned)(bucket >> HISTOGRAM_SUB_BITS) - 1;
	uint64_t low = (uint64_t)(bucket % SUB_BUCKETS + SUB_BUCKETS) << shift;
	return low + (UINT64_C(1) << shift) / 2;
}

void
histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram->count[bucket_of(ns)]++;
	histogram->total++;
	if (ns > histogram->max_ns)
		histogram->max_ns = ns;
}

uint64_t
histogram_at(const struct histogram *histogram, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)histogram->total);
	uint64_t seen = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->count[i];
		if (seen > wanted)
			return middle_of(i) < histogram->max_ns ? middle_of(i)
			                                        : histogram->max_ns;
	}
	return histogram->max_ns;
}
