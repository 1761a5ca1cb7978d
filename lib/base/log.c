/*
 * log.c - log lines to syslog or standard error.
 *
 * Lines for standard error are gathered in one buffer, because a write for each of them
 * costs more than the decision it tells of.
 */
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"

static struct {
	const char *program;
	enum log_target target;
	_Atomic enum log_level level; /* a reload may change it */
	pthread_mutex_t lock; /* of the buffer */
	size_t used;
	char buf[16384];
} out = {.program = "weir", .level = LOG_LEVEL_INFO, .lock = PTHREAD_MUTEX_INITIALIZER};

void
log_open(const char *program, enum log_target target, int facility, enum log_level level)
{
	log_flush();
	out.program = program;
	out.target = target;
	out.level = level;
	if (target == LOG_TO_SYSLOG)
		openlog(program, LOG_PID | LOG_NDELAY, facility);
}

void
log_set_level(enum log_level level)
{
	out.level = level;
}

void
log_close(void)
{
	log_flush();
	if (out.target == LOG_TO_SYSLOG)
		closelog();
	out.target = LOG_TO_STDERR;
}

bool
log_wants(enum log_level level)
{
	return level <= out.level;
}

/* Lines that standard error refuses are lost: there is nowhere else to say so. */
static void
flush_locked(void)
{
	size_t done = 0;
	while (done < out.used) {
		ssize_t n = write(STDERR_FILENO, out.buf + done, out.used - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	out.used = 0;
}

void
log_flush(void)
{
	int saved = errno;
	pthread_mutex_lock(&out.lock);
	if (out.used > 0)
		flush_locked();
	pthread_mutex_unlock(&out.lock);
	errno = saved;
}

static void
to_stderr(enum log_level level, struct slice line)
{
	pthread_mutex_lock(&out.lock);
	struct slice program = slice_of(out.program);
	size_t need = program.n + 2 + line.n + 1;
	if (out.used + need >= sizeof(out.buf))
		flush_locked();
	struct text t = {.p = out.buf + out.used, .cap = sizeof(out.buf) - out.used};
	text_put(&t, program);
	text_put(&t, SLICE(": "));
	text_put(&t, line);
	text_putc(&t, '\n');
	out.used += t.n;
	if (level <= LOG_LEVEL_WARNING)
		flush_locked();
	pthread_mutex_unlock(&out.lock);
}

static void
send_line(enum log_level level, struct slice line)
{
	static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
	int saved = errno;
	if (out.target == LOG_TO_SYSLOG)
		syslog(priorities[level], "%.*s", (int)line.n, line.p);
	else
		to_stderr(level, line);
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

#define SEND(log_level)            \
 do {                              \
  if (!log_wants(log_level))       \
   return;                         \
  va_list args;                    \
  va_start(args, fmt);             \
  send_text(log_level, fmt, args); \
  va_end(args);                    \
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
	text_put_escaped(&rec->text, value);
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
