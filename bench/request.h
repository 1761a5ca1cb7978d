/* Policy requests as Postfix 3.7 smtpd sends them for a recipient: every attribute, in
 * its order, about 620 bytes.  Laid out once; after that only what differs is written. */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include <stddef.h>
#include <stdint.h>

enum { REQUEST_SIZE = 1024 };

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

struct request {
	const char *start; /* valid after request_write() */
	size_t length;
	char *rest; /* what follows the client's address; the others are places in it */
	char *port, *helo, *sender, *sender_domain, *recipient, *instance;
	char bytes[REQUEST_SIZE];
};

/* The request must stay where it is. */
void request_init(struct request *request);
void request_write(struct request *request, const struct triplet *triplet,
                   uint64_t message);

#endif
