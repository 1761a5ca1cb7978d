/* story.c - reads a story line by line; settings, lists and the clock. */
#include "story_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/stats.h"
#include "conf/schema.h"
#include "harness.h"

#define START_S INT64_C(2100000000)

void
story_complain(const struct story *story, const char *about, struct slice text)
{
	ck_abort_msg("%s:%u: on %s: %s%s%.*s", story->path, story->line,
	             story->place.backend == BACKEND_REDIS ? "redis" : "sqlite", about,
	             text.n ? " " : "", (int)text.n, text.n ? text.p : "");
}

void
story_keep(char *buf, size_t size, struct slice text)
{
	struct text out = {.p = buf, .cap = size};
	text_put(&out, text);
	ck_assert_msg(!out.cut, "a line of a story is too long");
}

bool
story_pair(struct slice word, struct slice *key_out, struct slice *value_out)
{
	*value_out = word;
	return slice_find(word, '=') > 0 && slice_cut(value_out, '=', key_out);
}

/* ------------------------------------------------------------------ the keywords */

static void
do_only(struct story *story, struct slice rest)
{
	(void)story, (void)rest; /* story_is_for() has read it */
}

static void
do_set(struct story *story, struct slice rest)
{
	if (story->n_settings == SETTINGS_MAX)
		story_complain(story, "too many settings", rest);
	story_keep(story->settings[story->n_settings++], LINE_MAX_LEN, rest);
}

static void
do_list(struct story *story, struct slice rest)
{
	static const char *const kinds[] = {"clients", "senders", "recipients"};
	struct slice kind;
	if (slice_word(&rest, &kind))
		for (int i = 0; i < LIST_FILES; i++)
			if (slice_eq(kind, slice_of(kinds[i]))) {
				size_t used = strlen(story->lists[i]);
				story_keep(story->lists[i] + used,
				           sizeof(story->lists[i]) - used - 1,
				           slice_trim(rest));
				used = strlen(story->lists[i]);
				story_keep(story->lists[i] + used, 2, SLICE("\n"));
				return;
			}
	story_complain(story, "not a list:", kind);
}

static void
do_pool(struct story *story, struct slice rest)
{
	struct slice name, entry;
	struct text out = {.p = story->pools, .cap = sizeof(story->pools)};
	out.n = strlen(story->pools);
	if (!slice_word(&rest, &name))
		story_complain(story, "a pool without a name", rest);
	text_printf(&out, "%s{ name = \"%.*s\"; clients = [", out.n ? ", " : "",
	            (int)name.n, name.p);
	for (const char *sep = ""; slice_word(&rest, &entry); sep = ", ")
		text_printf(&out, "%s\"%.*s\"", sep, (int)entry.n, entry.p);
	text_puts(&out, "]; }");
	if (out.cut)
		story_complain(story, "too many pools", (struct slice){0});
}

static void
do_destination(struct story *story, struct slice rest)
{
	struct text out = {.p = story->destinations, .cap = sizeof(story->destinations)};
	out.n = strlen(story->destinations);
	text_puts(&out, out.n ? ", { " : "{ ");
	text_put(&out, rest);
	text_puts(&out, " }");
	if (out.cut)
		story_complain(story, "too many destinations", (struct slice){0});
}

/* Without a name and members: what holds for all others. */
static void
do_group(struct story *story, struct slice rest)
{
	struct slice kind = {0};
	slice_word(&rest, &kind);
	for (int i = 0; i < GROUPS; i++) {
		struct text out = {.p = story->groups[i],
		                   .cap = sizeof(story->groups[i])};
		if (!slice_eq(kind, slice_of(story_groups[i])))
			continue;
		out.n = strlen(story->groups[i]);
		text_puts(&out, out.n ? ", { " : "{ ");
		text_put(&out, rest);
		text_puts(&out, " }");
		if (out.cut)
			story_complain(story, "too many groups", (struct slice){0});
		return;
	}
	story_complain(story, "no groups of", kind);
}

static void
do_destinations(struct story *story, struct slice rest)
{
	if (!slice_eq(rest, SLICE("none")))
		story_complain(story, "wants: destinations none", (struct slice){0});
	story->destinations[0] = '\0';
}

/* "1d2h", "-60s" */
static bool
parse_moment(struct slice text, int64_t *s_out)
{
	int64_t sign = text.n > 0 && text.p[0] == '-' ? -1 : 1;
	int64_t sum_ms = 0, part_ms;
	text = slice_from(text, sign < 0);
	for (size_t from = 0, to = 0; from < text.n; from = to) {
		while (to < text.n && ascii_digit(text.p[to]))
			to++;
		while (to < text.n && ascii_alpha(text.p[to]))
			to++;
		struct slice part = slice_head(slice_from(text, from), to - from);
		if (to == from || !parse_time(part, &part_ms))
			return false;
		sum_ms += part_ms;
	}
	*s_out = sign * sum_ms / 1000;
	return text.n > 0;
}

static void
do_at(struct story *story, struct slice rest)
{
	int64_t s;
	if (!parse_moment(rest, &s))
		story_complain(story, "not a time:", rest);
	story->now_s = START_S + s;
}

static void
do_given(struct story *story, struct slice rest)
{
	story_keep(story->given, sizeof(story->given), rest);
}

static const struct keyword {
	const char *word;
	void (*run)(struct story *story, struct slice rest);
} keywords[] = {
	{"only", do_only},
	{"set", do_set},
	{"list", do_list},
	{"pool", do_pool},
	{"destination", do_destination},
	{"destinations", do_destinations},
	{"group", do_group},
	{"at", do_at},
	{"given", do_given},
	{"ask", do_ask},
	{"want", do_want},
	{"end", do_end},
	{"drop", do_drop},
	{"store", do_store},
	{"reload", do_reload},
	{"close", do_close},
	{"kill", do_kill},
	{"renew", do_renew},
	{"override", do_override},
};

static void
run_line(struct story *story, struct slice line)
{
	struct slice word;
	line = slice_trim(line);
	if (line.n == 0 || line.p[0] == '#' || !slice_word(&line, &word))
		return;
	for (size_t i = 0; i < COUNT_OF(keywords); i++)
		if (slice_eq(word, slice_of(keywords[i].word))) {
			keywords[i].run(story, slice_trim(line));
			return;
		}
	story_complain(story, "not a keyword:", word);
}

/* ------------------------------------------------------------------ the whole */

void
story_run(const char *path, int backend)
{
	static struct story story; /* large */
	char line[LINE_MAX_LEN];
	memset(&story, 0, sizeof(story));
	story.path = path;
	story.now_s = START_S;
	story.late_before = stats_get(STAT_LEASES_LATE);
	story.lost_before = stats_get(STAT_LEASES_LOST);
	arena_init(&story.arena);
	if (backend == BACKEND_REDIS)
		redis_server_start(&story.server, NULL);
	story.place = fresh_place(backend, &story.server);
	FILE *file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s: cannot read", path);
	while (fgets(line, sizeof(line), file)) {
		story.line++;
		run_line(&story, slice_of(line));
	}
	fclose(file);
	if (!story.loop)
		story_complain(&story, "nothing was asked", (struct slice){0});
	story_stop(&story);
	arena_free(&story.arena);
	redis_server_kill(&story.server);
}

bool
story_is_for(const char *path, int backend)
{
	const char *word = backend == BACKEND_REDIS ? "only sqlite" : "only redis";
	char line[LINE_MAX_LEN];
	bool wanted = true;
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		wanted = wanted && !slice_eq(slice_trim(slice_of(line)), slice_of(word));
	if (file)
		fclose(file);
	return wanted;
}
