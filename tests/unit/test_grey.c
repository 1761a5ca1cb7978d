/* test_grey.c - the rules of greylisting, one step at a time. */
#include "rules/grey.h"

#include "harness.h"

#define T0       INT64_C(1800000000)
#define DELAY    180
#define WINDOW   86400
#define LIFETIME 3024000         /* 35 days */
#define PART     (LIFETIME / 32) /* use is written down this often */
#define HOUR     3600

static const struct grey_rules usual = {.delay_s = DELAY,
                                        .retry_window_s = WINDOW,
                                        .lifetime_s = LIFETIME,
                                        .allow_client_after = 1};

static struct grey_rules
allowing_after(int64_t count)
{
	struct grey_rules rules = usual;
	rules.allow_client_after = count;
	return rules;
}

static void
check_record(const char *row, const struct grey_record *got, struct grey_record want)
{
	ck_assert_msg(got->state == want.state && got->at_s == want.at_s &&
	                      got->count == want.count,
	              "%s: record is {%d, T0%+lld, %u}, not {%d, T0%+lld, %u}", row,
	              got->state, (long long)(got->at_s - T0), got->count, want.state,
	              (long long)(want.at_s - T0), want.count);
}

#define FULL false /* the identity has used up what it may store */
#define ROOM true

/* clang-format off */
static const struct triplet_row {
	const char *row;
	struct grey_record rec;
	bool may_store;
	int64_t now_s;
	struct grey_result want;
	struct grey_record after;
} triplet_rows[] = {
	{"never seen", {GREY_ABSENT, 0, 0}, ROOM, T0,
		{GREY_IS_NEW, DELAY, 0, true}, {GREY_WAITING, T0, 0}},
	{"never seen, no room", {GREY_ABSENT, 0, 0}, FULL, T0,
		{GREY_IS_NEW_UNSTORED, DELAY, 0, false}, {GREY_ABSENT, 0, 0}},

	{"again in the same second", {GREY_WAITING, T0, 0}, ROOM, T0,
		{GREY_IS_EARLY, DELAY, 0, false}, {GREY_WAITING, T0, 0}},
	{"early", {GREY_WAITING, T0, 0}, ROOM, T0 + 1,
		{GREY_IS_EARLY, DELAY - 1, 0, false}, {GREY_WAITING, T0, 0}},
	{"one second early", {GREY_WAITING, T0, 0}, ROOM, T0 + DELAY - 1,
		{GREY_IS_EARLY, 1, 0, false}, {GREY_WAITING, T0, 0}},
	{"early does not ask for room", {GREY_WAITING, T0, 0}, FULL, T0 + 1,
		{GREY_IS_EARLY, DELAY - 1, 0, false}, {GREY_WAITING, T0, 0}},
	{"in time to the second", {GREY_WAITING, T0, 0}, ROOM, T0 + DELAY,
		{GREY_IS_PASSED_NOW, 0, DELAY, true}, {GREY_PASSED, T0 + DELAY, 0}},
	{"passing does not ask for room", {GREY_WAITING, T0, 0}, FULL, T0 + DELAY,
		{GREY_IS_PASSED_NOW, 0, DELAY, true}, {GREY_PASSED, T0 + DELAY, 0}},
	{"at the end of the window", {GREY_WAITING, T0, 0}, ROOM, T0 + WINDOW,
		{GREY_IS_PASSED_NOW, 0, WINDOW, true}, {GREY_PASSED, T0 + WINDOW, 0}},
	{"one second too late", {GREY_WAITING, T0, 0}, ROOM, T0 + WINDOW + 1,
		{GREY_IS_AGED, DELAY, 0, true}, {GREY_WAITING, T0 + WINDOW + 1, 0}},
	{"waiting, the clock was set back a second", {GREY_WAITING, T0, 0}, ROOM, T0 - 1,
		{GREY_IS_EARLY, DELAY, 0, true}, {GREY_WAITING, T0 - 1, 0}},
	{"waiting, the clock was set back a year", {GREY_WAITING, T0, 0}, ROOM, T0 - 31536000,
		{GREY_IS_EARLY, DELAY, 0, true}, {GREY_WAITING, T0 - 31536000, 0}},

	{"known", {GREY_PASSED, T0, 0}, ROOM, T0,
		{GREY_IS_KNOWN, 0, 0, false}, {GREY_PASSED, T0, 0}},
	{"known does not ask for room", {GREY_PASSED, T0, 0}, FULL, T0 + 1,
		{GREY_IS_KNOWN, 0, 0, false}, {GREY_PASSED, T0, 0}},
	{"known, use is not due", {GREY_PASSED, T0, 0}, ROOM, T0 + PART - 1,
		{GREY_IS_KNOWN, 0, 0, false}, {GREY_PASSED, T0, 0}},
	{"known, use is due", {GREY_PASSED, T0, 0}, ROOM, T0 + PART,
		{GREY_IS_KNOWN, 0, 0, true}, {GREY_PASSED, T0 + PART, 0}},
	{"known at the end of its life", {GREY_PASSED, T0, 0}, ROOM, T0 + LIFETIME,
		{GREY_IS_KNOWN, 0, 0, true}, {GREY_PASSED, T0 + LIFETIME, 0}},
	{"forgotten", {GREY_PASSED, T0, 0}, ROOM, T0 + LIFETIME + 1,
		{GREY_IS_AGED, DELAY, 0, true}, {GREY_WAITING, T0 + LIFETIME + 1, 0}},
	{"known, the clock was set back", {GREY_PASSED, T0, 0}, ROOM, T0 - 5,
		{GREY_IS_KNOWN, 0, 0, true}, {GREY_PASSED, T0 - 5, 0}},

	{"released", {GREY_PASSED, T0, GREY_RELEASED}, FULL, T0 + 9,
		{GREY_IS_RELEASED, 0, 9, true}, {GREY_PASSED, T0 + 9, 0}},
	{"released in the second of its first try", {GREY_PASSED, T0, GREY_RELEASED}, FULL, T0,
		{GREY_IS_RELEASED, 0, 1, true}, {GREY_PASSED, T0, 0}},
	{"released, the clock was set back", {GREY_PASSED, T0, GREY_RELEASED}, FULL, T0 - 5,
		{GREY_IS_RELEASED, 0, 1, true}, {GREY_PASSED, T0 - 5, 0}},
	{"released before its first try", {GREY_PASSED, T0, GREY_RELEASED_AHEAD}, FULL, T0 + 9,
		{GREY_IS_RELEASED, 0, 0, true}, {GREY_PASSED, T0 + 9, 0}},
	{"released, and forgotten", {GREY_PASSED, T0, GREY_RELEASED}, ROOM, T0 + LIFETIME + 1,
		{GREY_IS_AGED, DELAY, 0, true}, {GREY_WAITING, T0 + LIFETIME + 1, 0}},
};

