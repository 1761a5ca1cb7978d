/* log_lines.c - where finished log lines go. */
#include "log_lines.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stats.h"
#include "base/thread.h"

/* Some 4,000 lines of decisions. */
#define QUEUE_BYTES (1 << 20)
#define CLOSE_MS    2000
#define GATHER_MS \
 10 /* to wake the writer for each turn of the loop costs more than its lines */

/* A line ends with a newline, and there is none in it.  Lines for syslog begin with a level. */
struct lines {
	size_t used;
	char buf[QUEUE_BYTES];
};

static struct lines buffers[2];

static struct {
	const char *program;
	enum log_target target;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake;  /* the writer has something to do */
	pthread_cond_t ended_wake;
	struct lines *queue;   /* lines are added here */
	struct lines *written; /* the writer's, without the lock */
	uint64_t lost; /* lines there was no room for, since the last that was told */
	bool idle;     /* the writer waits for a line */
	bool hurry;    /* it must not gather any more */
	bool threaded;
	bool stop;
	bool ended;
} out = {.program = "weir",
         .lock = PTHREAD_MUTEX_INITIALIZER,
         .queue = &buffers[0],
         .written = &buffers[1]};

/* ---- writing ---- */

/* Not syslog(): weir-milter has one of its own. */
static void PRINTF_LIKE(2, 3) to_syslog(int priority, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsyslog(priority, fmt, args);
	va_end(args);
}

static void
send_to_syslog(enum log_level level, struct slice line)
{
	static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
	to_syslog(priorities[level], "%.*s", (int)line.n, line.p);
}

static void
write_to_syslog(struct lines *lines)
{
	struct slice rest = {.p = lines->buf, .n = lines->used}, line;
	while (rest.n > 0 && slice_cut(&rest, '\n', &line))
		send_to_syslog((enum log_level)line.p[0], slice_from(line, 1));
	lines->used = 0;
}

static bool
is_writable(int wait_ms)
{
	struct pollfd poll_fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	return poll(&poll_fd, 1, wait_ms) > 0;
}

/* In pieces that a writable pipe takes without blocking; what it does not take in time stays. */
static void
write_to_stderr(struct lines *lines, int wait_ms)
{
	size_t done = 0;
	while (done < lines->used && is_writable(wait_ms)) {
		size_t n = lines->used - done < PIPE_BUF ? lines->used - done : PIPE_BUF;
		ssize_t written = write(STDERR_FILENO, lines->buf + done, n);
		if (written < 0 && errno != EINTR && errno != EAGAIN)
			done = lines->used; /* there is nowhere to say so */
		else if (written > 0)
			done += (size_t)written;
	}
	lines->used -= done;
	memmove(lines->buf, lines->buf + done, lines->used);
}

/* ---- the queue; with the lock held ---- */

static void
flush_locked(bool hurry)
{
	if (out.queue->used == 0)
		return;
	out.hurry |= hurry;
	if (!out.threaded)
		write_to_stderr(out.queue, 0);
	else if (out.idle || hurry)
		pthread_cond_signal(&out.wake);
}

static bool
has_room(size_t n)
{
	return out.queue->used + n < sizeof(out.queue->buf);
}

static bool
append_locked(enum log_level level, struct slice line)
{
	struct slice program = slice_of(out.program);
	size_t need = program.n + 2 + line.n + 1;
	if (!has_room(need) && !out.threaded)
		flush_locked(true);
	if (!has_room(need))
		return false;
	struct text t = {.p = out.queue->buf + out.queue->used,
	                 .cap = sizeof(out.queue->buf) - out.queue->used};
	if (out.target == LOG_TO_SYSLOG) {
		text_putc(&t, (char)level);
	} else {
		text_put(&t, program);
		text_put(&t, SLICE(": "));
	}
	text_put(&t, line);
	text_putc(&t, '\n');
	out.queue->used += t.n;
	return true;
}

static void
tell_lost_locked(void)
{
	char buf[80];
	struct text t = TEXT(buf);
	text_printf(&t, "%llu log lines were lost: the log did not take them in time",
	            (unsigned long long)out.lost);
	if (out.lost > 0 && append_locked(LOG_LEVEL_WARNING, text_slice(&t)))
		out.lost = 0;
}

static void
put_locked(enum log_level level, struct slice line)
{
	tell_lost_locked();
	if (out.lost > 0 || !append_locked(level, line)) {
		out.lost++;
		stats_add(STAT_LOG_LINES_LOST, 1);
	}
	if (level <= LOG_LEVEL_WARNING || out.queue->used > sizeof(out.queue->buf) / 2)
		flush_locked(true);
}

void
lines_put(enum log_level level, struct slice line)
{
	pthread_mutex_lock(&out.lock);
	if (out.threaded || out.target == LOG_TO_STDERR)
		put_locked(level, line);
	else
		send_to_syslog(level, line);
	pthread_mutex_unlock(&out.lock);
}

void
lines_flush(void)
{
	pthread_mutex_lock(&out.lock);
	flush_locked(false);
	pthread_mutex_unlock(&out.lock);
}

/* ---- the writer ---- */

/* With the lock held: takes what is queued; false when all is written and it is to end. */
static bool
take_locked(void)
{
	struct timespec until;
	out.idle = true;
	while (out.queue->used == 0 && !out.stop)
		pthread_cond_wait(&out.wake, &out.lock);
	out.idle = false;
	clock_mono_after(GATHER_MS, &until);
	while (!out.hurry && !out.stop &&
	       pthread_cond_timedwait(&out.wake, &out.lock, &until) != ETIMEDOUT)
		;
	out.hurry = false;
	struct lines *taken = out.queue;
	out.queue = out.written;
	out.written = taken;
	tell_lost_locked();
	return taken->used > 0;
}

static void *
writer_thread(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&out.lock);
	while (take_locked()) {
		pthread_mutex_unlock(&out.lock);
		if (out.target == LOG_TO_SYSLOG)
			write_to_syslog(out.written);
		else
			write_to_stderr(out.written, -1);
		pthread_mutex_lock(&out.lock);
	}
	out.ended = true;
	pthread_cond_signal(&out.ended_wake);
	pthread_mutex_unlock(&out.lock);
	return NULL;
}

int
lines_start_writer(void)
{
	pthread_condattr_t monotonic;
	lines_flush();
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&out.wake, &monotonic);
	pthread_cond_init(&out.ended_wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	out.stop = out.ended = false;
	int rc = thread_start(writer_thread, NULL);
	out.threaded = rc == 0;
	return rc;
}

/* False: it hangs, and ends with the process. */
static bool
end_writer_locked(void)
{
	struct timespec until;
	clock_mono_after(CLOSE_MS, &until);
	out.stop = true;
	pthread_cond_signal(&out.wake);
	while (!out.ended &&
	       pthread_cond_timedwait(&out.ended_wake, &out.lock, &until) != ETIMEDOUT)
		;
	return out.ended;
}

/* ---- its life ---- */

void
lines_open(const char *program, enum log_target target, int facility)
{
	lines_flush();
	out.program = program;
	out.target = target;
	if (target == LOG_TO_SYSLOG)
		openlog(program, LOG_PID | LOG_NDELAY, facility);
}

void
lines_close(void)
{
	pthread_mutex_lock(&out.lock);
	flush_locked(true);
	if (out.threaded && end_writer_locked())
		out.threaded = false;
	bool hangs = out.threaded; /* and has libc's lock */
	pthread_mutex_unlock(&out.lock);
	if (hangs)
		return;
	if (out.target == LOG_TO_SYSLOG)
		closelog();
	out.target = LOG_TO_STDERR;
}
