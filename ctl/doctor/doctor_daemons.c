/* doctor_daemons.c - what the daemons tell of themselves, and whether two of them share a name. */
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "books/status.h"
#include "daemons_judge.h"
#include "doctor.h"

/* Two heartbeats of each daemon fall into it. */
enum { WATCH_MS = 2200, WATCH_STEP_US = 20000 };

static void
on_heartbeat(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	char key[HISTORY_NAME_MAX + 1];
	struct text copy = TEXT(key);
	json_t *heartbeat = json_loadb(text.p, text.n, 0, NULL);
	(void)until_s;
	text_put(&copy, name);
	if (json_is_object(heartbeat))
		json_object_set(arg, key, heartbeat);
	json_decref(heartbeat);
}

static bool
read_heartbeats(struct checkup *checkup, json_t *heartbeats, struct err *err)
{
	return history_read(checkup->history, REGISTRY_DAEMONS, clock_wall_s(),
	                    on_heartbeat, heartbeats, err);
}

static void
say_shared(struct checkup *checkup, const char *name, const json_t *one,
           const json_t *other)
{
	finding_add(
		checkup->findings, FINDING_PROBLEM, "two daemons use the same node name",
		"Each gives back the slots of the other when it starts, and takes the other's deliveries for its own: limits are exceeded.");
	finding_seen(checkup->findings, "%s is pid %lld, and pid %lld", name,
	             (long long)json_integer_value(json_object_get(one, "pid")),
	             (long long)json_integer_value(json_object_get(other, "pid")));
	finding_mend(
		checkup->findings,
		"Give each host its own name: node in weir.conf(5); then restart its daemons.  On one host, run only one daemon of each kind.");
}

/* They overwrite each other's heartbeat once a second. */
static void
watch_names(struct checkup *checkup, json_t *first, int64_t since_s)
{
	int64_t end_ms = clock_mono_ms() + WATCH_MS;
	json_t *told = json_object(), *heartbeat;
	const char *name;
	struct err err;
	while (clock_mono_ms() < end_ms) {
		json_t *now = json_object();
		bool good = read_heartbeats(checkup, now, &err);
		json_object_foreach(now, name, heartbeat) {
			const json_t *before = json_object_get(first, name);
			if (!before || json_object_get(told, name) ||
			    !daemons_share_a_name(heartbeat, before, since_s))
				continue;
			json_object_set_new(told, name, json_true());
			say_shared(checkup, name, before, heartbeat);
		}
		json_decref(now);
		if (!good || usleep(WATCH_STEP_US) != 0)
			break;
	}
	json_decref(told);
}

static bool
any_alive(const json_t *heartbeats, int64_t now_s)
{
	json_t *heartbeat;
	size_t i;
	json_array_foreach(heartbeats, i, heartbeat)
		if (status_is_alive(heartbeat, now_s))
			return true;
	return false;
}

void
doctor_daemons(struct checkup *checkup)
{
	json_t *by_name = json_object(), *heartbeats = json_array(), *heartbeat;
	int64_t now_s = clock_wall_s();
	const char *name;
	struct err err;
	if (!checkup->history) {
		finding_add(checkup->findings, FINDING_NOTE,
		            "the daemons were not checked",
		            "They report to the store, which cannot be used.");
		finding_mend(checkup->findings, "Fix the store first.");
	} else if (!read_heartbeats(checkup, by_name, &err)) {
		finding_add(checkup->findings, FINDING_PROBLEM,
		            "the reports of the daemons cannot be read", "");
		finding_seen(checkup->findings, "%s", err.text);
		finding_mend(checkup->findings,
		             "Fix what is named above, or in a finding before it.");
	} else {
		json_object_foreach(by_name, name, heartbeat)
			json_array_append(heartbeats, heartbeat);
		daemons_judge(heartbeats, checkup->conf, now_s, checkup->findings);
		if (any_alive(heartbeats, now_s))
			watch_names(checkup, by_name, now_s);
	}
	json_decref(by_name);
	json_decref(heartbeats);
}
