/* order_give.c - allow, drain, set-limit and their contraries. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "books/status.h"
#include "commands.h"
#include "conf/schema.h"
#include "limit_words.h"
#include "ordering.h"
#include "output.h"
#include "rules/limit.h"
#include "store/order_board.h"
#include "view.h"
#include "when.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    (24 * 60 * MINUTE_MS)
#define FOR_S     (2 * INT64_C(3600))

/* What --for says; FOR_S without it. */
static int
read_for(const struct ctl *ctl, struct order *order, int64_t now_s)
{
	const char *given = ctl_option(ctl, "for");
	int64_t ms = FOR_S * 1000;
	if (given && (!when_parse_span(slice_of(given), &ms) || ms < MINUTE_MS ||
	              ms > 365 * DAY_MS))
		return ctl_fail(EX_USAGE,
		                "--for: \"%.40s\" is no time from 1m to 365d, such as "
		                "30m, 2h or 7d",
		                given);
	order->made_s = now_s;
	order->until_s = now_s + ms / 1000;
	struct text by = TEXT(order->by);
	text_puts(&by, ctl_who());
	return EX_OK;
}

/* ---- saying what is so now ---- */

static void
say_subject(const struct view *view, const struct conf *conf, const struct order *order)
{
	static const char *const subjects[] = {
		[ORDER_ALLOW_CLIENT] = "mail of client ",
		[ORDER_ALLOW_SENDER] = "mail of sender ",
		[ORDER_ALLOW_RECIPIENT] = "mail to recipient ",
		[ORDER_DRAIN] = "destination ",
		[ORDER_ALLOW_USER] = "mail of user ",
		[ORDER_DRAIN_USER] = "mail of user ",
	};
	struct slice meant = {0};
	if (order_is_limit(order->kind))
		view_printf(view, "%s ", limit_scope_word(order_scope(order->kind)));
	else
		view_puts(view, subjects[order->kind]);
	if (order_is_of_destination(order->kind))
		order_meant(order, conf, &meant);
	if (meant.n == 0 || slice_eq_nocase(meant, slice_of(order->name))) {
		view_text(view, order->name);
		return;
	}
	view_put(view, meant);
	view_puts(view, " (");
	view_text(view, order->name);
	view_puts(view, ")");
}

static void
say_limit(const struct view *view, const struct order *order)
{
	enum limit_kind bound = order_bound(order->kind);
	bool sets_rates = order_sets_rates(order->kind);
	const char *what = bound == LIMIT_CONCURRENCY ? "deliveries at once"
	                   : bound == LIMIT_MESSAGES  ? "messages"
	                                              : "recipients";
	char buf[RATES_TEXT_MAX];
	struct text text = TEXT(buf);
	order_print_limit(order, &text);
	if (sets_rates ? order->rates.n == 0 : order->limit == 0)
		view_printf(view, " may have any number of %s", what);
	else if (sets_rates)
		view_printf(view, " may have %s at %s", what, buf);
	else if (order->limit == 1)
		view_puts(view, " may have 1 delivery at once");
	else
		view_printf(view, " may have %s %s", buf, what);
}

static void
say_effect(const struct view *view, const struct order *order)
{
	switch (order->kind) {
	case ORDER_ALLOW_CLIENT:
	case ORDER_ALLOW_SENDER:
	case ORDER_ALLOW_RECIPIENT:
		view_puts(view, order->no_limits
		                        ? " is neither greylisted nor limited"
		                        : " is not greylisted; limits still apply");
		break;
	case ORDER_DRAIN:
		view_puts(view, " is drained: all mail to it is deferred");
		break;
	case ORDER_ALLOW_USER: view_puts(view, " is not limited"); break;
	case ORDER_DRAIN_USER:
		view_puts(view, " is held back: all of it is deferred");
		break;
	case ORDER_LIMIT:
	case ORDER_KINDS: break;
	}
	if (order_is_limit(order->kind))
		say_limit(view, order);
}

static void
say_order(const struct view *view, const struct conf *conf, const struct order *order,
          const struct order *before)
{
	char buf[128];
	struct text text = TEXT(buf);
	say_subject(view, conf, order);
	say_effect(view, order);
	when_print(order->until_s, &text);
	text_puts(&text, " (for ");
	when_print_long(order->until_s - order->made_s, &text);
	view_printf(view, "\nuntil %s)\n", buf);
	if (!before)
		return;
	text = TEXT(buf);
	when_print(before->until_s, &text);
	view_printf(view, "this replaces an order until %s by ", buf);
	view_text(view, before->by);
	view_puts(view, "\n");
}

/* ---- giving it ---- */

static const struct order *
find_same(const struct conf *conf, const struct orders *orders, const struct order *like)
{
	for (size_t i = 0; i < orders_count(orders); i++)
		if (ordering_is_same(conf, orders_at(orders, i), like))
			return orders_at(orders, i);
	return NULL;
}

