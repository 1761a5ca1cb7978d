/* limit.c - which limits apply to a recipient, under which keys, and the rule they are judged by. */
#include "rules/limit.h"

#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "conf/member.h"
#include "rules/gcra.h"
#include "rules/mailaddr.h"

const char *
limit_scope_word(enum limit_scope scope)
{
	static const char *const words[SCOPES] = {
		[SCOPE_DESTINATION] = "destination", [SCOPE_CLIENT] = "client",
		[SCOPE_SENDER] = "sender",           [SCOPE_USER] = "user",
		[SCOPE_MAILBOX] = "mailbox",
	};
	return words[scope];
}

const struct conf_limit *
limit_of_others(const struct conf *conf, enum limit_scope scope)
{
	switch (scope) {
	case SCOPE_DESTINATION: return &conf->limits.other;
	case SCOPE_CLIENT: return &conf->limits.clients;
	case SCOPE_SENDER: return &conf->limits.senders;
	case SCOPE_USER: return &conf->limits.users;
	case SCOPE_MAILBOX: return &conf->limits.mailboxes;
	case SCOPES: break;
	}
	return NULL;
}

const struct conf_groups *
limit_groups(const struct conf *conf, enum limit_scope scope)
{
	switch (scope) {
	case SCOPE_SENDER: return &conf->limits.sender_groups;
	case SCOPE_USER: return &conf->limits.user_groups;
	case SCOPE_MAILBOX: return &conf->limits.mailbox_groups;
	case SCOPE_DESTINATION:
	case SCOPE_CLIENT:
	case SCOPES: break;
	}
	return NULL;
}