/* clang-format on */

START_TEST(a_triplet_is_judged)
{
	const struct triplet_row *r = &triplet_rows[_i];
	struct grey_record rec = r->rec;
	struct grey_result got = grey_triplet_step(&rec, &usual, r->may_store, r->now_s);
	ck_assert_msg(got.answer == r->want.answer, "%s: answer %d, not %d", r->row,
	              got.answer, r->want.answer);
	ck_assert_msg(got.wait_s == r->want.wait_s, "%s: wait %lld", r->row,
	              (long long)got.wait_s);
	ck_assert_msg(got.delayed_s == r->want.delayed_s, "%s: delayed %lld", r->row,
	              (long long)got.delayed_s);
	ck_assert_msg(got.write == r->want.write, "%s: write %d", r->row, got.write);
	check_record(r->row, &rec, r->after);
}

END_TEST

/* clang-format off */
static const struct mark_row {
	const char *row;
	struct grey_record rec;
	unsigned mark;
	bool is_second;
	int64_t now_s;
	struct grey_result want;
	struct grey_record after;
} mark_rows[] = {
	{"the first marks a first try", {GREY_ABSENT, 0, 0}, 7, false, T0,
		{GREY_IS_NEW, DELAY, 0, true}, {GREY_WAITING, T0, 7}},
	{"the second finds its mark", {GREY_WAITING, T0, 7}, 7, true, T0,
		{GREY_IS_TOLD, 0, 0, false}, {GREY_WAITING, T0, 7}},
	{"whatever the time has become", {GREY_WAITING, T0, 7}, 7, true, T0 + DELAY,
		{GREY_IS_TOLD, 0, 0, false}, {GREY_WAITING, T0, 7}},
	{"the first marks an early try, which is not reset", {GREY_WAITING, T0, 7}, 8, false, T0 + 1,
		{GREY_IS_EARLY, DELAY - 1, 0, true}, {GREY_WAITING, T0, 8}},
	{"the same one's once", {GREY_WAITING, T0, 8}, 8, false, T0 + 1,
		{GREY_IS_EARLY, DELAY - 1, 0, false}, {GREY_WAITING, T0, 8}},
	{"another session's mark is none", {GREY_WAITING, T0, 7}, 8, true, T0 + 1,
		{GREY_IS_EARLY, DELAY - 1, 0, false}, {GREY_WAITING, T0, 7}},
	{"the second alone leaves none", {GREY_ABSENT, 0, 0}, 7, true, T0,
		{GREY_IS_NEW, DELAY, 0, true}, {GREY_WAITING, T0, 0}},
	{"no session, no mark", {GREY_WAITING, T0, 0}, 0, true, T0,
		{GREY_IS_EARLY, DELAY, 0, false}, {GREY_WAITING, T0, 0}},
	{"a pass is told, and leaves none", {GREY_WAITING, T0, 7}, 8, false, T0 + DELAY,
		{GREY_IS_PASSED_NOW, 0, DELAY, true}, {GREY_PASSED, T0 + DELAY, 0}},
	{"known leaves none", {GREY_PASSED, T0, 0}, 8, false, T0,
		{GREY_IS_KNOWN, 0, 0, false}, {GREY_PASSED, T0, 0}},
	{"aged, and marked", {GREY_WAITING, T0, 7}, 8, false, T0 + WINDOW + 1,
		{GREY_IS_AGED, DELAY, 0, true}, {GREY_WAITING, T0 + WINDOW + 1, 8}},
	{"forgotten, and marked", {GREY_PASSED, T0, 0}, 8, false, T0 + LIFETIME + 1,
		{GREY_IS_AGED, DELAY, 0, true}, {GREY_WAITING, T0 + LIFETIME + 1, 8}},
};

