/* doctor_orders.c - whether an order in force lets everybody in. */
#include <string.h>

#include "clock.h"
#include "cure.h"
#include "doctor.h"
#include "everybody.h"
#include "order_board.h"

static void
judge(struct checkup *checkup, const struct order *order)
{
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
