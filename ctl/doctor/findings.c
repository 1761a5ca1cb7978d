/* findings.c - what weirctl doctor has found, and how it is shown. */
#include "findings.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

#include "slice.h"

enum { TEXT_MAX = 4096, COLUMNS = 90, INDENT = 6 };

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

/* It may come from a file in any encoding, and goes to a terminal or into JSON. */
static void
make_printable(char *text, size_t len)
{
	json_t *utf8 = json_stringn(text, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if ((c < ' ' && c != '\n') || c == 127 || (c > 127 && !utf8))
			text[i] = '?';
	}
	json_decref(utf8);
}

static const char *keep(struct findings *findings, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

static const char *
keep(struct findings *findings, const char *fmt, va_list args)
{
	char buf[TEXT_MAX];
	int n = vsnprintf(buf, sizeof(buf), fmt, args);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1;
	make_printable(buf, len);
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

/* Words behind "      why:  ", the next lines below the first word. */
static void
print_wrapped(const char *label, const char *text, FILE *to)
{
	struct slice rest = slice_of(text), word;
	int column = fprintf(to, "%*s%-6s", INDENT, "", label);
	bool first = true;
	while (slice_word(&rest, &word)) {
		if (!first && column + 1 + (int)word.n > COLUMNS)
			column = fprintf(to, "\n%*s", INDENT + 6, "") - 1;
		else if (!first)
			column += fprintf(to, " ");
		column += fprintf(to, "%.*s", (int)word.n, word.p);
		first = false;
	}
	fputc('\n', to);
}

/* Lines as they are: they may be commands to copy. */
static void
print_lines(const char *label, const char *text, FILE *to)
{
	struct slice rest = slice_of(text), line;
	while (slice_cut(&rest, '\n', &line)) {
		fprintf(to, "%*s%-6s%.*s\n", INDENT, "", label, (int)line.n, line.p);
		label = "";
	}
}

static void
print_finding(const struct finding *finding, FILE *to)
{
	fprintf(to, "%-8s %s: %s\n", level_words[finding->level], finding->topic,
	        finding->title);
	if (*finding->seen)
		print_wrapped("seen:", finding->seen, to);
	if (*finding->why)
		print_wrapped("why:", finding->why, to);
	if (*finding->mend)
		print_lines("mend:", finding->mend, to);
}

static void
print_sum(const struct findings *findings, FILE *to)
{
	fprintf(to, "%zu ok", findings_count(findings, FINDING_OK));
	for (int level = FINDING_NOTE; level < FINDING_LEVELS; level++) {
		size_t count = findings_count(findings, (enum finding_level)level);
		fprintf(to, ", %zu %s%s", count, level_words[level],
		        count == 1 ? "" : "s");
	}
	fputc('\n', to);
}

void
findings_print(const struct findings *findings, bool quiet, FILE *to)
{
	for (size_t i = 0; i < findings->n; i++)
		if (!quiet || findings->v[i].level != FINDING_OK)
			print_finding(&findings->v[i], to);
	if (!quiet)
		print_sum(findings, to);
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
		                      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "level",
		                                level_words[f->level], "topic", f->topic,
		                                "title", f->title, "seen", f->seen, "why",
		                                f->why, "mend", f->mend));
	}
	return array;
}
