#include "ledger_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "harness.h"

struct ledger *
ledger_try_at(const struct store_place *place, int64_t patience_ms,
              const char *const *settings, struct err *err_out)
{
	struct conf *conf = place_conf(place, NULL, settings, err_out);
	ck_assert_msg(conf != NULL, "%s", err_out->text);
	struct ledger *ledger = ledger_open(conf, patience_ms, err_out);
	conf_unref(&conf);
	return ledger;
}

struct ledger *
ledger_at(const struct store_place *place)
{
	struct err err = {0};
	struct ledger *ledger = ledger_try_at(place, LEDGER_PATIENCE_MS, NULL, &err);
	ck_assert_msg(ledger != NULL, "%s", err.text);
	return ledger;
}

void
ledger_worked(bool done, const char *what, const struct err *err)
{
	ck_assert_msg(done, "%s: %s", what, err->text);
}

void
ledger_failed(const char *what, bool done, const struct err *err, const char *want)
{
	ck_assert_msg(!done, "%s: worked", what);
	ck_assert_msg(strstr(err->text, want) != NULL, "%s: want \"%s\", got \"%s\"",
	              what, want, err->text);
}

void
ledger_add_lines(struct ledger *ledger, const char *name, unsigned first, unsigned last,
                 int64_t keep)
{
	char buf[LEDGER_LINES_MAX * 64];
	while (first <= last) {
		struct err err = {0};
		struct text lines = TEXT(buf);
		size_t n = 0;
		for (; first <= last && n < LEDGER_LINES_MAX; n++)
			text_printf(&lines, "%s.%u\n", name, first++);
		ledger_worked(ledger_add_decisions(ledger, n, text_slice(&lines), keep,
		                                   LEDGER_LIFE, &err),
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
ledger_all_lines(struct ledger *ledger)
{
	struct pieces pieces = {.text = mem_alloc(1)};
	struct err err = {0};
	ledger_worked(ledger_read_decisions(ledger, put_in_front, &pieces, &err),
	              "reading", &err);
	return pieces.text;
}

bool
ledger_ignore_lines(void *arg, struct slice lines)
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
ledger_board_text(struct ledger *ledger, enum ledger_board board, int64_t now_s)
{
	struct text out = {.cap = 1 << 20};
	struct err err = {0};
	out.p = mem_alloc(out.cap);
	ledger_worked(ledger_read(ledger, board, now_s, put_entry, &out, &err), "reading",
	              &err);
	return out.p;
}
