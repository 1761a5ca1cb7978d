/* history_facts.c - what doctor asks of the store: what it tells of itself, and whether it works. */
#include "store/history_backend.h"

bool
history_facts(struct history *history, bool deep, history_fact_fn *fn, void *arg,
              struct err *err_out)
{
	return history->ops->facts(history, deep, fn, arg, err_out);
}

bool
history_try(struct history *history, struct err *err_out)
{
	return history->ops->try_it(history, err_out);
}
