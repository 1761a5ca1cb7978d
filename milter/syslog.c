/*
 * syslog.c - takes what libmilter logs.
 *
 * libmilter logs by syslog(3) on the threads that serve sessions, and libc has one lock for all
 * of them: a log that stalls would stop the mail.  These stand before libc's, for libmilter
 * alone (nothing else here calls them), and put its lines with ours.
 */
#undef _FORTIFY_SOURCE /* which makes syslog() a macro's work */
#include <stdarg.h>
#include <syslog.h>

#include "base/log.h"

static enum log_level
level_of(int priority)
{
	switch (LOG_PRI(priority)) {
	case LOG_WARNING: return LOG_LEVEL_WARNING;
	case LOG_NOTICE:
	case LOG_INFO: return LOG_LEVEL_INFO;
	case LOG_DEBUG: return LOG_LEVEL_DEBUG;
	default: return LOG_LEVEL_ERROR;
	}
}

void
syslog(int priority, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	log_text(level_of(priority), format, args);
	va_end(args);
}

/* What it is called by a library that was built with _FORTIFY_SOURCE, as Debian's is. */
void __syslog_chk(int priority, int flag, const char *format, ...) PRINTF_LIKE(3, 4);

void
__syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list args;
	(void)flag;
	va_start(args, format);
	log_text(level_of(priority), format, args);
	va_end(args);
}
