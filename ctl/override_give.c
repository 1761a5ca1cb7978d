/* override_give.c - allow, drain, set-limit and their contraries. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "books/status.h"
#include "commands.h"
#include "conf/schema.h"
#include "limit_words.h"
#include "output.h"
#include "overriding.h"
#include "rules/limit.h"
#include "store/override_store.h"
#include "view.h"
#include "when.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    (24 * 60 * MINUTE_MS)
#define FOR_S     (2 * INT64_C(3600))

/* What --for says; FOR_S without it. */
static int
read_for(const struct ctl *ctl, struct override *override, int64_t now_s)
{
	const char *given = ctl_option(ctl, "for");
	int64_t ms = FOR_S * 1000;
	if (given && (!when_parse_span(slice_of(given), &ms) || ms < MINUTE_MS ||
	              ms > 365 * DAY_MS))
		return ctl_fail(EX_USAGE,
		                "--for: \"%.40s\" is no time from 1m to 365d, such as "
		                "30m, 2h or 7d",
		                given);
	override->made_s = now_s;
	override->until_s = now_s + ms / 1000;
	struct text by = TEXT(override->by);
	text_puts(&by, ctl_who());
	return EX_OK;
}

/* ---- saying what is so now ---- */

static void
say_subject(const struct view *view, const struct conf *conf,
            const struct override *override)
{
	static const char *const subjects[] = {
		[OVERRIDE_ALLOW_CLIENT] = "mail of client ",
		[OVERRIDE_ALLOW_SENDER] = "mail of sender ",
		[OVERRIDE_ALLOW_RECIPIENT] = "mail to recipient ",
		[OVERRIDE_DRAIN] = "destination ",
		[OVERRIDE_ALLOW_USER] = "mail of user ",
		[OVERRIDE_DRAIN_USER] = "mail of user ",
	};
	struct slice meant = {0};
	if (override_is_limit(override->kind))
		view_printf(view, "%s ",
		            limit_scope_word(override_scope(override->kind)));
	else
		view_puts(view, subjects[override->kind]);
	if (override_is_of_destination(override->kind))
		override_meant(override, conf, &meant);
	if (meant.n == 0 || slice_eq_nocase(meant, slice_of(override->name))) {
		view_text(view, override->name);
		return;
	}
	view_put(view, meant);
	view_puts(view, " (");
	view_text(view, override->name);
	view_puts(view, ")");
}

static void
say_limit(const struct view *view, const struct override *override)
{
	enum limit_kind bound = override_bound(override->kind);
	bool sets_rates = override_sets_rates(override->kind);
	const char *what = bound == LIMIT_CONCURRENCY ? "deliveries at once"
	                   : bound == LIMIT_MESSAGES  ? "messages"
	                                              : "recipients";
	char buf[RATES_TEXT_MAX];
	struct text text = TEXT(buf);
	override_print_limit(override, &text);
	if (sets_rates ? override->rates.n == 0 : override->limit == 0)
		view_printf(view, " may have any number of %s", what);
	else if (sets_rates)
		view_printf(view, " may have %s at %s", what, buf);
	else if (override->limit == 1)
		view_puts(view, " may have 1 delivery at once");
	else
		view_printf(view, " may have %s %s", buf, what);
}

static void
say_effect(const struct view *view, const struct override *override)
{
	switch (override->kind) {
	case OVERRIDE_ALLOW_CLIENT:
	case OVERRIDE_ALLOW_SENDER:
	case OVERRIDE_ALLOW_RECIPIENT:
		view_puts(view, override->no_limits
		                        ? " is neither greylisted nor limited"
		                        : " is not greylisted; limits still apply");
		break;
	case OVERRIDE_DRAIN:
		view_puts(view, " is drained: all mail to it is deferred");
		break;
	case OVERRIDE_ALLOW_USER: view_puts(view, " is not limited"); break;
	case OVERRIDE_DRAIN_USER:
		view_puts(view, " is held back: all of it is deferred");
		break;
	case OVERRIDE_LIMIT:
	case OVERRIDE_KINDS: break;
	}
	if (override_is_limit(override->kind))
		say_limit(view, override);
}

