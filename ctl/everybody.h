/* everybody.h - an entry, of a list or an override, that lets everybody in. */
#ifndef WEIR_CTL_EVERYBODY_H
#define WEIR_CTL_EVERYBODY_H

#include <stdbool.h>

#include "base/slice.h"
#include "conf/list.h"
#include "rules/overrides.h"

/* Tried with some that have nothing in common; `entry` is not empty. */
bool covers_everybody(enum list_kind kind, struct slice entry);

/* The same of an exemption; other overrides let nobody in. */
bool override_covers_everybody(const struct override *override);

#endif