/* One about the same destination by another name would go on when this one ends. */
static bool
drop_same(struct ctl *ctl, const struct orders *orders, const struct order *order,
          struct err *err)
{
	bool found;
	for (size_t i = 0; i < orders_count(orders); i++) {
		const struct order *other = orders_at(orders, i);
		if (strcmp(other->name, order->name) != 0 &&
		    ordering_is_same(ctl->conf, other, order) &&
		    !order_board_drop(ctl->ledger, other, &found, err))
			return false;
	}
	return true;
}

static int
put_among(struct ctl *ctl, const struct order *order, const struct orders *orders)
{
	const struct order *before = find_same(ctl->conf, orders, order);
	struct view view = view_of_stdout();
	struct err err;
	if (!before && orders_count(orders) >= ORDERS_MAX)
		return ctl_fail(EX_UNAVAILABLE,
		                "there are %d orders already, and no more "
		                "are read: weirctl orders",
		                ORDERS_MAX);
	if (!order_board_put(ctl->ledger, order, &err))
		return ctl_store_failed(&err);
	if (!drop_same(ctl, orders, order, &err))
		return ctl_store_failed(&err);
	ordering_log(ctl, "order", order);
	if (ctl->json)
		print_json(status_order(ctl->conf, order));
	else
		say_order(&view, ctl->conf, order, before);
	ordering_warn(ctl->conf, ctl->ledger, order, order->made_s);
	return EX_OK;
}

static int
give(struct ctl *ctl, struct order *order)
{
	struct err err;
	ctl->makes_store = true;
	int status = read_for(ctl, order, clock_wall_s());
	if (status != EX_OK || !ledger_of(ctl, &status))
		return status;
	struct orders *orders = order_board_read(ctl->ledger, order->made_s, &err);
	if (!orders)
		return ctl_store_failed(&err);
	status = put_among(ctl, order, orders);
	orders_unref(&orders);
	return status;
}

/* ---- taking it back ---- */

/* With the order in force that was perhaps meant. */
static int
fail_absent(struct ctl *ctl, const struct order *order)
{
	const char *word = order_kind_word(order->kind), *nearest = NULL;
	struct err ignored;
	const struct conf *conf = ctl_conf(ctl, false);
	struct orders *orders = order_board_read(ctl->ledger, clock_wall_s(), &ignored);
	if (conf && orders)
		nearest = ordering_nearest(conf, orders, order);
	int status =
		nearest ? ctl_fail(CTL_NO,
	                           "there is no order \"%s %s\": did you mean \"%s\"?",
	                           word, order->name, nearest)
			: ctl_fail(CTL_NO, "there is no order \"%s %s\"", word,
	                           order->name);
	orders_unref(&orders);
	return status;
}

static bool
is_of_same_scope(const struct order *a, const struct order *b)
{
	return order_is_limit(a->kind) && order_is_limit(b->kind) &&
	       order_scope(a->kind) == order_scope(b->kind);
}

/* What is in force of it; how many, or -1 with a text. */
static int
drop_all(struct ctl *ctl, const struct orders *orders, const struct order *like,
         bool any_bound, struct err *err)
{
	struct view view = view_of_stdout();
	int dropped = 0;
	for (size_t i = 0; i < orders_count(orders); i++) {
		const struct order *order = orders_at(orders, i);
		bool found;
		struct order meant = *like;
		if (any_bound && is_of_same_scope(order, like))
			meant.kind = order->kind;
		if (!ordering_is_same(ctl->conf, order, &meant))
			continue;
		if (!order_board_drop(ctl->ledger, order, &found, err))
			return -1;
		if (!found)
			continue;
		dropped++;
		ordering_log(ctl, "order-dropped", &meant);
		if (ctl->json)
			continue;
		view_printf(&view, "no longer in force: %s ",
		            order_kind_word(order->kind));
		view_text(&view, order->name);
		view_puts(&view, "\n");
	}
	return dropped;
}

static int
take_back_all(struct ctl *ctl, const struct order *order, bool any_bound,
              const char *given)
{
	struct order unknown = *order;
	struct err err;
	struct orders *orders = order_board_read(ctl->ledger, clock_wall_s(), &err);
	int dropped = orders ? drop_all(ctl, orders, order, any_bound, &err) : -1;
	orders_unref(&orders);
	if (dropped < 0)
		return ctl_store_failed(&err);
	int status = dropped == 0 && given
	                     ? ordering_destination(ctl->conf, given, &unknown)
	                     : EX_OK;
	if (status != EX_OK)
		return status;
	if (ctl->json)
		print_json(json_pack("{s:s, s:o, s:b}", "kind",
		                     order_kind_word(order->kind), "name",
		                     status_text(slice_of(order->name)), "found",
		                     dropped > 0));
	else if (dropped == 0)
		return fail_absent(ctl, order);
	return dropped > 0 ? EX_OK : CTL_NO;
}

