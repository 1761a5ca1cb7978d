/* ledger_facts.c - what doctor asks of the store: what it tells of itself, and whether it works. */
#include "store/ledger_backend.h"

bool
ledger_facts(struct ledger *ledger, bool deep, ledger_fact_fn *fn, void *arg,
             struct err *err_out)
{
	return ledger->ops->facts(ledger, deep, fn, arg, err_out);
}

bool
ledger_try(struct ledger *ledger, struct err *err_out)
{
	return ledger->ops->try_it(ledger, err_out);
}
