/* The command line of policy_load. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum load_mode {
	LOAD_MIX,   /* known and new triplets by the known share */
	LOAD_PRIME, /* every known triplet once, in order */
	LOAD_FILL,  /* new triplets only */
};

struct load_options {
	const char *target;
	enum load_mode mode;
	uint64_t connections, requests, warmup, known, seed;
	double known_share;
	bool json;
};

/* Ends the program with a message and status 1 if the command line makes no sense. */
struct load_options load_options_read(int argc, char **argv);

#endif
