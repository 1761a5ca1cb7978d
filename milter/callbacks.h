/*
 * callbacks.h - what libmilter calls: translates between SMFICTX and the sessions.
 */
#ifndef WEIR_CALLBACKS_H
#define WEIR_CALLBACKS_H

#include <stdbool.h>

#include "sessions.h"

/* Makes the callbacks known to libmilter; false when it is of another version. */
bool callbacks_register(struct sessions *sessions);

#endif
