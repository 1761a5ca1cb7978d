/* plan.c - lists and exemptions, then what to ask of the store. */
#include "rules/plan.h"

#include "rules/mailaddr.h"

/* ---- exemptions ---- */

static bool
is_authenticated(const struct conf *conf, const struct overrides *overrides,
                 const struct query *query, struct plan *plan)
{
	(void)conf, (void)overrides, (void)plan;
	return query->sasl_username.n > 0;
}

static bool
is_of_own_network(const struct conf *conf, const struct overrides *overrides,
                  const struct query *query, struct plan *plan)
{
	(void)overrides, (void)query;
	return list_has_client(conf->own_networks, &plan->client, (struct slice){0},
	                       plan->now_s, &plan->hit);
}

static bool
is_private(const struct conf *conf, const struct overrides *overrides,
           const struct query *query, struct plan *plan)
{
	(void)overrides, (void)query;
	return conf->greylist.exempt_private && addr_is_private(&plan->client);
}

static bool
is_certificate_known(const struct conf *conf, const struct overrides *overrides,
                     const struct query *query, struct plan *plan)
{
	(void)overrides, (void)plan;
	for (size_t i = 0; i < conf->lists.certificates.n; i++) {
		struct slice known = slice_of(conf->lists.certificates.v[i]);
		if (slice_eq_nocase(known, query->ccert_fingerprint) ||
		    slice_eq_nocase(known, query->ccert_pubkey_fingerprint))
			return true;
	}
	return false;
}

static bool
is_client_listed(const struct conf *conf, const struct overrides *overrides,
                 const struct query *query, struct plan *plan)
{
	(void)overrides;
	return list_has_client(conf->allowed_clients, &plan->client, query->client_name,
	                       plan->now_s, &plan->hit);
}

static bool
is_sender_listed(const struct conf *conf, const struct overrides *overrides,
                 const struct query *query, struct plan *plan)
{
	(void)overrides;
	return list_has_mail(conf->allowed_senders, query->sender, plan->now_s,
	                     &plan->hit);
}

static bool
is_recipient_listed(const struct conf *conf, const struct overrides *overrides,
                    const struct query *query, struct plan *plan)
{
	(void)overrides;
	return list_has_mail(conf->allowed_recipients, query->recipient, plan->now_s,
	                     &plan->hit);
}

static bool
is_client_overridden(const struct conf *conf, const struct overrides *overrides,
                     const struct query *query, struct plan *plan)
{
	(void)conf;
	plan->override = overrides_client(overrides, &plan->client, query->client_name,
	                                  plan->now_s, false);
	return plan->override;
}

static bool
is_sender_overridden(const struct conf *conf, const struct overrides *overrides,
                     const struct query *query, struct plan *plan)
{
	(void)conf;
	plan->override = overrides_mail(overrides, OVERRIDE_ALLOW_SENDER, query->sender,
	                                plan->now_s, false);
	return plan->override;
}

static bool
is_recipient_overridden(const struct conf *conf, const struct overrides *overrides,
                        const struct query *query, struct plan *plan)
{
	(void)conf;
	plan->override = overrides_mail(overrides, OVERRIDE_ALLOW_RECIPIENT,
	                                query->recipient, plan->now_s, false);
	return plan->override;
}

static const struct {
	enum why why;
	bool (*applies)(const struct conf *conf, const struct overrides *overrides,
	                const struct query *query, struct plan *plan);
} exemptions[] = {
	{WHY_AUTHENTICATED, is_authenticated},
	{WHY_OWN_NETWORK, is_of_own_network},
	{WHY_PRIVATE_NETWORK, is_private},
	{WHY_CERTIFICATE, is_certificate_known},
	{WHY_LIST_CLIENT, is_client_listed},
	{WHY_LIST_SENDER, is_sender_listed},
	{WHY_LIST_RECIPIENT, is_recipient_listed},
	{WHY_OVERRIDE_CLIENT, is_client_overridden},
	{WHY_OVERRIDE_SENDER, is_sender_overridden},
	{WHY_OVERRIDE_RECIPIENT, is_recipient_overridden},
};

_Static_assert(COUNT_OF(exemptions) == PLAN_EXEMPTIONS, "as many as the header says");

enum why
plan_exemption(size_t position)
{
	return exemptions[position].why;
}

bool
plan_is_exempt(const struct conf *conf, const struct overrides *overrides,
               const struct query *query, size_t position, struct plan *plan)
{
	return exemptions[position].applies(conf, overrides, query, plan);
}

static bool
is_exempt(const struct conf *conf, const struct overrides *overrides,
          const struct query *query, struct plan *plan)
{
	for (size_t i = 0; i < PLAN_EXEMPTIONS; i++) {
		if (!plan_is_exempt(conf, overrides, query, i, plan))
			continue;
		plan->why = exemptions[i].why;
		return true;
	}
	return false;
}

/* ---- the greylist gate ---- */

/*
 * Recipients are judged at RCPT; the null sender at DATA, since callouts that end before it
 * must not be disturbed (RFC 6647 4.2).
 */
static bool
is_judged_here(const struct query *query, struct plan *plan)
{
	bool null_sender = query->sender.n == 0;
	if (query->stage == STAGE_RCPT && null_sender)
		plan->why = WHY_NULL_SENDER;
	else if (query->stage == STAGE_RCPT && query->recipient.n > 0)
		return true;
	else if (query->stage == STAGE_DATA && null_sender)
		return true;
	else
		plan->why = WHY_NOT_JUDGED;
	return false;
}

