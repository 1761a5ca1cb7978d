/* doctor_overrides.c - whether an override in force lets everybody in, or is about nothing. */
#include <string.h>

#include "base/clock.h"
#include "cure.h"
#include "doctor.h"
#include "everybody.h"
#include "store/override_store.h"

static void
say_lost(struct checkup *checkup, const struct override *override)
{
	finding_add(
		checkup->findings, FINDING_WARNING,
		"an override no longer has a destination",
		"The settings no longer have that name, so the override has no effect.");
	finding_seen(checkup->findings, "%s %s, by %s",
	             override_kind_word(override->kind), override->name, override->by);
	finding_mend(
		checkup->findings,
		"Make it again with the name or a domain of the right destination, and end this one:\nweirctl %s %s",
		override->kind == OVERRIDE_DRAIN ? "undrain" : "unset-limit",
		cure_quoted(checkup->findings, override->name));
}

static void
judge(struct checkup *checkup, const struct override *override)
{
	struct slice meant;
	if (override_is_of_destination(override->kind)) {
		override_meant(override, checkup->conf, &meant);
		if (meant.n == 0)
			say_lost(checkup, override);
	}
	if (!override_covers_everybody(override))
		return;
	finding_add(checkup->findings, FINDING_WARNING, "an override lets everybody in",
	            "With it, nothing is greylisted.");
	finding_seen(checkup->findings, "%s %s, by %s",
	             override_kind_word(override->kind), override->name, override->by);
	finding_mend(checkup->findings, "weirctl disallow --%s %s",
	             override_kind_word(override->kind) + strlen("allow-"),
	             cure_quoted(checkup->findings, override->name));
}

void
doctor_overrides(struct checkup *checkup)
{
	struct err err; /* a store that cannot be read has been reported */
	struct overrides *overrides =
		checkup->history
			? override_store_read(checkup->history, clock_wall_s(), &err)
			: NULL;
	for (size_t i = 0; overrides && i < overrides_count(overrides); i++)
		judge(checkup, overrides_at(overrides, i));
	overrides_unref(&overrides);
}
