/*
 * addr.h - IPv4 and IPv6 addresses and networks.
 *
 * An IPv4-mapped IPv6 address is taken as the IPv4 address it carries.
 */
#ifndef WEIR_ADDR_H
#define WEIR_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum addr_family { ADDR_NONE = 0, ADDR_V4 = 4, ADDR_V6 = 6 };

struct addr {
	enum addr_family family;
	uint8_t bytes
		[16]; /* network override; IPv4 uses the first four, the rest is zero */
};

struct cidr {
	struct addr addr;
	unsigned bits;
};

#define ADDR_TEXT_MAX 64

/*
 * Takes "192.0.2.1", "2001:db8::1", the milter's "IPv6:2001:db8::1", each in brackets, too, and
 * "fe80::1%eth0", whose zone is dropped.
 */
bool addr_parse(struct slice text, struct addr *addr_out) MUST_CHECK;

/* The address and port of a socket's name; false when it is neither IPv4 nor IPv6, or NULL. */
struct sockaddr;
bool addr_of_socket(const struct sockaddr *name, struct addr *addr_out,
                    uint16_t *port_out);

/*
 * Whether it can only be of one's own site or host: RFC 1918, RFC 4193, link-local (RFC 3927, RFC 4291
 * 2.5.6) or loopback.
 */
bool addr_is_private(const struct addr *addr);

/* 32 or 128. */
unsigned addr_max_bits(enum addr_family family);

/* The address with all but its first `bits` bits cleared. */
struct addr addr_mask(const struct addr *addr, unsigned bits);

bool addr_eq(const struct addr *a, const struct addr *b);

void addr_print(const struct addr *addr, struct text *out);

/*
 * "192.0.2.0/24", "[2001:db8::]/32"; an address alone is a network of itself.  The prefix length of
 * an IPv4-mapped network counts from its IPv6 form: "::ffff:127.0.0.0/104" is 127.0.0.0/8.  (Up to 32
 * it can only be meant for the IPv4 address, and is taken so.)
 */
bool cidr_read(struct slice text, struct cidr *cidr_out) MUST_CHECK;

/* The same; host bits must be zero. */
bool cidr_parse(struct slice text, struct cidr *cidr_out) MUST_CHECK;

bool cidr_contains(const struct cidr *cidr, const struct addr *addr);

#endif
