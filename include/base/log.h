/*
 * log.h - log lines for the operator: syslog, or standard error.
 *
 * A line is either free text for an event of the daemon, or a record of key=value
 * words.  Values that came from outside are escaped, so a line is always one line.
 * May be used by every thread; errno is left as it was.
 */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/slice.h"

/* error: a request suffered; warning: degraded but serving; info: worth reading. */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG };

/* Before the first call lines go to standard error.  `facility` is one of syslog(3)'s. */
void log_open(const char *program, enum log_target target, int facility,
              enum log_level level);
void log_set_level(enum log_level level);

/*
 * From now on lines wait in a bounded queue, and a thread writes them: a log that stalls (a
 * syslog daemon that hangs, a pipe that nobody reads) holds up nobody who logs.  Lines that find
 * no room are lost, counted (log_lines_lost), and reported when there is room again.
 */
void log_start_writer(void);

/* Writes what is left; a log that stalls is waited for during 2 s at most. */
void log_close(void);

bool log_wants(enum log_level level);

void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The same for what another library says. */
void log_text(enum log_level level, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

/* Says why and ends the program with status 71 (EX_OSERR). */
void log_fatal(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;

/* Bytes of a value that came from outside; the rest of it is cut off. */
#define LOG_VALUE_MAX 256

/* A record under construction; on the stack of who writes it. */
struct log_record {
	enum log_level level;
	struct text text;
	char buf[6144]; /* room for five such values, escaped */
};

void log_start(struct log_record *rec, enum log_level level);
void log_word(struct log_record *rec, const char *key, const char *value);
void log_slice(struct log_record *rec, const char *key, struct slice value);
void log_int(struct log_record *rec, const char *key, int64_t value);
void log_send(struct log_record *rec);

/*
 * Without a writer, lines for standard error are gathered and written when this is called, when
 * the buffer is full, and at once for warnings and errors; lines for syslog are sent at once.
 * With one, this wakes it (the event loop does, once a turn).
 */
void log_flush(void);

/* For repeated trouble: true at most once in `period_s` for this `last_ms`. */
bool log_ration(int64_t *last_ms, int period_s);

#endif
