/* escape.c - bytes from anywhere, made safe for a terminal, or found safe for a shell. */
#include "escape.h"

#include <string.h>
#include <wchar.h>

#include "base/mem.h"

/* How many bytes follow the first one; -1 for a byte that begins no character. */
static int
followers(uint8_t first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef)
		return 2;
	return first >= 0xf0 && first <= 0xf4 ? 3 : -1;
}

bool
utf8_take(struct slice *rest, uint32_t *code_out)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint8_t first = (uint8_t)rest->p[0];
	int n = followers(first);
	uint32_t code = n <= 0 ? first : first & (0x3fu >> n);
	bool good = n >= 0 && rest->n > (size_t)n;
	for (int i = 1; good && i <= n; i++) {
		uint8_t byte = (uint8_t)rest->p[i];
		good = (byte & 0xc0) == 0x80;
		code = code << 6 | (byte & 0x3f);
	}
	good = good && code >= least[n] && code <= 0x10ffff &&
	       (code < 0xd800 || code > 0xdfff);
	*code_out = good ? code : first;
	*rest = slice_from(*rest, good ? (size_t)n + 1 : 1);
	return good;
}

/*
 * C0, DEL, C1, separators of lines, and Unicode's format characters (Cf), which cannot be seen, and
 * some of which change the direction of writing.
 */
static const struct {
	uint32_t from, to;
} harmful[] = {
	{0, 0x1f},          {0x7f, 0x9f},       {0xad, 0xad},       {0x600, 0x605},
	{0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},
	{0x8e2, 0x8e2},     {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
	{0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x110bd, 0x110bd},
	{0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
	{0xe0001, 0xe0001}, {0xe0020, 0xe007f},
};

static bool
is_harmful(uint32_t code)
{
	for (size_t i = 0; i < COUNT_OF(harmful); i++)
		if (code >= harmful[i].from && code <= harmful[i].to)
			return true;
	return false;
}

char *
escape(struct slice raw, bool ascii)
{
	struct text out = {.p = mem_alloc(4 * raw.n + 1), .cap = 4 * raw.n + 1};
	while (raw.n > 0) {
		struct slice rest = raw;
		uint32_t code;
		bool good = utf8_take(&rest, &code);
		struct slice taken = slice_head(raw, raw.n - rest.n);
		if (good && !is_harmful(code) && (code < 0x80 || !ascii))
			text_put(&out, taken);
		else
			for (size_t i = 0; i < taken.n; i++)
				text_printf(&out, "\\x%02X", (uint8_t)taken.p[i]);
		raw = rest;
	}
	return out.p;
}

static bool
is_plain(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || (c != '\0' && strchr("@._+=:/-", c));
}

bool
is_plain_word(struct slice raw)
{
	if (raw.n == 0 || raw.p[0] == '-' || raw.p[0] == '/')
		return false;
	for (size_t i = 0; i < raw.n; i++)
		if (!is_plain(raw.p[i]))
			return false;
	return true;
}

static size_t
width_of(uint32_t code)
{
	if (code < 0x80)
		return 1;
	int width = wcwidth((wchar_t)code);
	return width < 0 ? 1 : (size_t)width;
}

size_t
columns_of(struct slice escaped)
{
	size_t columns = 0;
	uint32_t code;
	while (escaped.n > 0) {
		utf8_take(&escaped, &code);
		columns += width_of(code);
	}
	return columns;
}

struct slice
columns_head(struct slice escaped, size_t columns)
{
	struct slice rest = escaped;
	uint32_t code;
	while (rest.n > 0) {
		struct slice next = rest;
		utf8_take(&next, &code);
		size_t width = width_of(code);
		if (width > columns)
			break;
		columns -= width;
		rest = next;
	}
	return slice_head(escaped, escaped.n - rest.n);
}
