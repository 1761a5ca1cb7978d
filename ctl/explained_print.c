/* explained_print.c - an explained decision for people. */
#include <jansson.h>
#include <string.h>

#include "explained.h"
#include "greylisted.h"
#include "output.h"
#include "rules/why.h"
#include "table.h"
#include "when.h"

static void
say(const struct view *view, const char *label, const char *text)
{
	view_puts(view, label);
	view_text(view, *text ? text : "-");
	view_puts(view, "\n");
}

static void
heading(const struct view *view, const char *text)
{
	view_puts(view, "\n");
	view_style(view, STYLE_HEAD);
	view_puts(view, text);
	view_style(view, STYLE_PLAIN);
	view_puts(view, "\n");
}

static void
print_request(const struct view *view, const json_t *value)
{
	const json_t *asked = json_object_get(value, "request");
	const char *sender = json_text(asked, "sender");
	const char *identity_by = json_text(value, "identity_by");
	say(view, "client       ", json_text(asked, "client"));
	if (*json_text(asked, "client_name"))
		say(view, "its name     ", json_text(asked, "client_name"));
	if (*identity_by) {
		view_puts(view, "taken as     ");
		view_text(view, json_text(value, "identity"));
		view_printf(view, " (%s)\n", identity_by);
	}
	say(view, "sender       ", *sender ? sender : "<>");
	say(view, "recipient    ", json_text(asked, "recipient"));
	if (*json_text(asked, "user"))
		say(view, "user         ", json_text(asked, "user"));
	say(view, "destination  ", json_text(value, "destination"));
	say(view, "asked at     ", json_text(asked, "stage"));
}

static void
print_rules(const struct view *view, const json_t *value)
{
	static const char *const headings[] = {"RULE", "APPLIES", "BY"};
	struct table *table = table_new(view, headings, COUNT_OF(headings));
	const json_t *rule;
	size_t i;
	json_array_foreach(json_object_get(value, "rules"), i, rule) {
		const char *applies = json_text(rule, "applies");
		table_cell(table, slice_of(json_text(rule, "rule")));
		table_styled(table, slice_of(applies),
		             strcmp(applies, "yes") == 0 ? STYLE_HEAD : STYLE_PLAIN);
		table_cell(table, slice_of(json_text(rule, "by")));
	}
	view_puts(view, "\n");
	table_print(table);
	table_free(&table);
}

static void
say_record(const struct view *view, const char *label, const json_t *object,
           int64_t now_s)
{
	struct grey_record record = {.at_s = json_number(object, "at"),
	                             .count = (unsigned)json_number(object, "count")};
	for (int state = GREY_ABSENT; state <= GREY_IDENTITY; state++)
		if (strcmp(json_text(object, "state"),
		           greylisted_word((enum grey_state)state)) == 0)
			record.state = (enum grey_state)state;
	view_puts(view, label);
	greylisted_say(view, &record, now_s);
	view_puts(view, "\n");
	say(view, "  key        ", json_text(object, "key"));
}

static void
print_greylist(const struct view *view, const json_t *value, int64_t now_s)
{
	const json_t *grey = json_object_get(value, "greylist");
	const char *sender = json_text(grey, "sender");
	heading(view, "Greylisting");
	say(view, "mode         ", json_text(grey, "mode"));
	if (!json_flag(grey, "asked")) {
		view_puts(view, "The store is not asked: a rule above applies.\n");
		return;
	}
	say(view, "compared as  ", *sender ? sender : "<>");
	say(view, "             ", json_text(grey, "recipient"));
	say_record(view, "identity     ", json_object_get(grey, "identity"), now_s);
	say_record(view, "triplet      ", json_object_get(grey, "triplet"), now_s);
}

/* ---- limits ---- */

