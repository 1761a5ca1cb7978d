/* override_intake.c - what an import does with overrides: those in force that are newer are taken. */
#include "override_intake.h"

#include <string.h>

#include "rules/overrides.h"
#include "store/override_store.h"

bool
override_intake_open(struct override_intake *overrides, struct intake *intake,
                     struct err *err_out)
{
	*overrides = (struct override_intake){
		.intake = intake,
		.there = override_store_read(intake->history, intake->now_s, err_out)};
	return overrides->there != NULL;
}

void
override_intake_close(struct override_intake *overrides)
{
	if (overrides->there)
		overrides_unref(&overrides->there);
}

static bool
is_newer(const struct override_intake *overrides, const struct override *override)
{
	for (size_t i = 0; i < overrides_count(overrides->there); i++) {
		const struct override *there = overrides_at(overrides->there, i);
		if (there->kind == override->kind &&
		    strcmp(there->name, override->name) == 0)
			return override->made_s > there->made_s;
	}
	return true;
}

bool
override_intake_take(struct override_intake *overrides, const struct override *override,
                     struct err *err_out)
{
	struct intake *intake = overrides->intake;
	enum intake_fate fate = INTAKE_TAKEN;
	if (override->until_s <= intake->now_s)
		fate = INTAKE_EXPIRED;
	else if (!intake->replace && !is_newer(overrides, override))
		fate = INTAKE_OLDER;
	if (fate == INTAKE_TAKEN && intake->apply &&
	    !override_store_put(intake->history, override, err_out))
		return false;
	intake->count[fate]++;
	return true;
}
