/* test_store_faults.c - what both stores do with bad records, impatience and haste. */
#include <stddef.h>

#include "both_stores.h"
#include "harness.h"
#include "store/record.h"

#define T0       FIXTURE_T0_S
#define DAY      86400
#define MANY     200
#define TOO_MANY 17000

static const struct grey_rules rules = {180, DAY, 35 * DAY, 1};
static const struct grey_rules never = {180, DAY, 35 * DAY, 0};

/* Every test of this file runs once for each store; _i is its enum conf_backend. */
static void
open_fresh(struct store_fixture *fixture, int backend, const char *const *settings)
{
	struct store_place place = place_on(backend);
	fixture_open(fixture, &place, settings);
}

static int64_t
packed(int version, int state)
{
	return (int64_t)version << 49 | (int64_t)state << 46 | T0 << 12 | 1;
}

/* clang-format off */
static const struct bad_record {
	const char *row;
	char kind; /* which key it stands under */
	int version, state;
} bad_records[] = {
	{"a triplet of version 0", 't', 0, GREY_PASSED},
	{"a triplet of version 2", 't', 2, GREY_PASSED},
	{"a triplet of version 15", 't', 15, GREY_WAITING},
	{"a triplet of no state", 't', RECORD_VERSION, GREY_ABSENT},
	{"a triplet of an unknown state", 't', RECORD_VERSION, 4},
	{"an identity under a triplet's key", 't', RECORD_VERSION, GREY_IDENTITY},
	{"an identity of version 0", 'i', 0, GREY_IDENTITY},
	{"an identity of version 2", 'i', 2, GREY_IDENTITY},
	{"an identity of an unknown state", 'i', RECORD_VERSION, 7},
};

/* clang-format on */

/* A record that is not understood is no record to guess at; others do not suffer. */
static void
meet_bad_record(const struct bad_record *bad, int backend)
{
	struct store_fixture fixture;
	open_fresh(&fixture, backend, NULL);
	struct ask poisoned = fixture_ask(1, 1, &rules, T0 + 200);
	struct ask waiting = fixture_ask(2, 1, &rules, T0);
	struct ask fresh = fixture_ask(3, 1, &rules, T0 + 200);
	place_plant(&fixture.place, bad->kind,
	            bad->kind == 'i' ? &poisoned.identity : &poisoned.triplet,
	            packed(bad->version, bad->state));
	ask_wants(&fixture, bad->row, &waiting, STORE_OK, GREY_IS_NEW);
	ask_wants(&fixture, bad->row, &poisoned, STORE_BAD_RECORD, GREY_IS_NEW);
	waiting.now_s = T0 + 200;
	struct question together[] = {{.ask = poisoned},
	                              {.ask = waiting},
	                              {.ask = fresh}};
	ask_all(&fixture, together, COUNT_OF(together));
	answer_is(bad->row, &together[0].answer, STORE_BAD_RECORD, GREY_IS_NEW);
	answer_is(bad->row, &together[1].answer, STORE_OK, GREY_IS_PASSED_NOW);
	answer_is(bad->row, &together[2].answer, STORE_OK, GREY_IS_NEW);
	ask_wants(&fixture, "what passed beside it", &waiting, STORE_OK,
	          GREY_IS_CLIENT_ALLOWED);
	ask_wants(&fixture, "what was new beside it", &fresh, STORE_OK, GREY_IS_EARLY);
	fixture_close(&fixture);
}

START_TEST(a_bad_record_is_not_guessed_at)
{
	for (size_t i = 0; i < COUNT_OF(bad_records); i++)
		meet_bad_record(&bad_records[i], _i);
}

END_TEST

/* One client's broken record must not put all others under the failure rule. */
START_TEST(a_bad_record_does_not_open_the_breaker)
{
	struct store_fixture fixture;
	open_fresh(&fixture, _i, NULL);
	struct ask poisoned = fixture_ask(1, 1, &never, T0);
	struct ask other = fixture_ask(2, 1, &never, T0);
	place_plant(&fixture.place, 't', &poisoned.triplet, packed(2, GREY_PASSED));
	for (int i = 0; i < 20; i++)
		ask_and_wait(&fixture, &poisoned);
	ask_wants(&fixture, "another triplet", &other, STORE_OK, GREY_IS_NEW);
	fixture_close(&fixture);
}

END_TEST

