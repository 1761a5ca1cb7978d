/* remembered.c - decisions looked up among those that are remembered. */
#include "remembered.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "conf/list.h"
#include "rules/mailaddr.h"

#define LATER_MAX 100

/* ---- ids ---- */

/* Crockford's 32: what looks like another digit is that one; '\0' when it is none. */
static char
digit_of(char c)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char upper = ascii_alpha(c) ? (char)(ascii_lower(c) - 'a' + 'A') : c;
	if (upper == 'O')
		return '0';
	if (upper == 'I' || upper == 'L')
		return '1';
	return upper != '\0' && strchr(digits, upper) ? upper : '\0';
}

static bool
read_id(struct slice word, char id_out[VERDICT_ID_LEN + 1])
{
	if (word.n != VERDICT_ID_LEN)
		return false;
	for (size_t i = 0; i < word.n; i++) {
		id_out[i] = digit_of(word.p[i]);
		if (id_out[i] == '\0')
			return false;
	}
	id_out[VERDICT_ID_LEN] = '\0';
	return true;
}

static bool
is_mark(char c)
{
	return strchr("()[]<>\"'.,:;= \t\r\n", c) != NULL;
}

/* The next run of bytes between blanks, parentheses and the like. */
static bool
next_word(struct slice *rest, struct slice *word_out)
{
	size_t start = 0, end;
	while (start < rest->n && is_mark(rest->p[start]))
		start++;
	for (end = start; end < rest->n && !is_mark(rest->p[end]);)
		end++;
	*word_out = slice_head(slice_from(*rest, start), end - start);
	*rest = slice_from(*rest, end);
	return word_out->n > 0;
}

bool
remembered_id(struct slice text, char id_out[VERDICT_ID_LEN + 1])
{
	struct slice word, first = {0};
	size_t words = 0;
	bool behind_id = false;
	while (next_word(&text, &word)) {
		if (behind_id && read_id(word, id_out))
			return true;
		behind_id = slice_eq_nocase(word, SLICE("id"));
		first = words++ == 0 ? word : first;
	}
	return words == 1 && read_id(first, id_out);
}

/* ---- addresses ---- */

/* As it stands in logs. */
static struct slice
without_label(struct slice word)
{
	if (slice_starts_nocase(word, SLICE("from=")))
		return slice_from(word, 5);
	if (slice_starts_nocase(word, SLICE("to=")))
		return slice_from(word, 3);
	return word;
}

void
remembered_address(struct slice text, struct text *out)
{
	struct addr addr;
	text = without_label(slice_trim(text));
	if (!slice_eq(text, SLICE("<>"))) /* the null sender is remembered so */
		text = mailaddr_bare(text);
	if (addr_parse(text, &addr)) {
		addr_print(&addr, out);
		return;
	}
	list_put_normal(out, LIST_MAIL, text);
}

/* ---- lookups ---- */

struct lookup {
	struct decision_line_filter *filter; /* NULL: by triplet */
	const struct decision_line *earlier;
	size_t most, room;
	struct remembered *found;
};

static bool
has(struct slice lines, struct slice word)
{
	return memmem(lines.p, lines.n, word.p, word.n) != NULL;
}

static bool
is_wanted(const struct lookup *lookup, struct slice line)
{
	if (lookup->filter)
		return decision_line_matches(line, lookup->filter);
	return has(line, lookup->earlier->triplet);
}

static void
keep(struct lookup *lookup, struct slice line)
{
	struct remembered *found = lookup->found;
	struct decision_line decided;
	if (!decision_line_parse(arena_copy(&found->arena, line), &found->arena,
	                         &decided))
		return;
	if (lookup->earlier && (decided.at_s < lookup->earlier->at_s ||
	                        slice_eq(decided.id, lookup->earlier->id) ||
	                        !slice_eq(decided.triplet, lookup->earlier->triplet)))
		return;
	if (found->n == lookup->room) {
		lookup->room = lookup->room ? 2 * lookup->room : 16;
		found->v =
			mem_grow(found->v, lookup->room * sizeof(struct decision_line));
	}
	found->v[found->n++] = decided;
}

/* The line begins with its id. */
static bool
is_line_of(struct slice line, const struct decision_line *decided)
{
	return line.n > decided->id.n && line.p[decided->id.n] == '\t' &&
	       slice_eq(slice_head(line, decided->id.n), decided->id);
}

/* The lines of a piece go up in time, and what is wanted goes down. */
static bool
on_lines(void *arg, struct slice lines)
{
	struct lookup *lookup = arg;
	const struct decision_line *earlier = lookup->earlier;
	struct slice line;
	if (lookup->filter && !decision_lines_may_match(lines, lookup->filter))
		return true;
	if (earlier && !has(lines, earlier->triplet))
		return true;
	while (lookup->found->n < lookup->most && decision_line_cut_last(&lines, &line)) {
		if (earlier && is_line_of(line, earlier))
			return false; /* older ones are not later, of the same second neither */
		if (is_wanted(lookup, line))
			keep(lookup, line);
	}
	return lookup->found->n < lookup->most;
}

static bool
look_up(struct history *history, struct lookup *lookup, struct err *err_out)
{
	*lookup->found = (struct remembered){0};
	arena_init(&lookup->found->arena);
	return history_read_decisions(history, on_lines, lookup, err_out);
}

bool
remembered_find(struct history *history, struct decision_line_filter *filter, size_t most,
                struct remembered *found_out, struct err *err_out)
{
	struct lookup lookup = {.filter = filter, .most = most, .found = found_out};
	return look_up(history, &lookup, err_out);
}

bool
remembered_later(struct history *history, const struct decision_line *decided,
                 struct remembered *found_out, struct err *err_out)
{
	struct lookup lookup = {.earlier = decided,
	                        .most = LATER_MAX,
	                        .found = found_out};
	if (decided->triplet.n > 0)
		return look_up(history, &lookup, err_out);
	*found_out = (struct remembered){0};
	return true;
}

void
remembered_free(struct remembered *found)
{
	free(found->v);
	found->v = NULL;
	arena_free(&found->arena);
}
