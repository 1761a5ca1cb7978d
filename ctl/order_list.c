/* order_list.c - which orders are in force. */
#include <jansson.h>
#include <sysexits.h>

#include "base/clock.h"
#include "books/status.h"
#include "commands.h"
#include "order_table.h"
#include "ordering.h"
#include "output.h"
#include "store/order_board.h"
#include "table.h"

static bool
is_allowance(const struct order *order)
{
	return order->kind == ORDER_ALLOW_CLIENT || order->kind == ORDER_ALLOW_SENDER ||
	       order->kind == ORDER_ALLOW_RECIPIENT || order->kind == ORDER_ALLOW_USER;
}

static json_t *
as_json(const struct conf *conf, const struct orders *orders, bool all)
{
	json_t *list = json_array();
	for (size_t i = 0; i < orders_count(orders); i++)
		if (all || is_allowance(orders_at(orders, i)))
			json_array_append_new(list,
			                      status_order(conf, orders_at(orders, i)));
	return list;
}

static int
list_orders(struct ctl *ctl, bool all)
{
	struct err err;
	int64_t now_s = clock_wall_s();
	int status;
	if (!ledger_of(ctl, &status))
		return status;
	struct orders *orders = order_board_read(ctl->ledger, now_s, &err);
	if (!orders)
		return ctl_store_failed(&err);
	json_t *list = as_json(ctl->conf, orders, all);
	orders_unref(&orders);
	if (ctl->json) {
		print_json(list);
		return EX_OK;
	}
	struct view view = view_of_stdout();
	if (json_array_size(list) == 0)
		view_puts(&view, all ? "no orders are in force\n"
		                     : "nothing is allowed by an order\n");
	else
		order_table_print(&view, list, now_s);
	json_decref(list);
	return EX_OK;
}

int
command_allowed(struct ctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	return list_orders(ctl, false);
}

int
command_orders(struct ctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	return list_orders(ctl, true);
}