START_TEST(the_abandoned_are_not_told)
{
	struct store_fixture fixture;
	static struct question questions[MANY];
	open_fresh(&fixture, _i, NULL);
	fixture_run_ms(&fixture, 0);
	for (unsigned i = 0; i < MANY; i++) {
		questions[i] = (struct question){.ask = fixture_ask(i, 1, &never, T0)};
		ask_begin(&fixture, &questions[i]);
	}
	for (size_t i = 0; i < MANY; i += 2) {
		store_abandon(&questions[i].job);
		ck_assert_ptr_null(questions[i].job);
		fixture.unanswered--;
	}
	store_abandon(&questions[0].job); /* twice is fine */
	ask_finish(&fixture);
	for (size_t i = 0; i < MANY; i++)
		ck_assert_uint_eq(questions[i].answers, i % 2);
	struct ask ask = fixture_ask(0, 1, &never, T0 + 180);
	ask_wants(&fixture, "an abandoned try counts as a try", &ask, STORE_OK,
	          GREY_IS_PASSED_NOW);
	fixture_close(&fixture);
}

END_TEST

/* Closes after so many turns of the loop, with questions in every stage. */
static void
close_after_turns(int backend, int turns)
{
	struct store_fixture fixture;
	static struct question questions[MANY];
	open_fresh(&fixture, backend, NULL);
	fixture_run_ms(&fixture, 0);
	for (unsigned i = 0; i < MANY; i++) {
		questions[i] = (struct question){.ask = fixture_ask(i, 1, &rules, T0)};
		ask_begin(&fixture, &questions[i]);
		if (i % 50 == 49 && turns-- > 0)
			fixture_run_ms(&fixture, 0);
	}
	unsigned before = 0, after = 0;
	for (size_t i = 0; i < MANY; i++)
		before += questions[i].answers;
	fixture_close(&fixture);
	for (size_t i = 0; i < MANY; i++)
		after += questions[i].answers;
	ck_assert_msg(before == after, "%u answers came while closing", after - before);
}

START_TEST(closing_tells_nobody)
{
	for (int turns = 0; turns < 5; turns++)
		close_after_turns(_i, turns);
}

END_TEST

/* Asks again from within each answer. */
struct chain {
	struct store_fixture *fixture;
	struct ask ask;
	struct store_job *job, *other;
	int left;
};

static void on_link(void *arg, const struct answer *answer);

static void
on_unwanted(void *arg, const struct answer *answer)
{
	(void)answer;
	struct chain *chain = arg;
	chain->left = -1;
	loop_stop(chain->fixture->loop);
}

static void
ask_link(struct chain *chain)
{
	struct store *store = chain->fixture->store;
	chain->ask.triplet = fixture_key('t', (unsigned)chain->left);
	chain->job = store_ask(store, &chain->ask, INT64_MAX, on_link, chain);
	chain->other = store_ask(store, &chain->ask, INT64_MAX, on_unwanted, chain);
	store_abandon(&chain->other);
}

static void
on_link(void *arg, const struct answer *answer)
{
	struct chain *chain = arg;
	if (answer->status != STORE_OK || --chain->left == 0)
		loop_stop(chain->fixture->loop);
	else
		ask_link(chain);
}

START_TEST(asking_from_an_answer_is_fine)
{
	struct store_fixture fixture;
	open_fresh(&fixture, _i, NULL);
	struct chain chain = {.fixture = &fixture,
	                      .ask = fixture_ask(1, 1, &never, T0),
	                      .left = 100};
	fixture_run_ms(&fixture, 0);
	ask_link(&chain);
	fixture_run_ms(&fixture, FIXTURE_PATIENCE_MS);
	ck_assert_int_eq(chain.left, 0);
	fixture_close(&fixture);
}

END_TEST

START_TEST(too_many_at_once_are_refused)
{
	static const char *const settings[] = {"store.deadline=10s", NULL};
	static struct question questions[TOO_MANY];
	struct store_fixture fixture;
	unsigned seen[STORE_STATUSES] = {0};
	open_fresh(&fixture, _i, settings);
	for (unsigned i = 0; i < TOO_MANY; i++)
		questions[i] = (struct question){.ask = fixture_ask(i, 1, &never, T0)};
	ask_all(&fixture, questions, TOO_MANY);
	for (size_t i = 0; i < TOO_MANY; i++) {
		ck_assert_uint_eq(questions[i].answers, 1);
		seen[questions[i].answer.status]++;
	}
	ck_assert_uint_gt(seen[STORE_OK], 0);
	ck_assert_uint_gt(seen[STORE_OVERLOADED], 0);
	ck_assert_uint_eq(seen[STORE_OK] + seen[STORE_OVERLOADED], TOO_MANY);
	struct ask ask = fixture_ask(0, 2, &never, T0);
	ask_wants(&fixture, "the next question", &ask, STORE_OK, GREY_IS_NEW);
	fixture_close(&fixture);
}

