/* stats.c - the tables of counters and histograms. */
#include "base/stats.h"

#include <stdatomic.h>

#include "base/attr.h"

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
	{"limits_judged_locally",
         "recipients whose limits were judged without the store"},
	{"decisions_written", "decisions written down to be asked about"},
	{"decisions_lost", "decisions that could not be written down"},
	{"log_lines_lost", "log lines that the log did not take in time"},
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

/* ---- histograms ---- */

#define MS   INT64_C(1000)
#define MIN  INT64_C(60)
#define HOUR INT64_C(3600)

/* clang-format off */

/* Of answers, whose deadline is 200 ms by default. */
#define SHORT_TIMES {50, 100, 250, 500, MS, 2500, 5 * MS, 10 * MS, 25 * MS, 50 * MS, \
	100 * MS, 200 * MS, 500 * MS}

/* Of retries: from the shortest delay to the retry window. */
#define RETRY_TIMES {MIN, 3 * MIN, 5 * MIN, 10 * MIN, 15 * MIN, 30 * MIN, HOUR, \
	2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR}

/* clang-format on */

static const struct {
	const char *name;
	const char *help;
	int64_t per_second;
	int64_t bounds[HISTOGRAM_BOUNDS];
} shapes[] = {
	{"decision",
         "time from a question of the MTA to its verdict, where the store was asked",
         1000000, SHORT_TIMES},
	{"store", "time from a question to the answer of the store", 1000000,
         SHORT_TIMES},
	{"greylist_delay",
         "time that mail was held up by greylisting, until its first pass", 1,
         RETRY_TIMES},
};

_Static_assert(COUNT_OF(shapes) == HISTOGRAM_COUNT, "one row for each histogram");

static struct {
	atomic_uint_least64_t counts[HISTOGRAM_BOUNDS + 1];
	atomic_uint_least64_t sum;
} values[HISTOGRAM_COUNT];

void
histogram_add(enum histogram histogram, int64_t value)
{
	const int64_t *bounds = shapes[histogram].bounds;
	size_t i = 0;
	if (value < 0)
		value = 0;
	while (i < HISTOGRAM_BOUNDS && value > bounds[i])
		i++;
	atomic_fetch_add_explicit(&values[histogram].counts[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&values[histogram].sum, (uint64_t)value,
	                          memory_order_relaxed);
}

const char *
histogram_name(enum histogram histogram)
{
	return shapes[histogram].name;
}

const char *
histogram_help(enum histogram histogram)
{
	return shapes[histogram].help;
}

int64_t
histogram_per_second(enum histogram histogram)
{
	return shapes[histogram].per_second;
}

void
histogram_get(enum histogram histogram, struct histogram_state *state_out)
{
	*state_out = (struct histogram_state){
		.sum = atomic_load_explicit(&values[histogram].sum,
	                                    memory_order_relaxed)};
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++)
		state_out->bounds[i] = shapes[histogram].bounds[i];
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		state_out->counts[i] = atomic_load_explicit(&values[histogram].counts[i],
		                                            memory_order_relaxed);
		state_out->count += state_out->counts[i];
	}
}
