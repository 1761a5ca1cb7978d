/* cures.c - applies the cure of a finding to settings, as an operator would. */
#include "cures.h"

#include <string.h>

#include "harness.h"

/* The last word of a command, out of its quotes. */
static void
unquote(struct slice word, struct text *out)
{
	bool quoted = false;
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] == '\'')
			quoted = !quoted;
		else if (word.p[i] == '\\' && !quoted)
			text_putc(out, word.p[++i]);
		else
			text_putc(out, word.p[i]);
}

static bool
take(struct slice *line, const char *start)
{
	size_t n = strlen(start);
	if (!slice_starts_nocase(*line, slice_of(start)))
		return false;
	*line = slice_from(*line, n);
	return true;
}

/* "smtp/inet/NAME=VALUE" as postconf -P prints it: blanks about the sign. */
static void
put_override(struct slice word, struct text *out)
{
	char buf[8192];
	struct text text = TEXT(buf);
	unquote(word, &text);
	struct slice plain = text_slice(&text);
	ptrdiff_t sign = slice_find(plain, '=');
	ck_assert_int_gt(sign, 0);
	text_put(out, slice_head(plain, (size_t)sign));
	text_puts(out, " = ");
	text_put(out, slice_from(plain, (size_t)sign + 1));
	text_putc(out, '\n');
}

/* Another setting of the group of the last one, which begins at `start`. */
static void
put_group(size_t start, struct text *out)
{
	size_t end = out->n;
	while (end > start && out->p[end - 1] != '=')
		end--;
	while (end > start && out->p[end - 1] != '.')
		end--;
	struct slice last = slice_head(text_slice(out), end);
	text_put(out, slice_from(last, start));
}

/* "a: { b = [\"x\", \"y\"]; c = 1; };" becomes "|a.b=x, y|a.c=1". */
static void
put_setting(struct slice text, struct text *out)
{
	bool quoted = false, over = false;
	size_t start = out->n;
	text_putc(out, '|');
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool plain = c == '=' || ascii_alpha(c) || ascii_digit(c) || c == '_';
		if (c == '"')
			quoted = !quoted;
		else if (quoted || c == ',')
			text_putc(out, c);
		else if (c == ':')
			text_putc(out, '.');
		else if (c == ';')
			over = true;
		else if (plain && over) {
			size_t begins = out->n;
			put_group(start, out);
			start = begins;
			over = false;
			text_putc(out, c);
		} else if (plain)
			text_putc(out, c);
		else if (c == ' ' && out->p[out->n - 1] == ',')
			text_putc(out, c);
	}
}

static bool
is_words(struct slice line)
{
	return line.n > 0 && line.p[0] >= 'A' && line.p[0] <= 'Z';
}

/* What the settings do not show. */
static bool
is_elsewhere(struct slice line)
{
	return take(&line, "systemctl ") || take(&line, "install -d ") ||
	       take(&line, "postfix reload");
}

static void
apply_line(struct slice line, struct cured *cured)
{
	if (is_words(line))
		return;
	cured->n++;
	if (is_elsewhere(line))
		return;
	if (take(&line, "in weir.conf: ")) {
		put_setting(line, &cured->settings);
	} else if (take(&line, "postconf -P ")) {
		put_override(line, &cured->overrides);
	} else if (take(&line, "postconf ")) {
		unquote(line, &cured->values);
		text_putc(&cured->values, '\n');
	} else {
		ck_abort_msg("cannot be applied: %.*s", (int)line.n, line.p);
	}
}

bool
cure_apply(const char *mend, int way, struct cured *cured)
{
	struct slice rest = slice_of(mend), line;
	int now = 0;
	while (slice_cut(&rest, '\n', &line)) {
		now += slice_starts_nocase(line, SLICE("Or "));
		if (now == way)
			apply_line(line, cured);
	}
	return now >= way;
}
