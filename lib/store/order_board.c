/* order_board.c - the operator's orders as the ledger has them up. */
#include "order_board.h"

static void
on_order(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	struct orders *orders = arg;
	struct order order;
	(void)until_s;
	if (order_parse(name, text, &order))
		orders_add(orders, &order);
}

struct orders *
order_board_read(struct ledger *ledger, int64_t now_s, struct err *err_out)
{
	struct orders *orders = orders_new();
	if (!ledger_read(ledger, BOARD_ORDERS, now_s, on_order, orders, err_out))
		orders_unref(&orders);
	return orders;
}

bool
order_board_put(struct ledger *ledger, const struct order *order, struct err *err_out)
{
	char name_buf[LEDGER_NAME_MAX + 1], text_buf[LEDGER_NAME_MAX + 1];
	struct text name = TEXT(name_buf), text = TEXT(text_buf);
	order_print_name(order, &name);
	order_print_text(order, &text);
	return ledger_put(ledger, BOARD_ORDERS, text_slice(&name), text_slice(&text),
	                  order->until_s, err_out);
}

bool
order_board_drop(struct ledger *ledger, const struct order *order, bool *found_out,
                 struct err *err_out)
{
	char buf[LEDGER_NAME_MAX + 1];
	struct text name = TEXT(buf);
	order_print_name(order, &name);
	return ledger_drop(ledger, BOARD_ORDERS, text_slice(&name), found_out, err_out);
}
