/* err.c - the text of a failure. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
err_set(struct err *err, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	err->forbidden = err->unusable = err->other_version = false;
	return false;
}

bool
err_set_errno(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	char what[384];
	va_list args;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	snprintf(err->text, sizeof(err->text), "%s: %s", what, strerror(saved));
	err->forbidden = saved == EACCES || saved == EPERM;
	err->unusable = err->other_version = false;
	return false;
}
