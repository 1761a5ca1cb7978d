/* screen.c - the alternate screen of a terminal, and the terminal given back as it was. */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "escape.h"
#include "view.h"

#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[0m\033[?25h\033[?1049l"

static struct {
	struct termios before;
	bool have_keys; /* standard input is a terminal, too */
} screen;

static volatile sig_atomic_t has_changed; /* another size, or back from a stop */

/* ---- in and out, safe in a handler of a signal ---- */

/* There is nobody to tell if it fails. */
static void
say(const char *text, size_t n)
{
	while (n > 0) {
		ssize_t written = write(STDOUT_FILENO, text, n);
		if (written < 0 && errno != EINTR)
			return;
		if (written > 0) {
			text += written;
			n -= (size_t)written;
		}
	}
}

static void
enter(void)
{
	struct termios keys = screen.before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	if (screen.have_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &keys);
	say(ENTER, sizeof(ENTER) - 1);
}

static void
leave(void)
{
	say(LEAVE, sizeof(LEAVE) - 1);
	if (screen.have_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
}

/* The signal does what it would have done without us. */
static void
suffer(int signal_number)
{
	sigset_t only;
	signal(signal_number, SIG_DFL);
	sigemptyset(&only);
	sigaddset(&only, signal_number);
	raise(signal_number);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
}

static void
on_end(int signal_number)
{
	leave();
	suffer(signal_number);
}

static void heed(int signal_number, void (*handler)(int));

static void
on_stop(int signal_number)
{
	int saved = errno;
	leave();
	suffer(signal_number);
	heed(signal_number, on_stop); /* it goes on */
	errno = saved;
}

/* Stopped so that nobody could give the terminal back, and now it goes on. */
static void
on_go_on(int signal_number)
{
	(void)signal_number;
	enter();
	has_changed = 1;
}

static void
on_change(int signal_number)
{
	(void)signal_number;
	has_changed = 1;
}

/* One at a time: none comes between the terminal and what it was. */
static void
heed(int signal_number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};
	static const int ours[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
	                           SIGTSTP, SIGCONT, SIGWINCH};
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < COUNT_OF(ours); i++)
		sigaddset(&action.sa_mask, ours[i]);
	sigaction(signal_number, &action, NULL);
}

void
screen_open(void)
{
	screen.have_keys = tcgetattr(STDIN_FILENO, &screen.before) == 0;
	heed(SIGINT, on_end);
	heed(SIGTERM, on_end);
	heed(SIGHUP, on_end);
	heed(SIGQUIT, on_end);
	heed(SIGTSTP, on_stop);
	heed(SIGCONT, on_go_on);
	heed(SIGWINCH, on_change);
	enter();
}

void
screen_close(void)
{
	leave();
}

/* ---- what is shown ---- */

/* The length of a sequence that sets colours, at its beginning; 0: it is none. */
static size_t
colour_length(struct slice rest)
{
	if (rest.n < 2 || rest.p[0] != '\033' || rest.p[1] != '[')
		return 0;
	ptrdiff_t end = slice_find(rest, 'm');
	return end < 0 ? 0 : (size_t)end + 1;
}

/* As much of a line as fits into the columns, with all of its colours. */
static void
put_line(FILE *to, struct slice line, size_t columns)
{
	fputs("\033[K", to); /* behind a full line it would take the last character */
	while (line.n > 0) {
		size_t n = colour_length(line);
		if (n == 0) {
			ptrdiff_t next = slice_find(line, '\033');
			n = next <= 0 ? line.n : (size_t)next;
			struct slice head = columns_head(slice_head(line, n), columns);
			fwrite(head.p, 1, head.n, to);
			columns -= columns_of(head);
		} else {
			fwrite(line.p, 1, n, to);
		}
		line = slice_from(line, n);
	}
	fputs("\033[0m", to);
}

static size_t
count_lines(struct slice lines)
{
	size_t n = 0;
	struct slice line;
	while (lines.n > 0 && slice_cut(&lines, '\n', &line))
		n++;
	return n;
}

static void
put_lines(FILE *to, struct slice lines, size_t columns, size_t rows)
{
	size_t n = count_lines(lines);
	size_t shown = n <= rows ? n : rows - 1;
	struct slice line;
	for (size_t i = 0; i < shown && slice_cut(&lines, '\n', &line); i++) {
		fputs(i > 0 ? "\r\n" : "", to);
		put_line(to, line, columns);
	}
	if (shown == n)
		return;
	char buf[64];
	struct text more = TEXT(buf);
	text_printf(&more, "(%zu more lines)", n - shown);
	fputs(shown > 0 ? "\r\n" : "", to);
	put_line(to, text_slice(&more), columns);
}

void
screen_show(struct slice lines)
{
	size_t columns, rows, n;
	char *bytes;
	if (!view_size(STDOUT_FILENO, &columns, &rows))
		return;
	FILE *to = open_memstream(&bytes, &n);
	if (!to)
		return;
	fputs("\033[H", to);
	put_lines(to, lines, columns, rows);
	if (count_lines(lines) < rows)
		fputs("\r\n\033[J", to);
	fclose(to);
	say(bytes, n);
	free(bytes);
}

/* ---- waiting ---- */

static bool
is_quit_key(void)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		return true; /* nobody can press one any more */
	for (ssize_t i = 0; i < n; i++)
		if (keys[i] == 'q' || keys[i] == 'Q')
			return true;
	return false;
}

/* Signals come while it waits only, so none is slept over. */
static int
wait_for_keys(int64_t ms)
{
	struct pollfd keys = {.fd = screen.have_keys ? STDIN_FILENO : -1,
	                      .events = POLLIN};
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	sigset_t change, before;
	sigemptyset(&change);
	sigaddset(&change, SIGWINCH);
	sigaddset(&change, SIGCONT);
	sigprocmask(SIG_BLOCK, &change, &before);
	if (has_changed)
		left = (struct timespec){0};
	int ready = ppoll(&keys, 1, &left, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ready;
}

enum screen_event
screen_wait(int64_t ms)
{
	int64_t end_ms = clock_mono_ms() + ms;
	for (int64_t left_ms = ms; left_ms > 0; left_ms = end_ms - clock_mono_ms()) {
		if (wait_for_keys(left_ms) > 0 && is_quit_key())
			return SCREEN_QUIT;
		if (has_changed) {
			has_changed = 0;
			return SCREEN_RESIZED;
		}
	}
	return SCREEN_DUE;
}
