/* postfix_judge_settings.c - settings of Postfix as a whole that matter to weir. */
#include "cure.h"
#include "postfix_cure.h"

#define VERSION_MIN 300

static void
judge_version(struct judge *judge)
{
	unsigned version = postfix_version(judge->postfix);
	if (version == 0 || version >= VERSION_MIN)
		return;
	finding_add(
		judge->findings, FINDING_WARNING, "this Postfix is too old",
		"Postfix 3.0 introduced options such as default_action for a single service, and the client's port, which weir needs to tell sessions apart.");
	finding_seen(judge->findings, "mail_version %u.%u", version / 100, version % 100);
	finding_mend(judge->findings, "Use Postfix 3.0 or later");
}

static void
judge_soft_bounce(struct judge *judge)
{
	if (!postfix_yes(judge->postfix, NULL, "soft_bounce"))
		return;
	finding_add(
		judge->findings, FINDING_NOTE, "soft_bounce is on",
		"Postfix defers what it would reject: in its log that looks like greylisting, and such mail comes again and again.");
	finding_seen(judge->findings, "soft_bounce = yes");
	char buf[CURE_MAX];
	struct text text = TEXT(buf);
	cure_postconf(judge, "soft_bounce", "no", &text);
	cure_reload(judge, &text);
	cure_set(judge->findings, &text);
}

/* These make strangers come back once already. */
static void
judge_postscreen(struct judge *judge)
{
	static const char *const tests[] = {"postscreen_bare_newline_enable",
	                                    "postscreen_non_smtp_command_enable",
	                                    "postscreen_pipelining_enable"};
	char buf[CURE_MAX] = "", seen_buf[200] = "";
	struct text text = TEXT(buf), seen = TEXT(seen_buf);
	bool runs = false;
	for (size_t i = 0; i < judge->postfix->n_services; i++)
		runs |= slice_eq(judge->postfix->services[i].command,
		                 SLICE("postscreen"));
	for (size_t i = 0; runs && i < COUNT_OF(tests); i++) {
		if (!postfix_yes(judge->postfix, NULL, tests[i]))
			continue;
		text_printf(&seen, "%s%s = yes", seen.n > 0 ? ", " : "", tests[i]);
		cure_postconf(judge, tests[i], "no", &text);
	}
	if (seen.n == 0)
		return;
	finding_add(
		judge->findings, FINDING_NOTE, "postscreen holds up new clients, too",
		"Its tests after the greeting end with a 4xx reply.  Greylisting only begins at the retry, so mail waits twice.");
	finding_seen(judge->findings, "%s", seen_buf);
	cure_reload(judge, &text);
	cure_set(judge->findings, &text);
}

static void
on_non_smtpd(void *arg, const struct asked *asked)
{
	struct judge *judge = arg;
	finding_add(
		judge->findings, FINDING_NOTE,
		"Postfix asks weir-milter about local mail",
		"Mail of this host's own programs is never greylisted, but limits apply to it, and deferred mail stays in the queue.");
	finding_seen(judge->findings, "non_smtpd_milters: %.*s",
	             (int)asked->client.endpoint.n, asked->client.endpoint.p);
	char buf[CURE_MAX];
	struct text text = TEXT(buf);
	cure_drop_from(judge, NULL, asked->list, asked->client.endpoint, &text);
	cure_reload(judge, &text);
	cure_set(judge->findings, &text);
}

void
judge_settings(struct judge *judge)
{
	judge_version(judge);
	judge_soft_bounce(judge);
	judge_postscreen(judge);
	judge_networks(judge);
	judge_rewrite(judge);
	postfix_walk_milters(judge->postfix, judge->conf, NULL, "non_smtpd_milters",
	                     on_non_smtpd, judge);
}
