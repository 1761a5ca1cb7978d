/* override_intake.h - what an import does with overrides: those in force that are newer are taken. */
#ifndef WEIR_CTL_OVERRIDE_INTAKE_H
#define WEIR_CTL_OVERRIDE_INTAKE_H

#include "intake.h"
#include "rules/overrides.h"

struct override_intake {
	struct intake *intake;   /* whose store, switches and counts hold */
	struct overrides *there; /* in the store already */
};

/* Reads what is there.  False when the store fails. */
bool override_intake_open(struct override_intake *overrides, struct intake *intake,
                          struct err *err_out) MUST_CHECK;
void override_intake_close(struct override_intake *overrides);

bool override_intake_take(struct override_intake *overrides,
                          const struct override *override, struct err *err_out)
	MUST_CHECK;

#endif
