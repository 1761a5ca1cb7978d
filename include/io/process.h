/* process.h - the process: its standard descriptors, and as whom it runs. */
#ifndef WEIR_PROCESS_H
#define WEIR_PROCESS_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Takes up those of the descriptors 0 to 2 that are closed, so that no file or socket gets one of
 * them and what is printed with it.  To be called first; reading and writing still fail there.
 */
void standard_take_up(void);

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