static void
put_use(struct table *table, const json_t *use)
{
	char buf[96];
	struct text text = TEXT(buf);
	bool room = json_flag(use, "room");
	int64_t per_s = json_number(use, "per");
	table_cell(table, slice_of(json_text(use, "scope")));
	table_cell(table, slice_of(json_text(use, "name")));
	table_cell(table, slice_of(json_text(use, "bound")));
	text_int(&text, json_number(use, "count"));
	if (per_s > 0) {
		text_puts(&text, " in ");
		when_print_long(per_s, &text);
	}
	if (json_number(use, "burst") > 0)
		text_printf(&text, ", burst %lld", (long long)json_number(use, "burst"));
	table_cell(table, text_slice(&text));
	text = TEXT(buf);
	if (per_s == 0)
		text_printf(&text, "%lld held", (long long)json_number(use, "held"));
	else if (!room) {
		text_puts(&text, "wait ");
		when_print_long(json_number(use, "wait"), &text);
	}
	table_cell(table, text_slice(&text));
	table_styled(table, room ? SLICE("room") : SLICE("full"),
	             room ? STYLE_GOOD : STYLE_BAD);
	table_cell(table, json_flag(use, "observed") ? SLICE("observed") : SLICE(""));
}

/* NULL: limits are looked at. */
static const char *
why_no_limits(const json_t *value)
{
	const char *stage = json_text(json_object_get(value, "request"), "stage");
	const char *why = json_text(json_object_get(value, "verdict"), "why");
	if (strcmp(stage, "data") == 0)
		return "Not asked at DATA, but at RCPT.\n";
	if (strcmp(why, why_word(WHY_DRAINED)) == 0)
		return "Not asked: the destination is drained.\n";
	if (strcmp(why, why_word(WHY_USER_DRAINED)) == 0)
		return "Not asked: the user is drained.\n";
	return NULL;
}

static void
print_limits(const struct view *view, const json_t *value)
{
	static const char *const headings[] = {"SCOPE", "NAME",  "BOUND", ">LIMIT",
	                                       "NOW",   "STATE", ""};
	const json_t *limits = json_object_get(value, "limits");
	const json_t *bounds = json_object_get(limits, "bounds");
	const json_t *use;
	size_t i;
	const char *why_none = why_no_limits(value);
	heading(view, "Limits");
	if (why_none) {
		view_puts(view, why_none);
		return;
	}
	if (*json_text(limits, "exempt")) {
		say(view, "exempt by    ", json_text(limits, "exempt"));
		return;
	}
	if (json_array_size(bounds) == 0) {
		view_puts(view, "None holds for this.\n");
		return;
	}
	if (!json_flag(limits, "asked"))
		view_puts(view, "Not asked: it is deferred before.\n");
	struct table *table = table_new(view, headings, COUNT_OF(headings));
	json_array_foreach(bounds, i, use) {
		put_use(table, use);
	}
	table_print(table);
	table_free(&table);
}

/* ---- the end ---- */

static void
print_verdict(const struct view *view, const json_t *value)
{
	const json_t *verdict = json_object_get(value, "verdict");
	const char *why = json_text(verdict, "why");
	const struct reason *reason = reason_find(slice_of(why));
	bool deferred = strcmp(json_text(verdict, "action"), "defer") == 0;
	bool observed = json_flag(verdict, "observed");
	heading(view, "Verdict");
	view_style(view, deferred ? STYLE_WARN : STYLE_GOOD);
	view_puts(view, deferred ? "deferred"
	                : observed
	                        ? "accepted; it would be deferred, but is only observed"
	                        : "accepted");
	view_style(view, STYLE_PLAIN);
	view_printf(view, ": %s\n", why);
	if (reason)
		view_sentence(view, reason->text);
	if (*json_text(verdict, "reply"))
		say(view, deferred ? "reply: " : "reply it would be: ",
		    json_text(verdict, "reply"));
	if (deferred && !json_flag(value, "enforced"))
		view_puts(view, "milter.enforce is false: weir-milter accepts it.\n");
	view_puts(view,
	          "Nothing was written, and the cap greylist.new_triplets of each daemon "
	          "was not asked.\n");
}

void
explained_print(const struct view *view, const json_t *value, int64_t now_s)
{
	print_request(view, value);
	print_rules(view, value);
	print_greylist(view, value, now_s);
	print_limits(view, value);
	print_verdict(view, value);
}
