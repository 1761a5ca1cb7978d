#include "history_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "harness.h"

struct history *
history_try_at(const struct store_place *place, int64_t patience_ms,
               const char *const *settings, struct err *err_out)
{
	struct conf *conf = place_conf(place, NULL, settings, err_out);
	ck_assert_msg(conf != NULL, "%s", err_out->text);
	struct history *history = history_open(conf, patience_ms, err_out);
	conf_unref(&conf);
	return history;
}

struct history *
history_at(const struct store_place *place)
{
	struct err err = {0};
	struct history *history = history_try_at(place, HISTORY_PATIENCE_MS, NULL, &err);
	ck_assert_msg(history != NULL, "%s", err.text);
	return history;
}

void
history_worked(bool done, const char *what, const struct err *err)
{
	ck_assert_msg(done, "%s: %s", what, err->text);
}

void
history_failed(const char *what, bool done, const struct err *err, const char *want)
{
	ck_assert_msg(!done, "%s: worked", what);
	ck_assert_msg(strstr(err->text, want) != NULL, "%s: want \"%s\", got \"%s\"",
	              what, want, err->text);
}

void
history_add_lines(struct history *history, const char *name, unsigned first,
                  unsigned last, int64_t keep)
{
	char buf[HISTORY_LINES_MAX * 64];
	while (first <= last) {
		struct err err = {0};
		struct text lines = TEXT(buf);
		size_t n = 0;
		for (; first <= last && n < HISTORY_LINES_MAX; n++)
			text_printf(&lines, "%s.%u\n", name, first++);
		history_worked(history_add_decisions(history, n, text_slice(&lines), keep,
		                                     HISTORY_LIFE, &err),
		               "adding", &err);
	}
}

/* Grows at its front, since the newest piece comes first. */
struct pieces {
	char *text;
	size_t n;
};

static bool
put_in_front(void *arg, struct slice lines)
{
	struct pieces *pieces = arg;
	char *joined = mem_alloc(lines.n + pieces->n + 1);
	memcpy(joined, lines.p, lines.n);
	memcpy(joined + lines.n, pieces->text, pieces->n);
	free(pieces->text);
	pieces->text = joined;
	pieces->n += lines.n;
	return true;
}

char *
history_all_lines(struct history *history)
{
	struct pieces pieces = {.text = mem_alloc(1)};
	struct err err = {0};
	history_worked(history_read_decisions(history, put_in_front, &pieces, &err),
	               "reading", &err);
	return pieces.text;
}

bool
history_ignore_lines(void *arg, struct slice lines)
{
	(void)arg, (void)lines;
	return true;
}

static void
put_entry(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	struct text *out = arg;
	text_put_escaped(out, name);
	text_puts(out, "=");
	text_put_escaped(out, text);
	text_printf(out, " %lld;", (long long)until_s);
}

char *
history_registry_text(struct history *history, enum history_registry registry,
                      int64_t now_s)
{
	struct text out = {.cap = 1 << 20};
	struct err err = {0};
	out.p = mem_alloc(out.cap);
	history_worked(history_read(history, registry, now_s, put_entry, &out, &err),
	               "reading", &err);
	return out.p;
}
