/* overrides.c - what the operator has ordered for a time. */
#include "rules/overrides.h"

#include <stdlib.h>

#include "base/mem.h"
#include "conf/list.h"
#include "conf/member.h"
#include "conf/normal.h"
#include "conf/schema.h"
#include "rules/mailaddr.h"

struct overrides {
	int refs;
	struct override *v;
	size_t n, cap;
	/* of the exemptions; a hit's line is the override's position, counted from 1 */
	struct list *clients, *senders, *recipients;
	struct list *unlimited_clients, *unlimited_senders, *unlimited_recipients;
	bool limits[SCOPES];
};

static const char *const kind_words[] = {
	[OVERRIDE_ALLOW_CLIENT] = "allow-client",
	[OVERRIDE_ALLOW_SENDER] = "allow-sender",
	[OVERRIDE_ALLOW_RECIPIENT] = "allow-recipient",
	[OVERRIDE_DRAIN] = "drain",
	[OVERRIDE_ALLOW_USER] = "allow-user",
	[OVERRIDE_DRAIN_USER] = "drain-user",
	[OVERRIDE_LIMIT] = "limit",
	[OVERRIDE_LIMIT + 1] = "limit-messages",
	[OVERRIDE_LIMIT + 2] = "limit-recipients",
	[OVERRIDE_LIMIT + 3] = "limit-client",
	[OVERRIDE_LIMIT + 4] = "limit-client-messages",
	[OVERRIDE_LIMIT + 5] = "limit-client-recipients",
	[OVERRIDE_LIMIT + 6] = "limit-sender",
	[OVERRIDE_LIMIT + 7] = "limit-sender-messages",
	[OVERRIDE_LIMIT + 8] = "limit-sender-recipients",
	[OVERRIDE_LIMIT + 9] = "limit-user",
	[OVERRIDE_LIMIT + 10] = "limit-user-messages",
	[OVERRIDE_LIMIT + 11] = "limit-user-recipients",
	[OVERRIDE_LIMIT + 12] = "limit-mailbox",
	[OVERRIDE_LIMIT + 13] = "limit-mailbox-messages",
	[OVERRIDE_LIMIT + 14] = "limit-mailbox-recipients",
};

_Static_assert(COUNT_OF(kind_words) == OVERRIDE_KINDS, "one word for each kind");

const char *
override_kind_word(enum override_kind kind)
{
	return kind_words[kind];
}

static const char *const scope_words[SCOPES] = {"destination", "client", "sender", "user",
                                                "mailbox"};

static bool
find_kind(struct slice word, enum override_kind *kind_out)
{
	for (int i = 0; i < OVERRIDE_KINDS; i++)
		if (slice_eq(slice_of(kind_words[i]), word)) {
			*kind_out = (enum override_kind)i;
			return true;
		}
	return false;
}

/* ---- as text ---- */

void
override_print_name(const struct override *override, struct text *out)
{
	text_printf(out, "%s %s", kind_words[override->kind], override->name);
}

void
override_print_limit(const struct override *override, struct text *out)
{
	if (override_sets_rates(override->kind))
		print_rates(&override->rates, out);
	else
		text_int(out, override->limit);
}

void
override_print_text(const struct override *override, struct text *out)
{
	char buf[RATES_TEXT_MAX];
	struct text limit = TEXT(buf);
	override_print_limit(override, &limit);
	text_printf(out, "%lld %lld ", (long long) override->made_s,
	            (long long) override->until_s);
	text_put_escaped(out, text_slice(&limit));
	text_printf(out, " %d ", override->no_limits);
	text_put_escaped(out, slice_of(override->by));
}

static void
copy_cut(char *to, size_t cap, struct slice from)
{
	struct text text = {.p = to, .cap = cap};
	to[0] = '\0';
	text_put(&text, from);
}

bool
override_set_limit(struct override *override, struct slice value, struct err *err_out)
{
	uint64_t limit;
	value = slice_trim(value);
	if (override_sets_rates(override->kind))
		return parse_rates(value, &override->rates, err_out);
	if (!slice_to_u64(value, CONCURRENCY_MAX, &limit))
		return err_set(err_out,
		               "is no number of deliveries from 0 (no limit) to %d",
		               CONCURRENCY_MAX);
	override->limit = (int64_t)limit;
	return true;
}

