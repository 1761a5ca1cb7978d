/* story.c - one decision told in sentences. */
#include "story.h"

#include "conf/member.h"
#include "escape.h"
#include "greylisted.h"
#include "rules/limit.h"
#include "rules/mailaddr.h"
#include "rules/plan.h"
#include "rules/why.h"
#include "when.h"

static void
say(const struct view *view, const char *before, struct slice what, const char *behind)
{
	view_puts(view, before);
	view_put(view, what);
	view_puts(view, behind);
}

static void
say_time(const struct view *view, const char *before, int64_t at_s, const char *behind)
{
	char buf[64];
	struct text text = TEXT(buf);
	when_print(at_s, &text);
	say(view, before, text_slice(&text), behind);
}

static void
say_long(const struct view *view, const char *before, int64_t seconds, const char *behind)
{
	char buf[64];
	struct text text = TEXT(buf);
	when_print_long(seconds, &text);
	say(view, before, text_slice(&text), behind);
}

static bool
is_deferred(const struct decision_line *decided)
{
	return slice_eq(decided->action, SLICE("defer"));
}

static void
tell_what(const struct view *view, const struct decision_line *decided, int64_t now_s)
{
	say(view, "", decided->id, ": ");
	view_style(view, is_deferred(decided) ? STYLE_WARN : STYLE_GOOD);
	view_puts(view, is_deferred(decided) ? "deferred"
	                : decided->observed
	                        ? "accepted (observed only: it would have been deferred)"
	                        : "accepted");
	view_style(view, STYLE_PLAIN);
	say(view, " by ", decided->daemon, "");
	say(view, " on ", decided->node, "\n");
	say_time(view, "  when         ", decided->at_s, "");
	say_long(view, " (", now_s - decided->at_s, " ago)\n");
}

static void
tell_client(const struct view *view, const struct decision_line *decided)
{
	if (decided->client.n > 0)
		say(view, "  client       ", decided->client, "");
	if (decided->client.n > 0 && decided->name.n > 0)
		say(view, " (", decided->name, ")");
	if (decided->client.n > 0)
		view_puts(view, "\n");
	if (decided->identity.n > 0) {
		say(view, "  taken as     ", decided->identity, "");
		say(view, " (", decided->identity_by, ")\n");
	}
}

static void
tell_whose(const struct view *view, const struct decision_line *decided)
{
	tell_client(view, decided);
	if (decided->sender.n > 0)
		say(view, "  sender       ", decided->sender, "\n");
	if (decided->queue.n > 0)
		say(view, "  queue id     ", decided->queue, "\n");
	if (decided->user.n > 0)
		say(view, "  user         ", decided->user, "\n");
	if (decided->recipient.n > 0)
		say(view, "  recipient    ", decided->recipient, "\n");
	if (decided->destination.n > 0)
		say(view, "  destination  ", decided->destination, "\n");
	say(view, "  reason       ", decided->why, "");
	if (decided->limit.n > 0)
		say(view, ", limit ", decided->limit, "");
	if (decided->entry.n > 0)
		say(view, ", ", decided->entry, "");
	if (decided->held > 0)
		view_printf(view, ", %lld under way", (long long)decided->held);
	if (decided->store.n > 0 && !slice_eq(decided->store, SLICE("ok")))
		say(view, ", store ", decided->store, "");
	view_puts(view, "\n\n");
}

/* ---- the next try ---- */

static bool
is_greylist_passed(const struct sequel *sequel)
{
	return sequel->is_client_allowed || sequel->record.state == GREY_PASSED;
}

static void
tell_from(const struct view *view, const char *before, int64_t from_s, int64_t now_s)
{
	say_time(view, before, from_s, " on");
	say_long(view, " (in ", from_s - now_s, ")");
}

/* When a retry passes, and until when it does. */
static void
tell_window(const struct view *view, const struct conf *conf,
            const struct grey_record *record, int64_t now_s)
{
	struct grey_rules rules = plan_rules(conf);
	int64_t from_s = record->at_s + rules.delay_s;
	if (record->state != GREY_WAITING)
		return;
	if (from_s > now_s)
		tell_from(view, "A retry passes from ", from_s, now_s);
	else
		say_time(view, "A retry passes now, since ", from_s, "");
	say_time(view, ",\nand until ", record->at_s + rules.retry_window_s, ".\n");
}

static void
tell_retry(const struct view *view, const struct conf *conf,
           const struct decision_line *decided, enum remedy remedy,
           const struct sequel *sequel, int64_t now_s)
{
	int64_t room_s = decided->at_s + decided->wait_s;
	switch (remedy) {
	case REMEDY_GREYLIST:
		if (!is_greylist_passed(sequel))
			tell_window(view, conf, &sequel->record, now_s);
		return;
	case REMEDY_LIMIT:
		if (decided->wait_s == 0 || room_s <= now_s)
			return;
		tell_from(view, "There may be room again from ", room_s, now_s);
		view_puts(view, ".\n");
		return;
	case REMEDY_DRAIN:
		if (sequel->drained_until_s == 0) {
			view_puts(view, "It is drained no longer.\n");
			return;
		}
		say_time(view, "It is drained until ", sequel->drained_until_s, "");
		say_long(view, " (for ", sequel->drained_until_s - now_s, ").\n");
		return;
	case REMEDY_STORE:
	case REMEDY_NONE: return;
	}
}

static void
tell_meaning(const struct view *view, const struct conf *conf,
             const struct decision_line *decided, const struct reason *reason,
             const struct sequel *sequel, int64_t now_s)
{
	if (reason)
		view_sentence(view, reason->text);
	if (decided->delayed_s > 0)
		say_long(view, "It was held up for ", decided->delayed_s, ".\n");
	if (!is_deferred(decided))
		return;
	view_sentence(
		view,
		"weir asked the sending server to try again later; that server keeps the mail, and nothing is lost.");
	if (reason)
		tell_retry(view, conf, decided, reason->remedy, sequel, now_s);
}

