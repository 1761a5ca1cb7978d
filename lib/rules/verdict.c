/* verdict.c - what each gate's answer makes of the verdict. */
#include "rules/verdict.h"

#include "conf/schema.h"
#include "rules/header.h"

static const struct {
	enum why why;
	enum verdict_action action;
} of_answer[] = {
	[GREY_IS_NEW] = {WHY_GREYLIST_NEW, VERDICT_DEFER},
	[GREY_IS_NEW_UNSTORED] = {WHY_GREYLIST_UNSTORED, VERDICT_DEFER},
	[GREY_IS_EARLY] = {WHY_GREYLIST_EARLY, VERDICT_DEFER},
	[GREY_IS_AGED] = {WHY_GREYLIST_AGED, VERDICT_DEFER},
	[GREY_IS_PASSED_NOW] = {WHY_GREYLIST_PASSED, VERDICT_ACCEPT},
	[GREY_IS_KNOWN] = {WHY_GREYLIST_KNOWN, VERDICT_ACCEPT},
	[GREY_IS_RELEASED] = {WHY_GREYLIST_RELEASED, VERDICT_ACCEPT},
	[GREY_IS_TOLD] = {WHY_NOT_JUDGED, VERDICT_ACCEPT},
	[GREY_IS_CLIENT_ALLOWED] = {WHY_CLIENT_ALLOWED, VERDICT_ACCEPT},
};

_Static_assert(COUNT_OF(of_answer) == GREY_ANSWERS, "one verdict for each answer");

/*
 * Neighbouring serials give ids far apart, and none comes twice in 2^30: multiplying by an
 * odd number permutes the residues of a power of two.
 */
static void
make_id(uint32_t serial, char id_out[VERDICT_ID_LEN + 1])
{
	static const char digits[] =
		"0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's 32 */
	uint32_t bits = serial * UINT32_C(0x2545F491);
	for (int i = VERDICT_ID_LEN - 1; i >= 0; i--, bits >>= 5)
		id_out[i] = digits[bits & 31];
	id_out[VERDICT_ID_LEN] = '\0';
}

/* Fills in %d, %i, %n and %% of a reply's template; `name` is for %n. */
static struct slice
expand(const char *template, const struct verdict *verdict, struct slice name,
       struct arena *arena)
{
	size_t cap = 512; /* RFC 5321 4.5.3.1.5: a reply line is at most 512 octets */
	struct text out = {.p = arena_take(arena, cap), .cap = cap - 2};
	for (const char *p = template; *p; p++) {
		if (*p != '%' || !p[1])
			text_putc(&out, *p);
		else if (*++p == 'd')
			text_int(&out, verdict->wait_s);
		else if (*p == 'i')
			text_puts(&out, verdict->id);
		else if (*p == 'n')
			text_put_escaped(&out, name);
		else
			text_putc(&out, *p);
	}
	return text_slice(&out);
}

void
verdict_begin(const struct plan *plan, uint32_t serial, struct verdict *verdict_out)
{
	*verdict_out = (struct verdict){.action = VERDICT_ACCEPT, .why = plan->why};
	make_id(serial, verdict_out->id);
}

static void
judge_drained(const struct facts *facts, const struct plan *plan, const void *answer,
              struct verdict *verdict)
{
	(void)answer;
	bool of_user = plan->why == WHY_USER_DRAINED;
	verdict->action = VERDICT_DEFER;
	verdict->wait_s = plan->override->until_s - plan->now_s;
	verdict->reply =
		expand(of_user ? facts->conf->limits.user_drain_reply
	                       : facts->conf->limits.drain_reply,
	               verdict, of_user ? slice_of(plan->override->name) : plan->shown,
	               facts->arena);
}

const struct gate_rule rule_drained = {"drained", plan_drained, judge_drained};
const struct gate_rule rule_exempt = {"exempt", plan_exempt, NULL};

/* ---- greylisting ---- */

static struct slice
make_header(const struct facts *facts, int64_t delayed_s)
{
	size_t cap = 256;
	struct text out = {.p = arena_take(facts->arena, cap), .cap = cap};
	header_print(facts->conf->node, delayed_s, facts->now_s, &out);
	return text_slice(&out);
}

