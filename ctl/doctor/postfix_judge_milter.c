/* postfix_judge_milter.c - whether Postfix asks weir-milter in the right manner. */
#include "cure.h"
#include "postfix_cure.h"

#define LONG_MS 30000

/* Of the milter itself, else of all of them. */
static struct slice
option_of(const struct judge *judge, const struct asked *asked, const char *option,
          const char *setting)
{
	struct slice value;
	if (postfix_client_option(&asked->client, option, &value))
		return value;
	return postfix_value(judge->postfix, asked->service, setting);
}

static void
mend_entry(struct judge *judge, const struct asked *asked, bool protocol)
{
	char entry_buf[800], buf[CURE_MAX];
	struct text entry = TEXT(entry_buf), text = TEXT(buf);
	cure_milter_entry(judge->conf, asked->client.endpoint, &entry);
	cure_replace(judge, asked, entry_buf, &text);
	if (protocol)
		cure_postconf(judge, "milter_protocol", "6", &text);
	cure_reload(judge, &text);
	cure_set(judge->findings, &text);
}

static void
judge_action(struct judge *judge, const struct asked *asked, const char *where)
{
	struct slice action =
		option_of(judge, asked, "default_action", "milter_default_action");
	if (slice_eq_nocase(action, SLICE("accept")))
		return;
	if (slice_eq_nocase(action, SLICE("reject")))
		finding_add(
			judge->findings, FINDING_PROBLEM,
			"without weir-milter Postfix rejects all mail permanently",
			"While weir-milter is away, all mail bounces to its senders.");
	else
		finding_add(
			judge->findings, FINDING_WARNING,
			"without weir-milter Postfix does not accept mail",
			"While weir-milter is away, or does not answer, Postfix does this with all mail.  By default (tempfail) it defers all.");
	finding_seen(judge->findings, "%s: default_action is %.*s", where, (int)action.n,
	             action.p);
	mend_entry(judge, asked, false);
}

static void
judge_times(struct judge *judge, const struct asked *asked, const char *where)
{
	struct slice command =
		option_of(judge, asked, "command_timeout", "milter_command_timeout");
	struct slice connect =
		option_of(judge, asked, "connect_timeout", "milter_connect_timeout");
	int64_t ms = postfix_time_ms(command);
	int64_t deadline_ms = judge->conf->milter.deadline_ms;
	if (ms <= deadline_ms)
		finding_add(
			judge->findings, FINDING_PROBLEM,
			"Postfix does not wait for weir-milter's deadline",
			"If the store is slow, weir-milter answers at milter.deadline.  By then Postfix has given up and takes default_action.");
	else if (ms >= LONG_MS || postfix_time_ms(connect) >= LONG_MS)
		finding_add(
			judge->findings, FINDING_NOTE,
			"Postfix waits too long for weir-milter",
			"A weir-milter that hangs holds up each session for this long.");
	else
		return;
	finding_seen(
		judge->findings,
		"%s: command_timeout %.*s, connect_timeout %.*s; milter.deadline %lld ms",
		where, (int)command.n, command.p, (int)connect.n, connect.p,
		(long long)deadline_ms);
	mend_entry(judge, asked, false);
}

bool
judge_no_milters(const struct postfix *postfix, const struct postfix_service *service)
{
	struct slice rest = postfix_value(postfix, service, "receive_override_options");
	struct postfix_word word;
	while (postfix_word(&rest, &word))
		if (slice_eq(word.text, SLICE("no_milters")))
			return true;
	return false;
}

/* Slots depend on the end of a message; else it matters more who is refused before weir remembers him. */
static void
judge_override(struct judge *judge, const struct asked *asked, const char *where)
{
	char buf[CURE_MAX];
	struct text text = TEXT(buf);
	bool slots = conf_has_concurrency(judge->conf);
	if (*asked->before && slots && !judge->policy_at_end) {
		finding_add(
			judge->findings, FINDING_NOTE,
			"other milters come before weir-milter",
			"It does not hear the end of a message that they refuse or discard: it keeps the slots until the session's next MAIL, its end, or milter.hold.");
		finding_seen(judge->findings, "%s: %s", where, asked->before);
		cure_milter_first(judge, asked->service, asked->list,
		                  asked->client.endpoint, &text);
		cure_reload(judge, &text);
		cure_set(judge->findings, &text);
	}
	if (*asked->behind && !slots) {
		finding_add(
			judge->findings, FINDING_NOTE,
			"other milters come behind weir-milter",
			"A recipient that they refuse has already taken a slot, and is remembered.");
		finding_seen(judge->findings, "%s: %s", where, asked->behind);
		cure_milter_last(judge, asked, &text);
		cure_reload(judge, &text);
		cure_set(judge->findings, &text);
	}
	if (judge->submission && slots) {
		finding_add(
			judge->findings, FINDING_NOTE,
			"limits apply to mail of your own users, too",
			"Authenticated users are not greylisted, but their deliveries take "
			"slots.");
		finding_seen(judge->findings, "service %.*s: %s",
		             (int)asked->service->name.n, asked->service->name.p, where);
		text = TEXT(buf);
		cure_drop_from(judge, asked->service, asked->list, asked->client.endpoint,
		               &text);
		cure_reload(judge, &text);
		cure_set(judge->findings, &text);
	}
}

static void
judge_protocol(struct judge *judge, const struct asked *asked, const char *where)
{
	struct slice text = option_of(judge, asked, "protocol", "milter_protocol");
	if (text.n != 1 || text.p[0] >= '6')
		return;
	finding_add(
		judge->findings, FINDING_WARNING, "an old milter protocol is set",
		"weir-milter does not hear DATA, or does not get the macros that it asks for.");
	finding_seen(judge->findings, "%s: milter_protocol %.*s", where, (int)text.n,
	             text.p);
	mend_entry(judge, asked, true);
}

void
judge_milter(struct judge *judge, const struct asked *asked)
{
	char where[300];
	struct text text = TEXT(where);
	judge_where(judge, asked->service, asked->list, &text);
	if (judge_no_milters(judge->postfix, asked->service)) {
		if (!judge->submission)
			finding_ok(judge->findings,
			           "service %.*s leaves milters out (no_milters)",
			           (int)asked->service->name.n, asked->service->name.p);
		return;
	}
	judge->milter = true;
	if (asked->match == MATCH_HIDDEN) {
		judge_hidden(judge, asked, judge->conf->milter.listen, true);
		return;
	}
	judge_action(judge, asked, where);
	judge_times(judge, asked, where);
	judge_protocol(judge, asked, where);
	judge_override(judge, asked, where);
}