static void
say_override(const struct view *view, const struct conf *conf,
             const struct override *override, const struct override *before)
{
	char buf[128];
	struct text text = TEXT(buf);
	say_subject(view, conf, override);
	say_effect(view, override);
	when_print(override->until_s, &text);
	text_puts(&text, " (for ");
	when_print_long(override->until_s - override->made_s, &text);
	view_printf(view, "\nuntil %s)\n", buf);
	if (!before)
		return;
	text = TEXT(buf);
	when_print(before->until_s, &text);
	view_printf(view, "this replaces an override until %s by ", buf);
	view_text(view, before->by);
	view_puts(view, "\n");
}

/* ---- giving it ---- */

static const struct override *
find_same(const struct conf *conf, const struct overrides *overrides,
          const struct override *like)
{
	for (size_t i = 0; i < overrides_count(overrides); i++)
		if (overriding_is_same(conf, overrides_at(overrides, i), like))
			return overrides_at(overrides, i);
	return NULL;
}

/* One about the same destination by another name would go on when this one ends. */
static bool
drop_same(struct ctl *ctl, const struct overrides *overrides,
          const struct override *override, struct err *err)
{
	bool found;
	for (size_t i = 0; i < overrides_count(overrides); i++) {
		const struct override *other = overrides_at(overrides, i);
		if (strcmp(other->name, override->name) != 0 &&
		    overriding_is_same(ctl->conf, other, override) &&
		    !override_store_drop(ctl->history, other, &found, err))
			return false;
	}
	return true;
}

static int
put_among(struct ctl *ctl, const struct override *override,
          const struct overrides *overrides)
{
	const struct override *before = find_same(ctl->conf, overrides, override);
	struct view view = view_of_stdout();
	struct err err;
	if (!before && overrides_count(overrides) >= OVERRIDES_MAX)
		return ctl_fail(EX_UNAVAILABLE,
		                "there are %d overrides already, and no more "
		                "are read: weirctl overrides",
		                OVERRIDES_MAX);
	if (!override_store_put(ctl->history, override, &err))
		return ctl_store_failed(&err);
	if (!drop_same(ctl, overrides, override, &err))
		return ctl_store_failed(&err);
	overriding_log(ctl, "override", override);
	if (ctl->json)
		print_json(status_override(ctl->conf, override));
	else
		say_override(&view, ctl->conf, override, before);
	overriding_warn(ctl->conf, ctl->history, override, override->made_s);
	return EX_OK;
}

static int
give(struct ctl *ctl, struct override *override)
{
	struct err err;
	ctl->makes_store = true;
	int status = read_for(ctl, override, clock_wall_s());
	if (status != EX_OK || !history_of(ctl, &status))
		return status;
	struct overrides *overrides =
		override_store_read(ctl->history, override->made_s, &err);
	if (!overrides)
		return ctl_store_failed(&err);
	status = put_among(ctl, override, overrides);
	overrides_unref(&overrides);
	return status;
}

/* ---- taking it back ---- */

/* With the order in force that was perhaps meant. */
static int
fail_absent(struct ctl *ctl, const struct override *override)
{
	const char *word = override_kind_word(override->kind), *nearest = NULL;
	struct err ignored;
	const struct conf *conf = ctl_conf(ctl, false);
	struct overrides *overrides =
		override_store_read(ctl->history, clock_wall_s(), &ignored);
	if (conf && overrides)
		nearest = overriding_nearest(conf, overrides, override);
	int status =
		nearest ? ctl_fail(CTL_NO,
	                           "there is no override \"%s %s\": did you mean \"%s\"?",
	                           word, override->name, nearest)
			: ctl_fail(CTL_NO, "there is no override \"%s %s\"", word,
	                           override->name);
	overrides_unref(&overrides);
	return status;
}

static bool
is_of_same_scope(const struct override *a, const struct override *b)
{
	return override_is_limit(a->kind) && override_is_limit(b->kind) &&
	       override_scope(a->kind) == override_scope(b->kind);
}

