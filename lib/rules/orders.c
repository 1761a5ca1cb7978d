/* orders.c - what the operator has ordered for a time. */
#include "rules/orders.h"

#include <stdlib.h>

#include "base/mem.h"
#include "conf/destination.h"
#include "conf/list.h"
#include "conf/normal.h"
#include "conf/schema.h"
#include "rules/mailaddr.h"

struct orders {
	int refs;
	struct order *v;
	size_t n, cap;
	/* of the exemptions; a hit's line is the order's position, counted from 1 */
	struct list *clients, *senders, *recipients;
	struct list *unlimited_clients, *unlimited_senders, *unlimited_recipients;
	bool limits[SCOPES];
};

static const char *const kind_words[] = {
	[ORDER_ALLOW_CLIENT] = "allow-client",
	[ORDER_ALLOW_SENDER] = "allow-sender",
	[ORDER_ALLOW_RECIPIENT] = "allow-recipient",
	[ORDER_DRAIN] = "drain",
	[ORDER_ALLOW_USER] = "allow-user",
	[ORDER_DRAIN_USER] = "drain-user",
	[ORDER_LIMIT] = "limit",
	[ORDER_LIMIT + 1] = "limit-messages",
	[ORDER_LIMIT + 2] = "limit-recipients",
	[ORDER_LIMIT + 3] = "limit-client",
	[ORDER_LIMIT + 4] = "limit-client-messages",
	[ORDER_LIMIT + 5] = "limit-client-recipients",
	[ORDER_LIMIT + 6] = "limit-sender",
	[ORDER_LIMIT + 7] = "limit-sender-messages",
	[ORDER_LIMIT + 8] = "limit-sender-recipients",
	[ORDER_LIMIT + 9] = "limit-user",
	[ORDER_LIMIT + 10] = "limit-user-messages",
	[ORDER_LIMIT + 11] = "limit-user-recipients",
	[ORDER_LIMIT + 12] = "limit-mailbox",
	[ORDER_LIMIT + 13] = "limit-mailbox-messages",
	[ORDER_LIMIT + 14] = "limit-mailbox-recipients",
};

_Static_assert(COUNT_OF(kind_words) == ORDER_KINDS, "one word for each kind");

const char *
order_kind_word(enum order_kind kind)
{
	return kind_words[kind];
}

static const char *const scope_words[SCOPES] = {"destination", "client", "sender", "user",
                                                "mailbox"};

static bool
find_kind(struct slice word, enum order_kind *kind_out)
{
	for (int i = 0; i < ORDER_KINDS; i++)
		if (slice_eq(slice_of(kind_words[i]), word)) {
			*kind_out = (enum order_kind)i;
			return true;
		}
	return false;
}

/* ---- as text ---- */

void
order_print_name(const struct order *order, struct text *out)
{
	text_printf(out, "%s %s", kind_words[order->kind], order->name);
}

void
order_print_limit(const struct order *order, struct text *out)
{
	if (order_sets_rates(order->kind))
		print_rates(&order->rates, out);
	else
		text_int(out, order->limit);
}

void
order_print_text(const struct order *order, struct text *out)
{
	char buf[RATES_TEXT_MAX];
	struct text limit = TEXT(buf);
	order_print_limit(order, &limit);
	text_printf(out, "%lld %lld ", (long long)order->made_s,
	            (long long)order->until_s);
	text_put_escaped(out, text_slice(&limit));
	text_printf(out, " %d ", order->no_limits);
	text_put_escaped(out, slice_of(order->by));
}

static void
copy_cut(char *to, size_t cap, struct slice from)
{
	struct text text = {.p = to, .cap = cap};
	to[0] = '\0';
	text_put(&text, from);
}

bool
order_set_limit(struct order *order, struct slice value, struct err *err_out)
{
	uint64_t limit;
	value = slice_trim(value);
	if (order_sets_rates(order->kind))
		return parse_rates(value, &order->rates, err_out);
	if (!slice_to_u64(value, CONCURRENCY_MAX, &limit))
		return err_set(err_out,
		               "is no number of deliveries from 0 (no limit) to %d",
		               CONCURRENCY_MAX);
	order->limit = (int64_t)limit;
	return true;
}

/* As order_print_limit() printed it; the bounds of those that set none are 0. */
static bool
parse_limit(struct slice escaped, struct order *order)
{
	char buf[RATES_TEXT_MAX];
	struct text text = TEXT(buf);
	struct err err;
	text_put_unescaped(&text, escaped);
	return !text.cut && order_set_limit(order, text_slice(&text), &err);
}