/* clang-format on */

/* clang-format off */
static const struct release_row {
	const char *row;
	struct grey_record before, after;
} release_rows[] = {
	{"not known", {GREY_ABSENT, 0, 0}, {GREY_PASSED, T0, GREY_RELEASED_AHEAD}},
	{"waiting", {GREY_WAITING, T0 - 7, 0}, {GREY_PASSED, T0 - 7, GREY_RELEASED}},
	{"waiting, marked", {GREY_WAITING, T0 - 7, 8}, {GREY_PASSED, T0 - 7, GREY_RELEASED}},
	{"passed", {GREY_PASSED, T0 - 7, 0}, {GREY_PASSED, T0, GREY_RELEASED_AHEAD}},
	{"released already", {GREY_PASSED, T0 - 7, GREY_RELEASED}, {GREY_PASSED, T0 - 7, GREY_RELEASED}},
};

/* clang-format on */

START_TEST(the_operator_releases)
{
	const struct release_row *r = &release_rows[_i];
	struct grey_record rec = r->before;
	grey_release(&rec, T0);
	ck_assert_msg(rec.state == r->after.state && rec.at_s == r->after.at_s &&
	                      rec.count == r->after.count,
	              "%s: %d %lld %u", r->row, rec.state, (long long)rec.at_s,
	              rec.count);
}

END_TEST

START_TEST(a_session_is_told_once)
{
	const struct mark_row *r = &mark_rows[_i];
	struct grey_record rec = r->rec;
	struct grey_result got =
		grey_triplet_observe(&rec, &usual, ROOM, r->mark, r->is_second, r->now_s);
	ck_assert_msg(got.answer == r->want.answer && got.wait_s == r->want.wait_s &&
	                      got.delayed_s == r->want.delayed_s &&
	                      got.write == r->want.write,
	              "%s: answer %d, wait %lld, delayed %lld, write %d", r->row,
	              got.answer, (long long)got.wait_s, (long long)got.delayed_s,
	              got.write);
	check_record(r->row, &rec, r->after);
}