/* As override_print_limit() printed it; the bounds of those that set none are 0. */
static bool
parse_limit(struct slice escaped, struct override *override)
{
	char buf[RATES_TEXT_MAX];
	struct text text = TEXT(buf);
	struct err err;
	text_put_unescaped(&text, escaped);
	return !text.cut && override_set_limit(override, text_slice(&text), &err);
}

bool
override_parse(struct slice name, struct slice text, struct override *override_out)
{
	struct slice word, made, until, limit, no_limits, by = {0};
	uint64_t made_s, until_s, flag;
	struct err err;
	*override_out = (struct override){0};
	if (!slice_cut(&name, ' ', &word) || !find_kind(word, &override_out->kind) ||
	    !override_set_name(override_out, name, &err))
		return false;
	if (!slice_word(&text, &made) || !slice_word(&text, &until) ||
	    !slice_word(&text, &limit) || !slice_word(&text, &no_limits) ||
	    !slice_to_u64(made, INT64_MAX, &made_s) ||
	    !slice_to_u64(until, INT64_MAX, &until_s) ||
	    !parse_limit(limit, override_out) ||
	    !slice_to_u64(no_limits, INT64_MAX, &flag))
		return false;
	slice_word(&text, &by);
	override_out->made_s = (int64_t)made_s;
	override_out->until_s = (int64_t)until_s;
	override_out->no_limits = flag != 0;
	copy_cut(override_out->by, sizeof(override_out->by), by);
	return true;
}

/* ---- what they are about ---- */

static bool
is_allowance(enum override_kind kind)
{
	return kind == OVERRIDE_ALLOW_CLIENT || kind == OVERRIDE_ALLOW_SENDER ||
	       kind == OVERRIDE_ALLOW_RECIPIENT;
}

/* Whether a list would take it. */
static bool
is_entry(enum override_kind kind, struct slice name, struct err *err)
{
	struct list *list =
		list_new(kind == OVERRIDE_ALLOW_CLIENT ? LIST_CLIENTS : LIST_MAIL);
	bool taken = list_add(list, name, 0, "", 0, err);
	list_free(&list);
	return taken;
}

static bool
is_destination(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return false;
	return name.n > 0;
}

static bool
is_name(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
			return false;
	return name.n > 0;
}

/* What kind of name it has: that of SCOPE_CLIENT also of exemptions, of SCOPE_SENDER of mail. */
static enum limit_scope
scope_of(enum override_kind kind)
{
	switch (kind) {
	case OVERRIDE_ALLOW_CLIENT: return SCOPE_CLIENT;
	case OVERRIDE_ALLOW_SENDER:
	case OVERRIDE_ALLOW_RECIPIENT: return SCOPE_SENDER;
	case OVERRIDE_ALLOW_USER:
	case OVERRIDE_DRAIN_USER: return SCOPE_USER;
	case OVERRIDE_DRAIN: return SCOPE_DESTINATION;
	case OVERRIDE_LIMIT:
	case OVERRIDE_KINDS: break;
	}
	return override_scope(kind);
}

static void
put_client(struct slice name, struct text *out)
{
	struct cidr net;
	if (!cidr_read(name, &net)) {
		list_put_normal(out, LIST_CLIENTS, name);
		return;
	}
	net.addr = addr_mask(&net.addr, net.bits);
	addr_print(&net.addr, out);
	if (net.bits < addr_max_bits(net.addr.family))
		text_printf(out, "/%u", net.bits);
}

/* As it is compared, so that whoever writes it in another way finds it. */
static void
put_name(enum limit_scope scope, struct slice name, struct text *out)
{
	switch (scope) {
	case SCOPE_CLIENT: put_client(name, out); return;
	case SCOPE_SENDER:
	case SCOPE_MAILBOX: list_put_normal(out, LIST_MAIL, name); return;
	case SCOPE_USER: text_put_local(out, name); return;
	case SCOPE_DESTINATION:
	case SCOPES: text_put_domain(out, name);
	}
}

