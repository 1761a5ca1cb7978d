/*
 * test_sqlite_processes.c - the embedded store beside other processes: one that holds the lock, one
 * that dies while it writes.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "child.h"
#include "harness.h"

#define T0          FIXTURE_T0_S
#define DAY         86400
#define DEADLINE_MS 500
#define BATCH       200
#define NUMBERS_MAX 100000

static const struct grey_rules never = {180, DAY, 35 * DAY, 0};

static void
hold_the_lock(const struct store_place *place, int from, int to)
{
	static const char *const steps[] = {"BEGIN IMMEDIATE", "COMMIT", NULL};
	run_steps(place, from, to, steps);
}

static void
within_two_deadlines(const struct question *question)
{
	ck_assert_uint_eq(question->answers, 1);
	ck_assert_msg(question->took_ms < 2 * DEADLINE_MS, "an answer took %lld ms",
	              (long long)question->took_ms);
}

/* Another process holds the write lock and hangs: what needs no writing is answered. */
START_TEST(another_process_holds_the_lock)
{
	static const char *const settings[] = {"store.deadline=500ms", NULL};
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct child child = start_child(hold_the_lock, &place);
	struct store_fixture fixture;
	fixture_open(&fixture, &place, settings);
	struct ask known = fixture_ask(1, 1, &never, T0);
	struct ask waiting = fixture_ask(2, 1, &never, T0);
	ask_wants(&fixture, "known", &known, STORE_OK, GREY_IS_NEW);
	ask_wants(&fixture, "waiting", &waiting, STORE_OK, GREY_IS_NEW);
	known.now_s = T0 + 180;
	ask_wants(&fixture, "known", &known, STORE_OK, GREY_IS_PASSED_NOW);

	step_child(&child);
	struct question questions[] = {
		{.ask = known},
		{.ask = waiting},
		{.ask = fixture_ask(3, 1, &never, T0)},
	};
	ask_wants(&fixture, "locked: known", &known, STORE_OK, GREY_IS_KNOWN);
	ask_all(&fixture, questions, COUNT_OF(questions));
	answer_is("locked: known with others", &questions[0].answer, STORE_OK,
	          GREY_IS_KNOWN);
	answer_is("locked: early", &questions[1].answer, STORE_OK, GREY_IS_EARLY);
	answer_is("locked: new", &questions[2].answer, STORE_FAILED, GREY_IS_NEW);
	for (size_t i = 0; i < COUNT_OF(questions); i++)
		within_two_deadlines(&questions[i]);
	struct question pass = {.ask = waiting};
	pass.ask.now_s = T0 + 180;
	ask_all(&fixture, &pass, 1);
	answer_is("locked: a pass", &pass.answer, STORE_OK, GREY_IS_PASSED_NOW);
	within_two_deadlines(&pass);

	step_child(&child);
	ask_wants(&fixture, "free: new", &questions[2].ask, STORE_OK, GREY_IS_NEW);
	ask_wants(&fixture, "free: a pass", &pass.ask, STORE_OK, GREY_IS_PASSED_NOW);
	fixture_close(&fixture);
	kill_child(&child);
}

END_TEST

/* The lock is held when the daemon starts, and its holder dies. */
START_TEST(locked_at_the_start)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct child child = start_child(hold_the_lock, &place);
	struct store_fixture fixture;
	struct err err = {0};
	fixture_open(&fixture, &place, NULL);
	fixture_close(&fixture);
	step_child(&child);
	ck_assert_msg(fixture_try_open(&fixture, &place, NULL, &err), "%s", err.text);
	struct ask ask = fixture_ask(1000, 1, &never, T0);
	struct answer got = ask_and_wait(&fixture, &ask);
	ck_assert_int_ne(got.status, STORE_OK);
	kill_child(&child);
	ck_assert(fixture_wait_up(&fixture, true, FIXTURE_PATIENCE_MS));
	ask_wants(&fixture, "its holder is dead", &ask, STORE_OK, GREY_IS_NEW);
	fixture_close(&fixture);
}

