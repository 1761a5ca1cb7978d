/* Who the load generators pretend to be. */
#include "triplet.h"

#include <stdbool.h>

enum { KNOWN_FIRST_OCTET = 11, RECIPIENTS = 5000 };

uint64_t
mix64(uint64_t value)
{
	value += UINT64_C(0x9e3779b97f4a7c15);
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static struct triplet
triplet_of(uint64_t number)
{
	uint64_t sender = mix64(number);
	uint64_t other = mix64(sender);

	return (struct triplet){
		.recipient = (unsigned)(other % RECIPIENTS),
		.sender = sender,
		.sender_domain = other >> 32,
	};
}

struct triplet
triplet_known(uint64_t n)
{
	/* no seed reaches the highest bit */
	struct triplet triplet = triplet_of(UINT64_C(1) << 63 | n);

	triplet.client =
		(uint32_t)(KNOWN_FIRST_OCTET << 24 | (n & 0xffff) << 8 | (1 + (n >> 16)));
	return triplet;
}

static bool
first_octet_is_free(unsigned octet)
{
	switch (octet) {
	case 0:
	case 10:
	case KNOWN_FIRST_OCTET:
	case 100:
	case 127:
	case 169:
	case 172:
	case 192:
	case 198:
	case 203: return false;
	default: return octet < 224;
	}
}

struct triplet
triplet_new(uint64_t seed, uint64_t n)
{
	struct triplet triplet = triplet_of(seed << 40 | n);
	uint64_t draw = triplet.sender;

	do {
		draw = mix64(draw);
	} while (!first_octet_is_free((unsigned)(draw >> 56)));
	triplet.client = (uint32_t)(draw >> 32);
	return triplet;
}