/* `given`: as a destination, which may be in an order though in the settings no more. */
static int
take_back(struct ctl *ctl, struct order *order, const char *given)
{
	int status;
	struct err err;
	if (!ctl_conf(ctl, false))
		return ctl->conf_status;
	if (given && !order_set_name(order, slice_of(given), &err))
		return ctl_fail(EX_USAGE, "%s", err.text);
	return ledger_of(ctl, &status) ? take_back_all(ctl, order, false, given) : status;
}

/* ---- the commands ---- */

/* Exactly one of --client, --sender, --recipient and --user. */
static int
read_subject(const struct ctl *ctl, const char *command, struct order *order)
{
	static const struct {
		const char *option;
		enum order_kind kind;
	} subjects[] = {
		{"client", ORDER_ALLOW_CLIENT},
		{"sender", ORDER_ALLOW_SENDER},
		{"recipient", ORDER_ALLOW_RECIPIENT},
		{"user", ORDER_ALLOW_USER},
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
		order->kind = subjects[i].kind;
	}
	if (n != 1) {
		ctl_fail(EX_USAGE,
		         "%s needs one of --client, --sender, --recipient and --user",
		         command);
		return command_misused(command);
	}
	if (!order_set_name(order, slice_of(given), &err))
		return ctl_fail(EX_USAGE, "--%s: %s", option, err.text);
	order->no_limits |= order->kind == ORDER_ALLOW_USER;
	return EX_OK;
}

int
command_allow(struct ctl *ctl, int argc, char **argv)
{
	struct order order = {.no_limits = ctl_option(ctl, "no-limits") != NULL};
	(void)argc;
	int status = read_subject(ctl, argv[0], &order);
	return status == EX_OK ? give(ctl, &order) : status;
}

int
command_disallow(struct ctl *ctl, int argc, char **argv)
{
	struct order order = {0};
	(void)argc;
	int status = read_subject(ctl, argv[0], &order);
	return status == EX_OK ? take_back(ctl, &order, NULL) : status;
}

static int
read_destination(struct ctl *ctl, const char *given, struct order *order)
{
	const struct conf *conf = ctl_conf(ctl, false);
	return conf ? ordering_destination(conf, given, order) : ctl->conf_status;
}

/* A destination, which is not looked at here, or --user. */
static int
read_drained(const struct ctl *ctl, int argc, char **argv, struct order *order)
{
	const char *user = ctl_option(ctl, "user");
	struct err err;
	*order = (struct order){.kind = user ? ORDER_DRAIN_USER : ORDER_DRAIN};
	if ((argc > 1) == (user != NULL)) {
		ctl_fail(EX_USAGE, "%s needs a destination or --user", argv[0]);
		return command_misused(argv[0]);
	}
	return !user || order_set_name(order, slice_of(user), &err)
	               ? EX_OK
	               : ctl_fail(EX_USAGE, "--user: %s", err.text);
}

int
command_drain(struct ctl *ctl, int argc, char **argv)
{
	struct order order;
	int status = read_drained(ctl, argc, argv, &order);
	if (status == EX_OK && order.kind == ORDER_DRAIN)
		status = read_destination(ctl, argv[1], &order);
	return status == EX_OK ? give(ctl, &order) : status;
}

int
command_undrain(struct ctl *ctl, int argc, char **argv)
{
	struct order order;
	int status = read_drained(ctl, argc, argv, &order);
	return status == EX_OK ? take_back(ctl, &order, argv[1]) : status;
}

/* Names whose limit it is, as limits name it. */
static int
name_limited(const struct conf *conf, struct limit_words *words)
{
	return order_is_of_destination(words->order.kind)
	               ? ordering_destination(conf, words->name, &words->order)
	               : ordering_limited(conf, words->name, &words->order);
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
	if (!order_set_limit(&words.order, words.value, &err))
		return ctl_fail(EX_USAGE, "\"%.60s\" %s", words.buf, err.text);
	const struct conf *conf = ctl_conf(ctl, false);
	status = conf ? name_limited(conf, &words) : ctl->conf_status;
	return status == EX_OK ? give(ctl, &words.order) : status;
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
	bool of_destination = order_is_of_destination(words.order.kind);
	if (!of_destination)
		status = ordering_limited(conf, words.name, &words.order);
	else if (!order_set_name(&words.order, slice_of(words.name), &err))
		status = ctl_fail(EX_USAGE, "%s", err.text);
	if (status != EX_OK || !ledger_of(ctl, &status))
		return status;
	return take_back_all(ctl, &words.order, words.any_bound,
	                     of_destination ? words.name : NULL);
}
