/* limit.c - which limits apply to a recipient, and under which keys. */
#include "limit.h"

#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "destination.h"
#include "mailaddr.h"

bool
limit_is_set(const struct conf_limit *limit)
{
	return limit->mode != MODE_OFF &&
	       (limit->concurrency > 0 || limit->messages.count > 0 ||
	        limit->recipients.count > 0);
}

struct slice
limit_destination(const struct conf *conf, const struct query *query,
                  const struct conf_destination **destination_out)
{
	struct slice host = conf->limits.destinations_by == BY_NEXTHOP
	                            ? query->nexthop
	                            : mailaddr_domain(query->recipient);
	*destination_out = NULL;
	if (host.n == 0)
		return host;
	*destination_out = destination_find(conf, host);
	return *destination_out ? slice_of((*destination_out)->name) : host;
}

static void
add_limit(struct limit_of *limits, size_t *n, enum limit_scope scope,
          const struct conf_limit *limit, struct slice name)
{
	if (name.n > 0 && limit_is_set(limit))
		limits[(*n)++] =
			(struct limit_of){.scope = scope, .limit = limit, .name = name};
}

const struct conf_limit *
limit_in_force(const struct conf *conf, const struct orders *orders,
               const struct conf_destination *known, struct slice name, int64_t now_s,
               struct arena *arena)
{
	const struct conf_limit *set = known ? &known->limit : &conf->limits.other;
	const struct order *order =
		orders_destination(orders, conf, ORDER_LIMIT, known, name, now_s);
	if (!order)
		return set;
	struct conf_limit *limit = arena_take(arena, sizeof(*limit));
	*limit = *set;
	limit->concurrency = order->limit;
	if (limit->mode == MODE_OFF) { /* its rates stay off */
		limit->mode = MODE_ON;
		limit->messages = limit->recipients = (struct conf_rate){0};
	}
	return limit;
}

size_t
limits_find(const struct conf *conf, const struct orders *orders,
            const struct query *query, struct slice identity, int64_t now_s,
            struct arena *arena, struct limit_of limits_out[SCOPES])
{
	const struct conf_destination *destination;
	size_t n = 0;
	struct slice name = limit_destination(conf, query, &destination);
	add_limit(limits_out, &n, SCOPE_DESTINATION,
	          limit_in_force(conf, orders, destination, name, now_s, arena), name);
	limits_out[0].unnamed = !destination;
	add_limit(limits_out, &n, SCOPE_CLIENT, &conf->limits.clients, identity);
	if (limit_is_set(&conf->limits.senders))
		add_limit(limits_out, &n, SCOPE_SENDER, &conf->limits.senders,
		          mailaddr_mailbox(query->sender, arena));
	if (limit_is_set(&conf->limits.users))
		add_limit(limits_out, &n, SCOPE_USER, &conf->limits.users,
		          query->sasl_username);
	return n;
}

/* Names of destinations that nobody configured are kept apart from those of the settings. */
static struct key
key_of(const struct key_secret *secret, enum limit_scope scope, bool unnamed,
       enum limit_kind kind, struct slice name)
{
	const char what[] = {unnamed ? 'd' : (char)('0' + (int)scope),
	                     (char)('0' + (int)kind)};
	return key_limit(secret, (struct slice){.p = what, .n = sizeof(what)}, name);
}

struct key
limit_slots_key(const struct key_secret *secret, bool unnamed, struct slice destination)
{
	return key_of(secret, SCOPE_DESTINATION, unnamed, LIMIT_CONCURRENCY, destination);
}

struct key
limit_use_key(const struct key_secret *secret, const struct limit_use *use, bool unnamed,
              struct slice name)
{
	return key_of(secret, use->scope, unnamed, use->kind, name);
}

static void
add_use(struct limits_ask *ask, const struct limit_of *of, enum limit_kind kind,
        const struct key_secret *secret)
{
	const struct conf_limit *limit = of->limit;
	const struct conf_rate concurrency = {.count = limit->concurrency};
	const struct conf_rate bounds[] = {
		[LIMIT_CONCURRENCY] = concurrency,
		[LIMIT_MESSAGES] = limit->messages,
		[LIMIT_RECIPIENTS] = limit->recipients,
	};
	if (bounds[kind].count == 0)
		return;
	ask->uses[ask->n++] = (struct limit_use){
		.scope = of->scope,
		.kind = kind,
		.observed = limit->mode == MODE_OBSERVE,
		.count = bounds[kind].count,
		.per_ms = bounds[kind].per_ms,
		.key = key_of(secret, of->scope, of->unnamed, kind, of->name),
	};
}

void
limits_uses(const struct limit_of *limits, size_t n, const struct key_secret *secret,
            struct limits_ask *ask)
{
	ask->n = 0;
	for (size_t i = 0; i < n; i++)
		for (int kind = 0; kind < LIMIT_KINDS; kind++)
			add_use(ask, &limits[i], (enum limit_kind)kind, secret);
}

void
limits_keep(struct limits_ask *ask, unsigned wanted)
{
	size_t n = 0;
	for (size_t i = 0; i < ask->n; i++)
		if (wanted & 1u << i)
			ask->uses[n++] = ask->uses[i];
	ask->n = n;
}

unsigned
limits_rates(const struct limits_ask *ask)
{
	unsigned rates = 0;
	for (size_t i = 0; i < ask->n; i++)
		if (ask->uses[i].kind != LIMIT_CONCURRENCY)
			rates |= 1u << i;
	return rates;
}

bool
limits_have_rates(const struct limits_ask *ask)
{
	return limits_rates(ask) != 0;
}

bool
limits_have_note(const struct limits_ask *ask)
{
	bool observed = false;
	for (size_t i = 0; i < ask->n; i++)
		observed |= ask->uses[i].observed;
	return observed || limits_have_rates(ask);
}

bool
limits_print_holder(char kind, const char *node, const struct query *query,
                    uint64_t serial, char holder_out[HOLDER_MAX + 1])
{
	struct text text = {.p = holder_out, .cap = HOLDER_MAX + 1};
	struct addr addr;
	uint64_t port;
	text_printf(&text, "%c/%s/", kind, node);
	if (addr_parse(query->client_address, &addr) &&
	    slice_to_u64(query->client_port, 65535, &port) && port > 0) {
		addr_print(&addr, &text);
		text_printf(&text, ":%u", (unsigned)port);
		return true;
	}
	text_printf(&text, "-:%llu", (unsigned long long)serial);
	return false;
}
