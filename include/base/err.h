/*
 * err.h - the text of what went wrong at start-up, at reload and in the tools.
 *
 * Functions that can fail there take a struct err as their last argument, return
 * false, and leave one line in it that an operator can act on ("file:line: text"
 * where a file is to blame).  Run-time failures are enums of their module instead.
 */
#ifndef WEIR_ERR_H
#define WEIR_ERR_H

#include <stdbool.h>

#include "base/attr.h"

struct err {
	char text[512];
	bool forbidden;     /* a right is missing */
	bool unusable;      /* a file of the store is damaged, or another program's */
	bool other_version; /* it was made by another weir, and is whole */
};

/* Formats the text; always returns false, so that `return err_set(...)` reads well. */
bool err_set(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The same, with ": " and the text of errno added; EACCES and EPERM are a right that is missing. */
bool err_set_errno(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
