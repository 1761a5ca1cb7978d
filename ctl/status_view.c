/* status_view.c - how the whole site is, for people. */
#include "status_view.h"

#include <jansson.h>
#include <string.h>

#include "output.h"
#include "override_table.h"
#include "table.h"
#include "when.h"

#define BAR 10

bool
status_is_well(const json_t *status)
{
	const json_t *daemons = json_object_get(status, "daemons");
	const json_t *daemon;
	size_t i, n_alive = 0;
	if (!json_flag(json_object_get(status, "store"), "up"))
		return false;
	json_array_foreach(daemons, i, daemon) {
		bool alive = json_flag(daemon, "alive");
		if (!alive && !json_flag(daemon, "stopped"))
			return false;
		n_alive += alive;
	}
	return n_alive > 0;
}

/* ---- store and daemons ---- */

static void
print_store(const struct view *view, const json_t *status)
{
	const json_t *store = json_object_get(status, "store");
	bool up = json_flag(store, "up");
	char buf[64];
	struct text when = TEXT(buf);
	when_print(json_number(status, "now"), &when);
	view_printf(view, "weir %s on ", json_text(status, "weir"));
	view_text(view, json_text(status, "node"));
	view_printf(view, ", %s; store %s ", buf, json_text(store, "backend"));
	view_style(view, up ? STYLE_GOOD : STYLE_BAD);
	view_puts(view, up ? "up" : "DOWN");
	view_style(view, STYLE_PLAIN);
	if (!up) {
		view_puts(view, ": ");
		view_text(view, json_text(store, "error"));
	}
	view_puts(view, "\n");
}

static void
put_state(struct table *table, const json_t *daemon)
{
	if (json_flag(daemon, "stopped"))
		table_cell(table, SLICE("stopped"));
	else if (!json_flag(daemon, "alive"))
		table_styled(table, SLICE("DEAD"), STYLE_BAD);
	else if (!json_flag(daemon, "store_up"))
		table_styled(table, SLICE("no store"), STYLE_BAD);
	else if (*json_text(daemon, "limits_wait"))
		table_styled(table, SLICE("limits wait"), STYLE_BAD);
	else
		table_styled(table, SLICE("alive"), STYLE_GOOD);
}

/* Since it started; of one that is gone, since it was heard of last. */
static void
put_age(struct table *table, const json_t *daemon, int64_t now_s)
{
	char buf[64];
	struct text text = TEXT(buf);
	bool alive = json_flag(daemon, "alive");
	when_print_long(now_s - json_number(daemon, alive ? "started" : "seen"), &text);
	table_cell(table, text_slice(&text));
}

static void
print_daemons(const struct view *view, const json_t *status)
{
	static const char *const headings[] = {"DAEMON",     "NODE",      "STATE",
	                                       ">SINCE",     ">ACCEPTED", ">DEFERRED",
	                                       ">UNDER WAY", ">FAILURES"};
	const json_t *daemons = json_object_get(status, "daemons");
	const json_t *daemon;
	size_t i;
	if (json_is_null(daemons))
		return;
	if (json_array_size(daemons) == 0) {
		view_style(view, STYLE_BAD);
		view_puts(view, "no daemon has reported");
		view_style(view, STYLE_PLAIN);
		view_puts(view, "\n");
		return;
	}
	struct table *table = table_new(view, headings, COUNT_OF(headings));
	json_array_foreach(daemons, i, daemon) {
		table_cell(table, slice_of(json_text(daemon, "daemon")));
		table_cell(table, slice_of(json_text(daemon, "node")));
		put_state(table, daemon);
		put_age(table, daemon, json_number(status, "now"));
		table_int(table, json_number(daemon, "accepted"));
		table_int(table, json_number(daemon, "deferred"));
		table_int(table, json_number(daemon, "under_way"));
		table_int(table, json_number(daemon, "store_failures"));
	}
	table_print(table);
	table_free(&table);
}

/* ---- destinations ---- */

static void
put_bar(struct table *table, int64_t held, int64_t limit)
{
	char buf[BAR + 3];
	struct text text = TEXT(buf);
	int64_t filled = limit > 0 ? (held * BAR + limit - 1) / limit : 0;
	text_putc(&text, '[');
	for (int64_t i = 0; i < BAR; i++)
		text_putc(&text, i < filled ? '#' : '.');
	text_putc(&text, ']');
	table_styled(table, limit > 0 ? text_slice(&text) : SLICE(""),
	             limit > 0 && held >= limit ? STYLE_BAD : STYLE_PLAIN);
}

