/* metrics_site.c - the figures of the whole site, from its status. */
#include "metrics_site.h"

#include <jansson.h>

#include "base/attr.h"
#include "books/status.h"
#include "promtext.h"
#include "rules/overrides.h"

static struct slice
string_of(const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);
	return (struct slice){.p = json_string_value(value),
	                      .n = json_string_length(value)};
}

static int64_t
int_of(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

/* ---- daemons ---- */

static void
print_daemons(FILE *out, const json_t *status)
{
	static const char name[] = "weir_daemon_up";
	const json_t *daemon;
	size_t i;
	promtext_family(
		out, name, "gauge",
		"whether each daemon of the site had a heartbeat within 10 seconds, unless it was stopped");
	json_array_foreach(json_object_get(status, "daemons"), i, daemon) {
		const struct label labels[] = {{"daemon", string_of(daemon, "daemon")},
		                               {"node", string_of(daemon, "node")}};
		if (labels[0].value.n == 0 || labels[1].value.n == 0 ||
		    json_is_true(json_object_get(daemon, "stopped")))
			continue;
		promtext_sample(out, name, labels, COUNT_OF(labels),
		                json_is_true(json_object_get(daemon, "alive")));
	}
}

/* ---- destinations ---- */

static bool
is_overridden(const json_t *destination)
{
	return int_of(destination, "drained_until") > 0 ||
	       int_of(destination, "limit_until") > 0;
}

/*
 * Those that are shown, by their names as they are shown; of two that look alike the first.  Their
 * names may come from anywhere, so of those without settings or overrides there are only so many.
 */
static json_t *
choose_destinations(const json_t *status)
{
	json_t *chosen = json_object(), *destination;
	size_t i, others = 0;
	json_array_foreach(json_object_get(status, "destinations"), i, destination) {
		char buf[PROMTEXT_LABEL_MAX + 1];
		struct slice name = promtext_clean(string_of(destination, "name"), buf);
		if (name.n == 0 || json_object_get(chosen, name.p))
			continue;
		if (!json_is_true(json_object_get(destination, "configured")) &&
		    !is_overridden(destination) && others++ >= STATUS_OTHERS)
			continue;
		json_object_set(chosen, name.p, destination);
	}
	return chosen;
}

static const struct {
	const char *name;
	const char *member;
	const char *help;
	bool is_time; /* 1 while there is one */
	bool or_none; /* 0: there is no such thing, and no sample */
} of_destination[] = {
	{"weir_destination_slots_in_use", "held",
         "deliveries under way to the destination from all hosts", false, false},
	{"weir_destination_slots_limit", "limit",
         "the destination's limit on deliveries at once", false, true},
	{"weir_destination_drained", "drained_until",
         "whether an override drains the destination", true, false},
	{"weir_destination_deferred_5m", "deferred",
         "recipients at the destination deferred in the last 5 minutes", false, false},
};

static void
print_destinations(FILE *out, const json_t *status)
{
	json_t *chosen = choose_destinations(status), *destination;
	const char *name;
	for (size_t i = 0; i < COUNT_OF(of_destination); i++) {
		promtext_family(out, of_destination[i].name, "gauge",
		                of_destination[i].help);
		json_object_foreach(chosen, name, destination) {
			const struct label label = {"destination", slice_of(name)};
			int64_t value = int_of(destination, of_destination[i].member);
			if (value == 0 && of_destination[i].or_none)
				continue;
			if (of_destination[i].is_time)
				value = value > 0;
			promtext_sample(out, of_destination[i].name, &label, 1, value);
		}
	}
	json_decref(chosen);
}

/* ---- greylisting and overrides ---- */

static void
print_triplets(FILE *out, const json_t *status)
{
	static const char name[] = "weir_greylist_triplets";
	static const char *const states[] = {"waiting", "came_back", "never"};
	const json_t *greylist = json_object_get(status, "greylist");
	if (!greylist)
		return;
	promtext_family(
		out, name, "gauge",
		"triplets first tried in the last day or more, by what became of them");
	for (size_t i = 0; i < COUNT_OF(states); i++) {
		const struct label label = {"state", slice_of(states[i])};
		promtext_sample(out, name, &label, 1, int_of(greylist, states[i]));
	}
}

static void
print_overrides(FILE *out, const json_t *status)
{
	static const char name[] = "weir_overrides";
	const json_t *overrides = json_object_get(status, "overrides"), *override;
	size_t i;
	if (!overrides)
		return;
	promtext_family(out, name, "gauge", "overrides of weirctl in force");
	for (int kind = 0; kind < OVERRIDE_KINDS; kind++) {
		struct slice word =
			slice_of(override_kind_word((enum override_kind)kind));
		const struct label label = {"kind", word};
		int64_t n = 0;
		json_array_foreach(overrides, i, override)
			n += slice_eq(string_of(override, "kind"), word);
		promtext_sample(out, name, &label, 1, n);
	}
}

/* ---- the whole ---- */

void
metrics_print_site(FILE *out, const struct json_t *status)
{
	/* Else it would be made up of zeros. */
	bool known =
		json_is_true(json_object_get(json_object_get(status, "store"), "up"));
	promtext_family(out, "weir_site_up", "gauge",
	                "whether this daemon knows the state of the whole site");
	promtext_sample(out, "weir_site_up", NULL, 0, known);
	if (!known)
		return;
	print_daemons(out, status);
	print_destinations(out, status);
	print_triplets(out, status);
	print_overrides(out, status);
}
