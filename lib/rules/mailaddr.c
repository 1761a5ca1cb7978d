/*
 * mailaddr.c - envelope addresses in the forms that are compared.
 *
 * Any bytes are taken: what cannot be split is put in lower case only.
 */
#include "rules/mailaddr.h"

#include "base/hostname.h"
#include "conf/normal.h"

enum {
	ADDRESS_MAX = 512, /* twice what RFC 5321 allows */
	WRAPPINGS_MAX = 4, /* a forwarder may wrap what another one wrapped */
	ROUNDS_MAX = 16,
	HEX_RUN_MIN = 8,
	UUID_LEN = 36,
};

struct parts {
	struct slice local;
	struct slice domain;
	bool whole; /* both parts are there */
};

static bool
skip(struct slice *rest, const char *head)
{
	struct slice want = slice_of(head);
	if (!slice_starts_nocase(*rest, want))
		return false;
	*rest = slice_from(*rest, want.n);
	return true;
}

/* Takes what stands before the next '=' off `rest`; it must not be empty. */
static bool
take_field(struct slice *rest, struct slice *field_out)
{
	ptrdiff_t at = slice_find(*rest, '=');
	if (at <= 0)
		return false;
	*field_out = slice_head(*rest, (size_t)at);
	*rest = slice_from(*rest, (size_t)at + 1);
	return true;
}

struct slice
mailaddr_bare(struct slice address)
{
	if (address.n >= 2 && address.p[0] == '<' && address.p[address.n - 1] == '>')
		return slice_head(slice_from(address, 1), address.n - 2);
	return address;
}

/* ---- the normal form ---- */

/* Whether an address comes with its quotes depends on the front end. */
static struct slice
without_quotes(struct slice address, struct arena *arena)
{
	if (slice_find(address, '"') < 0 && slice_find(address, '\\') < 0)
		return address;
	struct text out = {.p = arena_take(arena, address.n + 1), .cap = address.n + 1};
	for (size_t i = 0; i < address.n; i++)
		if (address.p[i] != '"' && address.p[i] != '\\')
			text_putc(&out, address.p[i]);
	return text_slice(&out);
}

/* "@a.example,@b.example:user@c.example" -> "user@c.example" (RFC 5321, appendix C) */
static struct slice
without_route(struct slice address)
{
	ptrdiff_t colon = slice_find(address, ':');
	bool is_routed = address.n > 0 && address.p[0] == '@' && colon > 0;
	return is_routed ? slice_from(address, (size_t)colon + 1) : address;
}

/*
 * The parts as Postfix' trivial-rewrite(8) finds them: forms without '@' are tried in its order.
 * False for an address without a local part and a domain.
 */
static bool
find_parts(struct slice address, const struct conf_rewrite *rewrite, struct parts *parts)
{
	ptrdiff_t at = slice_rfind(address, '@');
	ptrdiff_t bang = rewrite->bangpath ? slice_find(address, '!') : -1;
	ptrdiff_t percent = rewrite->percent_hack ? slice_rfind(address, '%') : -1;
	if (at < 0 && bang >= 0) {
		parts->domain = slice_head(address, (size_t)bang);
		parts->local = slice_from(address, (size_t)bang + 1);
	} else if (at >= 0 || percent >= 0) {
		size_t cut = (size_t)(at >= 0 ? at : percent);
		parts->local = slice_head(address, cut);
		parts->domain = slice_from(address, cut + 1);
	} else {
		parts->local = address;
		parts->domain = slice_of(rewrite->origin);
	}
	return address.n > 0;
}

static struct slice
join_parts(const struct parts *parts, const struct conf_rewrite *rewrite,
           struct arena *arena)
{
	struct slice append = slice_of(rewrite->append_domain);
	/* Beyond ASCII, folding may need three times the room, and an A-label more than its name. */
	size_t cap = 3 * (parts->local.n + parts->domain.n) + append.n + HOSTNAME_MAX + 3;
	struct text out = {.p = arena_take(arena, cap), .cap = cap};
	text_put_local(&out, parts->local);
	text_putc(&out, '@');
	text_put_domain(&out, parts->domain);
	if (append.n > 0 && parts->domain.n > 0 && parts->domain.p[0] != '[' &&
	    slice_find(parts->domain, '.') < 0) {
		text_putc(&out, '.');
		text_put_domain(&out, append);
	}
	struct slice joined = text_slice(&out);
	/* Of one that is too long the end, where the domain is. */
	return joined.n > ADDRESS_MAX ? slice_from(joined, joined.n - ADDRESS_MAX)
	                              : joined;
}

