/* progress.c - a bar on a terminal while something long goes on; elsewhere nothing. */
#include "progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	EACH_MS = 100,   /* between two pictures */
	EACH_ROWS = 512, /* between two looks at the clock */
	BAR_MAX = 40,
	BAR_MIN = 5,
	WIDTH_USUAL = 80,
	LINE_MAX_BYTES = 256,
};

void
progress_start(struct progress *progress, const char *what, int64_t total, bool wanted)
{
	*progress = (struct progress){
		.what = what,
		.total = total,
		.started_ms = clock_mono_ms(),
		.on = wanted && isatty(STDERR_FILENO),
	};
	progress->shown_ms = progress->started_ms;
}

static void
put_duration(struct text *out, int64_t s)
{
	if (s >= 3600)
		text_printf(out, "%lld:%02d:%02d", (long long)(s / 3600),
		            (int)(s / 60 % 60), (int)(s % 60));
	else
		text_printf(out, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

static void
put_bar(struct text *out, int64_t percent, int width)
{
	int full = (int)(percent * width / 100);
	text_putc(out, '[');
	for (int i = 0; i < width; i++)
		text_putc(out, i < full ? '#' : '.');
	text_puts(out, "] ");
}

void
progress_print(const struct progress *progress, int64_t elapsed_ms, int width,
               struct text *out)
{
	char buf[128];
	struct text tail = TEXT(buf);
	int64_t done =
		progress->done < progress->total ? progress->done : progress->total;
	int64_t percent = progress->total > 0 ? done * 100 / progress->total : 0;
	if (progress->total > 0)
		text_printf(&tail, "%3d%%  ", (int)percent);
	text_printf(&tail, "%lld rows", (long long)progress->rows);
	if (elapsed_ms > 0)
		text_printf(&tail, "  %lld/s",
		            (long long)(progress->rows * 1000 / elapsed_ms));
	if (done > 0) {
		text_puts(&tail, "  ");
		put_duration(&tail, elapsed_ms / 1000 * (progress->total - done) / done);
		text_puts(&tail, " left");
	}
	int room = width - (int)(strlen(progress->what) + tail.n) - 6;
	text_printf(out, "%s  ", progress->what);
	if (progress->total > 0 && room >= BAR_MIN)
		put_bar(out, percent, room < BAR_MAX ? room : BAR_MAX);
	text_put(out, slice_head(text_slice(&tail), LINE_MAX_BYTES));
}

static int
terminal_width(void)
{
	struct winsize size;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return WIDTH_USUAL;
	return size.ws_col;
}

void
progress_row(struct progress *progress, int64_t done)
{
	progress->rows++;
	progress->done = done;
	if (!progress->on || progress->rows % EACH_ROWS != 0)
		return;
	int64_t now_ms = clock_mono_ms();
	if (now_ms - progress->shown_ms < EACH_MS)
		return;
	char buf[LINE_MAX_BYTES];
	struct text line = TEXT(buf);
	progress->shown_ms = now_ms;
	progress_print(progress, now_ms - progress->started_ms, terminal_width(), &line);
	fprintf(stderr, "\r%s\033[K", buf);
	fflush(stderr);
}

void
progress_end(struct progress *progress)
{
	if (progress->on && progress->shown_ms != progress->started_ms)
		fputs("\r\033[K", stderr);
	progress->on = false;
}
