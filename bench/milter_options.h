/* The command line of milter_load. */
#ifndef BENCH_MILTER_OPTIONS_H
#define BENCH_MILTER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { RECIPIENTS_MAX = 100, DOMAINS_MAX = 100000 };

struct milter_options {
	const char *to;
	uint64_t sessions, total, seconds;
	uint64_t messages, recipients, domains, clients, first_client, senders;
	uint64_t hold_ms, timeout_ms;
	uint64_t drop_percent, new_percent;
	uint64_t seed;
	bool announce;
};

/* Ends the program with a message and status 1 if the command line makes no sense. */
struct milter_options milter_options_read(int argc, char **argv);

#endif
