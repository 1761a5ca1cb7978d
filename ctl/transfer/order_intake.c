/* order_intake.c - what an import does with orders: those in force that are newer are taken. */
#include "order_intake.h"

#include <string.h>

#include "rules/orders.h"
#include "store/order_board.h"

bool
order_intake_open(struct order_intake *orders, struct intake *intake, struct err *err_out)
{
	*orders =
		(struct order_intake){.intake = intake,
	                              .there = order_board_read(intake->ledger,
	                                                        intake->now_s, err_out)};
	return orders->there != NULL;
}

void
order_intake_close(struct order_intake *orders)
{
	if (orders->there)
		orders_unref(&orders->there);
}

static bool
is_newer(const struct order_intake *orders, const struct order *order)
{
	for (size_t i = 0; i < orders_count(orders->there); i++) {
		const struct order *there = orders_at(orders->there, i);
		if (there->kind == order->kind && strcmp(there->name, order->name) == 0)
			return order->made_s > there->made_s;
	}
	return true;
}

bool
order_intake_take(struct order_intake *orders, const struct order *order,
                  struct err *err_out)
{
	struct intake *intake = orders->intake;
	enum intake_fate fate = INTAKE_TAKEN;
	if (order->until_s <= intake->now_s)
		fate = INTAKE_EXPIRED;
	else if (!intake->replace && !is_newer(orders, order))
		fate = INTAKE_OLDER;
	if (fate == INTAKE_TAKEN && intake->apply &&
	    !order_board_put(intake->ledger, order, err_out))
		return false;
	intake->count[fate]++;
	return true;
}
