/*
 * identity.c - who the client is taken to be.
 *
 * Whether a name looks dynamic is a guess, made so that its mistakes are cheap: a mail
 * server taken for a dynamic one is known by its network, and waits again at each other
 * network of its operator.  The other mistake lets one well-behaved customer free the whole
 * access network, so doubt means dynamic.  tests/unit/test_identity_names.c has names of both
 * kinds, and holds the rule to how many it mistakes.
 *
 * How the organisation's other names behave is not weighed.  The store knows only whether its domain
 * is allowed, and that of a provider of access is, by its own mail servers: just where names of
 * customers have octets and no word, as 62-251-112-184.ip.xs4all.nl, all of them would be let in.
 */
#include "rules/identity.h"

#include <libpsl.h>
#include <stdio.h>

#include "base/hostname.h"
#include "conf/list.h"

enum {
	NUMBERS_MAX = 32,     /* looked at in one name */
	NOT_A_PART = 0x10000, /* a number that can be no part of an address */
	HEX_DIGITS = 32,      /* of an IPv6 address written out */
};

/*
 * What in a name speaks for (or, below zero, against) a host that belongs to a customer: a
 * dial-up line, a rented server.  The name looks dynamic from DYNAMIC on.  Octets of the
 * address count, and of the words left of the registrable domain (dyn.com may run mail
 * servers) the one that speaks most for it and the one that speaks most against it.
 */
enum {
	DYNAMIC = 3,
	WHOLE_ADDRESS = 4, /* three octets or more */
	HALF_ADDRESS = 1,  /* two: bulk senders number their servers so */
	ACCESS = 6,        /* networks of customers; a mail word does not outweigh it */
	VAGUE = 2,         /* says nothing alone */
	MAIL = -3,         /* outweighs the address: out203-0-113-9.mail.example.com */
};

