/* overriding.c - the overrides of the operator, as weirctl reads and names them. */
#include "overriding.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "audit.h"
#include "base/clock.h"
#include "base/hostname.h"
#include "base/nearest.h"
#include "books/status.h"
#include "conf/member.h"
#include "conf/schema.h"
#include "everybody.h"
#include "rules/identity.h"
#include "rules/limit.h"
#include "rules/mailaddr.h"

/* ---- destinations ---- */

const struct conf_destination *
overriding_configured(const struct conf *conf, struct slice name)
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
overriding_destination(const struct conf *conf, const char *given,
                       struct override *override)
{
	struct slice name = slice_trim(slice_of(given));
	const struct conf_destination *known = overriding_configured(conf, name);
	struct err err;
	if (!known && !is_plausible(conf, name))
		return fail_unknown(conf, given);
	/* What may be a domain is kept, since it may come to another destination. */
	if (known && !is_plausible(conf, name))
		name = slice_of(known->name);
	if (!override_set_name(override, name, &err))
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
overriding_limited(const struct conf *conf, const char *given, struct override *override)
{
	enum limit_scope scope = override_scope(override->kind);
	bool of_mail = scope == SCOPE_SENDER || scope == SCOPE_MAILBOX;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	bool set = override_set_name(override,
	                             limited_name(conf, scope,
	                                          slice_trim(slice_of(given)), &arena),
	                             &err);
	arena_free(&arena);
	if (!set)
		return ctl_fail(EX_USAGE, "--%s: %s", limit_scope_word(scope), err.text);
	if (of_mail && !strchr(override->name, '@') &&
	    !sharing_group(conf, scope, slice_of(override->name)))
		return ctl_fail(
			EX_USAGE,
			"--%s: \"%.100s\" is neither an address nor the name of a "
			"group with shared = true",
			limit_scope_word(scope), given);
	return EX_OK;
}

bool
overriding_is_same(const struct conf *conf, const struct override *override,
                   const struct override *like)
{
	struct slice name;
	if (override->kind != like->kind)
		return false;
	if (strcmp(override->name, like->name) == 0)
		return true;
	if (!override_is_of_destination(override->kind))
		return false;
	const struct conf_destination *known = override_meant(like, conf, &name);
	return name.n > 0 && override_is_about(override, conf, known, name);
}

/* ---- what was perhaps meant ---- */

const char *
overriding_nearest(const struct conf *conf, const struct overrides *overrides,
                   const struct override *like)
{
	struct nearest nearest;
	nearest_start(&nearest, slice_of(like->name));
	for (size_t i = 0; i < overrides_count(overrides); i++) {
		const struct override *override = overrides_at(overrides, i);
		if (override->kind != like->kind)
			continue;
		nearest_offer(&nearest, override->name);
		if (override_is_of_destination(override->kind)) {
			const struct conf_destination *known =
				destination_named(conf, slice_of(override->name));
			if (known)
				offer_domains(known, &nearest);
		}
	}
	return nearest.name;
}

/* ---- warnings ---- */

/* A domain nobody configured is its own destination; but it may be mistyped. */
static void
warn_of_unknown(const struct conf *conf, const struct override *override)
{
	const struct conf_destination *meant = NULL;
	struct nearest nearest;
	if (overriding_configured(conf, slice_of(override->name)))
		return;
	nearest_start(&nearest, slice_of(override->name));
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
		         override->name, nearest.name, meant->name);
}

static bool
is_any_alive(const struct conf *conf, struct history *history, int64_t now_s)
{
	json_t *status = status_build(conf, history, NULL, now_s);
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
	ctl_fail(0, "warning: greylist.mode is \"%s\": greylisting defers nothing",
	         conf->greylist.mode == MODE_OFF ? "off" : "observe");
}

static void
warn_of_everybody(const struct override *override)
{
	if (override_covers_everybody(override))
		ctl_fail(0, "warning: this lets everybody in: nothing is %s",
		         override->no_limits ? "greylisted or limited" : "greylisted");
}

/* The limit in the settings of which the override sets a bound. */
static const struct conf_limit *
configured_limit(const struct conf *conf, const struct override *override)
{
	enum limit_scope scope = override_scope(override->kind);
	struct slice name = slice_of(override->name);
	const struct conf_groups *groups = limit_groups(conf, scope);
	const struct conf_destination *known =
		scope == SCOPE_DESTINATION ? overriding_configured(conf, name) : NULL;
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
warn_of_limit(const struct conf *conf, const struct override *override)
{
	enum limit_scope scope = override_scope(override->kind);
	const char *word = limit_scope_word(scope);
	const struct conf_group *group =
		sharing_group(conf, scope, slice_of(override->name));
	if (scope == SCOPE_DESTINATION)
		warn_of_unknown(conf, override);
	if (configured_limit(conf, override)->mode == MODE_OBSERVE)
		ctl_fail(
			0,
			"warning: the mode of this %s's limit is \"observe\": it defers nothing",
			word);
	if (group && strcasecmp(group->name, override->name) != 0)
		ctl_fail(
			0,
			"warning: %s is counted together with others, so this override has no effect; name the group: --%s %s",
			override->name, word, group->name);
}

void
overriding_warn(const struct conf *conf, struct history *history,
                const struct override *override, int64_t now_s)
{
	switch (override->kind) {
	case OVERRIDE_ALLOW_CLIENT:
	case OVERRIDE_ALLOW_SENDER:
	case OVERRIDE_ALLOW_RECIPIENT:
		warn_of_everybody(override);
		warn_of_greylist(conf);
		break;
	case OVERRIDE_DRAIN: warn_of_unknown(conf, override); break;
	case OVERRIDE_ALLOW_USER:
	case OVERRIDE_DRAIN_USER: break;
	case OVERRIDE_LIMIT:
	case OVERRIDE_KINDS: break;
	}
	if (override_is_limit(override->kind))
		warn_of_limit(conf, override);
	if (!conf->milter.enforce)
		ctl_fail(0,
		         "warning: milter.enforce is false: weir-milter defers nothing");
	if (!is_any_alive(conf, history, now_s))
		ctl_fail(0, "warning: no daemon is alive to see this override");
}

void
overriding_log(const struct ctl *ctl, const char *event, const struct override *override)
{
	char buf[RATES_TEXT_MAX];
	struct text limit = TEXT(buf);
	struct log_record rec;
	audit_start(&rec, ctl, event);
	log_word(&rec, "kind", override_kind_word(override->kind));
	log_slice(&rec, "name", slice_of(override->name));
	override_print_limit(override, &limit);
	if (override_is_limit(override->kind) && override->until_s > 0)
		log_slice(&rec, "limit", text_slice(&limit));
	if (override->no_limits)
		log_word(&rec, "limits", "false");
	if (override->until_s > 0)
		log_int(&rec, "until", override->until_s);
	audit_send(&rec);
}
