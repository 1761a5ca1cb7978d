/* postfix_walk.c - where in its restrictions and milters Postfix asks weir. */
#include "postfix_walk.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 1024, CLASSES_DEEP = 4, LISTS = 7 };

/* The words of a list of restrictions, those of its classes in their place. */
struct words {
	struct postfix_word v[WORDS_MAX];
	size_t n;
};

struct walk {
	const struct postfix *postfix;
	const struct conf *conf;
	asked_fn *fn;
	void *arg;
	struct asked state; /* so far */
	struct words words;
	bool has_map; /* an access map is asked, which may name a class */
};

static bool
has_word(struct slice list, struct slice wanted)
{
	struct postfix_word word;
	while (postfix_word(&list, &word))
		if (slice_eq(word.text, wanted))
			return true;
	return false;
}

static struct slice
value_named(const struct walk *walk, struct slice name)
{
	char buf[256];
	struct text text = TEXT(buf);
	text_put(&text, name);
	return postfix_value(walk->postfix, walk->state.service, buf);
}

static void
add_words(struct walk *walk, struct slice list, int deep)
{
	struct slice classes =
		postfix_value(walk->postfix, NULL, "smtpd_restriction_classes");
	struct postfix_word word;
	while (walk->words.n < WORDS_MAX && postfix_word(&list, &word)) {
		if (!word.braced && deep < CLASSES_DEEP && has_word(classes, word.text))
			add_words(walk, value_named(walk, word.text), deep + 1);
		else
			walk->words.v[walk->words.n++] = word;
	}
}

static enum postfix_match
match_policy(const struct walk *walk, const struct postfix_client *client)
{
	enum postfix_match best = MATCH_NONE;
	for (size_t i = 0; i < walk->conf->policyd.listen.n && best != MATCH_OURS; i++) {
		enum postfix_match match =
			postfix_match(walk->postfix, walk->state.service,
		                      client->endpoint, walk->conf->policyd.listen.v[i]);
		if (match != MATCH_NONE)
			best = match;
	}
	return best;
}

/* What refuses, or may; "warn_if_reject" and arguments are not named. */
static void
name_behind(const struct words *words, size_t from, struct asked *asked)
{
	struct text behind = TEXT(asked->behind);
	asked->behind[0] = '\0';
	for (size_t i = from; i < words->n; i++) {
		struct slice name = words->v[i].text;
		if (slice_eq(name, SLICE("check_policy_service")) ||
		    (!slice_starts_nocase(name, SLICE("reject_")) &&
		     !slice_starts_nocase(name, SLICE("check_"))))
			continue;
		if (behind.n > 0)
			text_putc(&behind, ' ');
		text_put(&behind, name);
	}
}

/* "check_recipient_access" */
static bool
is_map(struct slice word)
{
	return slice_starts_nocase(word, SLICE("check_")) &&
	       slice_ends_nocase(word, SLICE("_access"));
}

/* What the words before the question have settled. */
static void
note_word(struct asked *state, struct slice word)
{
	if (slice_eq(word, SLICE("reject_unauth_destination")) ||
	    slice_eq(word, SLICE("defer_unauth_destination")))
		state->relay_refused = true;
	else if (slice_eq(word, SLICE("reject_unlisted_recipient")) ||
	         slice_eq(word, SLICE("reject_unverified_recipient")))
		state->unknown_refused = true;
	else if (slice_eq(word, SLICE("permit_sasl_authenticated")))
		state->users_let_in = true;
	else if (slice_eq(word, SLICE("permit_mynetworks")))
		state->networks_let_in = true;
	else if (slice_eq(word, SLICE("reject")) || slice_eq(word, SLICE("defer")) ||
	         slice_eq(word, SLICE("permit")))
		state->ended_by = word;
}

/*
 * A permit holds for its own list only; what was refused in an earlier one stays refused.  Behind
 * "permit_sasl_authenticated, reject" the next list is reached, by users.
 */
static void
walk_list(struct walk *walk, const char *list, struct slice value)
{
	struct asked *state = &walk->state;
	struct words *words = &walk->words;
	state->list = list;
	if (state->ended_by.n > 0 && !slice_eq(state->ended_by, SLICE("permit")))
		state->strangers_refused = state->relay_refused = true;
	state->users_let_in = state->networks_let_in = false;
	state->ended_by = SLICE("");
	words->n = 0;
	add_words(walk, value, 0);
	for (size_t i = 0; i < words->n; i++) {
		if (!slice_eq(words->v[i].text, SLICE("check_policy_service")) ||
		    i + 1 == words->n) {
			note_word(state, words->v[i].text);
			walk->has_map |= is_map(words->v[i].text);
			continue;
		}
		state->client = postfix_client(&words->v[++i]);
		state->match = match_policy(walk, &state->client);
		if (state->match == MATCH_NONE)
			continue;
		name_behind(words, i + 1, state);
		walk->fn(walk->arg, state);
	}
}

