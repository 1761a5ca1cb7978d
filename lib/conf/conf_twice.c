/*
 * conf_twice.c - which name a settings file has twice: libconfig tells the line only.
 *
 * Where the reader stopped, the tree is what came before: the group that was open is found by
 * going down the last members, as often as brackets are open there.
 */
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "conf_priv.h"

enum { FILE_MAX_BYTES = 1 << 20, SEEN_MAX = 32 };

struct walk {
	struct slice rest; /* of the file */
	unsigned line;
	unsigned depth;              /* brackets that are open */
	struct slice seen[SEEN_MAX]; /* names of the line to blame, each with its depth */
	unsigned depths[SEEN_MAX];
	size_t n_seen;
};

static bool
is_name(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '_' || c == '*';
}

static void
skip(struct walk *walk, size_t n)
{
	for (size_t i = 0; i < n && i < walk->rest.n; i++)
		walk->line += walk->rest.p[i] == '\n';
	walk->rest = slice_from(walk->rest, n);
}

/* Behind `end`; in a string a '\' takes the next byte with it. */
static void
skip_past(struct walk *walk, const char *end, bool is_string)
{
	struct slice tail = slice_of(end);
	while (walk->rest.n > 0 && !slice_eq(slice_head(walk->rest, tail.n), tail))
		skip(walk, is_string && walk->rest.p[0] == '\\' ? 2 : 1);
	skip(walk, tail.n);
}

static bool
at(const struct walk *walk, const char *text)
{
	return slice_eq(slice_head(walk->rest, strlen(text)), slice_of(text));
}

/* The next name that a value follows, with where it stands; false at the end of the file. */
static bool
next_name(struct walk *walk, struct slice *name_out)
{
	while (walk->rest.n > 0) {
		char c = walk->rest.p[0];
		size_t n = 0;
		if (at(walk, "//") || c == '#') {
			skip_past(walk, "\n", false);
		} else if (at(walk, "/*")) {
			skip_past(walk, "*/", false);
		} else if (c == '"') {
			skip(walk, 1);
			skip_past(walk, "\"", true);
		} else if (is_name(c)) {
			while (n < walk->rest.n && is_name(walk->rest.p[n]))
				n++;
			*name_out = slice_head(walk->rest, n);
			return true;
		} else {
			walk->depth += c == '{' || c == '(' || c == '[';
			walk->depth -=
				walk->depth > 0 && (c == '}' || c == ')' || c == ']');
			skip(walk, 1);
		}
	}
	return false;
}

/* The last members `depth` levels down, their names joined with dots. */
static config_setting_t *
open_group(config_t *tree, unsigned depth, struct text *path)
{
	config_setting_t *group = config_root_setting(tree);
	for (; group && depth > 0; depth--) {
		int n = config_setting_is_aggregate(group) ? config_setting_length(group)
		                                           : 0;
		group = n > 0 ? config_setting_get_elem(group, (unsigned)n - 1) : NULL;
		if (group && config_setting_name(group))
			text_printf(path, "%s.", config_setting_name(group));
	}
	return group && config_setting_is_group(group) ? group : NULL;
}

/* Whether the line has it before, as deep. */
static bool
is_seen(struct walk *walk, struct slice name)
{
	for (size_t i = 0; i < walk->n_seen; i++)
		if (walk->depths[i] == walk->depth && slice_eq(walk->seen[i], name))
			return true;
	if (walk->n_seen < SEEN_MAX) {
		walk->depths[walk->n_seen] = walk->depth;
		walk->seen[walk->n_seen++] = name;
	}
	return false;
}

/* The first of the two when `name` is the second. */
static config_setting_t *
first_of(config_t *tree, struct walk *walk, struct slice name, struct place second,
         struct text *path)
{
	char buf[128];
	struct text copy = TEXT(buf);
	text_put(&copy, name);
	config_setting_t *group = open_group(tree, walk->depth, path);
	config_setting_t *first = group ? config_setting_get_member(group, buf) : NULL;
	text_put(path, name);
	if (!first || copy.cut)
		return NULL;
	struct place place = conf_place(first);
	bool is_itself = place.line == second.line && place.file && second.file &&
	                 strcmp(place.file, second.file) == 0;
	return is_seen(walk, name) || !is_itself ? first : NULL;
}

static bool
say(struct err *err, struct place second, const char *name, config_setting_t *first)
{
	char where[300];
	struct text text = TEXT(where);
	struct place place = conf_place(first);
	if (place.file && strcmp(place.file, second.file) != 0)
		text_printf(&text, "%.200s:%u", place.file, place.line);
	else
		text_printf(&text, "line %u", place.line);
	return err_set(err, "%s:%u: %s is there twice, first in %s%s", second.file,
	               second.line, name, where,
	               config_setting_is_group(first) ? ": merge the two" : "");
}

/* NULL when it cannot be read. */
static char *
read_file(const char *path, struct slice *all_out)
{
	FILE *file = fopen(path, "r");
	if (!file)
		return NULL;
	char *buf = mem_alloc(FILE_MAX_BYTES);
	*all_out = (struct slice){.p = buf, .n = fread(buf, 1, FILE_MAX_BYTES, file)};
	fclose(file);
	return buf;
}

bool
conf_twice(struct config_t *tree, struct place second, struct err *err)
{
	struct walk walk = {.line = 1};
	struct slice name;
	config_setting_t *first = NULL;
	char *buf = read_file(second.file, &walk.rest);
	while (buf && !first && walk.line <= second.line && next_name(&walk, &name)) {
		char path_buf[256];
		struct text path = TEXT(path_buf);
		if (walk.line == second.line)
			first = first_of(tree, &walk, name, second, &path);
		if (first)
			say(err, second, path_buf, first);
		skip(&walk, name.n);
	}
	free(buf);
	return first != NULL;
}
