/* orders.c - what the operator has ordered for a time. */
#include "orders.h"

#include <stdlib.h>

#include "destination.h"
#include "list.h"
#include "mailaddr.h"
#include "mem.h"
#include "normal.h"

struct orders {
	int refs;
	struct order *v;
	size_t n, cap;
	/* of the exemptions; a hit's line is the order's position, counted from 1 */
	struct list *clients, *senders, *recipients;
	struct list *unlimited_clients, *unlimited_senders, *unlimited_recipients;
};

static const char *const kind_words[] = {
	[ORDER_ALLOW_CLIENT] = "allow-client",
	[ORDER_ALLOW_SENDER] = "allow-sender",
	[ORDER_ALLOW_RECIPIENT] = "allow-recipient",
	[ORDER_DRAIN] = "drain",
	[ORDER_LIMIT] = "limit",
	[ORDER_ALLOW_USER] = "allow-user",
	[ORDER_DRAIN_USER] = "drain-user",
};

_Static_assert(COUNT_OF(kind_words) == ORDER_KINDS, "one word for each kind");

const char *
order_kind_word(enum order_kind kind)
{
	return kind_words[kind];
}

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
order_print_text(const struct order *order, struct text *out)
{
	text_printf(out, "%lld %lld %lld %d ", (long long)order->made_s,
	            (long long)order->until_s, (long long)order->limit, order->no_limits);
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
order_parse(struct slice name, struct slice text, struct order *order_out)
{
	struct slice word, by = {0};
	uint64_t values[4];
	struct err err;
	*order_out = (struct order){0};
	if (!slice_cut(&name, ' ', &word) || !find_kind(word, &order_out->kind) ||
	    !order_set_name(order_out, name, &err))
		return false;
	for (size_t i = 0; i < COUNT_OF(values); i++)
		if (!slice_word(&text, &word) ||
		    !slice_to_u64(word, INT64_MAX, &values[i]))
			return false;
	slice_word(&text, &by);
	order_out->made_s = (int64_t)values[0];
	order_out->until_s = (int64_t)values[1];
	order_out->limit = (int64_t)values[2];
	order_out->no_limits = values[3] != 0;
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
is_of_user(enum order_kind kind)
{
	return kind == ORDER_ALLOW_USER || kind == ORDER_DRAIN_USER;
}

static bool
is_user(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
			return false;
	return name.n > 0;
}

/* As it is compared, so that whoever writes it in another way finds it. */
static void
put_name(enum order_kind kind, struct slice name, struct text *out)
{
	struct cidr net;
	if (kind == ORDER_ALLOW_CLIENT && cidr_read(name, &net)) {
		net.addr = addr_mask(&net.addr, net.bits);
		addr_print(&net.addr, out);
		if (net.bits < addr_max_bits(net.addr.family))
			text_printf(out, "/%u", net.bits);
	} else if (is_allowance(kind)) {
		list_put_normal(out,
		                kind == ORDER_ALLOW_CLIENT ? LIST_CLIENTS : LIST_MAIL,
		                name);
	} else if (is_of_user(kind)) {
		text_put_local(out, name);
	} else {
		text_put_domain(out, name);
	}
}

bool
order_set_name(struct order *order, struct slice name, struct err *err_out)
{
	struct text text = TEXT(order->name);
	bool is_mail =
		order->kind == ORDER_ALLOW_SENDER || order->kind == ORDER_ALLOW_RECIPIENT;
	order->name[0] = '\0';
	name = slice_trim(name);
	if (is_mail && !slice_eq(name, SLICE("<>")))
		name = mailaddr_bare(name);
	put_name(order->kind, name, &text);
	if (text.cut)
		return err_set(err_out, "is longer than %d characters", ORDER_NAME_MAX);
	if (is_allowance(order->kind))
		return is_entry(order->kind, text_slice(&text), err_out);
	if (is_of_user(order->kind))
		return is_user(text_slice(&text)) ||
		       err_set(err_out, "\"%s\" is no name of a user", order->name);
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
is_same(const struct order *a, const struct order *b)
{
	return a->kind == b->kind && a->made_s == b->made_s && a->until_s == b->until_s &&
	       a->limit == b->limit && a->no_limits == b->no_limits &&
	       strcmp(a->name, b->name) == 0 && strcmp(a->by, b->by) == 0;
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
orders_user(const struct orders *orders, enum order_kind kind, struct slice user,
            int64_t now_s)
{
	for (size_t i = 0; user.n > 0 && i < orders->n; i++) {
		const struct order *order = &orders->v[i];
		if (order->kind == kind && now_s < order->until_s &&
		    slice_eq_nocase(slice_of(order->name), user))
			return order;
	}
	return NULL;
}
