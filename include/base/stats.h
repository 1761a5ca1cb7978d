/*
 * stats.h - one table of counters and one of histograms, used by the log, the tools and the metrics.
 * May be counted by every thread.
 */
#ifndef WEIR_STATS_H
#define WEIR_STATS_H

#include <stddef.h>
#include <stdint.h>

/* Rows are in lib/base/stats.c, in this order. */
enum stat {
	STAT_POLICY_CONNECTIONS,
	STAT_POLICY_REQUESTS,
	STAT_POLICY_BAD_REQUESTS,
	STAT_POLICY_REFUSED_CONNECTIONS,
	STAT_POLICY_NO_CLIENT_ADDRESS,
	STAT_POLICY_UNKNOWN_ATTRIBUTES,
	STAT_MILTER_SESSIONS,
	STAT_MILTER_REFUSED_SESSIONS,
	STAT_MILTER_DELIVERIES,
	STAT_MILTER_RECIPIENTS,
	STAT_MILTER_UNANSWERED,
	STAT_VERDICT_ACCEPT,
	STAT_VERDICT_DEFER,
	STAT_VERDICT_OBSERVED,
	STAT_STORE_ASKED,
	STAT_STORE_TIMEOUTS,
	STAT_STORE_ERRORS,
	STAT_STORE_REFUSED_BY_BREAKER,
	STAT_STORE_PROTOCOL_ERRORS,
	STAT_STORE_SWEPT,
	STAT_LATE_ANSWERS,
	STAT_LEASES_LATE,
	STAT_LEASES_LOST,
	STAT_LIMITS_LOCAL,
	STAT_DECISIONS_WRITTEN,
	STAT_DECISIONS_LOST,
	STAT_LOG_LINES_LOST,
	STAT_COUNT
};

void stats_add(enum stat stat, uint64_t n);
uint64_t stats_get(enum stat stat);
const char *stats_name(enum stat stat);
const char *stats_help(enum stat stat);

/* Rows are in lib/base/stats.c, in this order. */
enum histogram {
	HISTOGRAM_DECISION_US,
	HISTOGRAM_STORE_US,
	HISTOGRAM_GREYLIST_DELAY_S,
	HISTOGRAM_COUNT
};

/* Bounds of one histogram, the one that has no end not among them. */
#define HISTOGRAM_BOUNDS 13

/* Counts one value, in the unit of the histogram; below 0 is 0. */
void histogram_add(enum histogram histogram, int64_t value);

/* Without the unit that the values have: "decision". */
const char *histogram_name(enum histogram histogram);
const char *histogram_help(enum histogram histogram);

/* How many of its units make a second. */
int64_t histogram_per_second(enum histogram histogram);

/*
 * counts: how many values were at most that bound, and beyond the one before; the last: beyond
 * all bounds.
 */
struct histogram_state {
	int64_t bounds[HISTOGRAM_BOUNDS]; /* ascending */
	uint64_t counts[HISTOGRAM_BOUNDS + 1];
	uint64_t count; /* the sum of these */
	uint64_t sum;   /* of the values themselves */
};

void histogram_get(enum histogram histogram, struct histogram_state *state_out);

#endif
