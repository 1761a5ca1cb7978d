/* plan.c - what each gate makes of settings and facts, and what it has to ask. */
#include "rules/plan.h"

#include "rules/mailaddr.h"

/* ---- the reasons, in the order in which they are tried ---- */

static const struct {
	enum why why;
	enum override_kind by; /* of those that an override gives */
} reasons[] = {
	{WHY_DRAINED, OVERRIDE_DRAIN},
	{WHY_USER_DRAINED, OVERRIDE_DRAIN_USER},

#define FIRST_EXEMPTION 2
	{.why = WHY_OFF},
	{.why = WHY_NULL_SENDER},
	{.why = WHY_NOT_JUDGED},
	{.why = WHY_NO_CLIENT_ADDRESS},
	{.why = WHY_AUTHENTICATED},
	{.why = WHY_OWN_NETWORK},
	{.why = WHY_PRIVATE_NETWORK},
	{.why = WHY_CERTIFICATE},
	{.why = WHY_LIST_CLIENT},
	{.why = WHY_LIST_SENDER},
	{.why = WHY_LIST_RECIPIENT},
	{WHY_OVERRIDE_CLIENT, OVERRIDE_ALLOW_CLIENT},
	{WHY_OVERRIDE_SENDER, OVERRIDE_ALLOW_SENDER},
	{WHY_OVERRIDE_RECIPIENT, OVERRIDE_ALLOW_RECIPIENT},
};

_Static_assert(COUNT_OF(reasons) == PLAN_REASONS, "as many as the header says");

enum why
plan_reason(size_t position)
{
	return reasons[position].why;
}

static bool
is_certificate_known(const struct conf_texts *certificates, const struct query *query)
{
	for (size_t i = 0; i < certificates->n; i++) {
		struct slice known = slice_of(certificates->v[i]);
		if (slice_eq_nocase(known, query->ccert_fingerprint) ||
		    slice_eq_nocase(known, query->ccert_pubkey_fingerprint))
			return true;
	}
	return false;
}

/* `no_limits`: only one that exempts from limits, too. */
static const struct override *
find_override(const struct facts *facts, const struct plan *plan, enum override_kind kind,
              bool no_limits)
{
	const struct overrides *overrides = facts->overrides;
	const struct query *query = facts->query;
	int64_t now_s = plan->now_s;
	switch (kind) {
	case OVERRIDE_DRAIN:
		return plan->destination.n == 0
		               ? NULL
		               : overrides_destination(overrides, facts->conf, kind,
		                                       plan->known, plan->destination,
		                                       now_s);
	case OVERRIDE_ALLOW_CLIENT:
		return overrides_client(overrides, &plan->client, query->client_name,
		                        now_s, no_limits);
	case OVERRIDE_ALLOW_SENDER:
		return overrides_mail(overrides, kind, query->sender, now_s, no_limits);
	case OVERRIDE_ALLOW_RECIPIENT:
		return overrides_mail(overrides, kind, query->recipient, now_s,
		                      no_limits);
	default: return overrides_named(overrides, kind, query->sasl_username, now_s);
	}
}

/*
 * Recipients are judged at RCPT; the null sender at DATA, since callouts that end before it
 * must not be disturbed (RFC 6647 4.2).
 */
static bool
is_judged(const struct query *query)
{
	return query->stage == STAGE_DATA
	               ? query->sender.n == 0
	               : query->stage == STAGE_RCPT && query->recipient.n > 0;
}

/* Whether the reason does; then hit or override of the plan tell by what. */
static bool
applies(size_t position, const struct facts *facts, struct plan *plan)
{
	const struct conf *conf = facts->conf;
	const struct query *query = facts->query;
	const struct addr *client = &plan->client;
	int64_t now_s = plan->now_s;
	switch (reasons[position].why) {
	case WHY_OFF: return plan->greylist_mode == MODE_OFF;
	case WHY_NULL_SENDER: return query->stage == STAGE_RCPT && query->sender.n == 0;
	case WHY_NOT_JUDGED: return !is_judged(query);
	case WHY_NO_CLIENT_ADDRESS: return client->family == ADDR_NONE;
	case WHY_AUTHENTICATED: return query->sasl_username.n > 0;
	case WHY_OWN_NETWORK:
		return list_has_client(conf->own_networks, client, (struct slice){0},
		                       now_s, &plan->hit);
	case WHY_PRIVATE_NETWORK:
		return conf->greylist.exempt_private && addr_is_private(client);
	case WHY_CERTIFICATE:
		return is_certificate_known(&conf->lists.certificates, query);
	case WHY_LIST_CLIENT:
		return list_has_client(conf->allowed_clients, client, query->client_name,
		                       now_s, &plan->hit);
	case WHY_LIST_SENDER:
		return list_has_mail(conf->allowed_senders, query->sender, now_s,
		                     &plan->hit);
	case WHY_LIST_RECIPIENT:
		return list_has_mail(conf->allowed_recipients, query->recipient, now_s,
		                     &plan->hit);
	default: break;
	}
	plan->override = find_override(facts, plan, reasons[position].by, false);
	return plan->override;
}

/* Whether one of those from `first` on, before `end`, applies. */
static bool
has_reason(const struct facts *facts, size_t first, size_t end, struct plan *plan)
{
	size_t i = first;
	while (i < end && !applies(i, facts, plan))
		i++;
	if (i < end)
		plan->why = reasons[i].why;
	return i < end;
}

/* ---- the gates, in their order ---- */

