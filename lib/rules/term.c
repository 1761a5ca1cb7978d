/* term.c - who takes part in the store's life, and when slots may be granted in it. */
#include "rules/term.h"

#include <string.h>

static const char *const row_words[TERM_ROWS] = {
	[TERM_STRANGER] = "none",
	[TERM_OUT] = "out",
	[TERM_IN] = "in",
	[TERM_OPEN] = "open",
};

const char *
term_row_word(enum term_row row)
{
	return row_words[row];
}

enum term_row
term_row_of(struct slice word)
{
	for (int row = TERM_OUT; row < TERM_ROWS; row++)
		if (slice_eq(word, slice_of(row_words[row])))
			return (enum term_row)row;
	return TERM_STRANGER;
}

static struct term_member *
find(struct term *term, struct slice daemon)
{
	for (size_t i = 0; i < term->n; i++)
		if (slice_eq(slice_of(term->members[i].daemon), daemon))
			return &term->members[i];
	return NULL;
}

enum term_row
term_row(const struct term *term, const char *daemon)
{
	for (size_t i = 0; i < term->n; i++)
		if (strcmp(term->members[i].daemon, daemon) == 0)
			return term->members[i].row;
	return TERM_STRANGER;
}

static void
set_row(struct term *term, struct slice daemon, enum term_row row)
{
	struct term_member *member = find(term, daemon);
	if (!member) {
		if (term->n == TERM_MEMBERS_MAX || daemon.n > TERM_DAEMON_MAX)
			return;
		member = &term->members[term->n++];
		memcpy(member->daemon, daemon.p, daemon.n);
		member->daemon[daemon.n] = '\0';
	}
	member->row = row;
}

static void
remove_member(struct term *term, size_t i)
{
	term->members[i] = term->members[--term->n];
}

/* "m/mx1/": what follows the kind. */
static const char *
host_of(const struct term_member *member)
{
	return member->daemon[0] ? member->daemon + 1 : "";
}

static bool
is_first_of_host(const struct term *term, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (term->members[k].row != TERM_OUT &&
		    strcmp(host_of(&term->members[k]), host_of(&term->members[i])) == 0)
			return false;
	return true;
}

int64_t
term_hosts_missing(const struct term *term)
{
	int64_t hosts = 0;
	for (size_t i = 0; i < term->n; i++)
		hosts += term->members[i].row != TERM_OUT && is_first_of_host(term, i);
	return hosts < term->hosts ? term->hosts - hosts : 0;
}

static bool
somebody_is_missing(const struct term *term)
{
	for (size_t i = 0; i < term->n; i++)
		if (term->members[i].row == TERM_OUT)
			return true;
	return term_hosts_missing(term) > 0;
}

/* Who is missing then does not take part any more. */
static void
open_term(struct term *term)
{
	term->open = true;
	term->hosts = 0;
	for (size_t i = term->n; i-- > 0;)
		if (term->members[i].row == TERM_OUT)
			remove_member(term, i);
		else
			term->members[i].row = TERM_OPEN;
}

static void
open_when_due(struct term *term, bool waited)
{
	if (!term->open && *term->id && (waited || !somebody_is_missing(term)))
		open_term(term);
}

static void
begin_term(struct term *term, const struct term_call *call)
{
	struct slice names = slice_of(call->known), name;
	bool absent = !*term->id;
	if (absent)
		term->hosts = call->hosts;
	memcpy(term->id, call->id, sizeof(term->id));
	term->number = call->number;
	term->open = false;
	for (size_t i = 0; i < term->n; i++)
		term->members[i].row = TERM_OUT;
	while (absent && slice_word(&names, &name))
		set_row(term, name, TERM_OUT);
}

static void
begin(struct term *term, const struct term_call *call, struct term_effect *effect)
{
	enum term_row row = term_row(term, call->daemon);
	bool has_signed = row == TERM_IN || row == TERM_OPEN;
	if (call->fresh && has_signed)
		set_row(term, slice_of(call->daemon), TERM_OUT);
	if (strcmp(term->id, call->id) != 0 || (call->doubts && has_signed)) {
		begin_term(term, call);
		effect->drop_all = true;
	}
	row = term_row(term, call->daemon);
	effect->drop_own = row == TERM_STRANGER || row == TERM_OUT;
}

static void
sign_out(struct term *term, const char *daemon)
{
	struct term_member *member = find(term, slice_of(daemon));
	if (member)
		remove_member(term, (size_t)(member - term->members));
}

void
term_apply(struct term *term, const struct term_call *call,
           struct term_effect *effect_out)
{
	*effect_out = (struct term_effect){0};
	bool is_in = term_row(term, call->daemon) == TERM_IN;
	switch (call->step) {
	case TERM_BEGIN: begin(term, call, effect_out); return;
	case TERM_SIGN_IN:
		if (*term->id && term->number == call->number)
			set_row(term, slice_of(call->daemon),
			        term->open ? TERM_OPEN : TERM_IN);
		break;
	case TERM_SIGN_OUT: sign_out(term, call->daemon); break;
	case TERM_LOOK:
	case TERM_STEPS: break;
	}
	open_when_due(term, call->step == TERM_LOOK && call->waited && is_in);
}

void
term_put_members(const struct term *term, struct text *out)
{
	for (size_t i = 0; i < term->n; i++)
		text_printf(out, "%c%s ", term->members[i].row == TERM_OUT ? '-' : '+',
		            term->members[i].daemon);
}