END_TEST

/* In the child, without Check: passes triplets one after the other, and says which. */
struct writer {
	struct loop *loop;
	struct store *store;
	struct ask ask;
	uint32_t number;
	int to;
};

static void on_written(void *arg, const struct answer *answer);

static void
ask_writer(struct writer *writer, int64_t now_s)
{
	writer->ask.triplet = fixture_key('t', writer->number);
	writer->ask.now_s = now_s;
	store_ask(writer->store, &writer->ask, INT64_MAX, on_written, writer);
}

static void
on_written(void *arg, const struct answer *answer)
{
	struct writer *writer = arg;
	if (answer->status != STORE_OK)
		_exit(1);
	if (answer->grey.answer == GREY_IS_NEW) {
		ask_writer(writer, T0 + 180);
		return;
	}
	if (write(writer->to, &writer->number, sizeof(writer->number)) < 0)
		_exit(1);
	writer->number += 16;
	ask_writer(writer, T0);
}

static void
write_until_killed(const struct store_place *place, int from, int to)
{
	static const char *const settings[] = {"store.deadline=10s", NULL};
	static struct writer writers[16];
	struct err err;
	struct conf *conf = place_conf(place, NULL, settings, &err);
	struct loop *loop = loop_new();
	struct store *store = store_open(loop, conf, "", &err);
	(void)from;
	for (uint32_t i = 0; i < COUNT_OF(writers); i++) {
		writers[i] = (struct writer){.loop = loop,
		                             .store = store,
		                             .ask = fixture_ask(1, 1, &never, T0),
		                             .number = i,
		                             .to = to};
		ask_writer(&writers[i], T0);
	}
	loop_run(loop);
}

/* Reads what the child says until so much came, kills it, and reads what it still had said. */
static size_t
read_numbers(struct child *child, uint32_t *numbers, size_t enough)
{
	size_t got = 0;
	ssize_t n = 1;
	bool alive = true;
	while (n > 0 && got < NUMBERS_MAX * sizeof(*numbers)) {
		if (alive && got >= enough * sizeof(*numbers)) {
			kill(child->pid, SIGKILL);
			alive = false;
		}
		n = read(child->from, (char *)numbers + got,
		         NUMBERS_MAX * sizeof(*numbers) - got);
		got += n > 0 ? (size_t)n : 0;
	}
	return got / sizeof(*numbers);
}

static void
kill_after(size_t enough)
{
	static uint32_t numbers[NUMBERS_MAX];
	static struct question questions[BATCH];
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct child child = start_child(write_until_killed, &place);
	size_t n = read_numbers(&child, numbers, enough);
	kill_child(&child);
	ck_assert_uint_ge(n, enough);
	struct store_fixture fixture;
	fixture_open(&fixture, &place, NULL);
	for (size_t from = 0; from < n; from += BATCH) {
		size_t count = n - from < BATCH ? n - from : BATCH;
		for (size_t i = 0; i < count; i++) {
			questions[i] = (struct question){
				.ask = fixture_ask(1, 1, &never, T0 + 181)};
			questions[i].ask.triplet = fixture_key('t', numbers[from + i]);
		}
		ask_all(&fixture, questions, count);
		for (size_t i = 0; i < count; i++)
			answer_is("told as passed before the death", &questions[i].answer,
			          STORE_OK, GREY_IS_KNOWN);
	}
	fixture_close(&fixture);
	ck_assert_int_eq(place_sql(&place, "SELECT count(*) FROM pragma_quick_check "
	                                   "WHERE quick_check = 'ok'"),
	                 1);
}

START_TEST(killed_while_it_writes)
{
	static const size_t after[] = {1, 100, 1000, 5000};
	kill_after(after[_i]);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, another_process_holds_the_lock);
	tcase_add_test(tcase, locked_at_the_start);
	tcase_add_loop_test(tcase, killed_while_it_writes, 0, 4);
}

int
main(void)
{
	return harness_run("sqlite processes", fill);
}
