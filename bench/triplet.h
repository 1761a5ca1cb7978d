/* Who the load generators pretend to be: triplets of client, sender and recipient, all from a
 * number, so that they can be had again.  Used for policy requests and for milters. */
#ifndef BENCH_TRIPLET_H
#define BENCH_TRIPLET_H

#include <stdint.h>

#define TRIPLET_SEED_MAX  ((UINT64_C(1) << 23) - 1)
#define TRIPLET_NEW_MAX   ((UINT64_C(1) << 40) - 1)
#define TRIPLET_KNOWN_MAX UINT64_C(5000000)

struct triplet {
	uint32_t client; /* IPv4, host byte order */
	unsigned recipient;
	uint64_t sender;
	uint64_t sender_domain;
};

/* Number n of the known set, always the same.  Clients are in 11.0.0.0/8, one in each /24
 * before a /24 gets its second. */
struct triplet triplet_known(uint64_t n);

/* Number n of the new ones of a seed, equal to no other of any seed and to no known one.
 * Clients are all over unicast IPv4 space but 11.0.0.0/8 and /8s with special uses. */
struct triplet triplet_new(uint64_t seed, uint64_t n);

/* A good mix of 64 bits, and a bijection: other input, other output. */
uint64_t mix64(uint64_t value);

#endif