/* What is in force of it; how many, or -1 with a text. */
static int
drop_all(struct ctl *ctl, const struct overrides *overrides, const struct override *like,
         bool any_bound, struct err *err)
{
	struct view view = view_of_stdout();
	int dropped = 0;
	for (size_t i = 0; i < overrides_count(overrides); i++) {
		const struct override *override = overrides_at(overrides, i);
		bool found;
		struct override meant = *like;
		if (any_bound && is_of_same_scope(override, like))
			meant.kind = override->kind;
		if (!overriding_is_same(ctl->conf, override, &meant))
			continue;
		if (!override_store_drop(ctl->history, override, &found, err))
			return -1;
		if (!found)
			continue;
		dropped++;
		overriding_log(ctl, "override-dropped", &meant);
		if (ctl->json)
			continue;
		view_printf(&view, "no longer in force: %s ",
		            override_kind_word(override->kind));
		view_text(&view, override->name);
		view_puts(&view, "\n");
	}
	return dropped;
}

static int
take_back_all(struct ctl *ctl, const struct override *override, bool any_bound,
              const char *given)
{
	struct override unknown = *override;
	struct err err;
	struct overrides *overrides =
		override_store_read(ctl->history, clock_wall_s(), &err);
	int dropped =
		overrides ? drop_all(ctl, overrides, override, any_bound, &err) : -1;
	overrides_unref(&overrides);
	if (dropped < 0)
		return ctl_store_failed(&err);
	int status = dropped == 0 && given
	                     ? overriding_destination(ctl->conf, given, &unknown)
	                     : EX_OK;
	if (status != EX_OK)
		return status;
	if (ctl->json)
		print_json(json_pack("{s:s, s:o, s:b}", "kind",
		                     override_kind_word(override->kind), "name",
		                     status_text(slice_of(override->name)), "found",
		                     dropped > 0));
	else if (dropped == 0)
		return fail_absent(ctl, override);
	return dropped > 0 ? EX_OK : CTL_NO;
}

/* `given`: as a destination, which may be in an order though in the settings no more. */
static int
take_back(struct ctl *ctl, struct override *override, const char *given)
{
	int status;
	struct err err;
	if (!ctl_conf(ctl, false))
		return ctl->conf_status;
	if (given && !override_set_name(override, slice_of(given), &err))
		return ctl_fail(EX_USAGE, "%s", err.text);
	return history_of(ctl, &status) ? take_back_all(ctl, override, false, given)
	                                : status;
}

/* ---- the commands ---- */

/* Exactly one of --client, --sender, --recipient and --user. */
static int
read_subject(const struct ctl *ctl, const char *command, struct override *override)
{
	static const struct {
		const char *option;
		enum override_kind kind;
	} subjects[] = {
		{"client", OVERRIDE_ALLOW_CLIENT},
		{"sender", OVERRIDE_ALLOW_SENDER},
		{"recipient", OVERRIDE_ALLOW_RECIPIENT},
		{"user", OVERRIDE_ALLOW_USER},
	};

	const char *given = NULL, *option = NULL;
	struct err err;
	size_t n = 0;
	for (size_t i = 0; i < COUNT_OF(subjects); i++) {
		const char *value = ctl_option(ctl, subjects[i].option);
		if (!value)
			continue;
		n++;
		given = value;
		option = subjects[i].option;
		override->kind = subjects[i].kind;
	}
	if (n != 1) {
		ctl_fail(EX_USAGE,
		         "%s needs one of --client, --sender, --recipient and --user",
		         command);
		return command_misused(command);
	}
	if (!override_set_name(override, slice_of(given), &err))
		return ctl_fail(EX_USAGE, "--%s: %s", option, err.text);
	override->no_limits |= override->kind == OVERRIDE_ALLOW_USER;
	return EX_OK;
}

int
command_allow(struct ctl *ctl, int argc, char **argv)
{
	struct override override = {.no_limits = ctl_option(ctl, "no-limits") != NULL};
	(void)argc;
	int status = read_subject(ctl, argv[0], &override);
	return status == EX_OK ? give(ctl, &override) : status;
}

