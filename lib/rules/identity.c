/*
 * identity.c - who the client is taken to be.
 *
 * Whether a name looks dynamic is a guess, made so that its mistakes are cheap: a mail
 * server taken for a dynamic one is known by its network, which costs its operator a
 * second delay when it retries from elsewhere.  The other mistake would let one
 * well-behaved customer free the whole access network, so doubt means dynamic.
 */
#include "identity.h"

#include <libpsl.h>
#include <stdio.h>

#include "hostname.h"
#include "list.h"

enum {
	NUMBERS_MAX = 32,     /* looked at in one name */
	NOT_A_PART = 0x10000, /* a number that can be no part of an address */
	HEX_DIGITS = 32,      /* of an IPv6 address written out */
};

/*
 * Words that access networks put into the names of their customers.  Searched for left of
 * the registrable domain only: the company dyn.com may run mail servers.  Left out because
 * mail servers carry them: mail, out, net, node, host, ip, static, server.
 */
static const char *const dynamic_words[] = {
	"abo",       "adsl",     "broadband", "cable",   "catv",    "cgn",
	"cgnat",     "client",   "clients",   "cpe",     "cust",    "customer",
	"customers", "dhcp",     "dial",      "dialin",  "dialup",  "dip",
	"docsis",    "dsl",      "dyn",       "dynadsl", "dynamic", "dynamicip",
	"dyndsl",    "dynip",    "fiber",     "fibre",   "fttb",    "ftth",
	"fttx",      "gprs",     "hsd",       "lte",     "mobile",  "nat",
	"pool",      "pools",    "ppp",       "pppoe",   "res",     "residential",
	"sdsl",      "umts",     "user",      "users",   "vdsl",    "wifi",
	"wimax",     "wireless", "wlan",      "xdsl",
};

/*
 * Words that say nothing alone (ip.example.com, static.example.com), but do beside two
 * octets of the address.  Two octets alone do not: bulk senders number their servers so
 * (a8-55.smtp-out.amazonses.com, mail186-10.suw21.mandrillapp.com, m43-15.mailgun.net).
 */
static const char *const weak_words[] = {
	"addr", "host", "ip", "line", "node", "rev", "reverse", "static", "unassigned",
};

/* A name in lower case, split before its registrable domain. */
struct hostname {
	char buf[HOSTNAME_MAX + 2];
	struct slice all;
	struct slice host;   /* what stands left of `domain`; all without one */
	struct slice domain; /* empty without one */
};

/* Octets or groups of 16 bits, in their order. */
struct numbers {
	unsigned v[NUMBERS_MAX];
	size_t n;
};

const char *
identity_rung_word(enum identity_rung rung)
{
	static const char *const words[] = {
		[RUNG_POOL] = "pool",
		[RUNG_DOMAIN] = "domain",
		[RUNG_PREFIX] = "prefix",
	};
	return words[rung];
}

static psl_ctx_t *suffixes;

/* Loaded at the first question and kept; only the thread that runs the engine asks. */
static const psl_ctx_t *
load_suffixes(void)
{
	if (!suffixes)
		suffixes = psl_latest(NULL);
	return suffixes;
}

void
identity_forget_suffixes(void)
{
	psl_free(suffixes);
	suffixes = NULL;
}

static bool
read_hostname(struct slice name, struct hostname *out)
{
	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	if (slice_eq_nocase(name, SLICE("unknown")) || !hostname_is_valid(name))
		return false;
	struct text lower = TEXT(out->buf);
	text_put_lower(&lower, name);
	out->all = text_slice(&lower);
	out->domain = slice_of(psl_registrable_domain(load_suffixes(), out->buf));
	out->host = slice_head(out->all, out->all.n - out->domain.n);
	return true;
}

/* Splits the name at all that is not a letter: "adsl-12.pool7" has adsl and pool. */
static bool
has_word(struct slice name, const char *const *words, size_t n_words)
{
	for (size_t from = 0, to; from < name.n; from = to + 1) {
		for (to = from; to < name.n && ascii_alpha(name.p[to]);)
			to++;
		struct slice word = {.p = name.p + from, .n = to - from};
		for (size_t i = 0; word.n > 0 && i < n_words; i++)
			if (slice_eq(word, slice_of(words[i])))
				return true;
	}
	return false;
}

static void
add_number(struct numbers *numbers, unsigned value)
{
	if (numbers->n < NUMBERS_MAX)
		numbers->v[numbers->n++] = value;
}

/* The decimal numbers of a name; twelve digits at once are four octets with zeros. */
static struct numbers
decimal_numbers(struct slice name)
{
	struct numbers numbers = {.n = 0};
	for (size_t from = 0, to; from < name.n; from = to + 1) {
		for (to = from; to < name.n && ascii_digit(name.p[to]);)
			to++;
		size_t digits = to - from;
		size_t step = digits == 12 ? 3 : digits;
		for (size_t i = from; i < to; i += step) {
			uint64_t value = 0;
			struct slice run = {.p = name.p + i, .n = step};
			bool octet = step <= 3 && slice_to_u64(run, 255, &value);
			add_number(&numbers, octet ? (unsigned)value : NOT_A_PART);
		}
	}
	return numbers;
}

static bool
contains(const struct numbers *numbers, const unsigned *want, size_t n_want)
{
	for (size_t i = 0; i + n_want <= numbers->n; i++)
		if (memcmp(&numbers->v[i], want, n_want * sizeof(*want)) == 0)
			return true;
	return false;
}

static bool
contains_text(struct slice name, const char *want, size_t n_want)
{
	return memmem(name.p, name.n, want, n_want) != NULL;
}