static bool
ends_with_vain_dot(struct slice address)
{
	char before = address.n > 1 ? address.p[address.n - 2] : '@';
	return address.n > 1 && address.p[address.n - 1] == '.' &&
	       (before == '.' || before == '>' || ascii_blank(before));
}

/* Without blanks, brackets and routes around it, however many there are. */
static struct slice
stripped(struct slice address)
{
	for (size_t n = address.n + 1; address.n < n;) {
		n = address.n;
		address = without_route(slice_trim(mailaddr_bare(slice_trim(address))));
		/* dots end a domain in vain, and blanks or a bracket may be in front of them */
		while (slice_find(address, '@') >= 0 && ends_with_vain_dot(address))
			address.n--;
	}
	return address;
}

/*
 * Parts of a bang path may put around the address what is stripped, and a cut may take its '@' away:
 * then it is no normal form yet.
 */
struct slice
mailaddr_normal(struct slice address, const struct conf_rewrite *rewrite,
                struct arena *arena)
{
	struct parts parts = {0};
	struct slice rest = without_quotes(address, arena), normal = rest;
	for (int i = 0; i < ROUNDS_MAX; i++) {
		rest = stripped(rest);
		if (!find_parts(rest, rewrite, &parts))
			return rest;
		normal = join_parts(&parts, rewrite, arena);
		rest = stripped(normal);
		if (rest.n == normal.n && slice_find(normal, '@') >= 0)
			break;
	}
	return normal;
}

/* ---- what senders change between tries ---- */

/* An address in its normal form, at its last '@'. */
static struct parts
split(struct slice address)
{
	struct parts parts = {.local = address};
	ptrdiff_t at = slice_rfind(address, '@');
	parts.whole = at > 0 && (size_t)at + 1 < address.n;
	if (!parts.whole)
		return parts;
	parts.local = slice_head(address, (size_t)at);
	parts.domain = slice_from(address, (size_t)at + 1);
	return parts;
}

/* SRS allows any of three behind its tag; later ones are always '='. */
static bool
skip_separator(struct slice *rest)
{
	return skip(rest, "=") || skip(rest, "-") || skip(rest, "+");
}

/* Reads "=hash=stamp=domain=local", what SRS0 and (behind its own part) SRS1 carry. */
static bool
unwrap_srs_body(struct slice rest, struct parts *parts)
{
	struct slice hash, stamp, domain;
	if (!skip_separator(&rest) || !take_field(&rest, &hash) ||
	    !take_field(&rest, &stamp) || !take_field(&rest, &domain) || rest.n == 0)
		return false;
	parts->local = rest;
	parts->domain = domain;
	return true;
}

/* "SRS0=hash=stamp=domain=local", "SRS1=hash=host==hash=stamp=domain=local" */
static bool
unwrap_srs(struct parts *parts)
{
	struct slice rest = parts->local;
	struct slice hash, host;
	if (skip(&rest, "srs0"))
		return unwrap_srs_body(rest, parts);
	return skip(&rest, "srs1") && skip_separator(&rest) && take_field(&rest, &hash) &&
	       take_field(&rest, &host) && unwrap_srs_body(rest, parts);
}

static bool
is_hex(char c)
{
	return ascii_digit(c) || (c >= 'a' && c <= 'f');
}

/* BATV's tag: a digit for the key, three for the day, six hex digits; some are shorter. */
static bool
is_batv_tag(struct slice s)
{
	bool digit = false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_hex(s.p[i]))
			return false;
		digit |= ascii_digit(s.p[i]);
	}
	return digit && s.n >= 8 && s.n <= 12;
}

/* "tag=local"; seen in the wild as well: "local=tag" and the first draft's "local/tag" */
static bool
unwrap_prvs(struct slice rest, struct slice *local_out)
{
	struct slice first;
	ptrdiff_t slash = slice_rfind(rest, '/');
	if (take_field(&rest, &first)) {
		if (rest.n == 0)
			return false;
		*local_out = is_batv_tag(rest) ? first : rest;
		return true;
	}
	if (slash <= 0 || !is_batv_tag(slice_from(rest, (size_t)slash + 1)))
		return false;
	*local_out = slice_head(rest, (size_t)slash);
	return true;
}

