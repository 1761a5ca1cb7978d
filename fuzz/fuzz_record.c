/*
 * fuzz_record.c - any integer as a stored record, then some tries at any times.
 *
 * The input: eight bytes of the record, then for each try eight bytes of its time, a byte of
 * what it is and four bytes of rules.  What must hold: what can be read is written back the same;
 * after every step the record can be stored; no wait is longer than the delay.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/slice.h"
#include "store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* Little endian; what is missing is zero. */
static uint64_t
take(struct slice *rest, size_t n)
{
	uint64_t value = 0;
	for (size_t i = 0; i < n && i < rest->n; i++)
		value |= (uint64_t)(unsigned char)rest->p[i] << (8 * i);
	*rest = slice_from(*rest, n);
	return value;
}

/* Within the bounds of the settings and of each other. */
static struct grey_rules
take_rules(struct slice *rest)
{
	struct grey_rules rules = {
		.delay_s = 1 + (int64_t)take(rest, 2),
		.allow_client_after = (int64_t)(take(rest, 1) % 5),
	};
	rules.retry_window_s = rules.delay_s + 60 + (int64_t)take(rest, 1) * 1000;
	rules.lifetime_s = rules.retry_window_s + 3600;
	return rules;
}

static void
must_be_storable(const struct grey_record *rec)
{
	struct grey_record again;
	int64_t value = record_pack(rec);
	must(value > 0 && value < INT64_C(1) << 53);
	must(record_unpack(value, &again));
	must(again.state == rec->state && again.at_s == rec->at_s &&
	     again.count == rec->count);
}

static void
step_triplet(struct grey_record *rec, const struct grey_rules *rules, bool may_store,
             int64_t now_s)
{
	struct grey_record before = *rec;
	struct grey_result got = grey_triplet_step(rec, rules, may_store, now_s);
	must((unsigned)got.answer < GREY_ANSWERS && got.answer != GREY_IS_CLIENT_ALLOWED);
	must(got.wait_s >= 0 && got.wait_s <= rules->delay_s);
	bool released = got.answer == GREY_IS_RELEASED;
	must(got.delayed_s >= 0 &&
	     got.delayed_s <= (released ? rules->lifetime_s : rules->retry_window_s));
	bool passed = released || got.answer == GREY_IS_PASSED_NOW ||
	              got.answer == GREY_IS_KNOWN;
	must(passed == (got.wait_s == 0));
	if (got.write) {
		must(rec->at_s == now_s);
		must(rec->state == (passed ? GREY_PASSED : GREY_WAITING));
		must_be_storable(rec);
		must(!grey_is_expired(rec, rules, now_s));
	} else {
		must(rec->state == before.state && rec->at_s == before.at_s);
	}
	/* whoever waits as told is let in */
	if (got.write && !passed) {
		struct grey_record later = *rec;
		must(grey_triplet_step(&later, rules, false, now_s + got.wait_s).answer ==
		     GREY_IS_PASSED_NOW);
	}
}

static void
step_identity(struct grey_record *rec, const struct grey_rules *rules, int64_t now_s)
{
	bool write = false;
	struct grey_record before = *rec;
	bool changed = grey_identity_count(rec, rules, now_s);
	must(changed || (rec->at_s == before.at_s && rec->count == before.count));
	bool allowed = grey_identity_allowed(rec, rules, now_s, &write);
	must(!allowed || rules->allow_client_after > 0);
	must(allowed || !write);
	must(!write || rec->at_s == now_s);
	if (changed || write)
		must_be_storable(rec);
	if (changed && rules->allow_client_after == 1)
		must(allowed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {.p = (const char *)data, .n = size};
	int64_t value = (int64_t)take(&rest, 8);
	struct grey_record rec = {.state = GREY_ABSENT};
	if (record_unpack(value, &rec)) {
		must(record_pack(&rec) == value);
		must_be_storable(&rec);
	}
	while (rest.n > 0) {
		/* times that a record can hold: 34 bits, enough until the year 2514 */
		int64_t now_s = (int64_t)(take(&rest, 8) & ((UINT64_C(1) << 34) - 1));
		uint64_t kind = take(&rest, 1);
		struct grey_rules rules = take_rules(&rest);
		(void)grey_is_expired(&rec, &rules, now_s);
		if (kind & 2)
			step_identity(&rec, &rules, now_s);
		else
			step_triplet(&rec, &rules, kind & 1, now_s);
	}
	return 0;
}
