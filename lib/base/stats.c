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
	{"policy_bad_requests", "policy connections closed because of a bad request"},
	{"policy_refused_connections",
         "policy connections refused because there were too many"},
	{"policy_no_client_address", "requests without a usable client_address"},
	{"policy_unknown_attributes", "unknown policy attributes"},
	{"milter_sessions", "SMTP sessions that the MTA reported to the milter"},
	{"milter_refused_sessions",
         "SMTP sessions not judged because there were too many"},
	{"milter_deliveries",
         "messages with a recipient that the MTA asked the milter about"},
	{"milter_recipients", "recipients that the MTA reported to the milter"},
	{"milter_unanswered", "questions of the milter that got no verdict in time"},
	{"verdict_accept", "recipients accepted"},
	{"verdict_defer", "recipients deferred"},
	{"verdict_observed",
         "recipients accepted that would have been deferred, but for mode observe"},
	{"store_asked", "questions sent to the store"},
	{"store_timeouts", "questions that the store did not answer in time"},
	{"store_errors", "questions that the store refused"},
	{"store_refused_by_breaker", "questions not sent because the store is down"},
	{"store_protocol_errors", "replies of the store that could not be understood"},
	{"store_swept", "expired records removed"},
	{"late_answers", "answers of the store that came after their deadline"},
	{"leases_late",
         "slots whose lease ran out before it was renewed, and that were taken again"},
	{"leases_lost",
         "slots whose lease ran out before it was renewed, and that found no room"},
	{"limits_judged_locally",
         "recipients whose limits were judged without the store"},
	{"decisions_written", "decisions recorded"},
	{"decisions_lost", "decisions that could not be recorded"},
	{"log_lines_lost", "log lines lost because the log did not take them in time"},
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
         "time from a question of the MTA to the verdict, for questions that needed the store",
         1000000, SHORT_TIMES},
	{"store", "time from a question to the store's answer", 1000000, SHORT_TIMES},
	{"greylist_delay", "time between the first try and the first pass", 1,
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
