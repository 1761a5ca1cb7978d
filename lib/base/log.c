/*
 * log.c - log lines to syslog or standard error.
 *
 * Lines for standard error are gathered in one buffer, because a write for each of them
 * costs more than the decision it tells of.
 */
#include "log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
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
	pthread_mutex_t lock;         /* of the buffer */
	size_t lost;                  /* lines there was no room for */
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

/* A reader that stalls must not stop the daemon. */
static bool
is_writable(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	return poll(&poll_fd, 1, 0) > 0;
}

/* In pieces that a writable pipe takes without blocking; what it does not take stays. */
static void
flush_locked(void)
{
	size_t done = 0;
	while (done < out.used && is_writable(STDERR_FILENO)) {
		size_t n = out.used - done < PIPE_BUF ? out.used - done : PIPE_BUF;
		ssize_t written = write(STDERR_FILENO, out.buf + done, n);
		if (written < 0 && errno != EINTR && errno != EAGAIN)
			done = out.used; /* there is nowhere to say so */
		else if (written > 0)
			done += (size_t)written;
	}
	out.used -= done;
	memmove(out.buf, out.buf + done, out.used);
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

/* False when there is no room. */
static bool
append_locked(struct slice line)
{
	struct slice program = slice_of(out.program);
	size_t need = program.n + 2 + line.n + 1;
	if (out.used + need >= sizeof(out.buf))
		flush_locked();
	if (out.used + need >= sizeof(out.buf))
		return false;
	struct text t = {.p = out.buf + out.used, .cap = sizeof(out.buf) - out.used};
	text_put(&t, program);
	text_put(&t, SLICE(": "));
	text_put(&t, line);
	text_putc(&t, '\n');
	out.used += t.n;
	return true;
}

/* Says how many lines were lost before the first that is not. */
static void
note_lost_locked(void)
{
	char buf[64];
	struct text t = TEXT(buf);
	text_printf(&t, "%zu log lines lost: nobody read them", out.lost);
	if (out.lost > 0 && append_locked(text_slice(&t)))
		out.lost = 0;
}

static void
to_stderr(enum log_level level, struct slice line)
{
	pthread_mutex_lock(&out.lock);
	note_lost_locked();
	if (out.lost > 0 || !append_locked(line))
		out.lost++;
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