/*
 * Three neighbouring octets in either order, or all four in hexadecimal, are the address;
 * the last two are with a word beside them.
 */
static bool
spells_v4(const struct hostname *name, const uint8_t bytes[4])
{
	unsigned there[4], back[4]; /* each below 256 */
	for (size_t i = 0; i < 4; i++)
		there[i] = back[3 - i] = bytes[i];
	struct numbers numbers = decimal_numbers(name->all);
	if (contains(&numbers, there, 3) || contains(&numbers, there + 1, 3) ||
	    contains(&numbers, back, 3) || contains(&numbers, back + 1, 3))
		return true;
	if (contains(&numbers, there + 2, 2) || contains(&numbers, back, 2))
		return has_word(name->host, weak_words, COUNT_OF(weak_words));
	char hex[4 * 8 + 1];
	snprintf(hex, sizeof(hex), "%02x%02x%02x%02x", there[0], there[1], there[2],
	         there[3]);
	if (contains_text(name->all, hex, 8))
		return true;
	snprintf(hex, sizeof(hex), "%02x%02x%02x%02x", back[0], back[1], back[2],
	         back[3]);
	return contains_text(name->all, hex, 8);
}

static int
hex_value(char c)
{
	if (ascii_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The words of a name read as 16 bits in hexadecimal, zeros left out. */
static struct numbers
hex_numbers(struct slice name)
{
	struct numbers numbers = {.n = 0};
	for (size_t from = 0, to; from < name.n; from = to + 1) {
		unsigned value = 0;
		for (to = from;
		     to < name.n && (ascii_alpha(name.p[to]) || ascii_digit(name.p[to]));
		     to++) {
			int digit = hex_value(name.p[to]);
			bool fits = digit >= 0 && to - from < 4 && value != NOT_A_PART;
			value = fits ? value << 4 | (unsigned)digit : NOT_A_PART;
		}
		if (value != 0)
			add_number(&numbers, value);
	}
	return numbers;
}

/* Half of the address written out, in the address' order or in that of ip6.arpa. */
static bool
spells_half(struct slice name, const uint8_t bytes[16])
{
	char buf[HOSTNAME_MAX + 1];
	struct text squeezed = TEXT(buf);
	for (size_t i = 0; i < name.n; i++)
		if (ascii_alpha(name.p[i]) || ascii_digit(name.p[i]))
			text_putc(&squeezed, name.p[i]);
	char there[HEX_DIGITS], back[HEX_DIGITS];
	for (size_t i = 0; i < HEX_DIGITS; i++) {
		unsigned digit = i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15;
		there[i] = back[HEX_DIGITS - 1 - i] = "0123456789abcdef"[digit];
	}
	struct slice text = text_slice(&squeezed);
	return contains_text(text, there, 16) || contains_text(text, there + 16, 16) ||
	       contains_text(text, back, 16) || contains_text(text, back + 16, 16);
}

/*
 * Three neighbouring groups are the address.  Zeros are skipped on both sides, so that
 * "2001-db8--25" and "2001-db8-0-0-0-0-0-25" are the same.
 */
static bool
spells_v6(struct slice name, const uint8_t bytes[16])
{
	struct numbers groups = {.n = 0};
	for (size_t i = 0; i < 16; i += 2) {
		unsigned group = (unsigned)bytes[i] << 8 | bytes[i + 1];
		if (group != 0)
			add_number(&groups, group);
	}
	struct numbers numbers = hex_numbers(name);
	for (size_t i = 0; i + 3 <= groups.n; i++)
		if (contains(&numbers, &groups.v[i], 3))
			return true;
	return spells_half(name, bytes);
}

static bool
looks_dynamic(const struct hostname *name, const struct addr *addr)
{
	if (has_word(name->host, dynamic_words, COUNT_OF(dynamic_words)))
		return true;
	if (addr->family == ADDR_V4)
		return spells_v4(name, addr->bytes);
	return addr->family == ADDR_V6 && spells_v6(name->all, addr->bytes);
}

bool
identity_name_looks_dynamic(struct slice name, const struct addr *addr)
{
	struct hostname host;
	return read_hostname(name, &host) && looks_dynamic(&host, addr);
}

static struct slice
prefix_text(const struct conf *conf, const struct addr *addr, struct arena *arena)
{
	char buf[ADDR_TEXT_MAX + 8];
	struct text out = TEXT(buf);
	bool v4 = addr->family == ADDR_V4;
	int64_t bits = v4 ? conf->greylist.ipv4_prefix : conf->greylist.ipv6_prefix;
	struct addr net = addr_mask(addr, (unsigned)bits);
	addr_print(&net, &out);
	if (addr->family != ADDR_NONE) {
		text_putc(&out, '/');
		text_int(&out, bits);
	}
	return arena_copy(arena, text_slice(&out));
}

struct identity
identity_find(const struct conf *conf, const struct addr *addr, struct slice name,
              int64_t now_s, struct arena *arena)
{
	for (size_t i = 0; i < conf->greylist.n_pools; i++) {
		const struct conf_pool *pool = &conf->greylist.pools[i];
		if (list_has_client(pool->clients, addr, name, now_s, NULL))
			return (struct identity){RUNG_POOL,
			                         arena_copy(arena, slice_of(pool->name))};
	}
	struct hostname host;
	if (read_hostname(name, &host) && host.domain.n > 0 &&
	    !looks_dynamic(&host, addr))
		return (struct identity){RUNG_DOMAIN, arena_copy(arena, host.domain)};
	return (struct identity){RUNG_PREFIX, prefix_text(conf, addr, arena)};
}
