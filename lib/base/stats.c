/* stats.c - the table of counters. */
#include "stats.h"

#include <stdatomic.h>

#include "attr.h"

static const struct {
	const char *name;
	const char *help;
} rows[] = {
	{"policy_connections", "policy connections accepted"},
	{"policy_requests", "policy requests answered"},
	{"policy_bad_requests", "policy connections closed for what they sent"},
	{"policy_refused_connections", "policy connections closed for being too many"},
	{"policy_no_client_address", "requests without a usable client_address"},
	{"policy_unknown_attributes", "policy attributes that are not known"},
	{"milter_sessions", "sessions the milter was told of"},
	{"milter_refused_sessions", "sessions not judged for being too many"},
	{"milter_deliveries", "messages with a recipient the milter was asked about"},
	{"milter_recipients", "recipients the milter was told of"},
	{"milter_unanswered", "milter questions that went on without a verdict in time"},
	{"verdict_accept", "recipients accepted"},
	{"verdict_defer", "recipients deferred"},
	{"verdict_observed", "recipients that mode observe kept from being deferred"},
	{"store_asked", "questions asked of the store"},
	{"store_timeouts", "questions the store did not answer in time"},
	{"store_errors", "questions the store refused"},
	{"store_refused_by_breaker", "questions not asked because the store is down"},
	{"store_protocol_errors", "replies of the store that made no sense"},
	{"store_swept", "expired records removed"},
	{"late_answers", "answers of the store that came after their deadline"},
	{"leases_late",
         "slots that had run out before they were renewed, and were taken again"},
	{"leases_lost",
         "slots that had run out before they were renewed, and found no room"},
	{"limits_by_share", "recipients whose limits were judged without the store"},
};

_Static_assert(COUNT_OF(rows) == STAT_COUNT, "one row for each counter");

static atomic_uint_least64_t counters[STAT_COUNT];

void
stats_add(enum stat stat, uint64_t n)
{
	atomic_fetch_add_explicit(&counters[stat], n, memory_order_relaxed);
}

uint64_t
stats_get(enum stat stat)
{
	return atomic_load_explicit(&counters[stat], memory_order_relaxed);
}

const char *
stats_name(enum stat stat)
{
	return rows[stat].name;
}

const char *
stats_help(enum stat stat)
{
	return rows[stat].help;
}
