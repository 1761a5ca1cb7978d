/*
 * slice.h - bounded text that is looked at (struct slice) and written (struct text).
 *
 * A slice is a pointer and a length into memory somebody else owns; it is not
 * NUL-terminated.  A text is a buffer of fixed size that never overflows: what
 * does not fit is cut and `cut` is set.
 */
#ifndef WEIR_SLICE_H
#define WEIR_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct slice {
	const char *p;
	size_t n;
};

/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){.p = (literal), .n = sizeof(literal) - 1})

/* The same where a constant initialiser is wanted: in static tables. */
#define SLICE_INIT(literal)                \
 {                                         \
  .p = (literal), .n = sizeof(literal) - 1 \
 }

static inline struct slice
slice_of(const char *str)
{
	return (struct slice){.p = str, .n = str ? strlen(str) : 0};
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Equal when ASCII case is ignored. */
bool slice_eq_nocase(struct slice a, struct slice b);
bool slice_starts_nocase(struct slice s, struct slice head);
bool slice_ends_nocase(struct slice s, struct slice tail);

/* The part from byte `from` on; empty when `from` lies beyond the end. */
struct slice slice_from(struct slice s, size_t from);

/* The first `n` bytes, or all of them. */
struct slice slice_head(struct slice s, size_t n);

/* Without spaces, tabs, CR and LF at both ends. */
struct slice slice_trim(struct slice s);

/* Takes what stands before `sep` (or all) off `rest`; false when `rest` was used up. */
bool slice_cut(struct slice *rest, char sep, struct slice *head_out);

/* Takes the next word, ended by blanks, off `rest`; false when there is none. */
bool slice_word(struct slice *rest, struct slice *word_out);

/* Position of the first / last `c`, or -1. */
ptrdiff_t slice_find(struct slice s, char c);
ptrdiff_t slice_rfind(struct slice s, char c);

/* Decimal digits only, no sign or blank, at most `max`. */
bool slice_to_u64(struct slice s, uint64_t max, uint64_t *value_out) MUST_CHECK;

struct text {
	char *p;
	size_t n;   /* bytes written */
	size_t cap; /* bytes there are, the last one kept for a NUL */
	bool cut;   /* something did not fit */
};

/* A text over the array `buf`. */
#define TEXT(buf) ((struct text){.p = (buf), .cap = sizeof(buf)})

/* Each keeps the text NUL-terminated. */
void text_put(struct text *t, struct slice s);
void text_puts(struct text *t, const char *str);
void text_printf(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_int(struct text *t, int64_t value);

/* Appends `s` with ASCII letters folded to lower case. */
void text_put_lower(struct text *t, struct slice s);

/* Appends `s` so that it is one printable ASCII word: other bytes, '"' and '\' become \xNN. */
void text_put_escaped(struct text *t, struct slice s);

/* Appends what was escaped so as it was; what was cut in the middle of a \xNN stays. */
void text_put_unescaped(struct text *t, struct slice s);

static inline void
text_putc(struct text *t, char c)
{
	if (t->n + 1 >= t->cap) {
		t->cut = true;
		if (t->cap > 0)
			t->p[t->n] = '\0';
		return;
	}
	t->p[t->n++] = c;
	t->p[t->n] = '\0';
}

static inline struct slice
text_slice(const struct text *t)
{
	return (struct slice){.p = t->p, .n = t->n};
}

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Printable, and stands for itself in logs and in lines of decisions. */
static inline bool
ascii_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\';
}

static inline bool
ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

#endif