END_TEST

START_TEST(a_mark_is_no_pass)
{
	const struct grey_record marked = {GREY_WAITING, T0, 7},
				 identity = {GREY_IDENTITY, T0, 7};
	ck_assert_uint_eq(grey_passes(&marked), 0);
	ck_assert_uint_eq(grey_passes(&identity), 7);
}

END_TEST

/* clang-format off */
static const struct allowed_row {
	const char *row;
	int64_t after; /* allow_client_after */
	struct grey_record rec;
	int64_t now_s;
	bool want;
	bool write;
	int64_t at_s; /* afterwards */
} allowed_rows[] = {
	{"nothing known", 1, {GREY_ABSENT, 0, 0}, T0, false, false, 0},
	{"one passed, one asked", 1, {GREY_IDENTITY, T0, 1}, T0, true, false, T0},
	{"never allowed", 0, {GREY_IDENTITY, T0, 4095}, T0, false, false, T0},
	{"two passed, three asked", 3, {GREY_IDENTITY, T0, 2}, T0, false, false, T0},
	{"three passed, three asked", 3, {GREY_IDENTITY, T0, 3}, T0, true, false, T0},
	{"more passed than asked", 3, {GREY_IDENTITY, T0, 4}, T0, true, false, T0},
	{"counted none", 1, {GREY_IDENTITY, T0, 0}, T0, false, false, T0},
	{"use is not due", 1, {GREY_IDENTITY, T0, 1}, T0 + PART - 1, true, false, T0},
	{"use is due", 1, {GREY_IDENTITY, T0, 1}, T0 + PART, true, true, T0 + PART},
	{"use of one not allowed", 3, {GREY_IDENTITY, T0, 1}, T0 + PART, false, false, T0},
	{"the end of its life", 1, {GREY_IDENTITY, T0, 1}, T0 + LIFETIME, true, true, T0 + LIFETIME},
	{"forgotten", 1, {GREY_IDENTITY, T0, 1}, T0 + LIFETIME + 1, false, false, T0},
	{"the clock was set back", 1, {GREY_IDENTITY, T0, 1}, T0 - 9, true, true, T0 - 9},
	{"a triplet's record", 1, {GREY_PASSED, T0, 1}, T0, false, false, T0},
};

/* clang-format on */

START_TEST(an_identity_is_allowed)
{
	const struct allowed_row *r = &allowed_rows[_i];
	struct grey_rules rules = allowing_after(r->after);
	struct grey_record rec = r->rec;
	bool write = !r->write;
	bool got = grey_identity_allowed(&rec, &rules, r->now_s, &write);
	ck_assert_msg(got == r->want, "%s: allowed %d", r->row, got);
	ck_assert_msg(write == r->write, "%s: write %d", r->row, write);
	check_record(r->row, &rec,
	             (struct grey_record){r->rec.state, r->at_s, r->rec.count});
}

END_TEST