/* Restriction classes are named by access maps, too: those that no list has itself. */
static void
walk_classes(struct walk *walk, const struct asked *fresh)
{
	struct slice rest =
		postfix_value(walk->postfix, NULL, "smtpd_restriction_classes");
	struct postfix_word word;
	while (postfix_word(&rest, &word)) {
		char name[128];
		struct text text = TEXT(name);
		text_put(&text, word.text);
		walk->state = *fresh;
		walk->state.for_recipient = true;
		walk->state.by_map = true;
		walk_list(walk, name, value_named(walk, word.text));
	}
}

/* Lists are evaluated in this order; those before the recipient wait for it by smtpd_delay_reject. */
static void
walk_lists(struct walk *walk)
{
	static const char *const names[LISTS] = {"smtpd_client_restrictions",
	                                         "smtpd_helo_restrictions",
	                                         "smtpd_sender_restrictions",
	                                         "smtpd_relay_restrictions",
	                                         "smtpd_recipient_restrictions",
	                                         "smtpd_data_restrictions",
	                                         "smtpd_end_of_data_restrictions"};
	const struct postfix *postfix = walk->postfix;
	struct asked *state = &walk->state;
	bool delayed = postfix_yes(postfix, state->service, "smtpd_delay_reject");
	bool relay_first = postfix_yes(postfix, state->service,
	                               "smtpd_relay_before_recipient_restrictions");
	for (int i = 0; i < LISTS; i++) {
		bool swap = !relay_first && (i == 3 || i == 4);
		const char *name = names[swap ? 7 - i : i];
		state->for_recipient = i < 5;
		state->too_early = i < 3 && !delayed;
		walk_list(walk, name, postfix_value(postfix, state->service, name));
	}
}

struct found {
	asked_fn *fn;
	void *arg;
	size_t n; /* for recipients */
};

static void
count_and_tell(void *arg, const struct asked *asked)
{
	struct found *found = arg;
	found->n += asked->for_recipient;
	found->fn(found->arg, asked);
}

void
postfix_walk_policy(const struct postfix *postfix, const struct conf *conf,
                    const struct postfix_service *service, asked_fn *fn, void *arg)
{
	struct found found = {.fn = fn, .arg = arg};
	const struct asked fresh = {.service = service, .ended_by = SLICE("")};
	struct walk *walk = mem_new(struct walk);
	*walk = (struct walk){.postfix = postfix,
	                      .conf = conf,
	                      .fn = count_and_tell,
	                      .arg = &found,
	                      .state = fresh};
	walk_lists(walk);
	if (found.n == 0 && walk->has_map)
		walk_classes(walk, &fresh);
	free(walk);
}

static void
name_milter(const struct postfix_word *word, struct text *out)
{
	if (out->n > 0)
		text_putc(out, ' ');
	text_put(out, postfix_client(word).endpoint);
}

static void
name_milters(struct slice rest, struct text *out)
{
	struct postfix_word word;
	while (postfix_word(&rest, &word))
		name_milter(&word, out);
}

void
postfix_walk_milters(const struct postfix *postfix, const struct conf *conf,
                     const struct postfix_service *service, const char *list,
                     asked_fn *fn, void *arg)
{
	struct slice rest = postfix_value(postfix, service, list);
	struct postfix_word word;
	char buf[256] = "";
	struct text before = TEXT(buf);
	while (postfix_word(&rest, &word)) {
		struct asked asked = {.service = service,
		                      .list = list,
		                      .client = postfix_client(&word)};
		struct text behind = TEXT(asked.behind);
		asked.match = postfix_match(postfix, service, asked.client.endpoint,
		                            conf->milter.listen);
		if (asked.match == MATCH_NONE) {
			name_milter(&word, &before);
			continue;
		}
		memcpy(asked.before, buf, sizeof(buf));
		name_milters(rest, &behind);
		fn(arg, &asked);
	}
}

void
postfix_others(const struct postfix *postfix, const struct postfix_service *service,
               struct text *out)
{
	static const char *const lists[] = {"smtpd_relay_restrictions",
	                                    "smtpd_recipient_restrictions"};
	struct postfix_word word;
	struct slice rest;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		rest = postfix_value(postfix, service, lists[i]);
		while (postfix_word(&rest, &word)) {
			if (!slice_eq(word.text, SLICE("check_policy_service")) ||
			    !postfix_word(&rest, &word))
				continue;
			text_puts(out, out->n > 0 ? " " : "");
			text_put(out, postfix_client(&word).endpoint);
		}
	}
	rest = postfix_value(postfix, service, "smtpd_milters");
	while (postfix_word(&rest, &word)) {
		text_puts(out, out->n > 0 ? " " : "");
		text_put(out, postfix_client(&word).endpoint);
	}
}