bool
override_set_name(struct override *override, struct slice name, struct err *err_out)
{
	struct text text = TEXT(override->name);
	enum limit_scope scope = scope_of(override->kind);
	override->name[0] = '\0';
	name = slice_trim(name);
	if ((scope == SCOPE_SENDER || scope == SCOPE_MAILBOX) &&
	    !slice_eq(name, SLICE("<>")))
		name = mailaddr_bare(name);
	put_name(scope, name, &text);
	if (text.cut)
		return err_set(err_out, "is longer than %d characters",
		               OVERRIDE_NAME_MAX);
	if (is_allowance(override->kind))
		return is_entry(override->kind, text_slice(&text), err_out);
	if (scope != SCOPE_DESTINATION)
		return is_name(text_slice(&text)) ||
		       err_set(err_out, "\"%s\" is no name of a %s", override->name,
		               scope_words[scope]);
	return is_destination(text_slice(&text)) ||
	       err_set(err_out, "\"%s\" is no name of a destination", override->name);
}

/* ---- a snapshot ---- */

struct overrides *
overrides_new(void)
{
	struct overrides *overrides = mem_new(struct overrides);
	overrides->refs = 1;
	overrides->clients = list_new(LIST_CLIENTS);
	overrides->senders = list_new(LIST_MAIL);
	overrides->recipients = list_new(LIST_MAIL);
	overrides->unlimited_clients = list_new(LIST_CLIENTS);
	overrides->unlimited_senders = list_new(LIST_MAIL);
	overrides->unlimited_recipients = list_new(LIST_MAIL);
	return overrides;
}

struct overrides *
overrides_ref(struct overrides *overrides)
{
	__atomic_add_fetch(&overrides->refs, 1, __ATOMIC_RELAXED);
	return overrides;
}

void
overrides_unref(struct overrides **overrides_at)
{
	struct overrides *overrides = *overrides_at;
	*overrides_at = NULL;
	if (!overrides || __atomic_sub_fetch(&overrides->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	list_free(&overrides->clients);
	list_free(&overrides->senders);
	list_free(&overrides->recipients);
	list_free(&overrides->unlimited_clients);
	list_free(&overrides->unlimited_senders);
	list_free(&overrides->unlimited_recipients);
	free(overrides->v);
	free(overrides);
}

static struct list *
list_for(const struct overrides *overrides, enum override_kind kind, bool unlimited)
{
	switch (kind) {
	case OVERRIDE_ALLOW_CLIENT:
		return unlimited ? overrides->unlimited_clients : overrides->clients;
	case OVERRIDE_ALLOW_SENDER:
		return unlimited ? overrides->unlimited_senders : overrides->senders;
	case OVERRIDE_ALLOW_RECIPIENT:
		return unlimited ? overrides->unlimited_recipients
		                 : overrides->recipients;
	default: return NULL;
	}
}

static bool
add_to_list(const struct overrides *overrides, const struct override *override,
            bool unlimited)
{
	struct list *list = list_for(overrides, override->kind, unlimited);
	struct err err;
	return list_add(list, slice_of(override->name), override->until_s, "override",
	                (unsigned)overrides->n, &err);
}

void
overrides_add(struct overrides *overrides, const struct override *override)
{
	if (overrides->n == OVERRIDES_MAX)
		return;
	if (overrides->n == overrides->cap) {
		overrides->cap = overrides->cap ? 2 * overrides->cap : 8;
		overrides->v =
			mem_grow(overrides->v, overrides->cap * sizeof(*overrides->v));
	}
	overrides->v[overrides->n++] = *override;
	if (override_is_limit(override->kind))
		overrides->limits[override_scope(override->kind)] = true;
	if (!is_allowance(override->kind))
		return;
	if (!add_to_list(overrides, override, false) ||
	    (override->no_limits && !add_to_list(overrides, override, true)))
		overrides->n--;
}

size_t
overrides_count(const struct overrides *overrides)
{
	return overrides->n;
}

const struct override *
overrides_at(const struct overrides *overrides, size_t i)
{
	return &overrides->v[i];
}

static bool
are_same_rates(const struct conf_rates *a, const struct conf_rates *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (a->v[i].count != b->v[i].count || a->v[i].per_ms != b->v[i].per_ms ||
		    a->v[i].burst != b->v[i].burst)
			return false;
	return a->n == b->n;
}

static bool
is_same(const struct override *a, const struct override *b)
{
	return a->kind == b->kind && a->made_s == b->made_s && a->until_s == b->until_s &&
	       a->limit == b->limit && are_same_rates(&a->rates, &b->rates) &&
	       a->no_limits == b->no_limits && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->by, b->by) == 0;
}

bool
overrides_has(const struct overrides *overrides, const struct override *override)
{
	for (size_t i = 0; i < overrides->n; i++)
		if (is_same(&overrides->v[i], override))
			return true;
	return false;
}

bool
overrides_equal(const struct overrides *a, const struct overrides *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!is_same(&a->v[i], &b->v[i]))
			return false;
	return true;
}