/* clang-format off */
static const struct count_row {
	const char *row;
	int64_t after;
	struct grey_record rec;
	int64_t now_s;
	bool want;
	struct grey_record then;
} count_rows[] = {
	{"the first", 1, {GREY_ABSENT, 0, 0}, T0, true, {GREY_IDENTITY, T0, 1}},
	{"the first of three", 3, {GREY_ABSENT, 0, 0}, T0, true, {GREY_IDENTITY, T0, 1}},
	{"none is counted", 0, {GREY_ABSENT, 0, 0}, T0, false, {GREY_ABSENT, 0, 0}},
	{"none is counted, not even on", 0, {GREY_IDENTITY, T0, 2}, T0 + HOUR, false,
		{GREY_IDENTITY, T0, 2}},
	{"in the same second", 3, {GREY_IDENTITY, T0, 1}, T0, false, {GREY_IDENTITY, T0, 1}},
	{"a second less than an hour apart", 3, {GREY_IDENTITY, T0, 1}, T0 + HOUR - 1, false,
		{GREY_IDENTITY, T0, 1}},
	{"an hour apart", 3, {GREY_IDENTITY, T0, 1}, T0 + HOUR, true,
		{GREY_IDENTITY, T0 + HOUR, 2}},
	{"the clock was set back", 3, {GREY_IDENTITY, T0, 1}, T0 - 1, true,
		{GREY_IDENTITY, T0 - 1, 2}},
	{"the end of its life", 3, {GREY_IDENTITY, T0, 2}, T0 + LIFETIME, true,
		{GREY_IDENTITY, T0 + LIFETIME, 3}},
	{"forgotten: it counts anew", 3, {GREY_IDENTITY, T0, 2}, T0 + LIFETIME + 1, true,
		{GREY_IDENTITY, T0 + LIFETIME + 1, 1}},
	{"one less than can be counted", 3, {GREY_IDENTITY, T0, GREY_COUNT_MAX - 1}, T0 + HOUR,
		true, {GREY_IDENTITY, T0 + HOUR, GREY_COUNT_MAX}},
	{"as many as can be counted", 3, {GREY_IDENTITY, T0, GREY_COUNT_MAX}, T0 + HOUR, true,
		{GREY_IDENTITY, T0 + HOUR, GREY_COUNT_MAX}},
	{"another kind of record", 1, {GREY_PASSED, T0, 0}, T0, true, {GREY_IDENTITY, T0, 1}},
};

/* clang-format on */

START_TEST(a_pass_is_counted)
{
	const struct count_row *r = &count_rows[_i];
	struct grey_rules rules = allowing_after(r->after);
	struct grey_record rec = r->rec;
	bool got = grey_identity_count(&rec, &rules, r->now_s);
	ck_assert_msg(got == r->want, "%s: changed %d", r->row, got);
	check_record(r->row, &rec, r->then);
}

END_TEST

/* clang-format off */
static const struct expired_row {
	const char *row;
	struct grey_record rec;
	int64_t now_s;
	bool want;
} expired_rows[] = {
	{"waiting", {GREY_WAITING, T0, 0}, T0, false},
	{"waiting, the window's last second", {GREY_WAITING, T0, 0}, T0 + WINDOW, false},
	{"waiting, behind the window", {GREY_WAITING, T0, 0}, T0 + WINDOW + 1, true},
	{"passed, behind the window", {GREY_PASSED, T0, 0}, T0 + WINDOW + 1, false},
	{"passed, the last second", {GREY_PASSED, T0, 0}, T0 + LIFETIME, false},
	{"passed, too old", {GREY_PASSED, T0, 0}, T0 + LIFETIME + 1, true},
	{"an identity, the last second", {GREY_IDENTITY, T0, 1}, T0 + LIFETIME, false},
	{"an identity, too old", {GREY_IDENTITY, T0, 1}, T0 + LIFETIME + 1, true},
	{"made in the future", {GREY_WAITING, T0, 0}, T0 - LIFETIME, false},
};

/* clang-format on */

START_TEST(a_record_expires)
{
	const struct expired_row *r = &expired_rows[_i];
	ck_assert_msg(grey_is_expired(&r->rec, &usual, r->now_s) == r->want, "%s",
	              r->row);
}

END_TEST

/* What is said to be expired behaves as if it were not there, and nothing else does. */
START_TEST(expiry_agrees_with_the_steps)
{
	static const int64_t ages[] = {-1,         0,        DELAY,        WINDOW,
	                               WINDOW + 1, LIFETIME, LIFETIME + 1, 2 * LIFETIME};
	for (size_t i = 0; i < COUNT_OF(ages); i++) {
		for (int state = GREY_WAITING; state <= GREY_PASSED; state++) {
			struct grey_record rec = {(enum grey_state)state, T0, 0};
			bool expired = grey_is_expired(&rec, &usual, T0 + ages[i]);
			struct grey_result got =
				grey_triplet_step(&rec, &usual, true, T0 + ages[i]);
			ck_assert_msg(expired == (got.answer == GREY_IS_AGED),
			              "state %d at the age of %lld", state,
			              (long long)ages[i]);
		}
		bool write;
		struct grey_record rec = {GREY_IDENTITY, T0, 1};
		bool expired = grey_is_expired(&rec, &usual, T0 + ages[i]);
		ck_assert_msg(grey_identity_allowed(&rec, &usual, T0 + ages[i], &write) ==
		                      !expired,
		              "an identity at the age of %lld", (long long)ages[i]);
	}
}

