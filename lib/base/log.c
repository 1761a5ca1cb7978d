/* log.c - log lines: their levels, and what stands in them. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "log_lines.h"

static _Atomic enum log_level max_level = LOG_LEVEL_INFO; /* a reload may change it */

void
log_open(const char *program, enum log_target target, int facility, enum log_level level)
{
	max_level = level;
	lines_open(program, target, facility);
}

void
log_start_writer(void)
{
	int rc = lines_start_writer();
	if (rc != 0)
		log_fatal("cannot start the log's thread: %s", strerror(rc));
}

void
log_set_level(enum log_level level)
{
	max_level = level;
}

void
log_close(void)
{
	lines_close();
}

void
log_flush(void)
{
	int saved = errno;
	lines_flush();
	errno = saved;
}

bool
log_wants(enum log_level level)
{
	return level <= max_level;
}

static void
send_line(enum log_level level, struct slice line)
{
	int saved = errno;
	lines_put(level, line);
	errno = saved;
}

/* Control characters would break the line, or the terminal of who reads it. */
static void
make_printable(struct text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if ((unsigned char)t->p[i] < ' ' || t->p[i] == 0x7f)
			t->p[i] = '?';
}

static void PRINTF_LIKE(2, 0)
	send_text(enum log_level level, const char *fmt, va_list args)
{
	char buf[1024];
	struct text t = TEXT(buf);
	int n = vsnprintf(buf, sizeof(buf), fmt, args);
	if (n < 0)
		return;
	t.n = (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1;
	make_printable(&t);
	send_line(level, text_slice(&t));
}

void
log_text(enum log_level level, const char *fmt, va_list args)
{
	if (log_wants(level))
		send_text(level, fmt, args);
}

#define SEND(log_level)           \
 do {                             \
  va_list args;                   \
  va_start(args, fmt);            \
  log_text(log_level, fmt, args); \
  va_end(args);                   \
 } while (0)

void
log_error(const char *fmt, ...)
{
	SEND(LOG_LEVEL_ERROR);
}

void
log_warning(const char *fmt, ...)
{
	SEND(LOG_LEVEL_WARNING);
}

void
log_info(const char *fmt, ...)
{
	SEND(LOG_LEVEL_INFO);
}

void
log_debug(const char *fmt, ...)
{
	SEND(LOG_LEVEL_DEBUG);
}

void
log_fatal(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	send_text(LOG_LEVEL_ERROR, fmt, args);
	va_end(args);
	lines_close();
	exit(EX_OSERR);
}

void
log_start(struct log_record *rec, enum log_level level)
{
	rec->level = level;
	rec->text = TEXT(rec->buf);
}

static void
put_key(struct log_record *rec, const char *key)
{
	if (rec->text.n > 0)
		text_putc(&rec->text, ' ');
	text_puts(&rec->text, key);
	text_putc(&rec->text, '=');
}

void
log_word(struct log_record *rec, const char *key, const char *value)
{
	put_key(rec, key);
	text_puts(&rec->text, value);
}

void
log_slice(struct log_record *rec, const char *key, struct slice value)
{
	put_key(rec, key);
	text_put_escaped(&rec->text, slice_head(value, LOG_VALUE_MAX));
	if (value.n > LOG_VALUE_MAX)
		text_puts(&rec->text, "...");
}

void
log_int(struct log_record *rec, const char *key, int64_t value)
{
	put_key(rec, key);
	text_int(&rec->text, value);
}

void
log_send(struct log_record *rec)
{
	send_line(rec->level, text_slice(&rec->text));
}

bool
log_ration(int64_t *last_ms, int period_s)
{
	int64_t now_ms = clock_mono_ms();
	if (*last_ms != 0 && now_ms - *last_ms < (int64_t)period_s * 1000)
		return false;
	*last_ms = now_ms;
	return true;
}