static void
tell_sequel(const struct view *view, const struct decision_line *decided,
            const struct sequel *sequel, int64_t now_s)
{
	if (!is_deferred(decided) || decided->triplet.n == 0)
		return;
	if (sequel->later.n == 0) {
		view_puts(view, "No later try is recorded.\n");
	} else {
		const struct decision_line *last = &sequel->later.v[0];
		say_time(view,
		         is_deferred(last) ? "It came back, and was deferred again at "
		                           : "It came back, and was let through at ",
		         last->at_s, "");
		say(view, " (id ", last->id, "");
		say(view, ", ", last->why, ").\n");
	}
	view_puts(view, "Now the triplet is ");
	greylisted_say(view, &sequel->record, now_s);
	view_puts(view,
	          sequel->is_client_allowed
	                  ? ";\nits client is allowed now, so it is not greylisted.\n"
	                  : ".\n");
}

/* ---- the ways out, as commands to be copied ---- */

struct advice {
	const struct view *view;
	bool begun;
};

/* Root will paste it into a shell: left out when the argument is more than a plain word. */
static void
advise(struct advice *advice, const char *command, struct slice argument,
       const char *behind)
{
	if (!is_plain_word(argument))
		return;
	if (!advice->begun)
		view_puts(advice->view, "\nTo let it through now:\n");
	advice->begun = true;
	say(advice->view, command, argument, behind);
}

static void
advise_allow(struct advice *advice, const struct decision_line *decided,
             const char *behind)
{
	if (decided->sender.n > 2 && slice_find(decided->sender, '@') > 0)
		advise(advice, "  weirctl allow --sender ", decided->sender, behind);
	advise(advice, "  weirctl allow --client ", decided->client, behind);
}

/* Whose limit it was that refused, as set-limit wants it; empty when it is not known. */
static struct slice
limited_name(const struct conf *conf, const struct decision_line *decided,
             enum limit_scope scope)
{
	const struct slice names[SCOPES] = {
		[SCOPE_DESTINATION] = decided->destination,
		[SCOPE_CLIENT] = decided->identity,
		[SCOPE_SENDER] = decided->sender,
		[SCOPE_USER] = decided->user,
		[SCOPE_MAILBOX] = decided->recipient,
	};
	const struct conf_groups *groups = limit_groups(conf, scope);
	const struct conf_group *group =
		groups ? group_find(groups, names[scope],
	                            scope == SCOPE_USER ? (struct slice){0}
	                                                : mailaddr_domain(names[scope]))
		       : NULL;
	return group && group->shared ? slice_of(group->name) : names[scope];
}

/* Such as "set-limit acme N", "set-limit --user alice messages RATES". */
static void
advise_set_limit(struct advice *advice, const struct conf *conf,
                 const struct decision_line *decided)
{
	static const char *const commands[SCOPES] = {
		[SCOPE_DESTINATION] = "  weirctl set-limit ",
		[SCOPE_CLIENT] = "  weirctl set-limit --client ",
		[SCOPE_SENDER] = "  weirctl set-limit --sender ",
		[SCOPE_USER] = "  weirctl set-limit --user ",
		[SCOPE_MAILBOX] = "  weirctl set-limit --mailbox ",
	};
	static const char *const values[LIMIT_KINDS] = {" N\n", " messages RATES\n",
	                                                " recipients RATES\n"};
	for (int i = 0; i < LIMIT_BOUNDS; i++) {
		enum limit_scope scope = (enum limit_scope)(i / LIMIT_KINDS);
		if (slice_eq(decided->why, slice_of(why_word((enum why)(WHY_LIMIT + i)))))
			advise(advice, commands[scope],
			       limited_name(conf, decided, scope),
			       values[i % LIMIT_KINDS]);
	}
}

static void
tell_remedy(const struct view *view, const struct conf *conf,
            const struct decision_line *decided, enum remedy remedy,
            const struct sequel *sequel)
{
	struct advice advice = {.view = view};
	switch (remedy) {
	case REMEDY_NONE: return;
	case REMEDY_GREYLIST:
		if (is_greylist_passed(sequel))
			return;
		advise(&advice, "  weirctl release ", decided->id, "\n");
		advise_allow(&advice, decided, "\n");
		return;
	case REMEDY_LIMIT:
		advise_set_limit(&advice, conf, decided);
		if (slice_starts_nocase(decided->why, SLICE("user-")))
			advise(&advice, "  weirctl allow --user ", decided->user, "\n");
		advise_allow(&advice, decided, " --no-limits\n");
		return;
	case REMEDY_DRAIN:
		if (sequel->drained_until_s == 0)
			return;
		if (slice_starts_nocase(decided->why, SLICE("user-")))
			advise(&advice, "  weirctl undrain --user ", decided->user, "\n");
		else
			advise(&advice, "  weirctl undrain ", decided->destination, "\n");
		return;
	case REMEDY_STORE:
		view_puts(view,
		          "\nTo see what is wrong with the store:\n  weirctl doctor\n");
		return;
	}
}

void
story_tell(const struct view *view, const struct conf *conf,
           const struct decision_line *decided, const struct sequel *sequel,
           int64_t now_s)
{
	const struct reason *reason = reason_find(decided->why);
	tell_what(view, decided, now_s);
	tell_whose(view, decided);
	tell_meaning(view, conf, decided, reason, sequel, now_s);
	tell_sequel(view, decided, sequel, now_s);
	if (reason && is_deferred(decided))
		tell_remedy(view, conf, decided, reason->remedy, sequel);
}
