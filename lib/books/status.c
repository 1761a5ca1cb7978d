/* status.c - how the whole site is, as one JSON value. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "conf/member.h"
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

/* ---- destinations: how full each is ---- */

/* How many slots are taken under a key. */
struct taken {
	struct key key;
	int64_t n;
	UT_hash_handle hh;
};

/* What the rows are made from. */
struct making {
	const struct conf *conf;
	const struct heartbeats *heartbeats;
	const struct overrides *overrides;
	int64_t now_s;
	struct key_secret secret;
	struct taken *taken;
	struct arena arena;
	json_t *rows;
};

static void
on_lease(void *arg, const struct history_lease *lease)
{
	struct making *making = arg;
	struct taken *taken;
	HASH_FIND(hh, making->taken, &lease->key, sizeof(lease->key), taken);
	if (!taken) {
		taken = mem_new(struct taken);
		taken->key = lease->key;
		HASH_ADD(hh, making->taken, key, sizeof(taken->key), taken);
	}
	taken->n++;
}

static int64_t
held_at(const struct making *making, bool unnamed, struct slice name)
{
	struct taken *taken;
	char raw[256];
	struct text text = TEXT(raw);
	text_put_unescaped(&text, name);
	struct key key = limit_slots_key(&making->secret, unnamed, text_slice(&text));
	HASH_FIND(hh, making->taken, &key, sizeof(key), taken);
	return taken ? taken->n : 0;
}

static const struct seen *
seen_at(const struct making *making, const char *name)
{
	static const struct seen none;
	const struct seen *seen;
	HASH_FIND_STR(making->heartbeats->seen, name, seen);
	return seen ? seen : &none;
}

static bool
is_configured(const struct making *making, const char *name)
{
	for (size_t i = 0; i < making->conf->limits.n_destinations; i++)
		if (strcmp(making->conf->limits.destinations[i].name, name) == 0)
			return true;
	return false;
}

static bool
has_row(const struct making *making, const char *name)
{
	for (size_t i = 0; i < json_array_size(making->rows); i++) {
		const json_t *row = json_array_get(making->rows, i);
		if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
			return true;
	}
	return false;
}

static void
add_override(const struct making *making, json_t *row, enum override_kind kind,
             const struct conf_destination *known, const char *name, const char *until,
             const char *by)
{
	const struct override *override =
		overrides_destination(making->overrides, making->conf, kind, known,
	                              slice_of(name), making->now_s);
	json_object_set_new(row, until, json_integer(override ? override->until_s : 0));
	json_object_set_new(row, by,
	                    override ? status_text(slice_of(override->by))
	                             : json_string(""));
}

static json_t *
make_row(struct making *making, const char *name,
         const struct conf_destination *destination)
{
	const struct seen *seen = seen_at(making, name);
	const struct conf_limit *limit =
		limit_in_force(making->conf, making->overrides, destination,
	                       slice_of(name), making->now_s, &making->arena);
	json_t *row =
		json_pack("{s:o, s:b, s:s, s:I, s:I, s:I, s:I}", "name",
	                  status_text(slice_of(name)), "configured", destination != NULL,
	                  "mode", conf_mode_word(limit->mode), "held",
	                  (json_int_t)held_at(making, !destination, slice_of(name)),
	                  "limit",
	                  (json_int_t)(limit->mode == MODE_OFF ? 0 : limit->concurrency),
	                  "peak", (json_int_t)seen->peak, "deferred",
	                  (json_int_t)seen->deferred);
	add_override(making, row, OVERRIDE_DRAIN, destination, name, "drained_until",
	             "drained_by");
	add_override(making, row, OVERRIDE_LIMIT, destination, name, "limit_until",
	             "limit_by");
	return row;
}

static void
add_configured(struct making *making)
{
	for (size_t i = 0; i < making->conf->limits.n_destinations; i++) {
		const struct conf_destination *destination =
			&making->conf->limits.destinations[i];
		json_array_append_new(making->rows,
		                      make_row(making, destination->name, destination));
	}
}

/* Mere domains; those of the settings have a row, and what an override binds to no more has none. */
static void
add_overridden(struct making *making)
{
	for (size_t i = 0; i < overrides_count(making->overrides); i++) {
		const struct override *override = overrides_at(making->overrides, i);
		struct slice name;
		if (override_is_of_destination(override->kind) &&
		    !override_meant(override, making->conf, &name) && name.n > 0 &&
		    !has_row(making, override->name))
			json_array_append_new(making->rows,
			                      make_row(making, override->name, NULL));
	}
}

static int64_t
weight_of(const json_t *row)
{
	return json_integer_value(json_object_get(row, "held")) +
	       json_integer_value(json_object_get(row, "deferred"));
}

/* Those with the most under way and deferred, the largest first. */
static void
add_others(struct making *making)
{
	const struct seen *seen;
	size_t first = json_array_size(making->rows);
	for (seen = making->heartbeats->seen; seen; seen = seen->hh.next) {
		if (is_configured(making, seen->name) || has_row(making, seen->name))
			continue;
		json_t *row = make_row(making, seen->name, NULL);
		size_t at = json_array_size(making->rows);
		while (at > first &&
		       weight_of(json_array_get(making->rows, at - 1)) < weight_of(row))
			at--;
		json_array_insert_new(making->rows, at, row);
		if (json_array_size(making->rows) > first + STATUS_OTHERS)
			json_array_remove(making->rows, first + STATUS_OTHERS);
	}
}

static void
free_making(struct making *making)
{
	struct taken *taken, *next;
	HASH_ITER(hh, making->taken, taken, next) {
		HASH_DEL(making->taken, taken);
		free(taken);
	}
	arena_free(&making->arena);
	explicit_bzero(&making->secret, sizeof(making->secret));
}

/* NULL with a text when the slots in use cannot be read. */
static json_t *
print_destinations(const struct conf *conf, struct history *history,
                   const struct heartbeats *heartbeats, const struct overrides *overrides,
                   int64_t now_s, struct err *err)
{
	struct making making = {.conf = conf,
	                        .heartbeats = heartbeats,
	                        .overrides = overrides,
	                        .now_s = now_s};
	arena_init(&making.arena);
	if (history_secret(history, &making.secret, err) &&
	    history_read_leases(history, on_lease, &making, err)) {
		making.rows = json_array();
		add_configured(&making);
		add_overridden(&making);
		add_others(&making);
	}
	free_making(&making);
	return making.rows;
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
		destinations = print_destinations(conf, history, &heartbeats, overrides,
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
