/* greylisted.c - what the store remembers of a triplet or an identity. */
#include "greylisted.h"

#include <jansson.h>

#include "record.h"
#include "when.h"

bool
greylisted_get(struct ledger *ledger, enum ledger_record kind, const struct key *key,
               struct grey_record *record_out, struct err *err_out)
{
	int64_t packed;
	*record_out = (struct grey_record){.state = GREY_ABSENT};
	if (!ledger_get_record(ledger, kind, key, &packed, err_out))
		return false;
	if (packed == 0 || record_unpack(packed, record_out))
		return true;
	return err_set(err_out,
	               "the record cannot be read: another version of weir made it");
}

const char *
greylisted_word(enum grey_state state)
{
	static const char *const words[] = {
		[GREY_ABSENT] = "absent",
		[GREY_WAITING] = "waiting",
		[GREY_PASSED] = "passed",
		[GREY_IDENTITY] = "identity",
	};
	return words[state];
}

json_t *
greylisted_json(const struct grey_record *record)
{
	return json_pack("{s:s, s:I, s:i}", "state", greylisted_word(record->state), "at",
	                 (json_int_t)record->at_s, "count", (int)record->count);
}

void
greylisted_say(const struct view *view, const struct grey_record *record, int64_t now_s)
{
	static const char *const texts[] = {
		[GREY_ABSENT] = "not known",
		[GREY_WAITING] = "waiting since ",
		[GREY_PASSED] = "passed, used last at ",
		[GREY_IDENTITY] = "known, used last at ",
	};
	char buf[96];
	struct text text = TEXT(buf);
	view_puts(view, texts[record->state]);
	if (record->state == GREY_ABSENT)
		return;
	when_print(record->at_s, &text);
	text_puts(&text, " (");
	when_print_long(now_s - record->at_s, &text);
	text_puts(&text, " ago)");
	if (record->state == GREY_IDENTITY)
		text_printf(&text, ", %u passes counted", record->count);
	view_puts(view, buf);
}