END_TEST

/* The store's own clock is used when the question brings none. */
START_TEST(without_a_test_clock_the_store_has_its_own)
{
	static const struct grey_rules quick = {1, 3600, 7200, 1};
	struct store_fixture fixture;
	open_fresh(&fixture, _i, NULL);
	struct ask ask = fixture_ask(1, 1, &quick, 0);
	ask_wants(&fixture, "a first try", &ask, STORE_OK, GREY_IS_NEW);
	ask_wants(&fixture, "a retry at once", &ask, STORE_OK, GREY_IS_EARLY);
	fixture_run_ms(&fixture, 1500);
	struct answer got = ask_and_wait(&fixture, &ask);
	answer_is("a retry", &got, STORE_OK, GREY_IS_PASSED_NOW);
	ck_assert_int_ge(got.grey.delayed_s, 1);
	ck_assert_int_le(got.grey.delayed_s, 60);
	ask_wants(&fixture, "the next", &ask, STORE_OK, GREY_IS_CLIENT_ALLOWED);
	fixture_close(&fixture);
}

END_TEST

/* Two daemons on one store: the same secret, and what one lets wait the other lets pass. */
START_TEST(two_daemons_are_one)
{
	struct store_place place = place_on(_i);
	struct store_fixture one, two;
	struct err err;
	ck_assert_msg(fixture_try_open(&one, &place, NULL, &err), "%s", err.text);
	ck_assert_msg(fixture_try_open(&two, &place, NULL, &err), "%s", err.text);
	ck_assert(fixture_wait_up(&two, true, FIXTURE_PATIENCE_MS));
	ck_assert(fixture_wait_up(&one, true, FIXTURE_PATIENCE_MS));
	ck_assert_mem_eq(store_secret(one.store), store_secret(two.store),
	                 sizeof(struct key_secret));
	struct ask ask = fixture_ask(1, 1, &rules, T0);
	ask_wants(&one, "a first try at one", &ask, STORE_OK, GREY_IS_NEW);
	ask.now_s = T0 + 100;
	ask_wants(&two, "a retry at the other", &ask, STORE_OK, GREY_IS_EARLY);
	ask.now_s = T0 + 180;
	ask_wants(&two, "one more there", &ask, STORE_OK, GREY_IS_PASSED_NOW);
	ask_wants(&one, "then at the first", &ask, STORE_OK, GREY_IS_CLIENT_ALLOWED);
	fixture_close(&one);
	fixture_close(&two);
}

END_TEST

/* The secret outlives the daemon, or all that is stored would be lost at a restart. */
START_TEST(the_secret_stays)
{
	struct store_place place = place_on(_i);
	struct store_fixture fixture;
	fixture_open(&fixture, &place, NULL);
	struct key_secret before = *store_secret(fixture.store);
	struct ask ask = fixture_ask(1, 1, &rules, T0);
	ask_wants(&fixture, "a first try", &ask, STORE_OK, GREY_IS_NEW);
	fixture_close(&fixture);
	fixture_open(&fixture, &place, NULL);
	ck_assert_mem_eq(store_secret(fixture.store), &before, sizeof(before));
	ask_wants(&fixture, "a retry", &ask, STORE_OK, GREY_IS_EARLY);
	fixture_close(&fixture);
}

END_TEST

static void
fill(TCase *tcase)
{
	int end = both_stores(tcase);
	tcase_add_loop_test(tcase, a_bad_record_is_not_guessed_at, 0, end);
	tcase_add_loop_test(tcase, a_bad_record_does_not_open_the_breaker, 0, end);
	tcase_add_loop_test(tcase, the_abandoned_are_not_told, 0, end);
	tcase_add_loop_test(tcase, closing_tells_nobody, 0, end);
	tcase_add_loop_test(tcase, asking_from_an_answer_is_fine, 0, end);
	tcase_add_loop_test(tcase, too_many_at_once_are_refused, 0, end);
	tcase_add_loop_test(tcase, without_a_test_clock_the_store_has_its_own, 0, end);
	tcase_add_loop_test(tcase, two_daemons_are_one, 0, end);
	tcase_add_loop_test(tcase, the_secret_stays, 0, end);
}

int
main(void)
{
	return harness_run("store faults", fill);
}
