/* order_intake.h - what an import does with orders: those in force that are newer are taken. */
#ifndef WEIR_CTL_ORDER_INTAKE_H
#define WEIR_CTL_ORDER_INTAKE_H

#include "intake.h"
#include "rules/orders.h"

struct order_intake {
	struct intake *intake; /* whose store, switches and counts hold */
	struct orders *there;  /* in the store already */
};

/* Reads what is there.  False when the store fails. */
bool order_intake_open(struct order_intake *orders, struct intake *intake,
                       struct err *err_out) MUST_CHECK;
void order_intake_close(struct order_intake *orders);

bool order_intake_take(struct order_intake *orders, const struct order *order,
                       struct err *err_out) MUST_CHECK;

#endif
