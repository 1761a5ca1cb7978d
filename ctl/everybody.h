/* everybody.h - an entry, of a list or an order, that lets everybody in. */
#ifndef WEIR_CTL_EVERYBODY_H
#define WEIR_CTL_EVERYBODY_H

#include <stdbool.h>

#include "base/slice.h"
#include "conf/list.h"
#include "rules/orders.h"

/* Tried with some that have nothing in common; `entry` is not empty. */
bool covers_everybody(enum list_kind kind, struct slice entry);

/* The same of an exemption; other orders let nobody in. */
bool order_covers_everybody(const struct order *order);

#endif
