/* ordering.c - the orders of the operator, as weirctl reads and names them. */
#include "ordering.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "audit.h"
#include "base/clock.h"
#include "base/hostname.h"
#include "base/nearest.h"
#include "books/status.h"
#include "conf/destination.h"
#include "conf/group.h"
#include "conf/schema.h"
#include "everybody.h"
#include "rules/identity.h"
#include "rules/limit.h"
#include "rules/mailaddr.h"

/* ---- destinations ---- */

const struct conf_destination *
ordering_configured(const struct conf *conf, struct slice name)
{
	const struct conf_destination *known = destination_named(conf, name);
	return known || name.n == 0 ? known : destination_find(conf, name);
}

/* A domain, or a next hop such as "[192.0.2.1]:25" where destinations are found by that. */
static bool
is_plausible(const struct conf *conf, struct slice name)
{
	if (slice_find(name, '.') >= 0 && hostname_is_valid(name))
		return true;
	return conf->limits.destinations_by == BY_NEXTHOP &&
	       (slice_find(name, ':') >= 0 || slice_find(name, '[') == 0);
}

static void
offer_domains(const struct conf_destination *destination, struct nearest *nearest)
{
	for (size_t i = 0; i < destination->domains.n; i++)
		nearest_offer(nearest, destination->domains.v[i]);
}

static int
fail_unknown(const struct conf *conf, const char *given)
{
	struct nearest nearest;
	nearest_start(&nearest, slice_of(given));
	for (size_t i = 0; i < conf->limits.n_destinations; i++) {
		nearest_offer(&nearest, conf->limits.destinations[i].name);
		offer_domains(&conf->limits.destinations[i], &nearest);
	}
	if (nearest.name)
		return ctl_fail(
			EX_USAGE,
			"there is no destination \"%.100s\": did you mean \"%s\"?", given,
			nearest.name);
	return ctl_fail(
		EX_USAGE,
		"\"%.100s\" is neither a destination of the settings nor a domain",
		given);
}

int
ordering_destination(const struct conf *conf, const char *given, struct order *order)
{
	struct slice name = slice_trim(slice_of(given));
	const struct conf_destination *known = ordering_configured(conf, name);
	struct err err;
	if (!known && !is_plausible(conf, name))
		return fail_unknown(conf, given);
	/* What may be a domain is kept, since it may come to another destination. */
	if (known && !is_plausible(conf, name))
		name = slice_of(known->name);
	if (!order_set_name(order, name, &err))
		return ctl_fail(EX_USAGE, "%s", err.text);
	return EX_OK;
}

/* ---- whose limits there are else ---- */

/* As limits name it: a client by its identity, a mailbox without an extension. */
static struct slice
limited_name(const struct conf *conf, enum limit_scope scope, struct slice given,
             struct arena *arena)
{
	struct addr addr;
	bool is_address = slice_find(given, '@') >= 0;
	if (scope == SCOPE_CLIENT && addr_parse(given, &addr))
		return identity_find(conf, &addr, SLICE(""), clock_wall_s(), arena).text;
	if (is_address && (scope == SCOPE_SENDER || scope == SCOPE_MAILBOX))
		return mailaddr_mailbox(mailaddr_normal(given, &conf->rewrite, arena),
		                        arena);
	return given;
}

/* The group that shares and has this name, or has it as a member. */
static const struct conf_group *
sharing_group(const struct conf *conf, enum limit_scope scope, struct slice name)
{
	const struct conf_groups *groups = limit_groups(conf, scope);
	for (size_t i = 0; groups && i < groups->n; i++)
		if (groups->v[i].shared &&
		    slice_eq_nocase(slice_of(groups->v[i].name), name))
			return &groups->v[i];
	const struct conf_group *group =
		groups ? group_find(groups, name,
	                            scope == SCOPE_USER ? (struct slice){0}
	                                                : mailaddr_domain(name))
		       : NULL;
	return group && group->shared ? group : NULL;
}

int
ordering_limited(const struct conf *conf, const char *given, struct order *order)
{
	enum limit_scope scope = order_scope(order->kind);
	bool of_mail = scope == SCOPE_SENDER || scope == SCOPE_MAILBOX;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	bool set = order_set_name(order,
	                          limited_name(conf, scope, slice_trim(slice_of(given)),
	                                       &arena),
	                          &err);
	arena_free(&arena);
	if (!set)
		return ctl_fail(EX_USAGE, "--%s: %s", limit_scope_word(scope), err.text);
	if (of_mail && !strchr(order->name, '@') &&
	    !sharing_group(conf, scope, slice_of(order->name)))
		return ctl_fail(
			EX_USAGE,
			"--%s: \"%.100s\" is neither an address nor the name of a "
			"group with shared = true",
			limit_scope_word(scope), given);
	return EX_OK;
}

bool
ordering_is_same(const struct conf *conf, const struct order *order,
                 const struct order *like)
{
	struct slice name;
	if (order->kind != like->kind)
		return false;
	if (strcmp(order->name, like->name) == 0)
		return true;
	if (!order_is_of_destination(order->kind))
		return false;
	const struct conf_destination *known = order_meant(like, conf, &name);
	return name.n > 0 && order_is_about(order, conf, known, name);
}

/* ---- what was perhaps meant ---- */

const char *
ordering_nearest(const struct conf *conf, const struct orders *orders,
                 const struct order *like)
{
	struct nearest nearest;
	nearest_start(&nearest, slice_of(like->name));
	for (size_t i = 0; i < orders_count(orders); i++) {
		const struct order *order = orders_at(orders, i);
		if (order->kind != like->kind)
			continue;
		nearest_offer(&nearest, order->name);
		if (order_is_of_destination(order->kind)) {
			const struct conf_destination *known =
				destination_named(conf, slice_of(order->name));
			if (known)
				offer_domains(known, &nearest);
		}
	}
	return nearest.name;
}

