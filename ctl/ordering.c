/* ordering.c - the orders of the operator, as weirctl reads and names them. */
#include "ordering.h"

#include <jansson.h>
#include <string.h>
#include <sysexits.h>

#include "audit.h"
#include "destination.h"
#include "everybody.h"
#include "hostname.h"
#include "nearest.h"
#include "status.h"

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

bool
ordering_is_same(const struct conf *conf, const struct order *order,
                 const struct order *like)
{
	struct slice name;
	if (order->kind != like->kind)
		return false;
	if (strcmp(order->name, like->name) == 0)
		return true;
	if (order->kind != ORDER_DRAIN && order->kind != ORDER_LIMIT)
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
		if (order->kind == ORDER_DRAIN || order->kind == ORDER_LIMIT) {
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

static void
warn_of_limit(const struct conf *conf, const struct order *order)
{
	const struct conf_destination *known =
		ordering_configured(conf, slice_of(order->name));
	const struct conf_limit *limit = known ? &known->limit : &conf->limits.other;
	if (limit->mode == MODE_OBSERVE)
		ctl_fail(0,
		         "warning: the mode of this destination's limit is \"observe\": "
		         "nothing is refused");
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
	case ORDER_LIMIT:
		warn_of_unknown(conf, order);
		warn_of_limit(conf, order);
		break;
	case ORDER_DRAIN: warn_of_unknown(conf, order); break;
	case ORDER_ALLOW_USER:
	case ORDER_DRAIN_USER:
	case ORDER_KINDS: break;
	}
	if (!conf->milter.enforce)
		ctl_fail(0,
		         "warning: milter.enforce is false: weir-milter refuses nothing");
	if (!is_any_alive(conf, ledger, now_s))
		ctl_fail(0, "warning: no daemon is alive to see this order");
}

void
ordering_log(const struct ctl *ctl, const char *event, const struct order *order)
{
	struct log_record rec;
	audit_start(&rec, ctl, event);
	log_word(&rec, "kind", order_kind_word(order->kind));
	log_slice(&rec, "name", slice_of(order->name));
	if (order->kind == ORDER_LIMIT && order->until_s > 0)
		log_int(&rec, "limit", order->limit);
	if (order->no_limits)
		log_word(&rec, "limits", "false");
	if (order->until_s > 0)
		log_int(&rec, "until", order->until_s);
	audit_send(&rec);
}