bool
limit_is_set(const struct conf_limit *limit)
{
	return limit->mode != MODE_OFF &&
	       (limit->concurrency > 0 || limit->messages.n > 0 ||
	        limit->recipients.n > 0);
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

/* The overrides in force of a limit, for each bound; NULL: none. */
struct overridden {
	const struct override *of[LIMIT_KINDS];
};

static void
set_bound(struct conf_limit *limit, const struct override *override)
{
	switch (override_bound(override->kind)) {
	case LIMIT_CONCURRENCY: limit->concurrency = override->limit; return;
	case LIMIT_MESSAGES: limit->messages = override->rates; return;
	case LIMIT_RECIPIENTS: limit->recipients = override->rates; return;
	case LIMIT_KINDS: return;
	}
}

/* Bounds that are off stay off. */
static struct conf_limit *
copy_limit(const struct conf_limit *set, struct arena *arena)
{
	struct conf_limit *limit = arena_take(arena, sizeof(*limit));
	*limit = *set;
	if (limit->mode == MODE_OFF) {
		limit->mode = MODE_ON;
		limit->concurrency = 0;
		limit->messages = limit->recipients = (struct conf_rates){0};
	}
	return limit;
}

/* What is ordered takes the place of what is set. */
static const struct conf_limit *
with_overrides(const struct conf_limit *set, const struct overridden *overridden,
               struct arena *arena)
{
	struct conf_limit *limit = NULL;
	for (int bound = 0; bound < LIMIT_KINDS; bound++) {
		if (!overridden->of[bound])
			continue;
		limit = limit ? limit : copy_limit(set, arena);
		set_bound(limit, overridden->of[bound]);
	}
	return limit ? limit : set;
}

const struct conf_limit *
limit_in_force(const struct conf *conf, const struct overrides *overrides,
               const struct conf_destination *known, struct slice name, int64_t now_s,
               struct arena *arena)
{
	const struct conf_limit *set = known ? &known->limit : &conf->limits.other;
	struct overridden overridden = {0};
	for (int bound = 0; bound < LIMIT_KINDS; bound++)
		overridden.of[bound] =
			overrides_destination(overrides, conf,
		                              override_limit_kind(SCOPE_DESTINATION,
		                                                  (enum limit_kind)bound),
		                              known, name, now_s);
	return with_overrides(set, &overridden, arena);
}

/* What one recipient's limits are found by. */
struct search {
	const struct conf *conf;
	const struct overrides *overrides;
	int64_t now_s;
	struct arena *arena;
	struct limit_of *found;
	size_t n;
};

/* That of a client, sender, user or mailbox, or of a group that shares. */
static void
add_named(struct search *search, enum limit_scope scope, const struct conf_limit *set,
          struct slice name)
{
	struct overridden overridden = {0};
	for (int bound = 0;
	     bound < LIMIT_KINDS && overrides_limit(search->overrides, scope); bound++)
		overridden.of[bound] =
			overrides_named(search->overrides,
		                        override_limit_kind(scope,
		                                            (enum limit_kind)bound),
		                        name, search->now_s);
	add_limit(search->found, &search->n, scope,
	          with_overrides(set, &overridden, search->arena), name);
}

/* That of the group that has the name, else that of all others. */
static void
add_grouped(struct search *search, enum limit_scope scope, struct slice name)
{
	struct slice domain =
		scope == SCOPE_USER ? (struct slice){0} : mailaddr_domain(name);
	const struct conf_group *group =
		group_find(limit_groups(search->conf, scope), name, domain);
	size_t before = search->n;
	add_named(search, scope,
	          group ? &group->limit : limit_of_others(search->conf, scope),
	          group && group->shared ? slice_of(group->name) : name);
	if (search->n == before)
		return;
	search->found[before].group = group;
	search->found[before].shared = group && group->shared;
}

static bool
may_apply(const struct search *search, enum limit_scope scope)
{
	return limit_groups(search->conf, scope)->n > 0 ||
	       limit_is_set(limit_of_others(search->conf, scope)) ||
	       overrides_limit(search->overrides, scope);
}

static void
add_of_destination(struct search *search, const struct query *query)
{
	const struct conf_destination *destination;
	struct slice name = limit_destination(search->conf, query, &destination);
	add_limit(search->found, &search->n, SCOPE_DESTINATION,
	          limit_in_force(search->conf, search->overrides, destination, name,
	                         search->now_s, search->arena),
	          name);
	search->found[0].unnamed = !destination;
}

size_t
limits_find(const struct conf *conf, const struct overrides *overrides,
            const struct query *query, struct slice identity, int64_t now_s,
            struct arena *arena, struct limit_of limits_out[SCOPES])
{
	struct search search = {conf, overrides, now_s, arena, limits_out, 0};
	add_of_destination(&search, query);
	add_named(&search, SCOPE_CLIENT, &conf->limits.clients, identity);
	if (may_apply(&search, SCOPE_SENDER))
		add_grouped(&search, SCOPE_SENDER,
		            mailaddr_mailbox(query->sender, arena));
	if (may_apply(&search, SCOPE_USER))
		add_grouped(&search, SCOPE_USER, query->sasl_username);
	if (may_apply(&search, SCOPE_MAILBOX))
		add_grouped(&search, SCOPE_MAILBOX,
		            mailaddr_mailbox(query->recipient, arena));
	return search.n;
}

/*
 * Names of destinations that nobody configured are kept apart from those of the settings, and those
 * of groups that share from those of their members.  A window that is not the longest is named by its
 * time, so that each goes on when others are added or taken away.
 */
static struct key
key_of(const struct key_secret *secret, const struct limit_of *of, enum limit_kind kind,
       int64_t window_ms)
{
	char buf[40];
	struct text what = TEXT(buf);
	char base = of->shared ? 'A' : '0';
	text_putc(&what, of->unnamed ? 'd' : (char)(base + (int)of->scope));
	text_putc(&what, (char)('0' + (int)kind));
	if (window_ms > 0)
		text_int(&what, window_ms);
	return key_limit(secret, text_slice(&what), of->name);
}

struct key
limit_slots_key(const struct key_secret *secret, bool unnamed, struct slice destination)
{
	const struct limit_of of = {.scope = SCOPE_DESTINATION,
	                            .unnamed = unnamed,
	                            .name = destination};
	return key_of(secret, &of, LIMIT_CONCURRENCY, 0);
}

struct key
limit_use_key(const struct key_secret *secret, const struct limit_use *use,
              const struct limit_of *of)
{
	return key_of(secret, of, use->kind, use->window > 0 ? use->per_ms : 0);
}

static void
add_use(struct limits_ask *ask, const struct limit_of *of, enum limit_kind kind,
        uint8_t window, const struct conf_rate *bound, const struct key_secret *secret)
{
	ask->uses[ask->n++] = (struct limit_use){
		.scope = of->scope,
		.kind = kind,
		.window = window,
		.observed = of->limit->mode == MODE_OBSERVE,
		.count = bound->count,
		.per_ms = bound->per_ms,
		.burst = bound->burst,
		.key = key_of(secret, of, kind, window > 0 ? bound->per_ms : 0),
	};
}

static void
add_rates(struct limits_ask *ask, const struct limit_of *of, enum limit_kind kind,
          const struct conf_rates *rates, const struct key_secret *secret)
{
	for (uint8_t i = 0; i < rates->n; i++)
		add_use(ask, of, kind, i, &rates->v[i], secret);
}

void
limits_uses(const struct limit_of *limits, size_t n, const struct key_secret *secret,
            struct limits_ask *ask)
{
	ask->n = 0;
	for (size_t i = 0; i < n; i++) {
		const struct conf_limit *limit = limits[i].limit;
		const struct conf_rate slots = {.count = limit->concurrency};
		if (slots.count > 0)
			add_use(ask, &limits[i], LIMIT_CONCURRENCY, 0, &slots, secret);
		add_rates(ask, &limits[i], LIMIT_MESSAGES, &limit->messages, secret);
		add_rates(ask, &limits[i], LIMIT_RECIPIENTS, &limit->recipients, secret);
	}
}

/* ---- the rule ---- */

bool
limit_has_room(const struct limit_use *use, const struct limit_fact *fact, int64_t now_us,
               int64_t *wait_ms_out)
{
	const struct conf_rate rate = limit_rate(use);
	*wait_ms_out = 0;
	if (use->kind == LIMIT_CONCURRENCY)
		return fact->has || fact->held < use->count;
	if (fact->noted)
		return true;
	*wait_ms_out = (gcra_wait_us(fact->tat_us, &rate, now_us) + 999) / 1000;
	return *wait_ms_out == 0;
}

bool
limits_judge(const struct limits_ask *ask, size_t i, const struct limit_fact *fact,
             bool is_told, int64_t now_us, struct limits_result *result)
{
	const struct limit_use *use = &ask->uses[i];
	int64_t wait_ms;
	bool room = limit_has_room(use, fact, now_us, &wait_ms);
	if (use->kind == LIMIT_CONCURRENCY && result->held == 0)
		result->held = fact->held + (!fact->has && room);
	if (room && (!fact->noted || ask->takes_over))
		result->taken |= LIMIT_BIT(i); /* unless it was before, by ourselves */
	if (room)
		return true;
	if (!use->observed || (result->refused < 0 && !is_told))
		result->refused = (int)i;
	if (use->observed)
		return true;
	result->granted = false;
	result->taken = 0;
	result->wait_ms = wait_ms;
	return false;
}

bool
limit_renews(const struct limits_ask *ask, const struct limit_use *use,
             const struct limit_fact *fact, struct limits_result *result)
{
	if (!fact->has && ask->only_held)
		return false;
	bool room = fact->has || fact->held < use->count;
	result->lost |= !room;
	result->late |= room && !fact->has;
	return room;
}

void
limits_keep(struct limits_ask *ask, limit_set wanted)
{
	size_t n = 0;
	for (size_t i = 0; i < ask->n; i++)
		if (wanted & LIMIT_BIT(i))
			ask->uses[n++] = ask->uses[i];
	ask->n = n;
}

limit_set
limits_rates(const struct limits_ask *ask)
{
	limit_set rates = 0;
	for (size_t i = 0; i < ask->n; i++)
		if (ask->uses[i].kind != LIMIT_CONCURRENCY)
			rates |= LIMIT_BIT(i);
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