static void
put_held(struct table *table, int64_t held, int64_t limit)
{
	char buf[64];
	struct text text = TEXT(buf);
	text_int(&text, held);
	text_puts(&text, "/");
	if (limit > 0)
		text_int(&text, limit);
	else
		text_puts(&text, "-");
	table_cell(table, text_slice(&text));
}

/* "drained 1h 59m", "full", "up (limit set for 12m)", "up, observe" */
static void
put_place(struct table *table, const json_t *row, int64_t now_s)
{
	char buf[96];
	struct text text = TEXT(buf);
	int64_t drained = json_number(row, "drained_until");
	int64_t limited = json_number(row, "limit_until");
	int64_t limit = json_number(row, "limit");
	bool full = limit > 0 && json_number(row, "held") >= limit;
	if (drained > 0) {
		text_puts(&text, "drained ");
		when_print_long(drained - now_s, &text);
	} else {
		text_puts(&text, full ? "full" : "up");
	}
	if (strcmp(json_text(row, "mode"), "observe") == 0)
		text_puts(&text, ", observe");
	if (limited > 0) {
		text_puts(&text, ", limit set for ");
		when_print_long(limited - now_s, &text);
	}
	table_styled(table, text_slice(&text),
	             drained > 0 ? STYLE_WARN
	             : full      ? STYLE_BAD
	                         : STYLE_PLAIN);
}

static void
print_destinations(const struct view *view, const json_t *status)
{
	static const char *const headings[] = {"DESTINATION", "=",         ">HELD",
	                                       ">PEAK",       ">DEFERRED", "STATE"};
	const json_t *rows = json_object_get(status, "destinations");
	const json_t *row;
	size_t i;
	if (json_array_size(rows) == 0)
		return;
	struct table *table = table_new(view, headings, COUNT_OF(headings));
	json_array_foreach(rows, i, row) {
		int64_t held = json_number(row, "held"),
			limit = json_number(row, "limit");
		table_cell(table, slice_of(json_text(row, "name")));
		put_bar(table, held, limit);
		put_held(table, held, limit);
		table_int(table, json_number(row, "peak"));
		table_int(table, json_number(row, "deferred"));
		put_place(table, row, json_number(status, "now"));
	}
	view_puts(view, "\n");
	table_print(table);
	table_free(&table);
}

/* ---- greylisting ---- */

static int64_t
percent(int64_t part, int64_t whole)
{
	return whole > 0 ? part * 100 / whole : 0;
}

static void
print_greylist(const struct view *view, const json_t *status)
{
	const json_t *grey = json_object_get(status, "greylist");
	int64_t seen = json_number(grey, "first_seen");
	if (json_is_null(grey))
		return;
	view_printf(view,
	            "\ngreylisting is %s; in the last %lld hours %lld first tries:\n"
	            "  %lld came back (%lld%%), %lld may still (%lld%%), %lld never did "
	            "(%lld%%)\n",
	            json_text(grey, "mode"), (long long)json_number(grey, "hours"),
	            (long long)seen, (long long)json_number(grey, "came_back"),
	            (long long)percent(json_number(grey, "came_back"), seen),
	            (long long)json_number(grey, "waiting"),
	            (long long)percent(json_number(grey, "waiting"), seen),
	            (long long)json_number(grey, "never"),
	            (long long)percent(json_number(grey, "never"), seen));
}

static void
print_overrides(const struct view *view, const json_t *status)
{
	const json_t *list = json_object_get(status, "overrides");
	if (json_is_null(list))
		return;
	view_puts(view, "\n");
	if (json_array_size(list) == 0)
		view_puts(view, "no overrides are in force\n");
	else
		override_table_print(view, list, json_number(status, "now"));
}

void
status_view_print(const struct view *view, const json_t *status)
{
	print_store(view, status);
	print_daemons(view, status);
	print_destinations(view, status);
	print_greylist(view, status);
	print_overrides(view, status);
	if (!json_flag(json_object_get(status, "store"), "up"))
		view_puts(view, "nothing else is known while the store is down\n");
}
