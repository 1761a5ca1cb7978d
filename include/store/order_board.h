/* order_board.h - the operator's orders (orders.h) as the ledger has them up. */
#ifndef WEIR_ORDER_BOARD_H
#define WEIR_ORDER_BOARD_H

#include "rules/orders.h"
#include "store/ledger.h"

/*
 * All that are in force; the caller owns a reference: to the same as before when nothing has
 * changed.  NULL with a text.
 */
struct orders *order_board_read(struct ledger *ledger, int64_t now_s,
                                struct err *err_out);

/* Puts it up until it runs out, in place of one of that kind and name. */
bool order_board_put(struct ledger *ledger, const struct order *order,
                     struct err *err_out) MUST_CHECK;

/* Takes that of this kind and name down. */
bool order_board_drop(struct ledger *ledger, const struct order *order, bool *found_out,
                      struct err *err_out) MUST_CHECK;

#endif
