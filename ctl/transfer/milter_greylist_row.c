/*
 * milter_greylist_row.c - the lines of milter-greylist's dump.
 *
 * "192.0.2.1 <sender> <recipient> TIME", then " AUTO" when it has passed, or a second time and
 * " TARPIT"; then a comment, the time as people write it.  Blanks are tabs in newer versions.
 * Addresses stand there as the client gave them, quotes and all.
 */
#include "milter_greylist_row.h"

#include "store/record.h"

#define WORDS_MAX 6

static enum dump_line
parse_comment(struct slice line)
{
	if (slice_starts_nocase(line, SLICE("# milter-greylist databases,")))
		return DUMP_HEADING;
	return slice_starts_nocase(line, SLICE("# Summary:")) ? DUMP_SUMMARY
	                                                      : DUMP_NOTHING;
}

/* How long the address in brackets is that the line begins with; a quoted part may have blanks. */
static size_t
bracketed(struct slice line)
{
	bool quoted = false;
	for (size_t i = 0; i < line.n && line.p[0] == '<'; i++) {
		bool is_last = i + 1 == line.n || ascii_blank(line.p[i + 1]);
		if (line.p[i] == '>' && !quoted && is_last)
			return i + 1;
		if (line.p[i] == '"')
			quoted = !quoted;
		else if (line.p[i] == '\\' && quoted)
			i++;
	}
	return 0;
}

static bool
take_word(struct slice *line, struct slice *word_out)
{
	*line = slice_trim(*line);
	size_t n = bracketed(*line);
	if (n == 0)
		return slice_word(line, word_out);
	*word_out = slice_head(*line, n);
	*line = slice_from(*line, n);
	return true;
}

/* Words before the comment; one too many is one more than WORDS_MAX. */
static size_t
split(struct slice line, struct slice words[WORDS_MAX])
{
	size_t n = 0;
	struct slice word;
	while (take_word(&line, &word) && word.p[0] != '#') {
		if (n == WORDS_MAX)
			return WORDS_MAX + 1;
		words[n++] = word;
	}
	return n;
}

/* An IPv6 address may have its scope behind it: "fe80::1%eth0". */
static bool
parse_client(struct slice word, struct addr *client)
{
	ptrdiff_t scope = slice_find(word, '%');
	return addr_parse(scope < 0 ? word : slice_head(word, (size_t)scope), client);
}

static bool
parse_time(struct slice word, int64_t *at_s)
{
	uint64_t at;
	if (!slice_to_u64(word, RECORD_AT_MAX, &at))
		return false;
	*at_s = (int64_t)at;
	return true;
}

enum dump_line
dump_parse(struct slice line, struct dump_row *row_out)
{
	struct slice words[WORDS_MAX];
	int64_t shortest;
	line = slice_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return parse_comment(line);
	size_t n = split(line, words);
	if (n < 4 || n > WORDS_MAX || !parse_client(words[0], &row_out->client) ||
	    !parse_time(words[3], &row_out->at_s))
		return DUMP_MALFORMED;
	row_out->sender = words[1];
	row_out->recipient = words[2];
	if (n == 4)
		return DUMP_GREYLISTED;
	if (n == 5 && slice_eq_nocase(words[4], SLICE("AUTO")))
		return DUMP_WHITELISTED;
	if (n == 6 && parse_time(words[4], &shortest) &&
	    slice_eq_nocase(words[5], SLICE("TARPIT")))
		return DUMP_TARPIT;
	return DUMP_MALFORMED;
}
