/* greylisted.h - what the store remembers of a triplet or an identity. */
#ifndef WEIR_CTL_GREYLISTED_H
#define WEIR_CTL_GREYLISTED_H

#include "base/err.h"
#include "rules/grey.h"
#include "store/history.h"
#include "view.h"

struct json_t; /* jansson's */

/* GREY_ABSENT when there is nothing; false with a text, also for what cannot be read. */
bool greylisted_get(struct history *history, enum history_record kind,
                    const struct key *key, struct grey_record *record_out,
                    struct err *err_out) MUST_CHECK;

/* The same of a client, by the name of its identity; GREY_ABSENT without one. */
bool greylisted_get_identity(struct history *history, struct slice identity,
                             struct grey_record *record_out, struct err *err_out)
	MUST_CHECK;

/* A record that has expired and is not swept yet becomes GREY_ABSENT: that is what it means. */
void greylisted_expire(struct grey_record *record, const struct grey_rules *rules,
                       int64_t now_s);

/* Whether such a client is allowed as a whole, so that none of its triplets is looked at. */
bool greylisted_is_allowed(const struct grey_record *identity,
                           const struct grey_rules *rules, int64_t now_s);

/* "absent", "waiting", "passed", "identity" */
const char *greylisted_word(enum grey_state state);

/* {"state", "at", "count"} */
struct json_t *greylisted_json(const struct grey_record *record);

/* "waiting since 2026-11-22 10:11:12 (2m ago)" */
void greylisted_say(const struct view *view, const struct grey_record *record,
                    int64_t now_s);

#endif
