/* why.c - why mail was deferred: by the id of a decision, or by addresses. */
#include <jansson.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/nearest.h"
#include "books/status.h"
#include "commands.h"
#include "conf/member.h"
#include "conf/normal.h"
#include "greylisted.h"
#include "output.h"
#include "overriding.h"
#include "remembered.h"
#include "rules/plan.h"
#include "store/override_store.h"
#include "story.h"
#include "table.h"
#include "when.h"

#define MOST     50
#define MOST_MAX 1000000

/* What is asked for, in words of the user. */
struct question {
	char words[1024]; /* the operands */
	char id[VERDICT_ID_LEN + 1];
	char address[512];
	char destination[512];
	char user[512];
	struct decision_line_filter filter;
	uint64_t most;
	int64_t now_s;
};

static int
read_cause(const char *given, struct decision_line_filter *filter)
{
	struct nearest nearest;
	nearest_start(&nearest, slice_of(given));
	filter->why = slice_of(given);
	for (int i = 0; i < WHY_COUNT; i++) {
		if (slice_eq(slice_of(why_word((enum why)i)), slice_of(given)))
			return EX_OK;
		nearest_offer(&nearest, why_word((enum why)i));
	}
	if (nearest.name)
		return ctl_fail(
			EX_USAGE,
			"--cause: there is no reason \"%.40s\": did you mean \"%s\"?",
			given, nearest.name);
	return ctl_fail(EX_USAGE, "--cause: there is no reason \"%.40s\"", given);
}

/* Decisions are remembered under the name of a configured destination, not under its domains. */
static int
read_destination(struct ctl *ctl, struct question *question)
{
	const char *given = ctl_option(ctl, "destination");
	struct text name = TEXT(question->destination);
	if (!given)
		return EX_OK;
	const struct conf *conf = ctl_conf(ctl, false);
	if (!conf)
		return ctl->conf_status;
	const struct conf_destination *known =
		overriding_configured(conf, slice_of(given));
	text_put_domain(&name, slice_of(known ? known->name : given));
	question->filter.destination = text_slice(&name);
	return EX_OK;
}

static int
read_options(const struct ctl *ctl, struct question *question)
{
	const char *since = ctl_option(ctl, "since"), *most = ctl_option(ctl, "limit");
	const char *cause = ctl_option(ctl, "cause"), *queue = ctl_option(ctl, "queue");
	struct decision_line_filter *filter = &question->filter;
	filter->queue = slice_of(queue ? queue : "");
	struct text user = TEXT(question->user);
	text_put_local(&user, slice_of(ctl_option(ctl, "user")));
	filter->user = text_slice(&user);
	if (since &&
	    !when_parse_since(slice_of(since), question->now_s, &filter->since_s))
		return ctl_fail(
			EX_USAGE,
			"--since: \"%.40s\" is neither a time such as 2h nor a date "
			"such as 2026-11-22",
			since);
	question->most = MOST;
	if (most && (!slice_to_u64(slice_of(most), MOST_MAX, &question->most) ||
	             question->most == 0))
		return ctl_fail(EX_USAGE, "--limit: \"%.40s\" is no number from 1 to %d",
		                most, MOST_MAX);
	return cause ? read_cause(cause, filter) : EX_OK;
}

static int
read_operands(int argc, char **argv, struct question *question)
{
	struct text words = TEXT(question->words);
	struct text address = TEXT(question->address);
	for (int i = 1; i < argc; i++) {
		text_puts(&words, i > 1 ? " " : "");
		text_puts(&words, argv[i]);
	}
	if (argc < 2)
		return EX_OK;
	if (remembered_id(text_slice(&words), question->id)) {
		question->filter.id = slice_of(question->id);
		return EX_OK;
	}
	remembered_address(text_slice(&words), &address);
	question->filter.address = text_slice(&address);
	if (argc == 2 && address.n > 0 && !address.cut)
		return EX_OK;
	ctl_fail(EX_USAGE, "\"%.100s\" is neither an id nor an address", question->words);
	return command_misused("why");
}

/* ---- what was found ---- */

static void
add_row(struct table *table, const struct decision_line *decided, bool on_terminal,
        int64_t now_s)
{
	char buf[64];
	struct text text = TEXT(buf);
	if (on_terminal)
		when_print_short(decided->at_s, now_s, &text);
	else
		when_print(decided->at_s, &text);
	table_cell(table, text_slice(&text));
	table_cell(table, decided->id);
	table_cell(table, decided->observed ? SLICE("observed") : decided->action);
	table_cell(table, decided->why);
	table_cell(table, decided->client.n > 0 ? decided->client : decided->identity);
	table_cell(table, decided->sender);
	table_cell(table, decided->recipient);
	text = TEXT(buf);
	if (decided->wait_s > 0)
		when_print_long(decided->wait_s, &text);
	table_cell(table, text_slice(&text));
}

static int
print_table(const struct remembered *found, bool are_more, int64_t now_s)
{
	static const char *const headings[] = {"=TIME",  "=ID",    "WHAT",      "WHY",
	                                       "CLIENT", "SENDER", "RECIPIENT", ">WAIT"};
	struct view view = view_of_stdout();
	struct table *table = table_new(&view, headings, COUNT_OF(headings));
	for (size_t i = 0; i < found->n; i++)
		add_row(table, &found->v[i], view.width > 0, now_s);
	table_print(table);
	table_free(&table);
	if (are_more)
		ctl_fail(EX_OK, "these are the newest %zu; --limit shows more", found->n);
	return EX_OK;
}

/* ---- one of them ---- */

