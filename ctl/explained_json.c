/* explained_json.c - an explained decision as JSON. */
#include <jansson.h>

#include "books/status.h"
#include "explained.h"
#include "greylisted.h"

static json_t *
text_of(const char *text)
{
	return status_text(slice_of(text));
}

static json_t *
request(const struct query *query)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "client",
	                 status_text(query->client_address), "client_name",
	                 status_text(query->client_name), "sender",
	                 status_text(query->sender), "recipient",
	                 status_text(query->recipient), "user",
	                 status_text(query->sasl_username), "nexthop",
	                 status_text(query->nexthop), "stage",
	                 query->stage == STAGE_DATA ? "data" : "rcpt");
}

/* ---- the rules that come before greylisting, in their order ---- */

/* An entry of a list, or an override; "" for neither. */
static json_t *
cause(const struct list_hit *hit, const struct override *override)
{
	char buf[OVERRIDE_NAME_MAX + 64];
	struct text text = TEXT(buf);
	buf[0] = '\0';
	if (override)
		override_print_name(override, &text);
	else if (hit->source)
		text_puts(&text, hit->source);
	if (!override && hit->line > 0)
		text_printf(&text, ":%u", hit->line);
	return status_text(text_slice(&text));
}

/* *decided: whether an earlier rule has applied. */
static json_t *
rule(const struct plan *plan, enum why why, bool *decided)
{
	bool applies = !*decided && !plan->ask && plan->why == why;
	const char *outcome = applies ? "yes" : *decided ? "not tried" : "no";
	*decided = *decided || applies;
	return json_pack("{s:s, s:s, s:o}", "rule", why_word(why), "applies", outcome,
	                 "by",
	                 applies ? cause(&plan->hit, plan->override) : json_string(""));
}

static json_t *
rules(const struct plan *plan)
{
	static const enum why first[] = {WHY_DRAINED,    WHY_USER_DRAINED,
	                                 WHY_OFF,        WHY_NULL_SENDER,
	                                 WHY_NOT_JUDGED, WHY_NO_CLIENT_ADDRESS};

	json_t *list = json_array();
	bool decided = false;
	for (size_t i = 0; i < COUNT_OF(first); i++)
		json_array_append_new(list, rule(plan, first[i], &decided));
	for (size_t i = 0; i < PLAN_EXEMPTIONS; i++)
		json_array_append_new(list, rule(plan, plan_exemption(i), &decided));
	return list;
}

/* ---- the gates ---- */

static json_t *
record(const struct key *key, const struct grey_record *record_found)
{
	char text[KEY_TEXT_LEN + 1];
	json_t *object = greylisted_json(record_found);
	key_print(key, text);
	json_object_set_new(object, "key", json_string(text));
	return object;
}

static json_t *
greylist(const struct explained *explained)
{
	const struct plan *plan = &explained->plan;
	json_t *object =
		json_pack("{s:s, s:b}", "mode", conf_mode_word(plan->greylist_mode),
	                  "asked", plan->ask);
	if (!plan->ask)
		return object;
	json_object_set_new(object, "sender", status_text(plan->sender));
	json_object_set_new(object, "recipient", status_text(plan->recipient));
	json_object_set_new(object, "identity",
	                    record(&explained->identity_key, &explained->identity));
	json_object_set_new(object, "triplet",
	                    record(&explained->triplet_key, &explained->triplet));
	return object;
}

static json_t *
use_json(const struct explained *explained, size_t i)
{
	static const char *const kinds[] = {
		[LIMIT_CONCURRENCY] = "concurrency",
		[LIMIT_MESSAGES] = "messages",
		[LIMIT_RECIPIENTS] = "recipients",
	};
	const struct limit_use *use = &explained->limits.uses[i];
	const struct limit_of *of = plan_limit_of(&explained->plan, use);
	const struct explained_use *now = &explained->uses[i];
	char key[KEY_TEXT_LEN + 1];
	key_print(&use->key, key);
	return json_pack("{s:s, s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:s}",
	                 "scope", limit_scope_word(use->scope), "name",
	                 status_text(of->name), "group", of->group ? of->group->name : "",
	                 "bound", kinds[use->kind], "count", (json_int_t)use->count,
	                 "per", (json_int_t)(use->per_ms / 1000), "burst",
	                 (json_int_t)use->burst, "held", (json_int_t)now->fact.held,
	                 "wait", (json_int_t)((now->wait_ms + 999) / 1000), "room",
	                 now->has_room, "observed", use->observed, "key", key);
}

static json_t *
limits(const struct explained *explained)
{
	const struct plan *plan = &explained->plan;
	json_t *list = json_array();
	for (size_t i = 0; i < explained->limits.n; i++)
		json_array_append_new(list, use_json(explained, i));
	return json_pack("{s:b, s:o, s:o}", "asked", explained->asks_limits, "exempt",
	                 cause(&plan->unlimited_hit, plan->unlimited_override), "bounds",
	                 list);
}

static json_t *
verdict_json(const struct verdict *verdict)
{
	return json_pack("{s:s, s:s, s:b, s:I, s:I, s:o, s:o}", "action",
	                 verdict->action == VERDICT_DEFER ? "defer" : "accept", "why",
	                 why_word(verdict->why), "observed", verdict->observed, "wait",
	                 (json_int_t)verdict->wait_s, "delayed",
	                 (json_int_t)verdict->delayed_s, "reply",
	                 status_text(verdict->reply), "header",
	                 status_text(verdict->header));
}

json_t *
explained_json(const struct explained *explained)
{
	const struct plan *plan = &explained->plan;
	bool known = plan->identity.text.n > 0;
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "request",
	                 request(explained->query), "identity",
	                 status_text(plan->identity.text), "identity_by",
	                 text_of(known ? identity_by_word(plan->identity.by) : ""),
	                 "destination", status_text(plan->destination), "enforced",
	                 explained->conf->milter.enforce, "rules", rules(plan),
	                 "greylist", greylist(explained), "limits", limits(explained),
	                 "verdict", verdict_json(&explained->verdict));
}
