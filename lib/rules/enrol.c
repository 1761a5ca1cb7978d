/* enrol.c - how a daemon takes part in a term of the store. */
#include "rules/enrol.h"

#include <string.h>

/* Renewals come each third of a lease, within a second; then all come back, after a pause. */
#define BACK_MS 2500

/* Two looks. */
#define SILENCE_MIN_MS 2000

void
enrol_init(struct enrol *enrol, const char *daemon)
{
	struct text name = TEXT(enrol->daemon);
	*enrol = (struct enrol){0};
	text_puts(&name, daemon);
}

void
enrol_configure(struct enrol *enrol, int64_t lease_ms, int64_t hold_ms)
{
	if (lease_ms > enrol->lease_ms)
		enrol->lease_ms = lease_ms;
	if (hold_ms > enrol->hold_ms)
		enrol->hold_ms = hold_ms;
}

/* "+m/mx1/ -p/mx1/ " */
static bool
knows_policyd(const struct enrol *enrol)
{
	struct slice rest = slice_of(enrol->members), word;
	while (slice_word(&rest, &word))
		if (word.n > 1 && word.p[1] == 'p')
			return true;
	return enrol->daemon[0] == 'p';
}

int64_t
enrol_longest_ms(const struct enrol *enrol)
{
	bool holds = knows_policyd(enrol) && enrol->hold_ms > enrol->lease_ms;
	return holds ? enrol->hold_ms : enrol->lease_ms;
}

void
enrol_lost(struct enrol *enrol)
{
	if (enrol->state == ENROL_BEGINNING)
		enrol->doubts |= enrol->said_doubts;
	enrol->state = ENROL_AWAY;
}

void
enrol_heard(struct enrol *enrol, int64_t now_ms)
{
	enrol->doubts |= enrol_doubts(enrol, now_ms);
	enrol->contact_ms = now_ms;
}

bool
enrol_doubts(const struct enrol *enrol, int64_t now_ms)
{
	int64_t limit_ms = enrol->lease_ms * 2 / 3 - BACK_MS;
	return now_ms - enrol->contact_ms >
	       (limit_ms > SILENCE_MIN_MS ? limit_ms : SILENCE_MIN_MS);
}

/* "m/mx1/ p/mx1/ ": without who has signed in or not. */
static void
put_known(const struct enrol *enrol, struct text *out)
{
	struct slice rest = slice_of(enrol->members), word;
	while (slice_word(&rest, &word)) {
		text_put(out, slice_from(word, 1));
		text_putc(out, ' ');
	}
}

void
enrol_say(struct enrol *enrol, enum term_step step, int64_t now_ms,
          struct term_call *call_out)
{
	struct text known = TEXT(call_out->known);
	*call_out = (struct term_call){.step = step, .number = enrol->number};
	memcpy(call_out->daemon, enrol->daemon, sizeof(call_out->daemon));
	call_out->waited = now_ms - enrol->begun_ms >= enrol_longest_ms(enrol);
	if (step != TERM_BEGIN)
		return;
	enrol->state = ENROL_BEGINNING;
	call_out->fresh = !enrol->begun;
	call_out->doubts = enrol->begun && enrol->doubts;
	enrol->said_doubts = call_out->doubts;
	enrol->doubts = false;
	put_known(enrol, &known);
}

static void
take(struct enrol *enrol, const struct enrol_answer *answer)
{
	struct text members = TEXT(enrol->members);
	enrol->row = answer->row;
	text_put(&members, answer->members);
}

bool
enrol_begun(struct enrol *enrol, const struct enrol_answer *answer, int64_t now_ms)
{
	bool replaces = answer->row == TERM_STRANGER || answer->row == TERM_OUT;
	take(enrol, answer);
	enrol->state = ENROL_PUTTING;
	enrol->number = answer->number;
	enrol->begun = true;
	enrol->takes_part |= answer->row == TERM_OUT;
	enrol->signs_in = replaces && enrol->takes_part;
	if (replaces) {
		enrol->begun_ms = now_ms;
		enrol->doubts = false;
	}
	return replaces;
}

bool
enrol_put(struct enrol *enrol)
{
	enrol->state = ENROL_DONE;
	return enrol->signs_in;
}

void
enrol_learned(struct enrol *enrol, enum term_row row)
{
	enrol->row = row;
	if (enrol->state == ENROL_DONE && enrol->takes_part &&
	    (row == TERM_STRANGER || row == TERM_OUT))
		enrol->state = ENROL_AWAY;
}

void
enrol_answered(struct enrol *enrol, const struct enrol_answer *answer)
{
	take(enrol, answer);
	enrol_learned(enrol, answer->row);
}

bool
enrol_waits(const struct enrol *enrol)
{
	return enrol->row == TERM_IN;
}
