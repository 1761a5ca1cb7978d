/* report.c - a verdict as a line of the log and in the counters. */
#include "report.h"

#include "clock.h"
#include "log.h"
#include "stats.h"

static enum log_level
level_of(const struct verdict *verdict)
{
	bool worth_reading = verdict->action == VERDICT_DEFER || verdict->observed ||
	                     verdict->why == WHY_GREYLIST_PASSED ||
	                     verdict->why == WHY_STORE_FAILURE;
	return worth_reading ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

static void
log_plan(struct log_record *rec, const struct decision *decision)
{
	const struct query *query = decision->query;
	const struct plan *plan = &decision->plan;
	log_slice(rec, "client", query->client_address);
	if (query->client_name.n > 0 && !slice_eq(query->client_name, SLICE("unknown")))
		log_slice(rec, "name", query->client_name);
	if (plan->ask) {
		log_slice(rec, "identity", plan->identity.text);
		log_word(rec, "rung", identity_rung_word(plan->identity.rung));
	}
	log_slice(rec, "sender", query->sender.n > 0 ? query->sender : SLICE("<>"));
	log_slice(rec, "rcpt", query->recipient);
	if (plan->hit.source) {
		char entry[256];
		struct text text = TEXT(entry);
		text_puts(&text, plan->hit.source);
		if (plan->hit.line)
			text_printf(&text, ":%u", plan->hit.line);
		log_slice(rec, "entry", text_slice(&text));
	}
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
}

static void
log_verdict(const struct decision *decision)
{
	const struct verdict *verdict = &decision->verdict;
	struct log_record rec;
	enum log_level level = level_of(verdict);
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
}

void
report_decision(const struct decision *decision)
{
	log_verdict(decision);
	count_verdict(decision);
}
