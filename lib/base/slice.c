/* slice.c - bounded text: looking at it, and writing it without overflow. */
#include "base/slice.h"

#include <stdarg.h>
#include <stdio.h>

static bool
same_nocase(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

bool
slice_eq_nocase(struct slice a, struct slice b)
{
	return a.n == b.n && same_nocase(a.p, b.p, a.n);
}

bool
slice_starts_nocase(struct slice s, struct slice head)
{
	return s.n >= head.n && same_nocase(s.p, head.p, head.n);
}

bool
slice_ends_nocase(struct slice s, struct slice tail)
{
	return s.n >= tail.n && slice_eq_nocase(slice_from(s, s.n - tail.n), tail);
}

struct slice
slice_from(struct slice s, size_t from)
{
	if (from >= s.n)
		return (struct slice){0};
	return (struct slice){.p = s.p + from, .n = s.n - from};
}

struct slice
slice_head(struct slice s, size_t n)
{
	return (struct slice){.p = s.p, .n = n < s.n ? n : s.n};
}

struct slice
slice_trim(struct slice s)
{
	while (s.n > 0 && ascii_blank(s.p[0]))
		s = slice_from(s, 1);
	while (s.n > 0 && ascii_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool
slice_cut(struct slice *rest, char sep, struct slice *head_out)
{
	if (!rest->p)
		return false;
	ptrdiff_t at = slice_find(*rest, sep);
	if (at < 0) {
		*head_out = *rest;
		*rest = (struct slice){0};
		return true;
	}
	*head_out = slice_head(*rest, (size_t)at);
	rest->p += at + 1;
	rest->n -= (size_t)at + 1;
	return true;
}

bool
slice_word(struct slice *rest, struct slice *word_out)
{
	*rest = slice_trim(*rest);
	size_t n = 0;
	while (n < rest->n && !ascii_blank(rest->p[n]))
		n++;
	*word_out = slice_head(*rest, n);
	*rest = slice_from(*rest, n);
	return n > 0;
}

ptrdiff_t
slice_find(struct slice s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	return at ? at - s.p : -1;
}

ptrdiff_t
slice_rfind(struct slice s, char c)
{
	const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;
	return at ? at - s.p : -1;
}

bool
slice_to_u64(struct slice s, uint64_t max, uint64_t *value_out)
{
	uint64_t value = 0;
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_digit(s.p[i]))
			return false;
		unsigned digit = (unsigned)(s.p[i] - '0');
		if (value > (max - digit) / 10 || digit > max)
			return false;
		value = value * 10 + digit;
	}
	*value_out = value;
	return true;
}

void
text_put(struct text *t, struct slice s)
{
	if (t->cap == 0)
		return;
	size_t room = t->cap - 1 - t->n;
	if (s.n > room) {
		t->cut = true;
		s.n = room;
	}
	if (s.n > 0)
		memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
	t->p[t->n] = '\0';
}

void
text_puts(struct text *t, const char *str)
{
	text_put(t, slice_of(str));
}

void
text_printf(struct text *t, const char *fmt, ...)
{
	if (t->cap == 0)
		return;
	size_t room = t->cap - t->n;
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(t->p + t->n, room, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= room) {
		t->cut = true;
		n = (int)room - 1;
	}
	t->n += (size_t)n;
}

void
text_int(struct text *t, int64_t value)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		digits[--at] = '-';
	text_put(t, (struct slice){.p = digits + at, .n = sizeof(digits) - at});
}

void
text_put_lower(struct text *t, struct slice s)
{
	size_t from = t->n;
	text_put(t, s);
	char *p = t->p; /* the compiler cannot know that *p is not t->p itself */
	for (size_t i = from, end = t->n; i < end; i++)
		p[i] = ascii_lower(p[i]);
}

void
text_put_escaped(struct text *t, struct slice s)
{
	size_t plain = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (ascii_plain(s.p[i]))
			continue;
		text_put(t, (struct slice){.p = s.p + plain, .n = i - plain});
		text_printf(t, "\\x%02x", (unsigned char)s.p[i]);
		plain = i + 1;
	}
	text_put(t, slice_from(s, plain));
}

static int
hex_digit(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
text_put_unescaped(struct text *t, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool whole = s.p[i] == '\\' && i + 3 < s.n && s.p[i + 1] == 'x' &&
		             hex_digit(s.p[i + 2]) >= 0 && hex_digit(s.p[i + 3]) >= 0;
		int byte = s.p[i];
		if (whole)
			byte = 16 * hex_digit(s.p[i + 2]) + hex_digit(s.p[i + 3]);
		text_putc(t, (char)byte);
		i += whole ? 3 : 0;
	}
}
