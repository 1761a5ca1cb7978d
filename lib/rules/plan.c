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

void
plan_make(const struct conf *conf, const struct query *query, int64_t now_s,
          struct arena *arena, struct plan *plan_out)
{
	struct plan *plan = plan_out;
	*plan = (struct plan){.now_s = now_s};
	if (conf->greylist.mode == MODE_OFF) {
		plan->why = WHY_OFF;
		return;
	}
	if (!is_judged_here(query, plan))
		return;
	if (!addr_parse(query->client_address, &plan->client)) {
		plan->why = WHY_NO_CLIENT_ADDRESS;
		return;
	}
	if (is_exempt(conf, query, now_s, plan))
		return;
	plan->ask = true;
	plan->identity =
		identity_find(conf, &plan->client, query->client_name, now_s, arena);
	plan->sender = mailaddr_fold_sender(query->sender, arena);
	plan->recipient = mailaddr_fold_recipient(query->recipient, arena);
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
		.identity = key_identity(secret, plan->identity.text),
		.triplet = key_triplet(secret, plan->identity.text, plan->sender,
	                               plan->recipient),
		.rules = plan_rules(conf),
		.may_store = true,
	};
}