END_TEST

/* A sender that comes once a month is never forgotten. */
START_TEST(use_keeps_a_triplet_known)
{
	struct grey_record rec = {GREY_ABSENT, 0, 0};
	int64_t now = T0;
	ck_assert_int_eq(grey_triplet_step(&rec, &usual, true, now).answer, GREY_IS_NEW);
	now += DELAY;
	ck_assert_int_eq(grey_triplet_step(&rec, &usual, true, now).answer,
	                 GREY_IS_PASSED_NOW);
	for (int month = 0; month < 24; month++) {
		now += 30 * 86400;
		ck_assert_int_eq(grey_triplet_step(&rec, &usual, true, now).answer,
		                 GREY_IS_KNOWN);
	}
	now += 36 * 86400;
	ck_assert_int_eq(grey_triplet_step(&rec, &usual, true, now).answer, GREY_IS_AGED);
}

END_TEST

/* Use is written down late by one part of the lifetime at most. */
START_TEST(steady_use_is_written_32_times_a_life)
{
	struct grey_record rec = {GREY_PASSED, T0, 0};
	int writes = 0;
	for (int64_t now = T0; now < T0 + LIFETIME; now += 60)
		writes += grey_triplet_step(&rec, &usual, true, now).write;
	ck_assert_int_eq(writes, 31);
}

END_TEST

START_TEST(three_passes_an_hour_apart_allow)
{
	struct grey_rules rules = allowing_after(3);
	struct grey_record rec = {GREY_ABSENT, 0, 0};
	static const int64_t at[] = {0, 1800, 3600, 5400, 7199, 7200};
	static const bool allowed[] = {false, false, false, false, false, true};
	for (size_t i = 0; i < COUNT_OF(at); i++) {
		bool write;
		grey_identity_count(&rec, &rules, T0 + at[i]);
		ck_assert_msg(grey_identity_allowed(&rec, &rules, T0 + at[i], &write) ==
		                      allowed[i],
		              "after %lld s", (long long)at[i]);
	}
}

END_TEST

/* A retry every second second passes after the delay, whatever was tried before. */
START_TEST(early_tries_do_not_put_off_the_pass)
{
	struct grey_record rec = {GREY_ABSENT, 0, 0};
	for (int64_t t = 0; t < DELAY; t += 2) {
		struct grey_result got = grey_triplet_step(&rec, &usual, true, T0 + t);
		ck_assert_int_eq(got.answer, t == 0 ? GREY_IS_NEW : GREY_IS_EARLY);
		ck_assert_int_eq(got.wait_s, DELAY - t);
	}
	ck_assert_int_eq(grey_triplet_step(&rec, &usual, true, T0 + DELAY).answer,
	                 GREY_IS_PASSED_NOW);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, a_triplet_is_judged, 0, COUNT_OF(triplet_rows));
	tcase_add_loop_test(tcase, a_session_is_told_once, 0, COUNT_OF(mark_rows));
	tcase_add_loop_test(tcase, the_operator_releases, 0, COUNT_OF(release_rows));
	tcase_add_test(tcase, a_mark_is_no_pass);
	tcase_add_loop_test(tcase, an_identity_is_allowed, 0, COUNT_OF(allowed_rows));
	tcase_add_loop_test(tcase, a_pass_is_counted, 0, COUNT_OF(count_rows));
	tcase_add_loop_test(tcase, a_record_expires, 0, COUNT_OF(expired_rows));
	tcase_add_test(tcase, expiry_agrees_with_the_steps);
	tcase_add_test(tcase, use_keeps_a_triplet_known);
	tcase_add_test(tcase, steady_use_is_written_32_times_a_life);
	tcase_add_test(tcase, three_passes_an_hour_apart_allow);
	tcase_add_test(tcase, early_tries_do_not_put_off_the_pass);
}

int
main(void)
{
	return harness_run("grey", fill);
}
