/* ordering.h - the orders of the operator, as weirctl reads and names them. */
#ifndef WEIR_CTL_ORDERING_H
#define WEIR_CTL_ORDERING_H

#include "ctl.h"
#include "rules/orders.h"

/* Whether both are the same order to an operator: of one kind, about one destination or entry. */
bool ordering_is_same(const struct conf *conf, const struct order *order,
                      const struct order *like);

/* The name among them that was perhaps meant; NULL: none is near. */
const char *ordering_nearest(const struct conf *conf, const struct orders *orders,
                             const struct order *like);

/* The one of the settings with that name, or that domain; NULL: there is none. */
const struct conf_destination *ordering_configured(const struct conf *conf,
                                                   struct slice name);

/*
 * Names the destination that a command's operand means: a configured one by its name, or a domain,
 * of one or of none.  EX_OK, or EX_USAGE and said so.
 */
int ordering_destination(const struct conf *conf, const char *given, struct order *order);

/*
 * Names the client, sender, user or mailbox, or the group that shares, whose limit the order sets, as
 * limits name it.  EX_OK, or EX_USAGE and said so.
 */
int ordering_limited(const struct conf *conf, const char *given, struct order *order);

/*
 * Warns of what makes the order moot: no daemon sees it, the settings refuse nothing, or another
 * destination was meant.
 */
void ordering_warn(const struct conf *conf, struct ledger *ledger,
                   const struct order *order, int64_t now_s);

/* Writes the audit's line: "event=order kind=drain name=acme ...". */
void ordering_log(const struct ctl *ctl, const char *event, const struct order *order);

#endif
