/* namesake.c - another daemon by the same name: each would give up the slots of the other. */
#include "namesake.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "books/status.h"

#define EVERY_MS 20000
#define SAY_S    3600

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
		namesake->next_ms = now_ms + EVERY_MS;
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
