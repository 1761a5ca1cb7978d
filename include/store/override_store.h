/* override_store.h - the operator's overrides (overrides.h) as the history has them up. */
#ifndef WEIR_OVERRIDE_STORE_H
#define WEIR_OVERRIDE_STORE_H

#include "rules/overrides.h"
#include "store/history.h"

/*
 * All that are in force; the caller owns a reference: to the same as before when nothing has
 * changed.  NULL with a text.
 */
struct overrides *override_store_read(struct history *history, int64_t now_s,
                                      struct err *err_out);

/* Puts it up until it runs out, in place of one of that kind and name. */
bool override_store_put(struct history *history, const struct override *override,
                        struct err *err_out) MUST_CHECK;

/* Takes that of this kind and name down. */
bool override_store_drop(struct history *history, const struct override *override,
                         bool *found_out, struct err *err_out) MUST_CHECK;

#endif
