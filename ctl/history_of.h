/* history_of.h - the store for a command that goes on without it. */
#ifndef WEIR_CTL_HISTORY_OF_H
#define WEIR_CTL_HISTORY_OF_H

#include "ctl.h"

/*
 * As history_of(), with the settings loaded and without saying what is wrong.  False with a text and
 * the exit status that stands for it.
 */
bool history_attempt(struct ctl *ctl, struct err *err_out, int *status_out);

#endif
