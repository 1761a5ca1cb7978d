/* report.c - a verdict as a line of the log and in the counters. */
#include "report.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "books/recorder.h"
#include "books/tally.h"
#include "conf/list.h"
#include "rules/crowd.h"

/* Somebody may ask why: it goes into the log and into the store. */
static bool
is_worth_keeping(const struct verdict *verdict)
{
	switch (verdict->why) {
	case WHY_GREYLIST_PASSED:
	case WHY_GREYLIST_RELEASED:
	case WHY_STORE_FAILURE:
	case WHY_LIST_CLIENT:
	case WHY_LIST_SENDER:
	case WHY_LIST_RECIPIENT:
	case WHY_OVERRIDE_CLIENT:
	case WHY_OVERRIDE_SENDER:
	case WHY_OVERRIDE_RECIPIENT: return true;
	default: return verdict->action == VERDICT_DEFER || verdict->observed;
	}
}

#define ENTRY_CAP 400

/* What has settled it: an entry of a list, or an override. */
static struct slice
entry_of(const struct plan *plan, char buf[ENTRY_CAP])
{
	struct text text = {.p = buf, .cap = ENTRY_CAP};
	buf[0] = '\0';
	if (plan->hit.source)
		text_puts(&text, plan->hit.source);
	if (plan->hit.source && plan->hit.line)
		text_printf(&text, ":%u", plan->hit.line);
	if (plan->override)
		override_print_name(plan->override, &text);
	return text_slice(&text);
}

static struct slice
sender_of(const struct query *query)
{
	return query->sender.n > 0 ? query->sender : SLICE("<>");
}

/* Confirmed, or empty. */
static struct slice
name_of(const struct query *query)
{
	bool unknown = slice_eq(query->client_name, SLICE("unknown"));
	return unknown ? (struct slice){0} : query->client_name;
}

static void
log_plan(struct log_record *rec, const struct decision *decision)
{
	const struct query *query = &decision->query;
	const struct plan *plan = &decision->plan;
	log_slice(rec, "client", query->client_address);
	if (name_of(query).n > 0)
		log_slice(rec, "name", name_of(query));
	if (plan->ask) {
		log_slice(rec, "identity", plan->identity.text);
		log_word(rec, "identity_by", identity_by_word(plan->identity.by));
	}
	log_slice(rec, "sender", sender_of(query));
	log_slice(rec, "rcpt", query->recipient);
	if (query->queue_id.n > 0)
		log_slice(rec, "queue", query->queue_id);
	if (query->sasl_username.n > 0)
		log_slice(rec, "user", query->sasl_username);
	char entry[ENTRY_CAP];
	struct slice text = entry_of(plan, entry);
	if (text.n > 0)
		log_slice(rec, "entry", text);
}

static void
log_limit(struct log_record *rec, const struct decision *decision)
{
	const struct plan *plan = &decision->plan;
	if (plan->n_limits == 0)
		return;
	if (plan->destination.n > 0)
		log_slice(rec, "destination", plan->destination);
	if (decision->held > 0)
		log_int(rec, "held", decision->held);
	if (decision->verdict.limit.n > 0)
		log_slice(rec, "limit", decision->verdict.limit);
}

static void
log_verdict(const struct decision *decision)
{
	const struct verdict *verdict = &decision->verdict;
	struct log_record rec;
	enum log_level level =
		is_worth_keeping(verdict) ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
	if (!log_wants(level))
		return;
	log_start(&rec, level);
	log_word(&rec, "verdict", verdict->action == VERDICT_DEFER ? "defer" : "accept");
	log_word(&rec, "why", why_word(verdict->why));
	if (verdict->observed)
		log_word(&rec, "observed", "1");
	if (verdict->wait_s > 0)
		log_int(&rec, "wait", verdict->wait_s);
	if (verdict->delayed_s > 0)
		log_int(&rec, "delayed", verdict->delayed_s);
	log_plan(&rec, decision);
	log_limit(&rec, decision);
	if (decision->status != STORE_OK)
		log_word(&rec, "store", store_status_word(decision->status));
	if (decision->asked)
		log_int(&rec, "store_us", clock_mono_us() - decision->started_us);
	log_word(&rec, "id", verdict->id);
	log_send(&rec);
}

static void
count_verdict(const struct decision *decision)
{
	const struct verdict *verdict = &decision->verdict;
	stats_add(verdict->action == VERDICT_DEFER ? STAT_VERDICT_DEFER
	                                           : STAT_VERDICT_ACCEPT,
	          1);
	if (verdict->observed)
		stats_add(STAT_VERDICT_OBSERVED, 1);
	if (decision->plan.why == WHY_NO_CLIENT_ADDRESS)
		stats_add(STAT_POLICY_NO_CLIENT_ADDRESS, 1);
	if (verdict->delayed_s > 0) /* a first pass, whatever a limit then says */
		histogram_add(HISTOGRAM_GREYLIST_DELAY_S, verdict->delayed_s);
	if (decision->asked)
		histogram_add(HISTOGRAM_DECISION_US,
		              clock_mono_us() - decision->started_us);
}

