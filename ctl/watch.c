/* watch.c - something that is shown again and again. */
#include "watch.h"

#include <poll.h>
#include <stdlib.h>

#include "screen.h"

static int
show_once(watch_fn *print, void *arg)
{
	struct view view = view_of_stdout();
	char *bytes = NULL;
	size_t n = 0;
	view.to = open_memstream(&bytes, &n);
	if (!view.to)
		return 1;
	int status = print(arg, &view);
	fclose(view.to);
	screen_show((struct slice){.p = bytes, .n = n});
	free(bytes);
	return status;
}

static int
watch_screen(int64_t interval_ms, watch_fn *print, void *arg)
{
	int status;
	screen_open();
	do
		status = show_once(print, arg);
	while (screen_wait(interval_ms) != SCREEN_QUIT);
	screen_close();
	return status;
}

bool
watch_pause(int64_t ms)
{
	return fflush(stdout) == 0 && poll(NULL, 0, (int)ms) == 0;
}

static int
watch_stream(int64_t interval_ms, watch_fn *print, void *arg)
{
	struct view view = view_of_stdout();
	int status = print(arg, &view);
	while (watch_pause(interval_ms)) {
		fputc('\n', stdout);
		status = print(arg, &view);
	}
	return status;
}

int
watch(int64_t interval_ms, watch_fn *print, void *arg)
{
	return view_is_screen() ? watch_screen(interval_ms, print, arg)
	                        : watch_stream(interval_ms, print, arg);
}
