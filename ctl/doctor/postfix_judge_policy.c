/* postfix_judge_policy.c - whether Postfix asks weir-policyd in the right place and manner. */
#include "cure.h"
#include "postfix_cure.h"

/* Longer than this a hanging service holds up every session. */
#define LONG_MS 30000

/* Asked last, behind what Postfix should settle itself. */
static void
mend_place(struct judge *judge, const struct asked *asked)
{
	char buf[CURE_MAX];
	struct text text = TEXT(buf);
	cure_place(judge, asked, &text);
	cure_reload(judge, &text);
	cure_set(judge->findings, &text);
}

static void
mend_entry(struct judge *judge, const struct asked *asked)
{
	char entry_buf[800], buf[CURE_MAX];
	struct text entry = TEXT(entry_buf), text = TEXT(buf);
	cure_policy_entry(judge->conf, asked->client.endpoint, &entry);
	cure_replace(judge, asked, entry_buf, &text);
	cure_reload(judge, &text);
	cure_set(judge->findings, &text);
}

static void
say_unreachable(struct judge *judge, const struct asked *asked, const char *where)
{
	finding_add(judge->findings, FINDING_PROBLEM, "Postfix never asks weir-policyd",
	            "The restriction before it ends the list for everybody.");
	finding_seen(judge->findings,
	             "%s: check_policy_service %.*s comes after \"%.*s\"", where,
	             (int)asked->client.endpoint.n, asked->client.endpoint.p,
	             (int)asked->ended_by.n, asked->ended_by.p);
	mend_place(judge, asked);
}

static void
say_too_early(struct judge *judge, const struct asked *asked, const char *where)
{
	finding_add(
		judge->findings, FINDING_PROBLEM, "Postfix asks weir-policyd too early",
		"With smtpd_delay_reject = no, this list knows no recipient yet: weir-policyd answers DUNNO, and nothing is greylisted.");
	finding_seen(judge->findings, "%s, smtpd_delay_reject = no", where);
	mend_place(judge, asked);
}

static void
say_relay(struct judge *judge, const struct asked *asked, const char *where)
{
	finding_add(
		judge->findings, FINDING_PROBLEM,
		"strangers' attempts to relay reach weir-policyd",
		"Each attempt is stored as a new triplet and fills the store, and gets a 451 although it should be rejected permanently.");
	finding_seen(judge->findings,
	             "%s: nothing before check_policy_service refuses relaying", where);
	mend_place(judge, asked);
}

static void
say_override(struct judge *judge, const struct asked *asked, const char *where)
{
	if (!asked->unknown_refused) {
		finding_add(
			judge->findings, FINDING_NOTE,
			"recipients that do not exist are greylisted first",
			"Postfix looks them up only at the end of its list: before it rejects them, weir defers and remembers them.");
		finding_seen(
			judge->findings,
			"%s: no reject_unlisted_recipient before check_policy_service",
			where);
		mend_place(judge, asked);
	}
	if (*asked->behind) {
		finding_add(
			judge->findings, FINDING_NOTE,
			"other restrictions come behind weir-policyd",
			"A deferral ends the list: weir first defers and remembers what they would reject permanently.");
		finding_seen(judge->findings, "%s: %s", where, asked->behind);
		mend_place(judge, asked);
	}
}

static void
judge_place(struct judge *judge, const struct asked *asked, const char *where)
{
	if (asked->ended_by.n > 0)
		say_unreachable(judge, asked, where);
	else if (asked->too_early)
		say_too_early(judge, asked, where);
	else if (asked->by_map)
		finding_ok(
			judge->findings,
			"the restriction class %s asks weir-policyd, for clients that an access map gives it",
			asked->list);
	else if (asked->for_recipient && !asked->relay_refused)
		say_relay(judge, asked, where);
	else if (asked->for_recipient && !judge->submission)
		say_override(judge, asked, where);
	if (judge->submission && asked->for_recipient && !asked->by_map &&
	    !asked->users_let_in && !asked->strangers_refused) {
		finding_add(
			judge->findings, FINDING_WARNING,
			"Postfix asks weir-policyd about mail of your own users",
			"Authenticated users are not greylisted, but limits apply to them; users let in by a certificate or otherwise are greylisted.");
		finding_seen(judge->findings, "service %.*s: %s",
		             (int)asked->service->name.n, asked->service->name.p, where);
		char buf[CURE_MAX];
		struct text text = TEXT(buf);
		cure_drop_policy(judge, asked->service, asked->client.endpoint, &text);
		cure_reload(judge, &text);
		cure_set(judge->findings, &text);
	}
}

static void
judge_default_action(struct judge *judge, const struct asked *asked, const char *where)
{
	struct slice action;
	if (!postfix_client_option(&asked->client, "default_action", &action))
		action = postfix_value(judge->postfix, asked->service,
		                       "smtpd_policy_service_default_action");
	if (slice_eq_nocase(action, SLICE("DUNNO")))
		return;
	finding_add(
		judge->findings, FINDING_WARNING,
		"without weir-policyd Postfix does not accept mail",
		"While weir-policyd is away, or does not answer, Postfix does this with every recipient.  By default it defers them all.");
	finding_seen(judge->findings, "%s: default_action is %.*s", where, (int)action.n,
	             action.p);
	mend_entry(judge, asked);
}

static void
judge_timeout(struct judge *judge, const struct asked *asked, const char *where)
{
	struct slice text;
	if (!postfix_client_option(&asked->client, "timeout", &text))
		text = postfix_value(judge->postfix, asked->service,
		                     "smtpd_policy_service_timeout");
	int64_t ms = postfix_time_ms(text);
	/* Two questions, greylisting and limits, may each wait that long. */
	int64_t least_ms = 2 * judge->conf->store.deadline_ms;
	if (ms > least_ms && ms <= LONG_MS)
		return;
	if (ms > LONG_MS)
		finding_add(
			judge->findings, FINDING_WARNING,
			"Postfix waits too long for weir-policyd",
			"A weir-policyd that hangs holds up each session for this long, and again at the second try.");
	else
		finding_add(
			judge->findings, FINDING_WARNING,
			"Postfix does not wait long enough for weir-policyd",
			"If the store is slow, weir-policyd answers after twice store.deadline.  By then Postfix has given up.");
	finding_seen(judge->findings, "%s: timeout is %.*s; store.deadline is %lld ms",
	             where, (int)text.n, text.p,
	             (long long)judge->conf->store.deadline_ms);
	mend_entry(judge, asked);
}

void
judge_policy(struct judge *judge, const struct asked *asked)
{
	char where[300];
	struct text text = TEXT(where);
	judge_where(judge, asked->service, asked->list, &text);
	judge->policy_at_rcpt |= asked->for_recipient;
	judge->policy_at_data |=
		slice_eq(slice_of(asked->list), SLICE("smtpd_data_restrictions"));
	judge->policy_at_end |=
		slice_eq(slice_of(asked->list), SLICE("smtpd_end_of_data_restrictions"));
	if (asked->match == MATCH_HIDDEN) {
		for (size_t i = 0; i < judge->conf->policyd.listen.n; i++)
			if (slice_starts_nocase(slice_of(
							judge->conf->policyd.listen.v[i]),
			                        SLICE("unix:"))) {
				judge_hidden(judge, asked,
				             judge->conf->policyd.listen.v[i], false);
				return;
			}
	}
	judge->policy = asked->client.endpoint;
	judge_place(judge, asked, where);
	judge_default_action(judge, asked, where);
	judge_timeout(judge, asked, where);
}
