/* grey.c - the rules of greylisting on one record and a time. */
#include "rules/grey.h"

/* Use of a record is written down once in each such part of its lifetime. */
#define USE_PARTS 32

/* Passed triplets count for an identity when they are this far apart. */
#define COUNT_APART_S 3600

static int64_t
age(const struct grey_record *rec, int64_t now_s)
{
	return now_s - rec->at_s;
}

/* The clock was set back, or use was not written down for a while. */
static bool
use_is_due(const struct grey_record *rec, const struct grey_rules *rules, int64_t now_s)
{
	return age(rec, now_s) < 0 || age(rec, now_s) >= rules->lifetime_s / USE_PARTS;
}

/* A first try: the triplet waits from now on. */
static struct grey_result
begin_waiting(struct grey_record *rec, const struct grey_rules *rules,
              enum grey_answer answer, int64_t now_s)
{
	*rec = (struct grey_record){.state = GREY_WAITING, .at_s = now_s};
	return (struct grey_result){.answer = answer,
	                            .wait_s = rules->delay_s,
	                            .write = true};
}

static struct grey_result
step_waiting(struct grey_record *rec, const struct grey_rules *rules, int64_t now_s)
{
	int64_t waited_s = age(rec, now_s);
	if (waited_s < 0)
		return begin_waiting(rec, rules, GREY_IS_EARLY, now_s);
	if (waited_s < rules->delay_s)
		return (struct grey_result){.answer = GREY_IS_EARLY,
		                            .wait_s = rules->delay_s - waited_s};
	if (waited_s > rules->retry_window_s)
		return begin_waiting(rec, rules, GREY_IS_AGED, now_s);
	*rec = (struct grey_record){.state = GREY_PASSED, .at_s = now_s};
	return (struct grey_result){.answer = GREY_IS_PASSED_NOW,
	                            .delayed_s = waited_s,
	                            .write = true};
}

/* Nobody has shown that he comes back: it counts for no identity. */
static struct grey_result
step_released(struct grey_record *rec, int64_t now_s)
{
	struct grey_result result = {.answer = GREY_IS_RELEASED, .write = true};
	if (rec->count == GREY_RELEASED)
		result.delayed_s = age(rec, now_s) > 0 ? age(rec, now_s) : 1;
	*rec = (struct grey_record){.state = GREY_PASSED, .at_s = now_s};
	return result;
}

static struct grey_result
step_passed(struct grey_record *rec, const struct grey_rules *rules, int64_t now_s)
{
	if (age(rec, now_s) > rules->lifetime_s)
		return begin_waiting(rec, rules, GREY_IS_AGED, now_s);
	if (rec->count == GREY_RELEASED || rec->count == GREY_RELEASED_AHEAD)
		return step_released(rec, now_s);
	bool write = use_is_due(rec, rules, now_s);
	if (write)
		rec->at_s = now_s;
	return (struct grey_result){.answer = GREY_IS_KNOWN, .write = write};
}

struct grey_result
grey_triplet_step(struct grey_record *rec, const struct grey_rules *rules, bool may_store,
                  int64_t now_s)
{
	if (rec->state == GREY_WAITING)
		return step_waiting(rec, rules, now_s);
	if (rec->state == GREY_PASSED)
		return step_passed(rec, rules, now_s);
	if (!may_store)
		return (struct grey_result){.answer = GREY_IS_NEW_UNSTORED,
		                            .wait_s = rules->delay_s};
	return begin_waiting(rec, rules, GREY_IS_NEW, now_s);
}

struct grey_result
grey_triplet_observe(struct grey_record *rec, const struct grey_rules *rules,
                     bool may_store, unsigned mark, bool is_second, int64_t now_s)
{
	if (mark > 0 && is_second && rec->state == GREY_WAITING && rec->count == mark)
		return (struct grey_result){.answer = GREY_IS_TOLD};
	struct grey_result result = grey_triplet_step(rec, rules, may_store, now_s);
	if (mark > 0 && !is_second && rec->state == GREY_WAITING && rec->count != mark) {
		rec->count = mark;
		result.write = true;
	}
	return result;
}

void
grey_release(struct grey_record *rec, int64_t now_s)
{
	bool waited = rec->state == GREY_WAITING ||
	              (rec->state == GREY_PASSED && rec->count == GREY_RELEASED);
	*rec = (struct grey_record){.state = GREY_PASSED,
	                            .at_s = waited ? rec->at_s : now_s,
	                            .count =
	                                    waited ? GREY_RELEASED : GREY_RELEASED_AHEAD};
}

unsigned
grey_passes(const struct grey_record *rec)
{
	return rec->state == GREY_IDENTITY ? rec->count : 0;
}

bool
grey_identity_allowed(struct grey_record *rec, const struct grey_rules *rules,
                      int64_t now_s, bool *write_out)
{
	*write_out = false;
	if (rules->allow_client_after == 0 || rec->state != GREY_IDENTITY ||
	    rec->count < rules->allow_client_after || age(rec, now_s) > rules->lifetime_s)
		return false;
	*write_out = use_is_due(rec, rules, now_s);
	if (*write_out)
		rec->at_s = now_s;
	return true;
}

bool
grey_identity_count(struct grey_record *rec, const struct grey_rules *rules,
                    int64_t now_s)
{
	if (rules->allow_client_after == 0)
		return false;
	if (rec->state != GREY_IDENTITY || age(rec, now_s) > rules->lifetime_s) {
		*rec = (struct grey_record){.state = GREY_IDENTITY,
		                            .at_s = now_s,
		                            .count = 1};
		return true;
	}
	if (age(rec, now_s) >= 0 && age(rec, now_s) < COUNT_APART_S)
		return false;
	if (rec->count < GREY_COUNT_MAX)
		rec->count++;
	rec->at_s = now_s;
	return true;
}

bool
grey_is_expired(const struct grey_record *rec, const struct grey_rules *rules,
                int64_t now_s)
{
	int64_t kept_s =
		rec->state == GREY_WAITING ? rules->retry_window_s : rules->lifetime_s;
	return age(rec, now_s) > kept_s;
}
