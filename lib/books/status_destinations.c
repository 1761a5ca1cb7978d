/* status_destinations.c - how full each destination is. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "conf/destination.h"
#include "status_priv.h"

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

json_t *
status_destinations(const struct conf *conf, struct history *history,
                    const struct heartbeats *heartbeats,
                    const struct overrides *overrides, int64_t now_s, struct err *err)
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
