/* status.c - how the whole site is, as one JSON value. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/schema.h"
#include "config.h"
#include "status_priv.h"
#include "store/override_store.h"

json_t *
status_text(struct slice text)
{
	json_t *value = json_stringn(text.p ? text.p : "", text.n);
	if (value)
		return value;
	size_t cap = 4 * text.n + 1;
	struct text escaped = {.p = mem_alloc(cap), .cap = cap};
	text_put_escaped(&escaped, text);
	value = json_stringn(escaped.p, escaped.n);
	free(escaped.p);
	return value;
}

/* ---- decisions ---- */

json_t *
status_decision(const struct decision_line *decided)
{
	const struct {
		const char *name;
		struct slice value;
	} texts[] = {
		{"id", decided->id},
		{"daemon", decided->daemon},
		{"node", decided->node},
		{"action", decided->action},
		{"why", decided->why},
		{"client", decided->client},
		{"name", decided->name},
		{"identity", decided->identity},
		{"identity_by", decided->identity_by},
		{"sender", decided->sender},
		{"recipient", decided->recipient},
		{"destination", decided->destination},
		{"user", decided->user},
		{"queue", decided->queue},
		{"limit", decided->limit},
		{"entry", decided->entry},
		{"store", decided->store},
		{"triplet", decided->triplet},
	};

	json_t *object = json_pack("{s:I, s:b, s:I, s:I, s:I}", "at",
	                           (json_int_t)decided->at_s, "observed",
	                           decided->observed, "wait", (json_int_t)decided->wait_s,
	                           "delayed", (json_int_t)decided->delayed_s, "held",
	                           (json_int_t)decided->held);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		json_object_set_new(object, texts[i].name, status_text(texts[i].value));
	return object;
}

/* The lines of a piece go up in time, and what is wanted goes down. */
static bool
on_lines(void *arg, struct slice lines)
{
	json_t *recent = arg;
	struct decision_line decided;
	struct slice line;
	struct arena arena;
	arena_init(&arena);
	while (json_array_size(recent) < STATUS_RECENT &&
	       decision_line_cut_last(&lines, &line)) {
		if (decision_line_parse(line, &arena, &decided))
			json_array_append_new(recent, status_decision(&decided));
		arena_reset(&arena);
	}
	arena_free(&arena);
	return json_array_size(recent) < STATUS_RECENT;
}

/* ---- overrides ---- */

json_t *
status_override(const struct conf *conf, const struct override *override)
{
	json_t *object =
		json_pack("{s:s, s:o, s:I, s:I, s:o, s:I, s:b}", "kind",
	                  override_kind_word(override->kind), "name",
	                  status_text(slice_of(override->name)), "until",
	                  (json_int_t) override->until_s, "made",
	                  (json_int_t) override->made_s, "by",
	                  status_text(slice_of(override->by)), "limit",
	                  (json_int_t) override->limit, "no_limits", override->no_limits);
	struct slice meant;
	if (override_sets_rates(override->kind)) {
		char buf[RATES_TEXT_MAX];
		struct text rates = TEXT(buf);
		print_rates(&override->rates, &rates);
		json_object_set_new(object, "rates", status_text(text_slice(&rates)));
	}
	if (override_is_of_destination(override->kind)) {
		override_meant(override, conf, &meant);
		json_object_set_new(object, "destination", status_text(meant));
	}
	return object;
}

static json_t *
print_overrides(const struct conf *conf, const struct overrides *overrides)
{
	json_t *list = json_array();
	for (size_t i = 0; i < overrides_count(overrides); i++)
		json_array_append_new(list,
		                      status_override(conf, overrides_at(overrides, i)));
	return list;
}

/* ---- the funnel ---- */

struct funnel {
	int64_t window_from; /* hours whose triplets may still come back */
	int64_t from;        /* what is shown */
	int64_t first_seen, waiting, came_back, never;
};

static void
on_hour(void *arg, const struct funnel_hour *hour)
{
	struct funnel *funnel = arg;
	int64_t missing = hour->fresh > hour->back ? hour->fresh - hour->back : 0;
	if (hour->hour < funnel->from)
		return;
	funnel->came_back += hour->back;
	funnel->first_seen += missing + hour->back;
	if (hour->hour >= funnel->window_from)
		funnel->waiting += missing;
	else
		funnel->never += missing;
}

static json_t *
print_funnel(const struct conf *conf, const struct funnel *funnel, int64_t hours)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "mode",
	                 conf_mode_word(conf->greylist.mode), "hours", (json_int_t)hours,
	                 "first_seen", (json_int_t)funnel->first_seen, "waiting",
	                 (json_int_t)funnel->waiting, "came_back",
	                 (json_int_t)funnel->came_back, "never",
	                 (json_int_t)funnel->never);
}

/* ---- the whole ---- */

static json_t *
print_store(const struct conf *conf, bool good, const struct err *err)
{
	bool redis = conf->store.backend == BACKEND_REDIS;
	return json_pack("{s:s, s:b, s:o}", "backend", redis ? "redis" : "embedded", "up",
	                 good, "error", status_text(slice_of(good ? "" : err->text)));
}

/* What could not be read is null: not nothing, but unknown. */
static void
put(json_t *status, const char *name, bool is_known, json_t *value)
{
	json_object_set(status, name, is_known ? value : json_null());
	json_decref(value);
}

struct json_t *
status_build(const struct conf *conf, struct history *history, const struct err *not_open,
             int64_t now_s)
{
	int64_t window_hours = conf->greylist.retry_window_ms / 3600000;
	struct funnel funnel = {.window_from = now_s / 3600 - window_hours,
	                        .from = now_s / 3600 - window_hours - 24};
	struct overrides *overrides = NULL;
	struct heartbeats heartbeats;
	struct err err = history ? (struct err){0} : *not_open;
	json_t *recent = json_array(), *destinations = NULL;
	bool told = heartbeats_read(&heartbeats, history, now_s, &err);
	if (told)
		overrides = override_store_read(history, now_s, &err);
	bool counted = overrides && history_read_funnel(history, on_hour, &funnel, &err);
	bool decided = counted && history_read_decisions(history, on_lines, recent, &err);
	if (decided)
		destinations = status_destinations(conf, history, &heartbeats, overrides,
		                                   now_s, &err);
	json_t *status = json_pack("{s:s, s:I, s:s, s:I, s:o}", "weir", PACKAGE_VERSION,
	                           "now", (json_int_t)now_s, "node", conf->node, "keep",
	                           (json_int_t)conf->decisions.keep, "store",
	                           print_store(conf, destinations, &err));
	put(status, "daemons", told, json_incref(heartbeats.daemons));
	put(status, "destinations", destinations, destinations);
	put(status, "greylist", counted, print_funnel(conf, &funnel, window_hours + 24));
	put(status, "chart", told, heartbeats_chart(&heartbeats));
	put(status, "overrides", overrides,
	    overrides ? print_overrides(conf, overrides) : NULL);
	put(status, "recent", decided, recent);
	heartbeats_free(&heartbeats);
	overrides_unref(&overrides);
	return status;
}
