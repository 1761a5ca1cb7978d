/* status_heartbeats.c - what the daemons tell of themselves, put together. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "status_priv.h"

#define ALIVE_S    10 /* without a heartbeat for so long it is not */
#define DEFERRED_S 300
#define PEAK_S     3600
#define CAUSES_MAX 64                 /* more than there are */
#define NUMBER_MAX (INT64_C(1) << 40) /* of what is added up */

/* Anybody may have put it up. */
static int64_t
number_of(const json_t *value)
{
	int64_t number = json_integer_value(value);
	return number < 0 ? 0 : number > NUMBER_MAX ? NUMBER_MAX : number;
}

/* ---- one daemon ---- */

static const char *const told_texts[] = {"daemon", "node", "version", "limits_wait"};
static const char *const told_numbers[] = {
	"pid",         "started",     "seen",           "accepted",
	"deferred",    "observed",    "store_failures", "late_answers",
	"leases_late", "leases_lost", "judged_locally", "decisions_lost",
	"under_way"};
static const char *const told_states[] = {"store_up", "breaker_open", "stopped"};

static json_t *
text_member(const json_t *heartbeat, const char *name)
{
	const char *text = json_string_value(json_object_get(heartbeat, name));
	return json_string(text ? text : "");
}

bool
status_is_alive(const struct json_t *heartbeat, int64_t now_s)
{
	int64_t seen_s = number_of(json_object_get(heartbeat, "seen"));
	return now_s - seen_s < ALIVE_S &&
	       !json_is_true(json_object_get(heartbeat, "stopped"));
}

static void
add_daemon(struct heartbeats *heartbeats, const json_t *heartbeat)
{
	json_t *daemon = json_object();
	for (size_t i = 0; i < COUNT_OF(told_texts); i++)
		json_object_set_new(daemon, told_texts[i],
		                    text_member(heartbeat, told_texts[i]));
	for (size_t i = 0; i < COUNT_OF(told_numbers); i++)
		json_object_set_new(daemon, told_numbers[i],
		                    json_integer(
					    number_of(json_object_get(heartbeat,
		                                                      told_numbers[i]))));
	for (size_t i = 0; i < COUNT_OF(told_states); i++)
		json_object_set_new(daemon, told_states[i],
		                    json_boolean(json_is_true(
					    json_object_get(heartbeat, told_states[i]))));
	json_object_set_new(daemon, "alive",
	                    json_boolean(status_is_alive(heartbeat, heartbeats->now_s)));
	json_array_append_new(heartbeats->daemons, daemon);
}

/* ---- deferrals by cause ---- */

/* NULL when there are too many. */
static json_t *
counts_of(struct heartbeats *heartbeats, const char *why)
{
	json_t *counts = json_object_get(heartbeats->causes, why);
	if (counts || json_object_size(heartbeats->causes) == CAUSES_MAX)
		return counts;
	counts = json_array();
	for (int i = 0; i < STATUS_MINUTES; i++)
		json_array_append_new(counts, json_integer(0));
	json_object_set_new(heartbeats->causes, why, counts);
	return counts;
}

/* Its minutes may end before ours: it has not told since, or its clock is behind. */
static void
add_causes(struct heartbeats *heartbeats, const json_t *heartbeat)
{
	const char *why;
	json_t *told, *count;
	size_t i;
	int64_t ago =
		heartbeats->now_s / 60 - number_of(json_object_get(heartbeat, "minute"));
	json_object_foreach(json_object_get(heartbeat, "causes"), why, told) {
		json_t *counts = counts_of(heartbeats, why);
		json_array_foreach(told, i, count) {
			int64_t at = STATUS_MINUTES - ago -
			             (int64_t)json_array_size(told) + (int64_t)i;
			if (!counts || at < 0 || at >= STATUS_MINUTES)
				continue;
			json_t *sum = json_array_get(counts, (size_t)at);
			json_integer_set(sum, json_integer_value(sum) + number_of(count));
		}
	}
}

static int64_t
sum_of(const json_t *counts)
{
	const json_t *count;
	size_t i;
	int64_t sum = 0;
	json_array_foreach(counts, i, count)
		sum += json_integer_value(count);
	return sum;
}

/* The largest is put first. */
static void
add_cause(json_t *causes, const char *why, json_t *counts)
{
	size_t at = 0;
	while (at < json_array_size(causes) &&
	       sum_of(json_object_get(json_array_get(causes, at), "counts")) >=
	               sum_of(counts))
		at++;
	json_array_insert_new(causes, at,
	                      json_pack("{s:s, s:O}", "why", why, "counts", counts));
}

json_t *
heartbeats_chart(const struct heartbeats *heartbeats)
{
	const char *why;
	json_t *counts, *causes = json_array();
	json_object_foreach(heartbeats->causes, why, counts)
		if (sum_of(counts) > 0)
			add_cause(causes, why, counts);
	return json_pack("{s:i, s:I, s:o}", "step", 60, "from",
	                 (json_int_t)((heartbeats->now_s / 60 - STATUS_MINUTES + 1) * 60),
	                 "causes", causes);
}

/* ---- destinations ---- */

static struct seen *
find_seen(struct heartbeats *heartbeats, const char *name)
{
	struct seen *seen;
	HASH_FIND_STR(heartbeats->seen, name, seen);
	if (seen)
		return seen;
	seen = mem_new(struct seen);
	seen->name = mem_dup(slice_of(name));
	HASH_ADD_KEYPTR(hh, heartbeats->seen, seen->name, strlen(seen->name), seen);
	return seen;
}

/* What a daemon told that is there no more holds no longer than its minutes would. */
static void
add_destinations(struct heartbeats *heartbeats, const json_t *heartbeat)
{
	const json_t *list = json_object_get(heartbeat, "destinations"), *told;
	int64_t ago_s = heartbeats->now_s - number_of(json_object_get(heartbeat, "seen"));
	if (ago_s > PEAK_S)
		return;
	for (size_t i = 0; i < STATUS_TOLD && (told = json_array_get(list, i)); i++) {
		const char *name = json_string_value(json_object_get(told, "name"));
		if (!name)
			continue;
		struct seen *seen = find_seen(heartbeats, name);
		int64_t peak = number_of(json_object_get(told, "peak"));
		seen->peak = peak > seen->peak ? peak : seen->peak;
		if (ago_s <= DEFERRED_S)
			seen->deferred += number_of(json_object_get(told, "deferred"));
	}
}

/* ---- all of them ---- */

static void
on_heartbeat(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	struct heartbeats *heartbeats = arg;
	(void)name, (void)until_s;
	json_t *heartbeat = json_loadb(text.p, text.n, 0, NULL);
	if (json_is_object(heartbeat)) {
		add_daemon(heartbeats, heartbeat);
		add_causes(heartbeats, heartbeat);
		add_destinations(heartbeats, heartbeat);
	}
	json_decref(heartbeat);
}

bool
heartbeats_read(struct heartbeats *heartbeats, struct history *history, int64_t now_s,
                struct err *err)
{
	*heartbeats = (struct heartbeats){.now_s = now_s,
	                                  .daemons = json_array(),
	                                  .causes = json_object()};
	return history && history_read(history, REGISTRY_DAEMONS, now_s, on_heartbeat,
	                               heartbeats, err);
}

void
heartbeats_free(struct heartbeats *heartbeats)
{
	struct seen *seen, *next;
	json_decref(heartbeats->daemons);
	json_decref(heartbeats->causes);
	HASH_ITER(hh, heartbeats->seen, seen, next) {
		HASH_DEL(heartbeats->seen, seen);
		free(seen->name);
		free(seen);
	}
}
