/* explain.c - explain: what would be decided about an invented request, and by which rules. */
#include <jansson.h>
#include <sysexits.h>

#include "base/clock.h"
#include "commands.h"
#include "explained.h"
#include "invented.h"
#include "output.h"
#include "overriding.h"
#include "store/override_store.h"

static int
explain(struct ctl *ctl, const struct query *query, const struct overrides *overrides,
        struct arena *arena)
{
	struct explained explained = {.conf = ctl->conf,
	                              .overrides = overrides,
	                              .query = query,
	                              .arena = arena};
	int64_t now_s = clock_wall_s();
	struct err err;
	if (!explained_make(&explained, ctl->history, now_s, &err))
		return ctl_store_failed(&err);
	json_t *value = explained_json(&explained);
	struct view view = view_of_stdout();
	if (!ctl->json)
		explained_print(&view, value, now_s);
	else
		print_json(json_incref(value));
	json_decref(value);
	return EX_OK;
}

int
command_explain(struct ctl *ctl, int argc, char **argv)
{
	struct query query;
	struct arena arena;
	struct err err;
	(void)argc;
	int status = invented_query(ctl, true, &query);
	if (status == EX_USAGE)
		return command_misused(argv[0]);
	if (!ctl_conf(ctl, true))
		return ctl->conf_status;
	if (!history_of(ctl, &status))
		return status;
	struct overrides *overrides =
		override_store_read(ctl->history, clock_wall_s(), &err);
	if (!overrides)
		return ctl_store_failed(&err);
	arena_init(&arena);
	query = query_normal(&query, ctl->conf, &arena);
	status = explain(ctl, &query, overrides, &arena);
	arena_free(&arena);
	overrides_unref(&overrides);
	return status;
}
