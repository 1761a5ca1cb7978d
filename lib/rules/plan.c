/* plan.c - lists and exemptions, then what to ask of the store. */
#include "plan.h"

#include "mailaddr.h"

static bool
is_certificate_known(const struct conf *conf, const struct query *query)
{
	for (size_t i = 0; i < conf->lists.certificates.n; i++) {
		struct slice known = slice_of(conf->lists.certificates.v[i]);
		if (slice_eq_nocase(known, query->ccert_fingerprint) ||
		    slice_eq_nocase(known, query->ccert_pubkey_fingerprint))
			return true;
	}
	return false;
}

/* The exemptions, in the order of the manual; true when one applies. */
static bool
is_exempt(const struct conf *conf, const struct query *query, int64_t now_s,
          struct plan *plan)
{
	if (query->sasl_username.n > 0)
		plan->why = WHY_AUTHENTICATED;
	else if (list_has_client(conf->own_networks, &plan->client, (struct slice){0},
	                         now_s, &plan->hit))
		plan->why = WHY_OWN_NETWORK;
	else if (is_certificate_known(conf, query))
		plan->why = WHY_CERTIFICATE;
	else if (list_has_client(conf->allowed_clients, &plan->client, query->client_name,
	                         now_s, &plan->hit))
		plan->why = WHY_LIST_CLIENT;
	else if (list_has_mail(conf->allowed_senders, query->sender, now_s, &plan->hit))
		plan->why = WHY_LIST_SENDER;
	else if (list_has_mail(conf->allowed_recipients, query->recipient, now_s,
	                       &plan->hit))
		plan->why = WHY_LIST_RECIPIENT;
	else
		return false;
	return true;
}

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

static void
find_identity(const struct conf *conf, const struct query *query, struct arena *arena,
              struct plan *plan)
{
	if (plan->identity.text.n == 0 && plan->client.family != ADDR_NONE)
		plan->identity = identity_find(conf, &plan->client, query->client_name,
		                               plan->now_s, arena);
}

static void
plan_greylist(const struct conf *conf, const struct query *query, struct arena *arena,
              struct plan *plan)
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
	if (is_exempt(conf, query, plan->now_s, plan))
		return;
	plan->ask = true;
	find_identity(conf, query, arena, plan);
	plan->sender = mailaddr_fold_sender(query->sender, arena);
	plan->recipient = mailaddr_fold_recipient(query->recipient, arena);
}

/* Lists skip greylisting only, unless an entry says limits=false. */
static bool
is_unlimited(const struct conf *conf, const struct query *query, const struct plan *plan)
{
	return list_has_client(conf->unlimited_clients, &plan->client, query->client_name,
	                       plan->now_s, NULL) ||
	       list_has_mail(conf->unlimited_senders, query->sender, plan->now_s, NULL) ||
	       list_has_mail(conf->unlimited_recipients, query->recipient, plan->now_s,
	                     NULL);
}

/* What a recipient takes is asked for at RCPT, whoever sends: its delivery begins there. */
static void
plan_limits(const struct conf *conf, const struct query *query, struct arena *arena,
            struct plan *plan)
{
	if ((query->stage != STAGE_RCPT && query->stage != STAGE_RCPT_REFUSED) ||
	    query->recipient.n == 0 || is_unlimited(conf, query, plan))
		return;
	if (limit_is_set(&conf->limits.clients))
		find_identity(conf, query, arena, plan);
	plan->n_limits =
		limits_find(conf, query, plan->identity.text, arena, plan->limits);
}

void
plan_make(const struct conf *conf, const struct query *query, int64_t now_s,
          struct arena *arena, struct plan *plan_out)
{
	struct plan *plan = plan_out;
	const struct conf_destination *destination;
	*plan = (struct plan){.now_s = now_s};
	if (!addr_parse(query->client_address, &plan->client))
		plan->client.family = ADDR_NONE;
	plan->destination = limit_destination(conf, query, arena, &destination);
	plan->shown = plan->destination;
	if (!destination && conf->limits.destinations_by == BY_NEXTHOP)
		plan->shown = mailaddr_domain(query->recipient);
	plan->greylist_mode = destination && destination->has_greylist
	                              ? destination->greylist
	                              : conf->greylist.mode;
	plan_greylist(conf, query, arena, plan);
	plan_limits(conf, query, arena, plan);
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

struct ask
plan_ask(const struct conf *conf, const struct plan *plan,
         const struct key_secret *secret)
{
	return (struct ask){
		.kind = ASK_GREYLIST,
		.identity = key_identity(secret, plan->identity.text),
		.triplet = key_triplet(secret, plan->identity.text, plan->sender,
	                               plan->recipient),
		.rules = plan_rules(conf),
		.may_store = true,
	};
}
