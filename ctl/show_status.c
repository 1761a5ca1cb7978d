/* show_status.c - status, once or again and again. */
#include <jansson.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/clock.h"
#include "books/status.h"
#include "commands.h"
#include "history_of.h"
#include "output.h"
#include "status_view.h"
#include "watch.h"
#include "when.h"

#define INTERVAL_MS 2000

/* A store that cannot be opened is part of the status. */
static json_t *
build(struct ctl *ctl)
{
	struct err err;
	int status;
	(void)history_attempt(ctl, &err, &status);
	return status_build(ctl->conf, ctl->history, &err, clock_wall_s());
}

static int
print_status(void *arg, const struct view *view)
{
	struct ctl *ctl = arg;
	json_t *value = build(ctl);
	int status = status_is_well(value) ? EX_OK : CTL_NO;
	if (!ctl->json) {
		status_view_print(view, value);
		json_decref(value);
	} else if (ctl_option(ctl, "watch")) {
		print_json_line(value);
	} else {
		print_json(value);
	}
	return status;
}

/* Programs want one value in each line, whatever standard output is. */
static int
watch_json(struct ctl *ctl, int64_t interval_ms)
{
	struct view view = view_of_stdout();
	int status;
	do
		status = print_status(ctl, &view);
	while (!ferror(stdout) && watch_pause(interval_ms));
	return status;
}

int
command_status(struct ctl *ctl, int argc, char **argv)
{
	const char *interval = ctl_option(ctl, "interval");
	int64_t ms = INTERVAL_MS;
	struct view view = view_of_stdout();
	struct err err;
	int status;
	(void)argc, (void)argv;
	if (interval &&
	    (!when_parse_span(slice_of(interval), &ms) || ms < 100 || ms > 3600000))
		return ctl_fail(
			EX_USAGE,
			"--interval: \"%.40s\" is no time from 100ms to 1h, such as 2s",
			interval);
	if (!ctl_conf(ctl, false))
		return ctl->conf_status;
	if (!history_attempt(ctl, &err, &status) && status != EX_UNAVAILABLE)
		return ctl_fail(status, "%s", err.text);
	if (!ctl_option(ctl, "watch"))
		return print_status(ctl, &view);
	return ctl->json ? watch_json(ctl, ms) : watch(ms, print_status, ctl);
}
