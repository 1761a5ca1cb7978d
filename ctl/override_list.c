/* override_list.c - which overrides are in force. */
#include <jansson.h>
#include <sysexits.h>

#include "base/clock.h"
#include "books/status.h"
#include "commands.h"
#include "output.h"
#include "override_table.h"
#include "overriding.h"
#include "store/override_store.h"
#include "table.h"

static bool
is_allowance(const struct override *override)
{
	return override->kind == OVERRIDE_ALLOW_CLIENT ||
	       override->kind == OVERRIDE_ALLOW_SENDER ||
	       override->kind == OVERRIDE_ALLOW_RECIPIENT ||
	       override->kind == OVERRIDE_ALLOW_USER;
}

static json_t *
as_json(const struct conf *conf, const struct overrides *overrides, bool all)
{
	json_t *list = json_array();
	for (size_t i = 0; i < overrides_count(overrides); i++)
		if (all || is_allowance(overrides_at(overrides, i)))
			json_array_append_new(
				list, status_override(conf, overrides_at(overrides, i)));
	return list;
}

static int
list_overrides(struct ctl *ctl, bool all)
{
	struct err err;
	int64_t now_s = clock_wall_s();
	int status;
	if (!history_of(ctl, &status))
		return status;
	struct overrides *overrides = override_store_read(ctl->history, now_s, &err);
	if (!overrides)
		return ctl_store_failed(&err);
	json_t *list = as_json(ctl->conf, overrides, all);
	overrides_unref(&overrides);
	if (ctl->json) {
		print_json(list);
		return EX_OK;
	}
	struct view view = view_of_stdout();
	if (json_array_size(list) == 0)
		view_puts(&view, all ? "no overrides are in force\n"
		                     : "nothing is allowed by an override\n");
	else
		override_table_print(&view, list, now_s);
	json_decref(list);
	return EX_OK;
}

int
command_allowed(struct ctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	return list_overrides(ctl, false);
}

int
command_overrides(struct ctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	return list_overrides(ctl, true);
}