void
plan_begin(const struct facts *facts, struct plan *plan_out)
{
	struct plan *plan = plan_out;
	const struct conf *conf = facts->conf;
	*plan = (struct plan){.now_s = facts->now_s};
	if (!addr_parse(facts->query->client_address, &plan->client))
		plan->client.family = ADDR_NONE;
	plan->destination = limit_destination(conf, facts->query, &plan->known);
	plan->shown = plan->destination;
	plan->configured = plan->known != NULL;
	if (!plan->known && conf->limits.destinations_by == BY_NEXTHOP)
		plan->shown = mailaddr_domain(facts->query->recipient);
	plan->greylist_mode = plan->known && plan->known->has_greylist
	                              ? plan->known->greylist
	                              : conf->greylist.mode;
}

enum planned
plan_drained(const struct facts *facts, struct plan *plan)
{
	return facts->query->stage == STAGE_RCPT &&
	                       has_reason(facts, 0, FIRST_EXEMPTION, plan)
	               ? PLANNED_LAST
	               : PLANNED_TO_PASS;
}

/* Lists and overrides skip greylisting only, unless an entry or the override says more. */
static bool
is_unlimited(const struct facts *facts, struct plan *plan)
{
	const struct conf *conf = facts->conf;
	const struct query *query = facts->query;
	struct list_hit *hit = &plan->unlimited_hit;
	if (list_has_client(conf->unlimited_clients, &plan->client, query->client_name,
	                    plan->now_s, hit) ||
	    list_has_mail(conf->unlimited_senders, query->sender, plan->now_s, hit) ||
	    list_has_mail(conf->unlimited_recipients, query->recipient, plan->now_s, hit))
		return true;

	static const enum override_kind kinds[] = {OVERRIDE_ALLOW_CLIENT,
	                                           OVERRIDE_ALLOW_SENDER,
	                                           OVERRIDE_ALLOW_RECIPIENT,
	                                           OVERRIDE_ALLOW_USER};

	for (size_t i = 0; i < COUNT_OF(kinds) && query->stage == STAGE_RCPT &&
	                   !plan->unlimited_override;
	     i++)
		plan->unlimited_override = find_override(facts, plan, kinds[i], true);
	return plan->unlimited_override;
}

/* From greylisting and from limits, each for itself.  Room is asked for at RCPT, whoever sends. */
enum planned
plan_exempt(const struct facts *facts, struct plan *plan)
{
	enum stage stage = facts->query->stage;
	plan->ask = !has_reason(facts, FIRST_EXEMPTION, PLAN_REASONS, plan);
	plan->limited = (stage == STAGE_RCPT || stage == STAGE_RCPT_REFUSED) &&
	                facts->query->recipient.n > 0 && !is_unlimited(facts, plan);
	return PLANNED_TO_PASS;
}

void
plan_find_identity(const struct facts *facts, struct plan *plan)
{
	if (plan->identity.text.n == 0 && plan->client.family != ADDR_NONE)
		plan->identity = identity_find(facts->conf, &plan->client,
		                               facts->query->client_name, plan->now_s,
		                               facts->arena);
}

void
plan_find_triplet(const struct facts *facts, struct plan *plan)
{
	plan_find_identity(facts, plan);
	plan->sender = mailaddr_fold_sender(facts->query->sender, facts->arena);
	plan->recipient = mailaddr_fold_recipient(facts->query->recipient, facts->arena);
}

enum planned
plan_greylist(const struct facts *facts, struct plan *plan)
{
	if (plan->ask)
		plan_find_triplet(facts, plan);
	return plan->ask ? PLANNED_TO_ASK : PLANNED_TO_PASS;
}

/* What the MTA has refused takes no room. */
static enum planned
ask_room(const struct facts *facts, bool bounded)
{
	return bounded && facts->query->stage == STAGE_RCPT ? PLANNED_TO_ASK
	                                                    : PLANNED_TO_PASS;
}

enum planned
plan_message(const struct facts *facts, struct plan *plan)
{
	if (plan->limited)
		plan->message_recipients = facts->conf->limits.message_recipients;
	return ask_room(facts, plan->message_recipients > 0);
}

enum planned
plan_limits(const struct facts *facts, struct plan *plan)
{
	const struct conf *conf = facts->conf;
	if (!plan->limited)
		return PLANNED_TO_PASS;
	if (limit_is_set(&conf->limits.clients) ||
	    overrides_limit(facts->overrides, SCOPE_CLIENT))
		plan_find_identity(facts, plan);
	plan->n_limits =
		limits_find(conf, facts->overrides, facts->query, plan->identity.text,
	                    plan->now_s, facts->arena, plan->limits);
	return ask_room(facts, plan->n_limits > 0);
}

const struct limit_of *
plan_limit_of(const struct plan *plan, const struct limit_use *use)
{
	const struct limit_of *found = &plan->limits[0];
	for (size_t i = 1; i < plan->n_limits; i++)
		if (plan->limits[i].scope == use->scope)
			found = &plan->limits[i];
	return found;
}

struct grey_rules
plan_rules(const struct conf *conf)
{
	return (struct grey_rules){
		.delay_s = conf->greylist.delay_ms / 1000,
		.retry_window_s = conf->greylist.retry_window_ms / 1000,
		.lifetime_s = conf->greylist.lifetime_ms / 1000,
		.allow_client_after = conf->greylist.allow_client_after,
	};
}

void
plan_ask(const struct conf *conf, const struct plan *plan,
         const struct key_secret *secret, struct ask *ask_out)
{
	ask_out->kind = ASK_GREYLIST;
	ask_out->identity = key_identity(secret, plan->identity.text);
	ask_out->triplet =
		key_triplet(secret, plan->identity.text, plan->sender, plan->recipient);
	ask_out->rules = plan_rules(conf);
	ask_out->may_store = true;
	ask_out->is_second = false;
	ask_out->mark = 0;
	ask_out->now_s = 0;
}