/* ---- what applies ---- */

const struct override *
overrides_client(const struct overrides *overrides, const struct addr *addr,
                 struct slice name, int64_t now_s, bool no_limits)
{
	struct list_hit hit;
	const struct list *list = list_for(overrides, OVERRIDE_ALLOW_CLIENT, no_limits);
	return list_has_client(list, addr, name, now_s, &hit)
	               ? &overrides->v[hit.line - 1]
	               : NULL;
}

const struct override *
overrides_mail(const struct overrides *overrides, enum override_kind kind,
               struct slice address, int64_t now_s, bool no_limits)
{
	struct list_hit hit;
	const struct list *list = list_for(overrides, kind, no_limits);
	return list_has_mail(list, address, now_s, &hit) ? &overrides->v[hit.line - 1]
	                                                 : NULL;
}

/* ---- destinations ---- */

/* A name of the settings that is none of a domain, or of a next hop, means nothing else. */
static bool
may_be_domain(struct slice name)
{
	return slice_find(name, '.') >= 0 || slice_find(name, ':') >= 0 ||
	       slice_find(name, '[') >= 0;
}

const struct conf_destination *
override_meant(const struct override *override, const struct conf *conf,
               struct slice *name_out)
{
	struct slice name = slice_of(override->name);
	const struct conf_destination *meant = destination_named(conf, name);
	if (!meant && may_be_domain(name))
		meant = destination_find(conf, name);
	if (meant)
		*name_out = slice_of(meant->name);
	else
		*name_out = may_be_domain(name) ? name : SLICE("");
	return meant;
}

bool
override_is_about(const struct override *override, const struct conf *conf,
                  const struct conf_destination *known, struct slice name)
{
	struct slice own = slice_of(override->name);
	if (slice_eq_nocase(own, name))
		return known || !destination_named(conf, own);
	return known && may_be_domain(own) && destination_find(conf, own) == known &&
	       !destination_named(conf, own);
}

const struct override *
overrides_destination(const struct overrides *overrides, const struct conf *conf,
                      enum override_kind kind, const struct conf_destination *known,
                      struct slice name, int64_t now_s)
{
	for (size_t i = 0; i < overrides->n; i++) {
		const struct override *override = &overrides->v[i];
		if (override->kind == kind && now_s < override->until_s &&
		    override_is_about(override, conf, known, name))
			return override;
	}
	return NULL;
}

const struct override *
overrides_named(const struct overrides *overrides, enum override_kind kind,
                struct slice name, int64_t now_s)
{
	for (size_t i = 0; name.n > 0 && i < overrides->n; i++) {
		const struct override *override = &overrides->v[i];
		if (override->kind == kind && now_s < override->until_s &&
		    slice_eq_nocase(slice_of(override->name), name))
			return override;
	}
	return NULL;
}

bool
overrides_limit(const struct overrides *overrides, enum limit_scope scope)
{
	return overrides->limits[scope];
}
