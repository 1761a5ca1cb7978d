/*
 * stats.h - one table of counters, used by the log, the tools and the metrics.
 * May be counted by every thread.
 */
#ifndef WEIR_STATS_H
#define WEIR_STATS_H

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
	STAT_LIMITS_BY_SHARE,
	STAT_COUNT
};

void stats_add(enum stat stat, uint64_t n);
uint64_t stats_get(enum stat stat);
const char *stats_name(enum stat stat);
const char *stats_help(enum stat stat);

#endif