bool
order_parse(struct slice name, struct slice text, struct order *order_out)
{
	struct slice word, made, until, limit, no_limits, by = {0};
	uint64_t made_s, until_s, flag;
	struct err err;
	*order_out = (struct order){0};
	if (!slice_cut(&name, ' ', &word) || !find_kind(word, &order_out->kind) ||
	    !order_set_name(order_out, name, &err))
		return false;
	if (!slice_word(&text, &made) || !slice_word(&text, &until) ||
	    !slice_word(&text, &limit) || !slice_word(&text, &no_limits) ||
	    !slice_to_u64(made, INT64_MAX, &made_s) ||
	    !slice_to_u64(until, INT64_MAX, &until_s) || !parse_limit(limit, order_out) ||
	    !slice_to_u64(no_limits, INT64_MAX, &flag))
		return false;
	slice_word(&text, &by);
	order_out->made_s = (int64_t)made_s;
	order_out->until_s = (int64_t)until_s;
	order_out->no_limits = flag != 0;
	copy_cut(order_out->by, sizeof(order_out->by), by);
	return true;
}

/* ---- what they are about ---- */

static bool
is_allowance(enum order_kind kind)
{
	return kind == ORDER_ALLOW_CLIENT || kind == ORDER_ALLOW_SENDER ||
	       kind == ORDER_ALLOW_RECIPIENT;
}

