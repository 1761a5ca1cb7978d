/* order_board.c - the operator's orders as the ledger has them up. */
#include "store/order_board.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/ledger_backend.h"

/* Names and texts by turns, each behind its length. */
struct board {
	char *bytes;
	size_t n, cap;
};

static void
put_slice(struct board *board, struct slice slice)
{
	size_t n = sizeof(slice.n) + slice.n;
	if (board->cap - board->n < n) {
		board->cap = 2 * board->cap + n;
		board->bytes = mem_grow(board->bytes, board->cap);
	}
	memcpy(board->bytes + board->n, &slice.n, sizeof(slice.n));
	if (slice.n > 0)
		memcpy(board->bytes + board->n + sizeof(slice.n), slice.p, slice.n);
	board->n += n;
}

static struct slice
take_slice(const struct board *board, size_t *at)
{
	struct slice slice = {.p = board->bytes + *at + sizeof(slice.n)};
	memcpy(&slice.n, board->bytes + *at, sizeof(slice.n));
	*at += sizeof(slice.n) + slice.n;
	return slice;
}

static void
on_order(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	(void)until_s;
	put_slice(arg, name);
	put_slice(arg, text);
}

static struct orders *
parse(const struct board *board)
{
	struct orders *orders = orders_new();
	struct order order;
	for (size_t at = 0; at < board->n;) {
		struct slice name = take_slice(board, &at);
		struct slice text = take_slice(board, &at);
		if (order_parse(name, text, &order))
			orders_add(orders, &order);
	}
	return orders;
}

static bool
is_as_before(const struct ledger *ledger, const struct board *board)
{
	return ledger->orders && board->n == ledger->board_n &&
	       (board->n == 0 || memcmp(board->bytes, ledger->board, board->n) == 0);
}

/* It is read often and changes seldom, and what is in it takes long to make. */
struct orders *
order_board_read(struct ledger *ledger, int64_t now_s, struct err *err_out)
{
	struct board board = {0};
	if (!ledger_read(ledger, BOARD_ORDERS, now_s, on_order, &board, err_out)) {
		free(board.bytes);
		return NULL;
	}
	if (is_as_before(ledger, &board)) {
		free(board.bytes);
		return orders_ref(ledger->orders);
	}
	free(ledger->board);
	orders_unref(&ledger->orders);
	ledger->board = board.bytes;
	ledger->board_n = board.n;
	ledger->orders = parse(&board);
	return orders_ref(ledger->orders);
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
