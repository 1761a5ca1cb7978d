/* reply.c - a verdict's reply in the form libmilter takes. */
#include "reply.h"

static bool
is_code(struct slice word)
{
	return word.n == 3 && word.p[0] == '4' && ascii_digit(word.p[1]) &&
	       ascii_digit(word.p[2]);
}

/* "4.7.1": RFC 3463, three numbers of at most three digits. */
static bool
is_enhanced(struct slice word)
{
	struct slice part;
	uint64_t number;
	int parts = 0;
	if (word.n < 2 || word.p[0] != '4' || word.p[word.n - 1] == '.')
		return false;
	while (slice_cut(&word, '.', &part)) {
		if (part.n == 0 || part.n > 3 || !slice_to_u64(part, 999, &number))
			return false;
		parts++;
	}
	return parts == 3;
}

/* A pair that does not fit is left out as a whole: half of one would change the next byte. */
static void
put_text(struct text *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if ((unsigned char)c < ' ' || (unsigned char)c > '~')
			c = '?';
		if (out->n + (c == '%' ? 2 : 1) >= out->cap)
			return;
		text_putc(out, c);
		if (c == '%')
			text_putc(out, c);
	}
}

bool
reply_parse(struct slice verdict_reply, struct reply *reply_out)
{
	struct slice rest = verdict_reply, word;
	*reply_out = (struct reply){0};
	struct text code = TEXT(reply_out->code), enhanced = TEXT(reply_out->enhanced),
		    text = TEXT(reply_out->text);
	if (!slice_word(&rest, &word) || !is_code(word))
		return false;
	text_put(&code, word);
	struct slice behind_code = rest;
	if (slice_word(&rest, &word) && is_enhanced(word))
		text_put(&enhanced, word);
	else
		rest = behind_code;
	put_text(&text, slice_trim(rest));
	return text.n > 0;
}