/* ---- what the recorder is told ---- */

/* Also of what a list or an override has let through: an earlier deferral of it finds it by that. */
static void
print_triplet(const struct decision *decision, char triplet[KEY_TEXT_LEN + 1])
{
	const struct key_secret *secret = store_secret(decision->engine->store);
	const struct query *query = &decision->query;
	struct key key = decision->triplet;
	if (!decision->keyed) {
		struct plan plan = decision->plan;
		if (!secret || plan.client.family == ADDR_NONE || query->recipient.n == 0)
			return;
		plan_find_triplet(decision->conf, query, decision->arena, &plan);
		key = key_triplet(secret, plan.identity.text, plan.sender,
		                  plan.recipient);
	}
	key_print(&key, triplet);
}

static void
remember(const struct decision *decision)
{
	const struct query *query = &decision->query;
	const struct plan *plan = &decision->plan;
	const struct verdict *verdict = &decision->verdict;
	char entry[ENTRY_CAP], triplet[KEY_TEXT_LEN + 1] = "";
	print_triplet(decision, triplet);
	bool deferred = verdict->action == VERDICT_DEFER;
	struct decision_line decided = {
		.id = slice_of(verdict->id),
		.at_s = decision->now_s,
		.daemon = slice_of(engine_name(decision->engine->kind)),
		.node = slice_of(decision->conf->node),
		.action = deferred ? SLICE("defer") : SLICE("accept"),
		.observed = verdict->observed,
		.why = slice_of(why_word(verdict->why)),
		.client = query->client_address,
		.name = name_of(query),
		.identity = plan->identity.text,
		.identity_by = slice_of(plan->identity.text.n > 0
	                                        ? identity_by_word(plan->identity.by)
	                                        : ""),
		.sender = sender_of(query),
		.recipient = query->recipient,
		.queue = query->queue_id,
		.destination = plan->destination,
		.entry = entry_of(plan, entry),
		.wait_s = verdict->wait_s,
		.delayed_s = verdict->delayed_s,
		.held = decision->held,
		.store = slice_of(store_status_word(decision->status)),
		.triplet = slice_of(triplet),
		.user = query->sasl_username,
		.limit = verdict->limit,
	};
	if (decision->delivery)
		delivery_remember(decision->delivery, decision->engine, &decided);
	else
		recorder_decision(decision->engine->recorder, &decided);
}

void
report_names(const struct decision *decision)
{
	const struct limits_ask *ask = &decision->ask.limits;
	bool whole = decision->conf->decisions.addresses == ADDRESSES_FULL;
	for (size_t i = 0; i < ask->n; i++) {
		const struct limit_use *use = &ask->uses[i];
		const struct limit_of *of = plan_limit_of(&decision->plan, use);
		if (use->kind != LIMIT_CONCURRENCY ||
		    (use->scope == SCOPE_DESTINATION && !of->unnamed) ||
		    (use->scope >= SCOPE_SENDER && !whole))
			continue;
		char buf[HISTORY_NAME_MAX];
		struct text name = TEXT(buf);
		text_printf(&name, "%s ", limit_scope_word(use->scope));
		text_put(&name, of->name);
		recorder_name(decision->engine->recorder, &use->key, text_slice(&name));
	}
}

/* ---- who hides the clients ---- */

#define CROWD_SAY_S (24 * 60 * 60)

/* Once a day at most, and not of who is named as one's own. */
static void
warn_of_crowd(struct engine *engine, int64_t now_s)
{
	char buf[ADDR_TEXT_MAX];
	struct text text = TEXT(buf);
	const struct crowd *crowd = engine->crowd;
	if (crowd->address.family == ADDR_NONE ||
	    list_has_client(engine->conf->own_networks, &crowd->address,
	                    (struct slice){0}, now_s, NULL) ||
	    !log_ration(&engine->crowd_said_ms, CROWD_SAY_S))
		return;
	addr_print(&crowd->address, &text);
	log_warning(
		"%u%% of the mail comes from %s, a private address: if that is a proxy, NAT or container bridge, weir takes all clients for one; see weirctl doctor",
		crowd->percent, buf);
}

static void
note_client(const struct decision *decision)
{
	struct engine *engine = decision->engine;
	if (decision->query.sasl_username.n == 0 &&
	    crowd_note(engine->crowd, &decision->plan.client))
		warn_of_crowd(engine, decision->now_s);
}

void
report_decision(const struct decision *decision)
{
	log_verdict(decision);
	count_verdict(decision);
	tally_note(decision->engine->tally, &decision->plan, &decision->verdict,
	           decision->held, decision->now_s);
	note_client(decision);
	if (is_worth_keeping(&decision->verdict))
		remember(decision);
}
