/* verdict.c - from what was planned and answered to the verdict. */
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

/*
 * The failure rule: what a question without an answer means.  A record that cannot be read is no
 * outage, and no retry mends it: deferring would hold the mail back for ever.
 */
static void
judge_failure(const struct conf *conf, enum store_status status, struct verdict *verdict)
{
	bool defer =
		conf->store.on_failure == ON_FAILURE_DEFER && status != STORE_BAD_RECORD;
	verdict->why = WHY_STORE_FAILURE;
	verdict->action = defer ? VERDICT_DEFER : VERDICT_ACCEPT;
}

static struct slice
make_header(const struct conf *conf, const struct plan *plan, int64_t delayed_s,
            struct arena *arena)
{
	size_t cap = 256;
	struct text out = {.p = arena_take(arena, cap), .cap = cap};
	header_print(conf->node, delayed_s, plan->now_s, &out);
	return text_slice(&out);
}

static void
judge_answer(const struct grey_result *grey, struct verdict *verdict)
{
	verdict->why = of_answer[grey->answer].why;
	verdict->action = of_answer[grey->answer].action;
	verdict->wait_s = grey->wait_s;
	verdict->delayed_s = grey->delayed_s;
}

static void
judge_drained(const struct conf *conf, const struct plan *plan, struct arena *arena,
              struct verdict *verdict)
{
	verdict->action = VERDICT_DEFER;
	verdict->wait_s = plan->override->until_s - plan->now_s;
	bool of_user = plan->why == WHY_USER_DRAINED;
	verdict->reply =
		expand(of_user ? conf->limits.user_drain_reply : conf->limits.drain_reply,
	               verdict, of_user ? slice_of(plan->override->name) : plan->shown,
	               arena);
}

void
verdict_make(const struct conf *conf, const struct plan *plan,
             const struct answer *answer, uint32_t serial, struct arena *arena,
             struct verdict *verdict_out)
{
	struct verdict *verdict = verdict_out;
	*verdict = (struct verdict){.action = VERDICT_ACCEPT, .why = plan->why};
	make_id(serial, verdict->id);
	if (plan->why == WHY_DRAINED || plan->why == WHY_USER_DRAINED)
		judge_drained(conf, plan, arena, verdict);
	if (!answer)
		return;
	if (answer->status == STORE_OK)
		judge_answer(&answer->grey, verdict);
	else
		judge_failure(conf, answer->status, verdict);
	if (verdict->why == WHY_GREYLIST_PASSED && conf->greylist.header)
		verdict->header = make_header(conf, plan, verdict->delayed_s, arena);
	if (verdict->action == VERDICT_ACCEPT)
		return;
	verdict->reply =
		expand(verdict->why == WHY_STORE_FAILURE ? conf->store.failure_reply
	                                                 : conf->greylist.reply,
	               verdict, plan->shown, arena);
	if (plan->greylist_mode == MODE_OBSERVE) {
		verdict->action = VERDICT_ACCEPT;
		verdict->observed = true;
	}
}

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

void
verdict_limits(const struct conf *conf, const struct plan *plan,
               const struct limits_ask *ask, const struct limits_result *result,
               struct arena *arena, struct verdict *verdict)
{
	if (result->refused < 0)
		return;
	const struct limit_use *use = &ask->uses[result->refused];
	const struct limit_of *of = plan_limit_of(plan, use);
	verdict->why = result->not_yet ? WHY_RECOVERING
	                               : (enum why)(WHY_LIMIT + limit_bound(use));
	verdict->observed = result->granted;
	verdict->limit = print_limit(use, of, arena);
	if (result->granted)
		return;
	verdict->action = VERDICT_DEFER;
	verdict->wait_s = (result->wait_ms + 999) / 1000;
	verdict->header = (struct slice){0};
	verdict->reply =
		expand(limit_reply(conf, use, of->limit), verdict,
	               use->scope == SCOPE_DESTINATION ? plan->shown : of->name, arena);
}

void
verdict_message_full(const struct conf *conf, const struct plan *plan,
                     struct arena *arena, struct verdict *verdict)
{
	size_t cap = 24;
	struct text limit = {.p = arena_take(arena, cap), .cap = cap};
	text_int(&limit, plan->message_recipients);
	verdict->action = VERDICT_DEFER;
	verdict->why = WHY_MESSAGE_RECIPIENTS;
	verdict->header = (struct slice){0};
	verdict->limit = text_slice(&limit);
	verdict->reply = expand(conf->limits.message_reply, verdict, plan->shown, arena);
}
