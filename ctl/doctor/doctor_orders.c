/* doctor_orders.c - whether an order in force lets everybody in, or is about nothing. */
#include <string.h>

#include "base/clock.h"
#include "cure.h"
#include "doctor.h"
#include "everybody.h"
#include "store/order_board.h"

static void
say_lost(struct checkup *checkup, const struct order *order)
{
	finding_add(
		checkup->findings, FINDING_WARNING,
		"an order is about no destination any more",
		"The settings have none of that name now: mail flows as if there were "
		"no order.");
	finding_seen(checkup->findings, "%s %s, by %s", order_kind_word(order->kind),
	             order->name, order->by);
	finding_mend(
		checkup->findings,
		"Give it anew by the name or a domain of what is meant; and end this "
		"one:\nweirctl %s %s",
		order->kind == ORDER_DRAIN ? "undrain" : "unset-limit",
		cure_quoted(checkup->findings, order->name));
}

static void
judge(struct checkup *checkup, const struct order *order)
{
	struct slice meant;
	if (order_is_of_destination(order->kind)) {
		order_meant(order, checkup->conf, &meant);
		if (meant.n == 0)
			say_lost(checkup, order);
	}
	if (!order_covers_everybody(order))
		return;
	finding_add(checkup->findings, FINDING_WARNING, "an order lets everybody in",
	            "With it, nothing is greylisted.");
	finding_seen(checkup->findings, "%s %s, by %s", order_kind_word(order->kind),
	             order->name, order->by);
	finding_mend(checkup->findings, "weirctl disallow --%s %s",
	             order_kind_word(order->kind) + strlen("allow-"),
	             cure_quoted(checkup->findings, order->name));
}

void
doctor_orders(struct checkup *checkup)
{
	struct err err; /* a store that cannot be read has been reported */
	struct orders *orders =
		checkup->ledger ? order_board_read(checkup->ledger, clock_wall_s(), &err)
				: NULL;
	for (size_t i = 0; orders && i < orders_count(orders); i++)
		judge(checkup, orders_at(orders, i));
	orders_unref(&orders);
}
