/* rights.h - as whom the programs run. */
#ifndef WEIR_RIGHTS_H
#define WEIR_RIGHTS_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Root becomes the user of that name for good, with the user's groups; anyone else, and root when
 * the name is empty, stays what they are.  False with a text.
 */
bool rights_become(const char *user, struct err *err_out);

/*
 * No program that is run from here on has more rights than this one.  Holds for this thread and
 * those that it makes.
 */
void rights_keep(void);

#endif
