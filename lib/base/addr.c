/* addr.c - IPv4 and IPv6 addresses and networks. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* ::ffff:0:0/96 carries IPv4 addresses (RFC 4291 2.5.5.2). */
enum { MAPPED_BITS = 96 };

static const uint8_t v4_mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

static void
unmap(struct addr *addr)
{
	if (memcmp(addr->bytes, v4_mapped, sizeof(v4_mapped)) != 0)
		return;
	addr->family = ADDR_V4;
	memmove(addr->bytes, addr->bytes + 12, 4);
	memset(addr->bytes + 4, 0, 12);
}

static struct slice
without_brackets(struct slice text)
{
	if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
		text = slice_head(slice_from(text, 1), text.n - 2);
	return slice_starts_nocase(text, SLICE("IPv6:")) ? slice_from(text, 5) : text;
}

/* The name or number of an interface behind '%' (RFC 4007 11). */
static bool
is_zone(struct slice zone)
{
	for (size_t i = 0; i < zone.n; i++)
		if (zone.p[i] <= ' ' || zone.p[i] > '~' || zone.p[i] == '%')
			return false;
	return zone.n > 0;
}

static const struct cidr link_local = {{ADDR_V6, {0xfe, 0x80}}, 10};

static const struct cidr private_networks[] = {
	{{ADDR_V4, {10}}, 8},         {{ADDR_V4, {172, 16}}, 12},
	{{ADDR_V4, {192, 168}}, 16},  {{ADDR_V4, {169, 254}}, 16},
	{{ADDR_V4, {127}}, 8},        {{ADDR_V6, {0xfc}}, 7},
	{{ADDR_V6, {[15] = 1}}, 128},
};

bool
addr_parse(struct slice text, struct addr *addr_out)
{
	char buf[ADDR_TEXT_MAX];
	struct slice zone = without_brackets(text), host;
	if (!slice_cut(&zone, '%', &host) || host.n == 0 || host.n >= sizeof(buf) ||
	    memchr(host.p, '\0', host.n))
		return false;
	memcpy(buf, host.p, host.n);
	buf[host.n] = '\0';

	struct addr addr = {0};
	if (inet_pton(AF_INET, buf, addr.bytes) == 1) {
		addr.family = ADDR_V4;
	} else if (inet_pton(AF_INET6, buf, addr.bytes) == 1) {
		addr.family = ADDR_V6;
		unmap(&addr);
	} else {
		return false;
	}
	if (zone.p && !(cidr_contains(&link_local, &addr) && is_zone(zone)))
		return false;
	*addr_out = addr;
	return true;
}

bool
addr_of_socket(const struct sockaddr *name, struct addr *addr_out, uint16_t *port_out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	*addr_out = (struct addr){0};
	*port_out = 0;
	if (name && name->sa_family == AF_INET) {
		memcpy(&v4, name, sizeof(v4));
		addr_out->family = ADDR_V4;
		memcpy(addr_out->bytes, &v4.sin_addr, 4);
		*port_out = ntohs(v4.sin_port);
	} else if (name && name->sa_family == AF_INET6) {
		memcpy(&v6, name, sizeof(v6));
		addr_out->family = ADDR_V6;
		memcpy(addr_out->bytes, &v6.sin6_addr, 16);
		unmap(addr_out);
		*port_out = ntohs(v6.sin6_port);
	}
	return addr_out->family != ADDR_NONE;
}

unsigned
addr_max_bits(enum addr_family family)
{
	return family == ADDR_V4 ? 32 : 128;
}

struct addr
addr_mask(const struct addr *addr, unsigned bits)
{
	struct addr masked = *addr;
	for (unsigned i = 0; i < sizeof(masked.bytes); i++) {
		unsigned before = i * 8;
		if (before >= bits)
			masked.bytes[i] = 0;
		else if (bits - before < 8)
			masked.bytes[i] &= (uint8_t)(0xff << (8 - (bits - before)));
	}
	return masked;
}

bool
addr_eq(const struct addr *a, const struct addr *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Written out, since inet_ntop() goes through printf. */
static void
print_v4(const struct addr *addr, struct text *out)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			text_putc(out, '.');
		text_int(out, addr->bytes[i]);
	}
}

void
addr_print(const struct addr *addr, struct text *out)
{
	char buf[INET6_ADDRSTRLEN];
	if (addr->family == ADDR_NONE)
		text_puts(out, "unknown");
	else if (addr->family == ADDR_V4)
		print_v4(addr, out);
	else if (inet_ntop(AF_INET6, addr->bytes, buf, sizeof(buf)))
		text_puts(out, buf);
}

/* Whether it was written as an IPv6 address that carries an IPv4 address. */
static bool
is_mapped(struct slice host, const struct addr *addr)
{
	return addr->family == ADDR_V4 && slice_find(host, ':') >= 0;
}

bool
cidr_read(struct slice text, struct cidr *cidr_out)
{
	struct slice rest = text, host;
	if (!slice_cut(&rest, '/', &host) || !addr_parse(host, &cidr_out->addr))
		return false;
	bool mapped = is_mapped(host, &cidr_out->addr);
	uint64_t max = addr_max_bits(cidr_out->addr.family), bits = max;
	if (rest.p && !slice_to_u64(rest, mapped ? MAPPED_BITS + max : max, &bits))
		return false;
	if (mapped && bits >= MAPPED_BITS)
		bits -= MAPPED_BITS;
	cidr_out->bits = (unsigned)bits;
	return bits <= max;
}

bool
cidr_parse(struct slice text, struct cidr *cidr_out)
{
	if (!cidr_read(text, cidr_out))
		return false;
	struct addr network = addr_mask(&cidr_out->addr, cidr_out->bits);
	return addr_eq(&network, &cidr_out->addr);
}

bool
cidr_contains(const struct cidr *cidr, const struct addr *addr)
{
	/* Most differ in what comes first; the rest is looked at bit by bit. */
	if (cidr->addr.family != addr->family ||
	    memcmp(cidr->addr.bytes, addr->bytes, cidr->bits / 8) != 0)
		return false;
	struct addr network = addr_mask(addr, cidr->bits);
	return addr_eq(&network, &cidr->addr);
}

bool
addr_is_private(const struct addr *addr)
{
	for (size_t i = 0; i < COUNT_OF(private_networks); i++)
		if (cidr_contains(&private_networks[i], addr))
			return true;
	return cidr_contains(&link_local, addr);
}