static void
defer(const struct facts *facts, const struct plan *plan, const char *reply,
      struct verdict *verdict)
{
	bool observed = plan->greylist_mode == MODE_OBSERVE;
	verdict->reply = expand(reply, verdict, plan->shown, facts->arena);
	verdict->action = observed ? VERDICT_ACCEPT : VERDICT_DEFER;
	verdict->observed = observed;
}

void
verdict_failed(const struct facts *facts, const struct plan *plan,
               enum store_status status, struct verdict *verdict)
{
	const struct conf *conf = facts->conf;
	verdict->why = WHY_STORE_FAILURE;
	if (conf->store.on_failure == ON_FAILURE_DEFER && status != STORE_BAD_RECORD)
		defer(facts, plan, conf->store.failure_reply, verdict);
}

static void
judge_greylist(const struct facts *facts, const struct plan *plan, const void *answer,
               struct verdict *verdict)
{
	const struct grey_result *grey = answer;
	verdict->why = of_answer[grey->answer].why;
	verdict->wait_s = grey->wait_s;
	verdict->delayed_s = grey->delayed_s;
	if (verdict->why == WHY_GREYLIST_PASSED && facts->conf->greylist.header)
		verdict->header = make_header(facts, grey->delayed_s);
	if (of_answer[grey->answer].action == VERDICT_DEFER)
		defer(facts, plan, facts->conf->greylist.reply, verdict);
}

const struct gate_rule rule_greylist = {"greylist", plan_greylist, judge_greylist};

/* ---- limits ---- */

static void
judge_message(const struct facts *facts, const struct plan *plan, const void *answer,
              struct verdict *verdict)
{
	size_t cap = 24;
	struct text limit = {.p = arena_take(facts->arena, cap), .cap = cap};
	(void)answer;
	text_int(&limit, plan->message_recipients);
	verdict->action = VERDICT_DEFER;
	verdict->why = WHY_MESSAGE_RECIPIENTS;
	verdict->header = (struct slice){0};
	verdict->limit = text_slice(&limit);
	verdict->reply = expand(facts->conf->limits.message_reply, verdict, plan->shown,
	                        facts->arena);
}

const struct gate_rule rule_message = {"message", plan_message, judge_message};

static const char *
limit_reply(const struct conf *conf, const struct limit_use *use,
            const struct conf_limit *limit)
{
	if (*limit->reply)
		return limit->reply;
	if (use->kind != LIMIT_CONCURRENCY)
		return conf->limits.rate_reply;
	return use->scope == SCOPE_DESTINATION ? conf->limits.reply
	                                       : conf->limits.client_reply;
}

/* What the limit allows, so that one of several windows is known: "bulk 500/1d". */
static struct slice
print_limit(const struct limit_use *use, const struct limit_of *of, struct arena *arena)
{
	size_t cap = 160;
	struct text out = {.p = arena_take(arena, cap), .cap = cap};
	if (of->group)
		text_printf(&out, "%s ", of->group->name);
	const struct conf_rate rate = limit_rate(use);
	if (use->kind == LIMIT_CONCURRENCY)
		text_int(&out, use->count);
	else
		print_rate(&rate, &out);
	return text_slice(&out);
}

static void
judge_limits(const struct facts *facts, const struct plan *plan, const void *answer,
             struct verdict *verdict)
{
	const struct limits_answer *limits = answer;
	const struct limits_result *result = limits->result;
	if (result->refused < 0)
		return;
	const struct limit_use *use = &limits->ask->uses[result->refused];
	const struct limit_of *of = plan_limit_of(plan, use);
	verdict->why = result->not_yet ? WHY_RECOVERING
	                               : (enum why)(WHY_LIMIT + limit_bound(use));
	verdict->observed = result->granted;
	verdict->limit = print_limit(use, of, facts->arena);
	if (result->granted)
		return;
	verdict->action = VERDICT_DEFER;
	verdict->wait_s = (result->wait_ms + 999) / 1000;
	verdict->header = (struct slice){0};
	verdict->reply = expand(limit_reply(facts->conf, use, of->limit), verdict,
	                        use->scope == SCOPE_DESTINATION ? plan->shown : of->name,
	                        facts->arena);
}

const struct gate_rule rule_limits = {"limits", plan_limits, judge_limits};