int
command_disallow(struct ctl *ctl, int argc, char **argv)
{
	struct override override = {0};
	(void)argc;
	int status = read_subject(ctl, argv[0], &override);
	return status == EX_OK ? take_back(ctl, &override, NULL) : status;
}

static int
read_destination(struct ctl *ctl, const char *given, struct override *override)
{
	const struct conf *conf = ctl_conf(ctl, false);
	return conf ? overriding_destination(conf, given, override) : ctl->conf_status;
}

/* A destination, which is not looked at here, or --user. */
static int
read_drained(const struct ctl *ctl, int argc, char **argv, struct override *override)
{
	const char *user = ctl_option(ctl, "user");
	struct err err;
	*override =
		(struct override){.kind = user ? OVERRIDE_DRAIN_USER : OVERRIDE_DRAIN};
	if ((argc > 1) == (user != NULL)) {
		ctl_fail(EX_USAGE, "%s needs a destination or --user", argv[0]);
		return command_misused(argv[0]);
	}
	return !user || override_set_name(override, slice_of(user), &err)
	               ? EX_OK
	               : ctl_fail(EX_USAGE, "--user: %s", err.text);
}

int
command_drain(struct ctl *ctl, int argc, char **argv)
{
	struct override override;
	int status = read_drained(ctl, argc, argv, &override);
	if (status == EX_OK && override.kind == OVERRIDE_DRAIN)
		status = read_destination(ctl, argv[1], &override);
	return status == EX_OK ? give(ctl, &override) : status;
}

int
command_undrain(struct ctl *ctl, int argc, char **argv)
{
	struct override override;
	int status = read_drained(ctl, argc, argv, &override);
	return status == EX_OK ? take_back(ctl, &override, argv[1]) : status;
}

/* Names whose limit it is, as limits name it. */
static int
name_limited(const struct conf *conf, struct limit_words *words)
{
	return override_is_of_destination(words->override.kind)
	               ? overriding_destination(conf, words->name, &words->override)
	               : overriding_limited(conf, words->name, &words->override);
}

int
command_set_limit(struct ctl *ctl, int argc, char **argv)
{
	struct limit_words words;
	struct err err;
	int status = limit_words_read(ctl, argc, argv, &words);
	if (status != EX_OK)
		return status;
	if (words.value.n == 0) {
		ctl_fail(EX_USAGE, "set-limit %s%s%s needs N or RATES behind it",
		         words.name, words.any_bound ? "" : " ",
		         words.any_bound ? "" : argv[argc - 1]);
		return command_misused(argv[0]);
	}
	if (words.any_bound && slice_find(words.value, '/') >= 0)
		return ctl_fail(EX_USAGE,
		                "\"%.60s\" is a rate, of messages or recipients: say "
		                "which before it",
		                words.buf);
	if (!override_set_limit(&words.override, words.value, &err))
		return ctl_fail(EX_USAGE, "\"%.60s\" %s", words.buf, err.text);
	const struct conf *conf = ctl_conf(ctl, false);
	status = conf ? name_limited(conf, &words) : ctl->conf_status;
	return status == EX_OK ? give(ctl, &words.override) : status;
}

int
command_unset_limit(struct ctl *ctl, int argc, char **argv)
{
	struct limit_words words;
	struct err err;
	int status = limit_words_read(ctl, argc, argv, &words);
	if (status != EX_OK)
		return status;
	if (words.value.n > 0)
		return command_misused(argv[0]);
	const struct conf *conf = ctl_conf(ctl, false);
	if (!conf)
		return ctl->conf_status;
	bool of_destination = override_is_of_destination(words.override.kind);
	if (!of_destination)
		status = overriding_limited(conf, words.name, &words.override);
	else if (!override_set_name(&words.override, slice_of(words.name), &err))
		status = ctl_fail(EX_USAGE, "%s", err.text);
	if (status != EX_OK || !history_of(ctl, &status))
		return status;
	return take_back_all(ctl, &words.override, words.any_bound,
	                     of_destination ? words.name : NULL);
}
