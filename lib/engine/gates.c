/* gates.c - THE table of gates, in the order in which they are asked. */
#include "engine/gate.h"

/* Limits are the last: what they take, no other gate refuses. */
const struct gate decision_gates[] = {
	{.rule = &rule_drained},
	{.rule = &rule_exempt},
	{.rule = &rule_greylist, .of_store = true, .ask = greylist_ask},
	{.rule = &rule_message, .ask = message_ask},
	{.rule = &rule_limits,
         .of_store = true,
         .ask = limits_ask,
         .cancel = limits_cancel,
         .fail = limits_fail,
         .give_back = limits_give_back},
	{0},
};
