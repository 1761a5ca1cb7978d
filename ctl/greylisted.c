/* greylisted.c - what the store remembers of a triplet or an identity. */
#include "greylisted.h"

#include <jansson.h>
#include <string.h>

#include "store/record.h"
#include "when.h"

bool
greylisted_get(struct history *history, enum history_record kind, const struct key *key,
               struct grey_record *record_out, struct err *err_out)
{
	int64_t packed;
	*record_out = (struct grey_record){.state = GREY_ABSENT};
	if (!history_get_record(history, kind, key, &packed, err_out))
		return false;
	if (packed == 0 || record_unpack(packed, record_out))
		return true;
	return err_set(err_out,
	               "the record cannot be read: another version of weir made it");
}

bool
greylisted_get_identity(struct history *history, struct slice identity,
                        struct grey_record *record_out, struct err *err_out)
{
	struct key_secret secret;
	*record_out = (struct grey_record){.state = GREY_ABSENT};
	if (identity.n == 0)
		return true;
	if (!history_secret(history, &secret, err_out))
		return false;
	struct key key = key_identity(&secret, identity);
	explicit_bzero(&secret, sizeof(secret));
	return greylisted_get(history, RECORD_IDENTITY, &key, record_out, err_out);
}

void
greylisted_expire(struct grey_record *record, const struct grey_rules *rules,
                  int64_t now_s)
{
	if (grey_is_expired(record, rules, now_s))
		*record = (struct grey_record){.state = GREY_ABSENT};
}

bool
greylisted_is_allowed(const struct grey_record *identity, const struct grey_rules *rules,
                      int64_t now_s)
{
	struct grey_record copy = *identity;
	bool write;
	return grey_identity_allowed(&copy, rules, now_s, &write);
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
	                 (json_int_t)record->at_s, "count", (int)grey_passes(record));
}

void
greylisted_say(const struct view *view, const struct grey_record *record, int64_t now_s)
{
	static const char *const texts[] = {
		[GREY_ABSENT] = "not known",
		[GREY_WAITING] = "waiting since ",
		[GREY_PASSED] = "passed, as of ",
		[GREY_IDENTITY] = "known, used last at ",
	};
	char buf[96];
	struct text text = TEXT(buf);
	bool released = record->state == GREY_PASSED && record->count != 0;
	view_puts(view, released ? "released, not used since; first seen "
	                         : texts[record->state]);
	if (record->state == GREY_ABSENT)
		return;
	when_print(record->at_s, &text);
	text_puts(&text, " (");
	when_print_long(now_s - record->at_s, &text);
	text_puts(&text, " ago)");
	if (record->state == GREY_IDENTITY)
		text_printf(&text, ", %u %s counted", record->count,
		            record->count == 1 ? "pass" : "passes");
	view_puts(view, buf);
}