/* "prvs=...", "btv1==tag==local", "msprvs1=tag=local" */
static bool
unwrap_batv(struct parts *parts)
{
	struct slice rest = parts->local;
	struct slice tag;
	if (skip(&rest, "prvs="))
		return unwrap_prvs(rest, &parts->local);
	if (skip(&rest, "btv1==")) {
		if (!take_field(&rest, &tag) || !skip(&rest, "=") || rest.n == 0)
			return false;
	} else if (!skip(&rest, "msprvs1=") || !take_field(&rest, &tag) || rest.n == 0) {
		return false;
	}
	parts->local = rest;
	return true;
}

static void
cut_extension(struct parts *parts)
{
	ptrdiff_t plus = slice_find(parts->local, '+');
	if (plus > 0)
		parts->local = slice_head(parts->local, (size_t)plus);
}

static bool
is_word(char c)
{
	return ascii_digit(c) || ascii_alpha(c);
}

/* Whether a word begins at `from` and one ends at `to`. */
static bool
is_delimited(struct slice s, size_t from, size_t to)
{
	return (from == 0 || !is_word(s.p[from - 1])) && (to == s.n || !is_word(s.p[to]));
}

static bool
is_uuid(struct slice s)
{
	for (size_t i = 0; i < UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? s.p[i] != '-' : !is_hex(s.p[i]))
			return false;
	}
	return true;
}

/*
 * Length of the number that begins at `from`, 0 when there is none: a UUID or a long
 * hexadecimal word (the message ids of bulk senders), else a run of decimal digits.
 */
static size_t
number_at(struct slice s, size_t from)
{
	if (s.n - from >= UUID_LEN && is_delimited(s, from, from + UUID_LEN) &&
	    is_uuid(slice_from(s, from)))
		return UUID_LEN;
	size_t to = from;
	bool digit = false;
	for (; to < s.n && is_hex(s.p[to]); to++)
		digit |= ascii_digit(s.p[to]);
	if (digit && to - from >= HEX_RUN_MIN && is_delimited(s, from, to))
		return to - from;
	for (to = from; to < s.n && ascii_digit(s.p[to]);)
		to++;
	return to - from;
}

static void
put_without_numbers(struct text *out, struct slice local)
{
	for (size_t i = 0; i < local.n;) {
		size_t number = number_at(local, i);
		text_putc(out, number > 0 ? '#' : local.p[i]);
		i += number > 0 ? number : 1;
	}
}

static struct slice
join(const struct parts *parts, bool fold_numbers, struct arena *arena)
{
	size_t cap = parts->local.n + parts->domain.n + 2;
	struct text out = {.p = arena_take(arena, cap), .cap = cap};
	if (fold_numbers)
		put_without_numbers(&out, parts->local);
	else
		text_put(&out, parts->local);
	text_putc(&out, '@');
	text_put(&out, parts->domain);
	return text_slice(&out);
}

/* Takes SRS and BATV off. */
static void
unwrap(struct parts *parts)
{
	for (int i = 0; i < WRAPPINGS_MAX; i++)
		if (!unwrap_srs(parts) && !unwrap_batv(parts))
			break;
}

struct slice
mailaddr_mailbox(struct slice address, struct arena *arena)
{
	struct parts parts = split(address);
	if (!parts.whole)
		return address;
	unwrap(&parts);
	cut_extension(&parts);
	return join(&parts, false, arena);
}

struct slice
mailaddr_fold_sender(struct slice address, struct arena *arena)
{
	struct parts parts = split(address);
	if (!parts.whole)
		return address;
	unwrap(&parts);
	cut_extension(&parts);
	return join(&parts, true, arena);
}

struct slice
mailaddr_fold_recipient(struct slice address, struct arena *arena)
{
	struct parts parts = split(address);
	if (!parts.whole)
		return address;
	cut_extension(&parts);
	return join(&parts, false, arena);
}

struct slice
mailaddr_domain(struct slice address)
{
	ptrdiff_t at = slice_rfind(address, '@');
	struct slice domain = slice_from(address, (size_t)at + 1);
	if (at < 0)
		return (struct slice){0};
	return slice_ends_nocase(domain, SLICE(".")) ? slice_head(domain, domain.n - 1)
	                                             : domain;
}
