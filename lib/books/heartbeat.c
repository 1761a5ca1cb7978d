/* heartbeat.c - what a daemon tells of itself, for the registry that all daemons and weirctl read. */
#include "books/heartbeat.h"

#include <jansson.h>
#include <unistd.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "books/status.h"
#include "books/tally.h"
#include "config.h"
#include "rules/crowd.h"
#include "store/store.h"

#define LOOK_EVERY_MS 20000
#define SAY_S         3600

static json_int_t
count_of(enum stat stat)
{
	return (json_int_t)stats_get(stat);
}

static json_int_t
store_failures(const struct tally *tally)
{
	return (json_int_t)(tally_verdicts(tally, WHY_STORE_FAILURE, VERDICT_ACCEPT) +
	                    tally_verdicts(tally, WHY_STORE_FAILURE, VERDICT_DEFER));
}

/* The one private address that nearly all mail comes from; nothing without one. */
static void
put_crowd(json_t *heartbeat, const struct crowd *crowd)
{
	char buf[ADDR_TEXT_MAX];
	struct text text = TEXT(buf);
	if (crowd->address.family == ADDR_NONE)
		return;
	addr_print(&crowd->address, &text);
	json_object_set_new(heartbeat, "crowd", json_string(buf));
	json_object_set_new(heartbeat, "crowd_percent", json_integer(crowd->percent));
}

/* Empty: limits wait for nobody. */
static json_t *
limits_wait_for(const struct store *store)
{
	char names[512];
	struct text text = TEXT(names);
	if (!store_waits_for(store, &text))
		return json_string("");
	return text.n > 0 ? json_stringn(names, text.n - 1) : json_string("another host");
}

char *
heartbeat_print(const struct self *self, bool stops)
{
	int64_t now_s = clock_wall_s();
	json_t *heartbeat =
		json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:b, s:b, s:I}", "daemon",
	                  self->daemon, "node", self->conf->node, "version",
	                  PACKAGE_VERSION, "pid", (int)getpid(), "started",
	                  (json_int_t)self->started_s, "seen", (json_int_t)now_s,
	                  "store_up", (int)store_is_up(self->store), "breaker_open",
	                  (int)store_breaker_is_open(self->store), "under_way",
	                  (json_int_t)self->under_way);
	json_t *counts = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	                           "accepted", count_of(STAT_VERDICT_ACCEPT), "deferred",
	                           count_of(STAT_VERDICT_DEFER), "observed",
	                           count_of(STAT_VERDICT_OBSERVED), "store_failures",
	                           store_failures(self->tally), "late_answers",
	                           count_of(STAT_LATE_ANSWERS), "leases_late",
	                           count_of(STAT_LEASES_LATE), "leases_lost",
	                           count_of(STAT_LEASES_LOST), "judged_locally",
	                           count_of(STAT_LIMITS_LOCAL), "decisions_lost",
	                           count_of(STAT_DECISIONS_LOST));
	json_t *told = tally_print(self->tally, now_s);
	json_object_set_new(heartbeat, "stopped", json_boolean(stops));
	put_crowd(heartbeat, self->crowd);
	json_object_set_new(heartbeat, "limits_wait", limits_wait_for(self->store));
	json_object_update(heartbeat, counts);
	json_object_update(heartbeat, told);
	char *text = json_dumps(heartbeat, JSON_COMPACT);
	json_decref(counts);
	json_decref(told);
	json_decref(heartbeat);
	return text;
}

/* ---- another daemon by the same name ---- */

struct search {
	struct slice name;
	const json_t *own;
	int64_t now_s;
	int64_t pid; /* found */
};

static bool
is_same(const json_t *one, const json_t *other, const char *member)
{
	return json_integer_value(json_object_get(one, member)) ==
	       json_integer_value(json_object_get(other, member));
}

static void
on_heartbeat(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	struct search *search = arg;
	(void)until_s;
	if (!slice_eq(name, search->name))
		return;
	json_t *heartbeat = json_loadb(text.p, text.n, 0, NULL);
	bool same = is_same(heartbeat, search->own, "pid") &&
	            is_same(heartbeat, search->own, "started");
	if (!same && status_is_alive(heartbeat, search->now_s))
		search->pid = json_integer_value(json_object_get(heartbeat, "pid"));
	json_decref(heartbeat);
}

/* *pid_out: 0 when there is none. */
static bool
find(struct history *history, struct slice name, const char *own, int64_t *pid_out,
     struct err *err)
{
	json_t *heartbeat = json_loads(own, 0, NULL);
	struct search search = {.name = name, .own = heartbeat, .now_s = clock_wall_s()};
	bool good = history_read(history, REGISTRY_DAEMONS, search.now_s, on_heartbeat,
	                         &search, err);
	*pid_out = search.pid;
	json_decref(heartbeat);
	return good;
}

/* Not at once: one that was killed looks alive until our heartbeat is up in place of its own. */
static bool
is_due(struct namesake *namesake)
{
	int64_t now_ms = clock_mono_ms();
	bool due = namesake->next_ms != 0 && now_ms >= namesake->next_ms;
	if (due || namesake->next_ms == 0)
		namesake->next_ms = now_ms + LOOK_EVERY_MS;
	return due;
}

bool
namesake_look(struct namesake *namesake, struct history *history, struct slice name,
              const char *own, struct err *err_out)
{
	int64_t pid;
	if (!is_due(namesake))
		return true;
	if (!find(history, name, own, &pid, err_out))
		return false;
	if (pid != 0 && log_ration(&namesake->said_ms, SAY_S))
		log_warning(
			"another daemon uses the same node name %.*s (its pid is %lld): each gives back the slots of the other, so limits are exceeded; set another node in its weir.conf",
			(int)name.n, name.p, (long long)pid);
	return true;
}
