/* postfix_judge_rewrite.c - whether weir rewrites addresses as Postfix does. */
#include <stdio.h>

#include "base/hostname.h"
#include "postfix_cure.h"
#include "postfix_judge.h"
#include "postfix_walk.h"

struct difference {
	const struct judge *judge;
	const struct postfix_service *rewriter; /* trivial-rewrite */
	char seen_buf[1200], settings_buf[1200];
	struct text seen, settings;
	bool no_append_at;
};

static struct slice
value_of(const struct difference *d, const char *name)
{
	return postfix_value(d->judge->postfix, d->rewriter, name);
}

static void
see(struct difference *d, const char *name, struct slice value)
{
	text_printf(&d->seen, "%s%s = %.*s", d->seen.n > 0 ? ", " : "", name,
	            (int)value.n, value.p);
}

static void
differ_in_domain(struct difference *d, const char *name, const char *setting,
                 struct slice wanted)
{
	see(d, name, value_of(d, name));
	text_printf(&d->settings, "%s = \"%.*s\"; ", setting, (int)wanted.n, wanted.p);
}

static void
compare_switch(struct difference *d, const char *name, const char *setting, bool ours)
{
	struct slice value = value_of(d, name);
	bool yes = postfix_yes(d->judge->postfix, d->rewriter, name);
	if (value.n == 0 || yes == ours)
		return;
	see(d, name, value);
	text_printf(&d->settings, "%s = %s; ", setting, yes ? "true" : "false");
}

/* What a file says, whose name can stand in place of a domain. */
static struct slice
read_domain(struct slice path, char *buf, size_t size)
{
	char name[1024];
	struct text text = TEXT(name);
	text_put(&text, path);
	FILE *file = text.cut ? NULL : fopen(name, "re");
	bool read = file && fgets(buf, (int)size, file);
	if (file)
		fclose(file);
	return read ? slice_trim(slice_of(buf)) : SLICE("");
}

static void
compare_origin(struct difference *d)
{
	char buf[HOSTNAME_MAX + 2];
	struct slice domain = value_of(d, "myorigin");
	if (slice_starts_nocase(domain, SLICE("/")))
		domain = read_domain(domain, buf, sizeof(buf));
	if (hostname_is_valid(domain) &&
	    !slice_eq_nocase(domain, slice_of(d->judge->conf->rewrite.origin)))
		differ_in_domain(d, "myorigin", "origin", domain);
}

static void
compare_append(struct difference *d)
{
	const char *name = "append_dot_mydomain";
	struct slice wanted = SLICE("");
	if (postfix_yes(d->judge->postfix, d->rewriter, name))
		wanted = value_of(d, "mydomain");
	if (value_of(d, name).n > 0 && (wanted.n == 0 || hostname_is_valid(wanted)) &&
	    !slice_eq_nocase(wanted, slice_of(d->judge->conf->rewrite.append_domain)))
		differ_in_domain(d, name, "append_domain", wanted);
}

/* Postfix itself does not do without: "must not be turned off", says its manual. */
static void
compare_append_at(struct difference *d)
{
	const char *name = "append_at_myorigin";
	struct slice value = value_of(d, name);
	d->no_append_at =
		value.n > 0 && !postfix_yes(d->judge->postfix, d->rewriter, name);
	if (d->no_append_at)
		see(d, name, value);
}

static void
on_policy(void *arg, const struct asked *asked)
{
	(void)asked;
	*(bool *)arg = true;
}

/* weir-milter is told what Postfix made of an address. */
static bool
asks_policyd(const struct judge *judge)
{
	bool asks = false;
	for (size_t i = 0; i < judge->postfix->n_services; i++)
		if (slice_eq(judge->postfix->services[i].command, SLICE("smtpd")))
			postfix_walk_policy(judge->postfix, judge->conf,
			                    &judge->postfix->services[i], on_policy,
			                    &asks);
	return asks;
}

static void
find_rewriter(struct difference *d)
{
	const struct postfix *postfix = d->judge->postfix;
	for (size_t i = 0; i < postfix->n_services; i++)
		if (slice_eq(postfix->services[i].command, SLICE("trivial-rewrite")))
			d->rewriter = &postfix->services[i];
}

static void
say_difference(struct judge *judge, const struct difference *d)
{
	char buf[CURE_MAX];
	struct text text = TEXT(buf);
	if (d->settings.n > 0)
		text_printf(&text,
		            "in weir.conf: rewrite: { %s};\n"
		            "systemctl reload weir-policyd weir-milter\n",
		            d->settings_buf);
	if (d->no_append_at) {
		cure_service_postconf(judge, d->rewriter, "append_at_myorigin", "yes",
		                      &text);
		cure_reload(judge, &text);
	}
	finding_add(
		judge->findings, FINDING_NOTE,
		"Postfix and weir-policyd rewrite addresses differently",
		"weir-policyd gets addresses as clients write them.  If it does not rewrite them as Postfix does, a recipient counts for the wrong destination, or twice.");
	finding_seen(judge->findings, "%s", d->seen_buf);
	cure_set(judge->findings, &text);
}

void
judge_rewrite(struct judge *judge)
{
	const struct conf_rewrite *ours = &judge->conf->rewrite;
	struct difference d = {.judge = judge,
	                       .seen = TEXT(d.seen_buf),
	                       .settings = TEXT(d.settings_buf)};
	find_rewriter(&d);
	compare_origin(&d);
	compare_append(&d);
	compare_switch(&d, "allow_percent_hack", "percent_hack", ours->percent_hack);
	compare_switch(&d, "swap_bangpath", "bangpath", ours->bangpath);
	compare_append_at(&d);
	if (d.seen.n > 0 && asks_policyd(judge))
		say_difference(judge, &d);
}
