/* findings.c - what weirctl doctor has found, and how it is shown. */
#include "findings.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/slice.h"
#include "books/status.h"

enum { TEXT_MAX = 4096, INDENT = 12 };

static const char *const level_words[FINDING_LEVELS] = {
	[FINDING_OK] = "ok",
	[FINDING_NOTE] = "note",
	[FINDING_WARNING] = "warning",
	[FINDING_PROBLEM] = "problem",
};

void
findings_free(struct findings *findings)
{
	free(findings->v);
	arena_free(&findings->arena);
	*findings = (struct findings){0};
}

static const char *keep(struct findings *findings, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

static const char *
keep(struct findings *findings, const char *fmt, va_list args)
{
	char buf[TEXT_MAX];
	int n = vsnprintf(buf, sizeof(buf), fmt, args);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1;
	return arena_copy(&findings->arena, (struct slice){.p = buf, .n = len}).p;
}

void
finding_add(struct findings *findings, enum finding_level level, const char *title,
            const char *why)
{
	findings->v = mem_grow(findings->v, (findings->n + 1) * sizeof(*findings->v));
	struct finding *finding = &findings->v[findings->n++];
	*finding = (struct finding){.level = level,
	                            .topic = findings->topic,
	                            .title = title,
	                            .seen = "",
	                            .why = why,
	                            .mend = ""};
}

void
finding_ok(struct findings *findings, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const char *title = keep(findings, fmt, args);
	va_end(args);
	finding_add(findings, FINDING_OK, title, "");
}

void
finding_seen(struct findings *findings, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	findings->v[findings->n - 1].seen = keep(findings, fmt, args);
	va_end(args);
}

void
finding_mend(struct findings *findings, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	findings->v[findings->n - 1].mend = keep(findings, fmt, args);
	va_end(args);
}

static bool
same(const struct finding *a, const struct finding *b)
{
	return a->level == b->level && strcmp(a->title, b->title) == 0 &&
	       strcmp(a->seen, b->seen) == 0;
}

void
findings_drop_repeated(struct findings *findings, size_t from)
{
	size_t kept = from;
	for (size_t i = from; i < findings->n; i++) {
		bool repeated = false;
		for (size_t j = from; j < kept && !repeated; j++)
			repeated = same(&findings->v[i], &findings->v[j]);
		if (!repeated)
			findings->v[kept++] = findings->v[i];
	}
	findings->n = kept;
}

size_t
findings_count(const struct findings *findings, enum finding_level level)
{
	size_t count = 0;
	for (size_t i = 0; i < findings->n; i++)
		count += findings->v[i].level == level;
	return count;
}

bool
findings_good(const struct findings *findings)
{
	return findings_count(findings, FINDING_WARNING) == 0 &&
	       findings_count(findings, FINDING_PROBLEM) == 0;
}

/* Lines as they are: they may be commands to copy. */
static void
print_lines(const struct view *view, const char *text)
{
	struct slice rest = slice_of(text), line;
	for (bool first = true; slice_cut(&rest, '\n', &line); first = false) {
		view_printf(view, "%*s", first ? 0 : INDENT, "");
		view_put(view, line);
		view_puts(view, "\n");
	}
}

static void
print_finding(const struct finding *finding, const struct view *view)
{
	view_printf(view, "%-8s %s: ", level_words[finding->level], finding->topic);
	view_text(view, finding->title);
	view_puts(view, "\n");
	if (*finding->seen) {
		view_puts(view, "      seen: ");
		view_paragraph(view, INDENT, finding->seen);
	}
	if (*finding->why) {
		view_puts(view, "      why:  ");
		view_paragraph(view, INDENT, finding->why);
	}
	if (*finding->mend) {
		view_puts(view, "      mend: ");
		print_lines(view, finding->mend);
	}
}

static void
print_sum(const struct findings *findings, const struct view *view)
{
	view_printf(view, "%zu ok", findings_count(findings, FINDING_OK));
	for (int level = FINDING_NOTE; level < FINDING_LEVELS; level++) {
		size_t count = findings_count(findings, (enum finding_level)level);
		view_printf(view, ", %zu %s%s", count, level_words[level],
		            count == 1 ? "" : "s");
	}
	view_puts(view, "\n");
}

void
findings_print(const struct findings *findings, bool quiet, const struct view *view)
{
	for (size_t i = 0; i < findings->n; i++)
		if (!quiet || findings->v[i].level != FINDING_OK)
			print_finding(&findings->v[i], view);
	if (!quiet)
		print_sum(findings, view);
}

struct json_t *
findings_json(const struct findings *findings, bool quiet)
{
	json_t *array = json_array();
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->v[i];
		if (quiet && f->level == FINDING_OK)
			continue;
		json_array_append_new(array,
		                      json_pack("{s:s, s:s, s:o, s:o, s:s, s:o}", "level",
		                                level_words[f->level], "topic", f->topic,
		                                "title", status_text(slice_of(f->title)),
		                                "seen", status_text(slice_of(f->seen)),
		                                "why", f->why, "mend",
		                                status_text(slice_of(f->mend))));
	}
	return array;
}