/* Whether a list would take it. */
static bool
is_entry(enum order_kind kind, struct slice name, struct err *err)
{
	struct list *list =
		list_new(kind == ORDER_ALLOW_CLIENT ? LIST_CLIENTS : LIST_MAIL);
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
scope_of(enum order_kind kind)
{
	switch (kind) {
	case ORDER_ALLOW_CLIENT: return SCOPE_CLIENT;
	case ORDER_ALLOW_SENDER:
	case ORDER_ALLOW_RECIPIENT: return SCOPE_SENDER;
	case ORDER_ALLOW_USER:
	case ORDER_DRAIN_USER: return SCOPE_USER;
	case ORDER_DRAIN: return SCOPE_DESTINATION;
	case ORDER_LIMIT:
	case ORDER_KINDS: break;
	}
	return order_scope(kind);
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
order_set_name(struct order *order, struct slice name, struct err *err_out)
{
	struct text text = TEXT(order->name);
	enum limit_scope scope = scope_of(order->kind);
	order->name[0] = '\0';
	name = slice_trim(name);
	if ((scope == SCOPE_SENDER || scope == SCOPE_MAILBOX) &&
	    !slice_eq(name, SLICE("<>")))
		name = mailaddr_bare(name);
	put_name(scope, name, &text);
	if (text.cut)
		return err_set(err_out, "is longer than %d characters", ORDER_NAME_MAX);
	if (is_allowance(order->kind))
		return is_entry(order->kind, text_slice(&text), err_out);
	if (scope != SCOPE_DESTINATION)
		return is_name(text_slice(&text)) ||
		       err_set(err_out, "\"%s\" is no name of a %s", order->name,
		               scope_words[scope]);
	return is_destination(text_slice(&text)) ||
	       err_set(err_out, "\"%s\" is no name of a destination", order->name);
}

/* ---- a snapshot ---- */

struct orders *
orders_new(void)
{
	struct orders *orders = mem_new(struct orders);
	orders->refs = 1;
	orders->clients = list_new(LIST_CLIENTS);
	orders->senders = list_new(LIST_MAIL);
	orders->recipients = list_new(LIST_MAIL);
	orders->unlimited_clients = list_new(LIST_CLIENTS);
	orders->unlimited_senders = list_new(LIST_MAIL);
	orders->unlimited_recipients = list_new(LIST_MAIL);
	return orders;
}

struct orders *
orders_ref(struct orders *orders)
{
	__atomic_add_fetch(&orders->refs, 1, __ATOMIC_RELAXED);
	return orders;
}

void
orders_unref(struct orders **orders_at)
{
	struct orders *orders = *orders_at;
	*orders_at = NULL;
	if (!orders || __atomic_sub_fetch(&orders->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	list_free(&orders->clients);
	list_free(&orders->senders);
	list_free(&orders->recipients);
	list_free(&orders->unlimited_clients);
	list_free(&orders->unlimited_senders);
	list_free(&orders->unlimited_recipients);
	free(orders->v);
	free(orders);
}

static struct list *
list_for(const struct orders *orders, enum order_kind kind, bool unlimited)
{
	switch (kind) {
	case ORDER_ALLOW_CLIENT:
		return unlimited ? orders->unlimited_clients : orders->clients;
	case ORDER_ALLOW_SENDER:
		return unlimited ? orders->unlimited_senders : orders->senders;
	case ORDER_ALLOW_RECIPIENT:
		return unlimited ? orders->unlimited_recipients : orders->recipients;
	default: return NULL;
	}
}

static bool
add_to_list(const struct orders *orders, const struct order *order, bool unlimited)
{
	struct list *list = list_for(orders, order->kind, unlimited);
	struct err err;
	return list_add(list, slice_of(order->name), order->until_s, "order",
	                (unsigned)orders->n, &err);
}

void
orders_add(struct orders *orders, const struct order *order)
{
	if (orders->n == ORDERS_MAX)
		return;
	if (orders->n == orders->cap) {
		orders->cap = orders->cap ? 2 * orders->cap : 8;
		orders->v = mem_grow(orders->v, orders->cap * sizeof(*orders->v));
	}
	orders->v[orders->n++] = *order;
	if (order_is_limit(order->kind))
		orders->limits[order_scope(order->kind)] = true;
	if (!is_allowance(order->kind))
		return;
	if (!add_to_list(orders, order, false) ||
	    (order->no_limits && !add_to_list(orders, order, true)))
		orders->n--;
}

size_t
orders_count(const struct orders *orders)
{
	return orders->n;
}

const struct order *
orders_at(const struct orders *orders, size_t i)
{
	return &orders->v[i];
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
is_same(const struct order *a, const struct order *b)
{
	return a->kind == b->kind && a->made_s == b->made_s && a->until_s == b->until_s &&
	       a->limit == b->limit && are_same_rates(&a->rates, &b->rates) &&
	       a->no_limits == b->no_limits && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->by, b->by) == 0;
}

bool
orders_has(const struct orders *orders, const struct order *order)
{
	for (size_t i = 0; i < orders->n; i++)
		if (is_same(&orders->v[i], order))
			return true;
	return false;
}

bool
orders_equal(const struct orders *a, const struct orders *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!is_same(&a->v[i], &b->v[i]))
			return false;
	return true;
}

/* ---- what applies ---- */

const struct order *
orders_client(const struct orders *orders, const struct addr *addr, struct slice name,
              int64_t now_s, bool no_limits)
{
	struct list_hit hit;
	const struct list *list = list_for(orders, ORDER_ALLOW_CLIENT, no_limits);
	return list_has_client(list, addr, name, now_s, &hit) ? &orders->v[hit.line - 1]
	                                                      : NULL;
}

const struct order *
orders_mail(const struct orders *orders, enum order_kind kind, struct slice address,
            int64_t now_s, bool no_limits)
{
	struct list_hit hit;
	const struct list *list = list_for(orders, kind, no_limits);
	return list_has_mail(list, address, now_s, &hit) ? &orders->v[hit.line - 1]
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
order_meant(const struct order *order, const struct conf *conf, struct slice *name_out)
{
	struct slice name = slice_of(order->name);
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
order_is_about(const struct order *order, const struct conf *conf,
               const struct conf_destination *known, struct slice name)
{
	struct slice own = slice_of(order->name);
	if (slice_eq_nocase(own, name))
		return known || !destination_named(conf, own);
	return known && may_be_domain(own) && destination_find(conf, own) == known &&
	       !destination_named(conf, own);
}

const struct order *
orders_destination(const struct orders *orders, const struct conf *conf,
                   enum order_kind kind, const struct conf_destination *known,
                   struct slice name, int64_t now_s)
{
	for (size_t i = 0; i < orders->n; i++) {
		const struct order *order = &orders->v[i];
		if (order->kind == kind && now_s < order->until_s &&
		    order_is_about(order, conf, known, name))
			return order;
	}
	return NULL;
}

const struct order *
orders_named(const struct orders *orders, enum order_kind kind, struct slice name,
             int64_t now_s)
{
	for (size_t i = 0; name.n > 0 && i < orders->n; i++) {
		const struct order *order = &orders->v[i];
		if (order->kind == kind && now_s < order->until_s &&
		    slice_eq_nocase(slice_of(order->name), name))
			return order;
	}
	return NULL;
}

bool
orders_limit(const struct orders *orders, enum limit_scope scope)
{
	return orders->limits[scope];
}