static bool
read_records(struct ctl *ctl, const struct decision_line *decided, int64_t now_s,
             struct sequel *sequel, struct err *err)
{
	struct grey_rules rules = plan_rules(ctl->conf);
	struct grey_record identity;
	struct key key;
	if (!greylisted_get_identity(ctl->history, decided->identity, &identity, err))
		return false;
	sequel->is_client_allowed = greylisted_is_allowed(&identity, &rules, now_s);
	if (!key_parse(decided->triplet, &key))
		return true;
	if (!greylisted_get(ctl->history, RECORD_TRIPLET, &key, &sequel->record, err))
		return false;
	greylisted_expire(&sequel->record, &rules, now_s);
	return true;
}

static bool
read_drain(struct ctl *ctl, const struct decision_line *decided, int64_t now_s,
           struct sequel *sequel, struct err *err)
{
	struct overrides *overrides = override_store_read(ctl->history, now_s, err);
	if (!overrides)
		return false;
	const struct conf_destination *known =
		destination_named(ctl->conf, decided->destination);
	const struct override *drain =
		slice_eq(decided->why, slice_of(why_word(WHY_USER_DRAINED)))
			? overrides_named(overrides, OVERRIDE_DRAIN_USER, decided->user,
	                                  now_s)
			: overrides_destination(overrides, ctl->conf, OVERRIDE_DRAIN,
	                                        known, decided->destination, now_s);
	sequel->drained_until_s = drain ? drain->until_s : 0;
	overrides_unref(&overrides);
	return true;
}

static bool
read_sequel(struct ctl *ctl, const struct decision_line *decided, int64_t now_s,
            struct sequel *sequel, struct err *err)
{
	*sequel = (struct sequel){.record = {.state = GREY_ABSENT}};
	return remembered_later(ctl->history, decided, &sequel->later, err) &&
	       read_records(ctl, decided, now_s, sequel, err) &&
	       read_drain(ctl, decided, now_s, sequel, err);
}

static int
tell_story(struct ctl *ctl, const struct question *question,
           const struct remembered *found)
{
	struct view view = view_of_stdout();
	struct sequel sequel;
	struct err err;
	int status = EX_OK;
	for (size_t i = 0; i < found->n; i++) {
		const struct decision_line *decided = &found->v[i];
		if (i > 0)
			view_puts(&view, "\nAnother decision has the same id:\n\n");
		if (read_sequel(ctl, decided, question->now_s, &sequel, &err))
			story_tell(&view, ctl->conf, decided, &sequel, question->now_s);
		else
			status = ctl_store_failed(&err);
		remembered_free(&sequel.later);
	}
	return status;
}

static int
print_list(const struct remembered *found)
{
	json_t *list = json_array();
	for (size_t i = 0; i < found->n; i++)
		json_array_append_new(list, status_decision(&found->v[i]));
	print_json(list);
	return found->n > 0 ? EX_OK : CTL_NO;
}

static int
say_none(const struct conf *conf, const struct decision_line_filter *filter)
{
	bool narrowed = filter->since_s > 0 || filter->why.n > 0 ||
	                filter->destination.n > 0 || filter->user.n > 0;
	char buf[64];
	struct text text = TEXT(buf);
	if (conf->decisions.keep == 0)
		return ctl_fail(CTL_NO, "nothing is recorded: decisions.keep is 0");
	if (narrowed)
		return ctl_fail(CTL_NO,
		                "no such decision is recorded with these options");
	when_print_long(conf->decisions.lifetime_ms / 1000, &text);
	return ctl_fail(
		CTL_NO,
		"no such decision is recorded; it may be\n  older than the last %lld (decisions.keep) or than %s (decisions.lifetime),\n  of a daemon that uses another store than this one (%s%s), or\n  mail that was simply accepted: that is in the log only%s",
		(long long)conf->decisions.keep, buf,
		conf->store.backend == BACKEND_REDIS ? "redis, prefix " : "embedded in ",
		conf->store.backend == BACKEND_REDIS ? conf->store.redis.prefix
						     : conf->store.path,
		conf->decisions.addresses == ADDRESSES_FULL
			? ""
			: "\n(addresses are not kept whole: decisions.addresses)");
}

/* Once nothing was found: what the settings name no more may still be remembered. */
static int
check_destination(const struct ctl *ctl)
{
	const char *given = ctl_option(ctl, "destination");
	struct override override = {.kind = OVERRIDE_DRAIN};
	return given ? overriding_destination(ctl->conf, given, &override) : EX_OK;
}

static int
tell(struct ctl *ctl, const struct question *question, const struct remembered *found,
     bool are_more)
{
	int status = found->n == 0 ? check_destination(ctl) : EX_OK;
	if (status != EX_OK)
		return status;
	if (ctl->json)
		return print_list(found);
	if (found->n == 0)
		return say_none(ctl->conf, &question->filter);
	if (question->filter.id.n > 0)
		return tell_story(ctl, question, found);
	return print_table(found, are_more, question->now_s);
}

static int
answer(struct ctl *ctl, struct question *question)
{
	struct remembered found;
	struct err err;
	int status;
	size_t most = question->most;
	if (!remembered_find(ctl->history, &question->filter, most + 1, &found, &err)) {
		status = ctl_store_failed(&err);
	} else {
		bool are_more = found.n > most;
		found.n = are_more ? most : found.n;
		status = tell(ctl, question, &found, are_more);
	}
	remembered_free(&found);
	return status;
}

int
command_why(struct ctl *ctl, int argc, char **argv)
{
	struct question question = {.now_s = clock_wall_s()};
	int status = read_options(ctl, &question);
	if (status == EX_OK)
		status = read_destination(ctl, &question);
	if (status == EX_OK)
		status = read_operands(argc, argv, &question);
	if (status != EX_OK)
		return status;
	return history_of(ctl, &status) ? answer(ctl, &question) : status;
}
