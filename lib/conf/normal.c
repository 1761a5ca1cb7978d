/* normal.c - domain names and local parts in the one form in which they are compared. */
#include "conf/normal.h"

#include <stdlib.h>

#include <idn2.h>
#include <unicase.h>
#include <unistr.h>

/* More than any name or local part that means something; what is longer is not converted. */
#define CONVERTED_MAX 1000

static bool
is_ascii(struct slice s)
{
	unsigned char all = 0;
	for (size_t i = 0; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return all < 0x80;
}

/* False when that is no international name. */
static bool
put_idn(struct text *out, struct slice name)
{
	char buf[CONVERTED_MAX + 1];
	struct text text = TEXT(buf);
	uint8_t *ascii = NULL;
	text_put(&text, name);
	if (text.cut || slice_find(name, '\0') >= 0 ||
	    idn2_lookup_u8((const uint8_t *)buf, &ascii,
	                   IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	text_puts(out, (const char *)ascii);
	free(ascii);
	return true;
}

void
text_put_domain(struct text *out, struct slice name)
{
	size_t start = out->n;
	if (slice_starts_nocase(name, SLICE("*."))) {
		text_putc(out, '*');
		name = slice_from(name, 1);
	}
	if (name.n > 1 && name.p[0] == '.') {
		text_putc(out, '.');
		name = slice_from(name, 1);
	}
	if (is_ascii(name) || !put_idn(out, name))
		text_put_lower(out, name);
	while (out->n > start + 1 && out->p[out->n - 1] == '.')
		out->p[--out->n] = '\0';
}

void
text_put_local(struct text *out, struct slice local)
{
	uint8_t buf[CONVERTED_MAX];
	size_t n = sizeof(buf);
	uint8_t *folded = NULL;
	if (!is_ascii(local) && local.n <= CONVERTED_MAX &&
	    !u8_check((const uint8_t *)local.p, local.n))
		folded = u8_casefold((const uint8_t *)local.p, local.n, NULL, UNINORM_NFC,
		                     buf, &n);
	if (!folded) {
		text_put_lower(out, local);
		return;
	}
	text_put(out, (struct slice){.p = (const char *)folded, .n = n});
	if (folded != buf)
		free(folded);
}
