/* decision.c - THE WALK: start -> plan -> (the store) -> verdict. */
#include "decision.h"

#include "clock.h"
#include "log.h"
#include "newcap.h"
#include "stats.h"

static void settle(struct decision *decision, const struct answer *answer);

static int64_t
time_of(const struct engine *engine, const struct query *query)
{
	uint64_t test_time_s;
	if (engine->test_clock && slice_to_u64(query->test_time, INT32_MAX, &test_time_s))
		return (int64_t)test_time_s;
	return clock_wall_s();
}

static int64_t
newcap_clock_ms(const struct decision *decision)
{
	return decision->engine->test_clock ? decision->now_s * 1000
	                                    : loop_now_ms(decision->engine->loop);
}

/* On the loop, in the turn after the start: nothing had to be asked. */
static void
on_later(void *arg)
{
	struct decision *decision = arg;
	const struct answer down = {.status = STORE_DOWN};
	settle(decision, decision->plan.ask ? &down : NULL);
}

static void
on_answer(void *arg, const struct answer *answer)
{
	struct decision *decision = arg;
	struct engine *engine = decision->engine;
	decision->job = NULL;
	if (answer->status == STORE_OK && answer->grey.answer == GREY_IS_NEW)
		newcap_take(engine->newcap, &decision->ask.identity,
		            &decision->conf->greylist.new_triplets,
		            newcap_clock_ms(decision));
	settle(decision, answer);
}

static void
ask_store(struct decision *decision, const struct key_secret *secret)
{
	struct engine *engine = decision->engine;
	struct conf *conf = decision->conf;
	decision->ask = plan_ask(conf, &decision->plan, secret);
	decision->ask.now_s = engine->test_clock ? decision->now_s : 0;
	decision->ask.may_store =
		newcap_has_room(engine->newcap, &decision->ask.identity,
	                        &conf->greylist.new_triplets, newcap_clock_ms(decision));
	decision->job = store_ask(engine->store, &decision->ask, on_answer, decision);
}

void
decision_start(struct decision *decision, struct engine *engine,
               const struct query *query, struct arena *arena, decision_fn *fn, void *arg)
{
	*decision = (struct decision){.engine = engine,
	                              .conf = conf_ref(engine->conf),
	                              .query = query,
	                              .arena = arena,
	                              .fn = fn,
	                              .arg = arg,
	                              .now_s = time_of(engine, query),
	                              .started_us = clock_mono_us()};
	plan_make(decision->conf, query, decision->now_s, arena, &decision->plan);
	const struct key_secret *secret = store_secret(engine->store);
	if (decision->plan.ask && secret) {
		ask_store(decision, secret);
		return;
	}
	decision->later = (struct task){.fn = on_later, .arg = decision};
	loop_defer(engine->loop, &decision->later);
}

void
decision_cancel(struct decision *decision)
{
	if (!decision->conf)
		return;
	store_abandon(decision->engine->store, &decision->job);
	loop_undefer(decision->engine->loop, &decision->later);
	conf_unref(&decision->conf);
}

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
log_verdict(const struct decision *decision, const struct verdict *verdict,
            const struct answer *answer)
{
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
	if (answer && answer->status != STORE_OK)
		log_word(&rec, "store", store_status_word(answer->status));
	if (answer)
		log_int(&rec, "store_us", clock_mono_us() - decision->started_us);
	log_word(&rec, "id", verdict->id);
	log_send(&rec);
}

static void
count_verdict(const struct decision *decision, const struct verdict *verdict)
{
	stats_add(verdict->action == VERDICT_DEFER ? STAT_VERDICT_DEFER
	                                           : STAT_VERDICT_ACCEPT,
	          1);
	if (verdict->observed)
		stats_add(STAT_VERDICT_OBSERVED, 1);
	if (decision->plan.why == WHY_NO_CLIENT_ADDRESS)
		stats_add(STAT_POLICY_NO_CLIENT_ADDRESS, 1);
}

static void
settle(struct decision *decision, const struct answer *answer)
{
	struct verdict verdict;
	verdict_make(decision->conf, &decision->plan, answer,
	             decision->engine->next_serial++, decision->arena, &verdict);
	log_verdict(decision, &verdict, answer);
	count_verdict(decision, &verdict);
	conf_unref(&decision->conf);
	decision->fn(decision->arg, &verdict);
}