/* ---- warnings ---- */

/* A domain nobody configured is its own destination; but it may be mistyped. */
static void
warn_of_unknown(const struct conf *conf, const struct order *order)
{
	const struct conf_destination *meant = NULL;
	struct nearest nearest;
	if (ordering_configured(conf, slice_of(order->name)))
		return;
	nearest_start(&nearest, slice_of(order->name));
	nearest.best = 3; /* two letters wrong at most, since it may well be meant */
	for (size_t i = 0; i < conf->limits.n_destinations; i++) {
		const char *before = nearest.name;
		offer_domains(&conf->limits.destinations[i], &nearest);
		if (nearest.name != before)
			meant = &conf->limits.destinations[i];
	}
	if (meant)
		ctl_fail(0,
		         "warning: %s is in no destination of the settings; did you mean "
		         "%s (%s)?",
		         order->name, nearest.name, meant->name);
}

static bool
is_any_alive(const struct conf *conf, struct ledger *ledger, int64_t now_s)
{
	json_t *status = status_build(conf, ledger, NULL, now_s);
	const json_t *daemon;
	bool alive = false;
	size_t i;
	json_array_foreach(json_object_get(status, "daemons"), i, daemon) {
		alive = alive || json_is_true(json_object_get(daemon, "alive"));
	}
	json_decref(status);
	return alive;
}

/* Whether some destination is greylisted whatever greylist.mode says. */
static bool
is_greylist_on(const struct conf *conf)
{
	for (size_t i = 0; i < conf->limits.n_destinations; i++)
		if (conf->limits.destinations[i].has_greylist &&
		    conf->limits.destinations[i].greylist == MODE_ON)
			return true;
	return conf->greylist.mode == MODE_ON;
}

static void
warn_of_greylist(const struct conf *conf)
{
	if (is_greylist_on(conf))
		return;
	ctl_fail(0,
	         "warning: greylist.mode is \"%s\": nothing is deferred by greylisting",
	         conf->greylist.mode == MODE_OFF ? "off" : "observe");
}

static void
warn_of_everybody(const struct order *order)
{
	if (order_covers_everybody(order))
		ctl_fail(0, "warning: this lets everybody in: nothing is %s",
		         order->no_limits ? "greylisted or limited" : "greylisted");
}

/* The limit in the settings of which the order sets a bound. */
static const struct conf_limit *
configured_limit(const struct conf *conf, const struct order *order)
{
	enum limit_scope scope = order_scope(order->kind);
	struct slice name = slice_of(order->name);
	const struct conf_groups *groups = limit_groups(conf, scope);
	const struct conf_destination *known =
		scope == SCOPE_DESTINATION ? ordering_configured(conf, name) : NULL;
	const struct conf_group *group = sharing_group(conf, scope, name);
	if (!group && groups)
		group = group_find(groups, name,
		                   scope == SCOPE_USER ? (struct slice){0}
		                                       : mailaddr_domain(name));
	return known   ? &known->limit
	       : group ? &group->limit
	               : limit_of_others(conf, scope);
}

static void
warn_of_limit(const struct conf *conf, const struct order *order)
{
	enum limit_scope scope = order_scope(order->kind);
	const char *word = limit_scope_word(scope);
	const struct conf_group *group =
		sharing_group(conf, scope, slice_of(order->name));
	if (scope == SCOPE_DESTINATION)
		warn_of_unknown(conf, order);
	if (configured_limit(conf, order)->mode == MODE_OBSERVE)
		ctl_fail(0,
		         "warning: the mode of this %s's limit is \"observe\": "
		         "nothing is refused",
		         word);
	if (group && strcasecmp(group->name, order->name) != 0)
		ctl_fail(0,
		         "warning: %s is counted together with others, and this order "
		         "means nothing; name the group: --%s %s",
		         order->name, word, group->name);
}

void
ordering_warn(const struct conf *conf, struct ledger *ledger, const struct order *order,
              int64_t now_s)
{
	switch (order->kind) {
	case ORDER_ALLOW_CLIENT:
	case ORDER_ALLOW_SENDER:
	case ORDER_ALLOW_RECIPIENT:
		warn_of_everybody(order);
		warn_of_greylist(conf);
		break;
	case ORDER_DRAIN: warn_of_unknown(conf, order); break;
	case ORDER_ALLOW_USER:
	case ORDER_DRAIN_USER: break;
	case ORDER_LIMIT:
	case ORDER_KINDS: break;
	}
	if (order_is_limit(order->kind))
		warn_of_limit(conf, order);
	if (!conf->milter.enforce)
		ctl_fail(0,
		         "warning: milter.enforce is false: weir-milter refuses nothing");
	if (!is_any_alive(conf, ledger, now_s))
		ctl_fail(0, "warning: no daemon is alive to see this order");
}

void
ordering_log(const struct ctl *ctl, const char *event, const struct order *order)
{
	char buf[RATES_TEXT_MAX];
	struct text limit = TEXT(buf);
	struct log_record rec;
	audit_start(&rec, ctl, event);
	log_word(&rec, "kind", order_kind_word(order->kind));
	log_slice(&rec, "name", slice_of(order->name));
	order_print_limit(order, &limit);
	if (order_is_limit(order->kind) && order->until_s > 0)
		log_slice(&rec, "limit", text_slice(&limit));
	if (order->no_limits)
		log_word(&rec, "limits", "false");
	if (order->until_s > 0)
		log_int(&rec, "until", order->until_s);
	audit_send(&rec);
}