void
plan_find_identity(const struct conf *conf, const struct query *query,
                   struct arena *arena, struct plan *plan)
{
	if (plan->identity.text.n == 0 && plan->client.family != ADDR_NONE)
		plan->identity = identity_find(conf, &plan->client, query->client_name,
		                               plan->now_s, arena);
}

void
plan_find_triplet(const struct conf *conf, const struct query *query, struct arena *arena,
                  struct plan *plan)
{
	plan_find_identity(conf, query, arena, plan);
	plan->sender = mailaddr_fold_sender(query->sender, arena);
	plan->recipient = mailaddr_fold_recipient(query->recipient, arena);
}

static void
plan_greylist(const struct conf *conf, const struct overrides *overrides,
              const struct query *query, struct arena *arena, struct plan *plan)
{
	if (plan->greylist_mode == MODE_OFF) {
		plan->why = WHY_OFF;
		return;
	}
	if (!is_judged_here(query, plan))
		return;
	if (plan->client.family == ADDR_NONE) {
		plan->why = WHY_NO_CLIENT_ADDRESS;
		return;
	}
	if (is_exempt(conf, overrides, query, plan))
		return;
	plan->ask = true;
	plan_find_triplet(conf, query, arena, plan);
}

/* ---- the limits gate ---- */

/* Lists skip greylisting only, unless an entry says limits=false. */
static bool
is_listed_unlimited(const struct conf *conf, const struct query *query, struct plan *plan)
{
	struct list_hit *hit = &plan->unlimited_hit;
	return list_has_client(conf->unlimited_clients, &plan->client, query->client_name,
	                       plan->now_s, hit) ||
	       list_has_mail(conf->unlimited_senders, query->sender, plan->now_s, hit) ||
	       list_has_mail(conf->unlimited_recipients, query->recipient, plan->now_s,
	                     hit);
}

/* Exempt by an override that says so, too. */
static bool
is_overridden_unlimited(const struct overrides *overrides, const struct query *query,
                        struct plan *plan)
{
	const struct override *override =
		overrides_client(overrides, &plan->client, query->client_name,
	                         plan->now_s, true);
	if (!override)
		override = overrides_mail(overrides, OVERRIDE_ALLOW_SENDER, query->sender,
		                          plan->now_s, true);
	if (!override)
		override = overrides_mail(overrides, OVERRIDE_ALLOW_RECIPIENT,
		                          query->recipient, plan->now_s, true);
	if (!override)
		override = overrides_named(overrides, OVERRIDE_ALLOW_USER,
		                           query->sasl_username, plan->now_s);
	plan->unlimited_override = override;
	return override;
}

/* What a recipient takes is asked for at RCPT, whoever sends: its delivery begins there. */
static void
plan_limits(const struct conf *conf, const struct overrides *overrides,
            const struct query *query, struct arena *arena, struct plan *plan)
{
	if ((query->stage != STAGE_RCPT && query->stage != STAGE_RCPT_REFUSED) ||
	    query->recipient.n == 0 || is_listed_unlimited(conf, query, plan) ||
	    (query->stage == STAGE_RCPT &&
	     is_overridden_unlimited(overrides, query, plan)))
		return;
	plan->message_recipients = conf->limits.message_recipients;
	if (limit_is_set(&conf->limits.clients) ||
	    overrides_limit(overrides, SCOPE_CLIENT))
		plan_find_identity(conf, query, arena, plan);
	plan->n_limits = limits_find(conf, overrides, query, plan->identity.text,
	                             plan->now_s, arena, plan->limits);
}

/* Whoever sends: the destination takes nothing now; or wherever to: the user's mail has to wait. */
static bool
is_drained(const struct conf *conf, const struct overrides *overrides,
           const struct query *query, const struct conf_destination *known,
           struct plan *plan)
{
	enum why why = WHY_DRAINED;
	if (plan->destination.n > 0)
		plan->override =
			overrides_destination(overrides, conf, OVERRIDE_DRAIN, known,
		                              plan->destination, plan->now_s);
	if (!plan->override) {
		why = WHY_USER_DRAINED;
		plan->override = overrides_named(overrides, OVERRIDE_DRAIN_USER,
		                                 query->sasl_username, plan->now_s);
	}
	if (plan->override)
		plan->why = why;
	return plan->override;
}

void
plan_make(const struct conf *conf, const struct overrides *overrides,
          const struct query *query, int64_t now_s, struct arena *arena,
          struct plan *plan_out)
{
	struct plan *plan = plan_out;
	const struct conf_destination *destination;
	*plan = (struct plan){.now_s = now_s};
	if (!addr_parse(query->client_address, &plan->client))
		plan->client.family = ADDR_NONE;
	plan->destination = limit_destination(conf, query, &destination);
	plan->shown = plan->destination;
	plan->configured = destination != NULL;
	if (!destination && conf->limits.destinations_by == BY_NEXTHOP)
		plan->shown = mailaddr_domain(query->recipient);
	plan->greylist_mode = destination && destination->has_greylist
	                              ? destination->greylist
	                              : conf->greylist.mode;
	if (query->stage == STAGE_RCPT &&
	    is_drained(conf, overrides, query, destination, plan))
		return;
	plan_greylist(conf, overrides, query, arena, plan);
	plan_limits(conf, overrides, query, arena, plan);
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