static const struct word {
	const char *text;
	signed char weight;
	bool inside; /* it may be a part of the word: "outmail", "resqmta" */
} known_words[] = {
	{"abo", ACCESS, false},        {"access", VAGUE, false},
	{"addr", VAGUE, false},        {"adsl", ACCESS, true},
	{"bredband", ACCESS, false},   {"broadband", ACCESS, false},
	{"cable", ACCESS, true},       {"catv", ACCESS, true},
	{"cgn", ACCESS, false},        {"cgnat", ACCESS, false},
	{"client", ACCESS, false},     {"clientes", ACCESS, false},
	{"clients", ACCESS, false},    {"cm", VAGUE, false},
	{"cpe", ACCESS, false},        {"cust", ACCESS, false},
	{"customer", ACCESS, false},   {"customers", ACCESS, false},
	{"dclient", ACCESS, false},    {"dhcp", ACCESS, true},
	{"dial", ACCESS, false},       {"dialin", ACCESS, true},
	{"dialup", ACCESS, true},      {"dip", ACCESS, false},
	{"docsis", ACCESS, false},     {"dsl", ACCESS, true},
	{"dyn", ACCESS, false},        {"dynamic", ACCESS, true},
	{"dynip", ACCESS, false},      {"fbx", ACCESS, false},
	{"fiber", ACCESS, false},      {"fibre", ACCESS, false},
	{"fttb", ACCESS, false},       {"ftth", ACCESS, false},
	{"fttx", ACCESS, false},       {"gprs", ACCESS, false},
	{"hfc", ACCESS, false},        {"host", VAGUE, false},
	{"hsd", ACCESS, false},        {"ip", VAGUE, false},
	{"isdn", ACCESS, false},       {"line", VAGUE, false},
	{"lte", ACCESS, false},        {"mail", MAIL, true},
	{"mobile", ACCESS, false},     {"modem", ACCESS, false},
	{"modemcable", ACCESS, false}, {"mta", MAIL, true},
	{"mx", MAIL, false},           {"nat", ACCESS, false},
	{"node", VAGUE, false},        {"out", MAIL, false},
	{"outbound", MAIL, false},     {"pool", ACCESS, false},
	{"pooles", ACCESS, false},     {"pools", ACCESS, false},
	{"ppp", ACCESS, false},        {"pppoe", ACCESS, false},
	{"pptp", ACCESS, false},       {"relay", MAIL, false},
	{"res", ACCESS, false},        {"residential", ACCESS, false},
	{"rev", VAGUE, false},         {"reverse", VAGUE, false},
	{"sender", MAIL, false},       {"smtp", MAIL, true},
	{"static", VAGUE, false},      {"umts", ACCESS, false},
	{"unassigned", VAGUE, false},  {"user", ACCESS, false},
	{"users", ACCESS, false},      {"vps", VAGUE, false},
	{"wifi", ACCESS, false},       {"wimax", ACCESS, false},
	{"wireless", ACCESS, false},   {"wlan", ACCESS, false},
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
identity_by_word(enum identity_by by)
{
	static const char *const words[] = {
		[IDENTITY_BY_POOL] = "pool",
		[IDENTITY_BY_DOMAIN] = "domain",
		[IDENTITY_BY_PREFIX] = "prefix",
	};
	return words[by];
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

static bool
is_word(struct slice text, const struct word *word)
{
	struct slice known = slice_of(word->text);
	return word->inside ? memmem(text.p, text.n, known.p, known.n) != NULL
	                    : slice_eq(text, known);
}

/* Splits the name at all that is not a letter: "adsl-12.pool7" has adsl and pool. */
static int
weigh_words(struct slice name)
{
	int most = 0, least = 0;
	for (size_t from = 0, to; from < name.n; from = to + 1) {
		for (to = from; to < name.n && ascii_alpha(name.p[to]);)
			to++;
		struct slice text = {.p = name.p + from, .n = to - from};
		for (size_t i = 0; text.n > 0 && i < COUNT_OF(known_words); i++) {
			int weight = known_words[i].weight;
			if (!is_word(text, &known_words[i]))
				continue;
			most = weight > most ? weight : most;
			least = weight < least ? weight : least;
		}
	}
	return most + least;
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

/* All four octets in hexadecimal. */
static bool
spells_hex(struct slice name, const unsigned octets[4])
{
	char hex[4 * 8 + 1];
	snprintf(hex, sizeof(hex), "%02x%02x%02x%02x", octets[0], octets[1], octets[2],
	         octets[3]);
	return contains_text(name, hex, 8);
}

/* All four octets side by side, in some order: "d53-64-35-171" of 64.53.171.35. */
static bool
spells_shuffled(const struct numbers *numbers, const unsigned octets[4])
{
	for (size_t i = 0; i + 4 <= numbers->n; i++) {
		size_t used = 0; /* one bit for each octet */
		for (size_t j = 0; j < 16; j++)
			if (numbers->v[i + j / 4] == octets[j % 4] &&
			    !(used & (1U << (j % 4))) && !(used & (16U << (j / 4))))
				used |= 1U << (j % 4) | 16U << (j / 4);
		if (used == 255)
			return true;
	}
	return false;
}

/* By how many neighbouring octets the name has, in either override. */
static int
weigh_v4(struct slice name, const uint8_t bytes[4])
{
	unsigned there[4], back[4]; /* each below 256 */
	for (size_t i = 0; i < 4; i++)
		there[i] = back[3 - i] = bytes[i];
	struct numbers numbers = decimal_numbers(name);
	if (contains(&numbers, there, 3) || contains(&numbers, there + 1, 3) ||
	    contains(&numbers, back, 3) || contains(&numbers, back + 1, 3) ||
	    spells_shuffled(&numbers, there) || spells_hex(name, there) ||
	    spells_hex(name, back))
		return WHOLE_ADDRESS;
	if (contains(&numbers, there + 2, 2) || contains(&numbers, back, 2))
		return HALF_ADDRESS;
	return 0;
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

/* Half of the address written out, in the address' override or in that of ip6.arpa. */
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

static int
weigh_address(struct slice name, const struct addr *addr)
{
	if (addr->family == ADDR_V4)
		return weigh_v4(name, addr->bytes);
	return addr->family == ADDR_V6 && spells_v6(name, addr->bytes) ? WHOLE_ADDRESS
	                                                               : 0;
}

static bool
looks_dynamic(const struct hostname *name, const struct addr *addr)
{
	return weigh_words(name->host) + weigh_address(name->all, addr) >= DYNAMIC;
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
			return (struct identity){IDENTITY_BY_POOL,
			                         arena_copy(arena, slice_of(pool->name))};
	}
	struct hostname host;
	if (read_hostname(name, &host) && host.domain.n > 0 &&
	    !looks_dynamic(&host, addr))
		return (struct identity){IDENTITY_BY_DOMAIN,
		                         arena_copy(arena, host.domain)};
	return (struct identity){IDENTITY_BY_PREFIX, prefix_text(conf, addr, arena)};
}
