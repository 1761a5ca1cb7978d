/* self.h - facts about this daemon, for its heartbeat and its metrics. */
#ifndef WEIR_SELF_H
#define WEIR_SELF_H

#include <stddef.h>
#include <stdint.h>

struct conf;
struct crowd;
struct store;
struct tally;

struct self {
	const char *daemon; /* "policyd" or "milter" */
	const struct conf *conf;
	const struct store *store;
	struct tally *tally;
	const struct crowd *crowd;
	int64_t started_s;
	size_t under_way; /* deliveries that limits apply to */
};

#endif
