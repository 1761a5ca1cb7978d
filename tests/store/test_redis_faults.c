/*
 * test_redis_faults.c - a real Redis that dies, hangs, forgets, refuses; and what weir leaves in it.
 *
 * Each test has a server of its own.  Times are bounded by twice the deadline, which is long
 * enough for a loaded machine to show the difference.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "harness.h"
#include "store/breaker.h"
#include "store_fixture.h"

#define T0          FIXTURE_T0_S
#define DAY         86400
#define LIFE        (35 * DAY)
#define DEADLINE_MS 500
#define MANY        200

static const struct grey_rules rules = {180, DAY, LIFE, 1};
static const struct grey_rules never = {180, DAY, LIFE, 0};

static const char *const usual[] = {"store.deadline=500ms", NULL};
static const char *const patient[] = {"store.deadline=10s", NULL};

static void
start_with(struct redis_server *server, struct store_fixture *fixture,
           const char *const *settings)
{
	redis_server_start(server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, server);
	fixture_open(fixture, &place, settings);
}

static void
start(struct redis_server *server, struct store_fixture *fixture)
{
	start_with(server, fixture, usual);
}

/* Where a question that takes its time tells nothing. */
static void
start_patient(struct redis_server *server, struct store_fixture *fixture)
{
	start_with(server, fixture, patient);
}

static void
end(struct redis_server *server, struct store_fixture *fixture)
{
	fixture_close(fixture);
	redis_server_kill(server);
}

static void
ask_many_without_waiting(struct store_fixture *fixture, struct question *questions)
{
	fixture_run_ms(fixture, 0);
	for (unsigned i = 0; i < MANY; i++) {
		questions[i] = (struct question){.ask = fixture_ask(i, 1, &rules, T0)};
		ask_begin(fixture, &questions[i]);
	}
	fixture_run_ms(fixture, 0); /* they are sent */
}

static void
within_two_deadlines(const struct question *question)
{
	ck_assert_uint_eq(question->answers, 1);
	ck_assert_msg(question->took_ms < 2 * DEADLINE_MS, "an answer took %lld ms",
	              (long long)question->took_ms);
}

/* Asks until the answer is good: the breaker lets a question through now and then. */
static void
ask_until_it_works(struct store_fixture *fixture, const struct ask *ask,
                   enum grey_answer want)
{
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	struct answer got = ask_and_wait(fixture, ask);
	while (got.status != STORE_OK && clock_mono_ms() < give_up_ms) {
		fixture_run_ms(fixture, 20);
		got = ask_and_wait(fixture, ask);
	}
	answer_is("after the trouble", &got, STORE_OK, want);
}

START_TEST(killed_with_questions_under_way)
{
	struct redis_server server;
	struct store_fixture fixture;
	static struct question questions[MANY];
	start(&server, &fixture);
	redis_server_pause(&server); /* so that none is answered */
	ask_many_without_waiting(&fixture, questions);
	redis_server_kill(&server);
	ask_finish(&fixture);
	for (size_t i = 0; i < MANY; i++) {
		within_two_deadlines(&questions[i]);
		ck_assert(questions[i].answer.status == STORE_DOWN ||
		          questions[i].answer.status == STORE_TIMEOUT);
	}
	struct question dead = {.ask = fixture_ask(1, 1, &rules, T0)};
	ask_all(&fixture, &dead, 1);
	answer_is("while it is dead", &dead.answer, STORE_DOWN, GREY_IS_NEW);
	ck_assert_int_lt(dead.took_ms, DEADLINE_MS);

	redis_server_start_again(&server);
	ask_until_it_works(&fixture, &dead.ask, GREY_IS_NEW);
	ask_wants(&fixture, "a retry", &dead.ask, STORE_OK, GREY_IS_EARLY);
	end(&server, &fixture);
}

END_TEST

START_TEST(killed_at_any_moment)
{
	struct redis_server server;
	struct store_fixture fixture;
	static struct question questions[MANY];
	start(&server, &fixture);
	for (int round = 0; round < 5; round++) {
		ask_many_without_waiting(&fixture, questions);
		for (int turn = 0; turn < round; turn++)
			fixture_run_ms(&fixture, 0);
		redis_server_kill(&server);
		ask_finish(&fixture);
		for (size_t i = 0; i < MANY; i++)
			within_two_deadlines(&questions[i]);
		redis_server_start_again(&server);
		struct ask ask = fixture_ask(MANY, 1, &rules, T0);
		ask_until_it_works(&fixture, &ask, GREY_IS_NEW);
	}
	end(&server, &fixture);
}

END_TEST

START_TEST(not_there_at_the_start)
{
	struct redis_server server;
	struct store_fixture fixture;
	struct err err;
	redis_server_start(&server, NULL);
	redis_server_kill(&server);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	ck_assert(fixture_try_open(&fixture, &place, usual, &err));
	ck_assert(!fixture_wait_up(&fixture, true, 200));
	ck_assert_ptr_null(store_secret(fixture.store));
	struct ask ask = fixture_ask(1, 1, &rules, T0);
	ask_wants(&fixture, "before it is there", &ask, STORE_DOWN, GREY_IS_NEW);
	redis_server_start_again(&server);
	ck_assert(fixture_wait_up(&fixture, true, FIXTURE_PATIENCE_MS));
	ck_assert_ptr_nonnull(store_secret(fixture.store));
	ask_wants(&fixture, "when it is", &ask, STORE_OK, GREY_IS_NEW);
	end(&server, &fixture);
}

END_TEST

/* ---- while a connection is being made ---- */

static struct ask
limits_ask_of(const char *holder, const char *uses)
{
	struct ask ask = {.kind = ASK_LIMITS};
	struct limits_ask *limits = &ask.limits;
	snprintf(limits->holder, sizeof(limits->holder), "%s", holder);
	limits->ttl_ms = 10000;
	limits->ttl_max_ms = 100000;
	fixture_uses(uses, limits);
	limits->note = fixture_key('n', 1);
	return ask;
}

START_TEST(asked_before_it_was_connected)
{
	struct redis_server server;
	struct store_fixture fixture;
	struct err err;
	static struct question questions[MANY];
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	ck_assert(fixture_try_open(&fixture, &place, patient, &err));
	for (unsigned i = 0; i < MANY; i++)
		questions[i].ask = fixture_ask(i, 1, &rules, T0);
	questions[1].ask = limits_ask_of("m/x", "Dl1 Dr5/60");
	ask_all(&fixture, questions, MANY);
	for (size_t i = 0; i < MANY; i++)
		ck_assert_msg(questions[i].answer.status == STORE_OK, "%zu: store %s", i,
		              store_status_word(questions[i].answer.status));
	ck_assert(questions[1].answer.limits.granted);
	end(&server, &fixture);
}

END_TEST

static void
note_awaited(void *arg, const struct answer *answer)
{
	struct question *question = arg;
	question->answer = *answer;
	question->answers++;
	if (--question->fixture->unanswered == 0)
		loop_stop(question->fixture->loop);
}

static void
await_once(struct store_fixture *fixture, struct question *question)
{
	*question = (struct question){.fixture = fixture};
	fixture->unanswered++;
	store_await(fixture->store, INT64_MAX, note_awaited, question);
	ask_finish(fixture);
	ck_assert_uint_eq(question->answers, 1);
}

START_TEST(the_secret_is_awaited)
{
	struct redis_server server;
	struct store_fixture fixture;
	struct question question;
	struct err err;
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	ck_assert(fixture_try_open(&fixture, &place, patient, &err));
	ck_assert_ptr_null(store_secret(fixture.store));
	await_once(&fixture, &question);
	ck_assert_int_eq(question.answer.status, STORE_OK);
	ck_assert_ptr_nonnull(store_secret(fixture.store));
	await_once(&fixture, &question);
	ck_assert_int_eq(question.answer.status, STORE_OK);
	redis_server_kill(&server);
	ck_assert(fixture_wait_up(&fixture, false, FIXTURE_PATIENCE_MS));
	fixture_run_ms(&fixture, 20); /* the attempt that follows at once has failed */
	await_once(&fixture, &question);
	ck_assert_int_eq(question.answer.status, STORE_DOWN);
	end(&server, &fixture);
}

END_TEST

/* Each loss takes what is under way with it, and what is asked before there is a connection again. */
START_TEST(killed_connections_cost_nothing)
{
	struct redis_server server;
	struct store_fixture fixture;
	static struct question questions[MANY], later[MANY];
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	fixture_open(&fixture, &place, patient);
	redisContext *redis = redis_server_connect(&server);
	for (unsigned round = 0; round < 8; round++) {
		for (unsigned i = 0; i < MANY; i++) {
			questions[i].ask = fixture_ask(round * MANY + i, 1, &rules, T0);
			later[i].ask = fixture_ask(round * MANY + i, 2, &rules, T0);
			ask_begin(&fixture, &questions[i]);
		}
		freeReplyObject(
			redisCommand(redis, "CLIENT KILL TYPE normal SKIPME yes"));
		fixture_run_ms(&fixture, 0);
		for (unsigned i = 0; i < MANY; i++)
			ask_begin(&fixture, &later[i]);
		ask_finish(&fixture);
		for (size_t i = 0; i < MANY; i++) {
			ck_assert_int_eq(questions[i].answer.status, STORE_OK);
			ck_assert_int_eq(later[i].answer.status, STORE_OK);
		}
		ck_assert(!store_breaker_is_open(fixture.store));
	}
	redisFree(redis);
	end(&server, &fixture);
}

END_TEST

/*
 * Redis hangs, so that nobody knows whether it has them; then it kills the connection.  The slot is
 * asked for again, and is one; the token is not: it might be taken twice.
 */
START_TEST(lost_questions_about_limits)
{
	struct redis_server server;
	struct store_fixture fixture;
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	fixture_open(&fixture, &place, patient);
	redisContext *redis = redis_server_connect(&server);
	struct question slot = {.ask = limits_ask_of("m/x", "Dl1")};
	struct question token = {.ask = limits_ask_of("m/y", "Cr5/60")};
	redis_server_pause(&server);
	ask_begin(&fixture, &slot);
	ask_begin(&fixture, &token);
	fixture_run_ms(&fixture, 0);
	redisAppendCommand(redis, "CLIENT KILL TYPE normal SKIPME yes");
	int done = 0;
	while (!done)
		ck_assert_int_eq(redisBufferWrite(redis, &done), REDIS_OK);
	redis_server_resume(&server);
	ask_finish(&fixture);
	redisFree(redis);
	ck_assert_int_eq(slot.answer.status, STORE_OK);
	ck_assert(slot.answer.limits.granted);
	ck_assert_int_eq(slot.answer.limits.taken, 1);
	/* Redis may have answered both before it came to the command that kills. */
	ck_assert(token.answer.status == STORE_DOWN || token.answer.status == STORE_OK);
	end(&server, &fixture);
}

END_TEST

/* One that accepts and says nothing is waited for once, not by each. */
START_TEST(a_handshake_that_hangs)
{
	struct redis_server server;
	struct store_fixture fixture;
	struct err err;
	redis_server_start(&server, NULL);
	redis_server_pause(&server);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	ck_assert(fixture_try_open(&fixture, &place, usual, &err));
	struct question first = {.ask = fixture_ask(1, 1, &rules, T0)}, second = first;
	ask_all(&fixture, &first, 1);
	ck_assert_int_eq(first.answer.status, STORE_TIMEOUT);
	within_two_deadlines(&first);
	ask_all(&fixture, &second, 1);
	ck_assert_int_eq(second.answer.status, STORE_DOWN);
	redis_server_resume(&server);
	ask_until_it_works(&fixture, &second.ask, GREY_IS_NEW);
	end(&server, &fixture);
}

END_TEST

START_TEST(stopped_and_continued)
{
	struct redis_server server;
	struct store_fixture fixture;
	struct question questions[3];
	start(&server, &fixture);
	redis_server_pause(&server);
	for (unsigned i = 0; i < COUNT_OF(questions); i++)
		questions[i] = (struct question){.ask = fixture_ask(i, 1, &rules, T0)};
	ask_all(&fixture, questions, COUNT_OF(questions));
	for (size_t i = 0; i < COUNT_OF(questions); i++) {
		answer_is("a server that hangs", &questions[i].answer, STORE_TIMEOUT,
		          GREY_IS_NEW);
		within_two_deadlines(&questions[i]);
		ck_assert_int_ge(questions[i].took_ms, DEADLINE_MS - 50);
	}
	ck_assert(store_is_up(fixture.store)); /* one stall is one time-out */
	struct question next = {.ask = questions[0].ask};
	ask_all(&fixture, &next, 1);
	answer_is("behind those", &next.answer, STORE_TIMEOUT, GREY_IS_NEW);
	ck_assert_int_lt(next.took_ms, DEADLINE_MS / 2);
	while (store_is_up(fixture.store)) { /* until the stall has lasted */
		fixture_run_ms(&fixture, DEADLINE_MS / 10);
		ask_all(&fixture, &next, 1);
	}
	ask_all(&fixture, &next, 1);
	answer_is("the breaker is open", &next.answer, STORE_DOWN, GREY_IS_NEW);
	ck_assert_int_lt(next.took_ms, DEADLINE_MS / 2);

	redis_server_resume(&server);
	next.ask = fixture_ask(9, 1, &rules, T0);
	ask_until_it_works(&fixture, &next.ask, GREY_IS_NEW);
	ck_assert(store_is_up(fixture.store));
	end(&server, &fixture);
}

END_TEST

START_TEST(up_again_while_no_mail_comes)
{
	struct redis_server server;
	struct store_fixture fixture;
	start_patient(&server, &fixture);
	redis_server_do(&server, "CONFIG SET min-replicas-to-write 1");
	for (unsigned i = 0; i < BREAKER_ERRORS; i++) {
		struct ask refused = fixture_ask(1, i, &rules, T0);
		ck_assert_int_eq(ask_and_wait(&fixture, &refused).status, STORE_FAILED);
	}
	ck_assert(store_breaker_is_open(fixture.store));
	redis_server_do(&server, "CONFIG SET min-replicas-to-write 0");
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	while (!store_is_up(fixture.store) && clock_mono_ms() < give_up_ms) {
		store_tick(fixture.store);
		fixture_run_ms(&fixture, 20);
	}
	ck_assert(store_is_up(fixture.store));
	struct ask ask = fixture_ask(2, 1, &rules, T0);
	ask_wants(&fixture, "afterwards", &ask, STORE_OK, GREY_IS_NEW);
	end(&server, &fixture);
}

END_TEST

START_TEST(a_lowered_deadline_holds_at_once)
{
	static const char *const slow[] = {"store.deadline=3s", NULL};
	struct redis_server server;
	struct store_fixture fixture;
	struct err err;
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	fixture_open(&fixture, &place, slow);
	redis_server_pause(&server);
	struct question before = {.ask = fixture_ask(1, 1, &rules, T0)};
	struct question after = {.ask = fixture_ask(2, 1, &rules, T0)};
	fixture_run_ms(&fixture, 0);
	ask_begin(&fixture, &before);
	fixture_run_ms(&fixture, 10);
	struct conf *conf = place_conf(&place, NULL, usual, &err);
	store_configure(fixture.store, conf);
	ask_begin(&fixture, &after);
	ask_finish(&fixture);
	ck_assert_int_eq(after.answer.status, STORE_TIMEOUT);
	within_two_deadlines(&after);
	conf_unref(&conf);
	end(&server, &fixture);
}

END_TEST

/* Each script is lost just before it is wanted. */
START_TEST(scripts_are_flushed)
{
	struct redis_server server;
	struct store_fixture fixture;
	start_patient(&server, &fixture);
	struct ask ask = fixture_ask(1, 1, &rules, T0);
	redis_server_do(&server, "SCRIPT FLUSH");
	ask_wants(&fixture, "a first try", &ask, STORE_OK, GREY_IS_NEW);
	redis_server_do(&server, "SCRIPT FLUSH");
	ask.now_s = T0 + 180;
	ask_wants(&fixture, "a retry", &ask, STORE_OK, GREY_IS_PASSED_NOW);
	redis_server_do(&server, "SCRIPT FLUSH");
	ask.now_s = T0 + 180 + LIFE / 2;
	ask_wants(&fixture, "half a lifetime on", &ask, STORE_OK, GREY_IS_CLIENT_ALLOWED);
	ask.now_s = T0 + 180 + LIFE / 2 + LIFE;
	ask_wants(&fixture, "its use was written", &ask, STORE_OK,
	          GREY_IS_CLIENT_ALLOWED);

	static struct question questions[MANY];
	redis_server_do(&server, "SCRIPT FLUSH");
	for (unsigned i = 0; i < MANY; i++)
		questions[i] =
			(struct question){.ask = fixture_ask(10 + i, 1, &never, T0)};
	ask_all(&fixture, questions, MANY);
	for (size_t i = 0; i < MANY; i++)
		answer_is("many at once", &questions[i].answer, STORE_OK, GREY_IS_NEW);
	end(&server, &fixture);
}

END_TEST

/* Runs "COMMAND key WORDS" on the key of the store. */
static void
do_to_key(const struct store_place *place, const char *command, char kind,
          const struct key *key, const char *words)
{
	char text[512];
	struct text line = TEXT(text);
	text_printf(&line, "%s ", command);
	place_key_name(place, kind, key, &line);
	text_printf(&line, " %s", words);
	redis_server_do(place->server, text);
}

/* What another program may have put under our names. */
START_TEST(keys_that_are_not_ours)
{
	struct redis_server server;
	struct store_fixture fixture;
	start_patient(&server, &fixture);
	struct ask list = fixture_ask(1, 1, &rules, T0);
	struct ask set = fixture_ask(2, 1, &rules, T0);
	struct ask text = fixture_ask(3, 1, &rules, T0);
	struct ask good = fixture_ask(4, 1, &rules, T0);
	do_to_key(&fixture.place, "RPUSH", 't', &list.triplet, "x");
	do_to_key(&fixture.place, "SADD", 'i', &set.identity, "x");
	do_to_key(&fixture.place, "SET", 't', &text.triplet, "abc");
	struct question questions[] = {{.ask = list},
	                               {.ask = set},
	                               {.ask = text},
	                               {.ask = good}};
	ask_all(&fixture, questions, COUNT_OF(questions));
	answer_is("a list", &questions[0].answer, STORE_BAD_RECORD, GREY_IS_NEW);
	answer_is("a set", &questions[1].answer, STORE_BAD_RECORD, GREY_IS_NEW);
	answer_is("a text", &questions[2].answer, STORE_BAD_RECORD, GREY_IS_NEW);
	answer_is("beside them", &questions[3].answer, STORE_OK, GREY_IS_NEW);
	ask_wants(&fixture, "after them", &good, STORE_OK, GREY_IS_EARLY);
	do_to_key(&fixture.place, "DEL", 't', &list.triplet, "");
	ask_wants(&fixture, "when it is gone", &list, STORE_OK, GREY_IS_NEW);
	end(&server, &fixture);
}

END_TEST

START_TEST(passwords)
{
	static const char *const options[] = {"--requirepass", "sesame", NULL};
	struct redis_server server;
	struct store_fixture fixture;
	struct err err;
	redis_server_start(&server, options);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct ask ask = fixture_ask(1, 1, &rules, T0);

	const char *right[] = {password_setting("sesame\n"), NULL};
	fixture_open(&fixture, &place, right);
	ask_wants(&fixture, "the right password", &ask, STORE_OK, GREY_IS_NEW);
	fixture_close(&fixture);

	const char *wrong[] = {password_setting("simsim\n"), NULL};
	ck_assert(fixture_try_open(&fixture, &place, wrong, &err));
	ck_assert(!fixture_wait_up(&fixture, true, 500));
	ask_wants(&fixture, "a wrong password", &ask, STORE_DOWN, GREY_IS_NEW);
	redisContext *redis = redis_server_connect(&server);
	freeReplyObject(redisCommand(redis, "AUTH sesame"));
	freeReplyObject(redisCommand(redis, "CONFIG SET requirepass simsim"));
	redisFree(redis);
	ck_assert(fixture_wait_up(&fixture, true, FIXTURE_PATIENCE_MS));
	ask_wants(&fixture, "it has become right", &ask, STORE_OK, GREY_IS_EARLY);
	fixture_close(&fixture);

	ck_assert(fixture_try_open(&fixture, &place, NULL, &err));
	ck_assert(!fixture_wait_up(&fixture, true, 500));
	ask_wants(&fixture, "no password", &ask, STORE_DOWN, GREY_IS_NEW);
	end(&server, &fixture);
}

END_TEST

/* The rights that weir.conf(5) names are enough; one less is an error, not a hang. */
START_TEST(access_control_list)
{
	struct redis_server server;
	struct store_fixture fixture;
	redis_server_start(&server, NULL);
	struct store_place place = {.backend = BACKEND_REDIS,
	                            .server = &server,
	                            .text = "weir:"};
	redis_server_do(&server, "ACL SETUSER weir on >sesame resetkeys ~weir:* -@all "
	                         "+get +set +eval +evalsha +time +info +ping +select");
	const char *settings[] = {password_setting("sesame\n"),
	                          "store.redis.username=weir", "store.redis.db=1",
	                          "store.deadline=10s", NULL};
	fixture_open(&fixture, &place, settings);
	struct ask ask = fixture_ask(1, 1, &rules, T0);
	ask_wants(&fixture, "a first try", &ask, STORE_OK, GREY_IS_NEW);
	ask.now_s = T0 + 180;
	ask_wants(&fixture, "a retry", &ask, STORE_OK, GREY_IS_PASSED_NOW);
	ask.now_s = T0 + 180 + LIFE / 2;
	ask_wants(&fixture, "later", &ask, STORE_OK, GREY_IS_CLIENT_ALLOWED);
	ask = fixture_ask(2, 1, &rules, 0);
	ask_wants(&fixture, "by the server's clock", &ask, STORE_OK, GREY_IS_NEW);

	redis_server_do(&server, "ACL SETUSER weir -evalsha");
	ask = fixture_ask(3, 1, &rules, T0);
	ask_wants(&fixture, "a right is missing", &ask, STORE_FAILED, GREY_IS_NEW);
	end(&server, &fixture);
}

END_TEST

static void
each_key(redisContext *redis, void (*check)(redisContext *, const char *name))
{
	redisReply *keys = redisCommand(redis, "KEYS *");
	ck_assert_int_eq(keys->type, REDIS_REPLY_ARRAY);
	for (size_t i = 0; i < keys->elements; i++)
		check(redis, keys->element[i]->str);
	freeReplyObject(keys);
}

static void
has_our_prefix(redisContext *redis, const char *name)
{
	(void)redis;
	ck_assert_msg(strncmp(name, "mine/", 5) == 0, "a key named %s", name);
}

START_TEST(database_and_prefix_are_kept_to)
{
	static const char *const settings[] = {"store.redis.db=3",
	                                       "store.redis.prefix=mine/", NULL};
	struct redis_server server;
	struct store_fixture fixture;
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	fixture_open(&fixture, &place, settings);
	struct ask ask = fixture_ask(1, 1, &rules, T0);
	ask_wants(&fixture, "a first try", &ask, STORE_OK, GREY_IS_NEW);
	ask.now_s = T0 + 180;
	ask_wants(&fixture, "a retry", &ask, STORE_OK, GREY_IS_PASSED_NOW);
	ck_assert_int_eq(redis_server_do(&server, "DBSIZE"), 0);
	redisContext *redis = redis_server_connect(&server);
	freeReplyObject(redisCommand(redis, "SELECT 3"));
	redisReply *size = redisCommand(redis, "DBSIZE");
	ck_assert_int_eq(size->integer, 3); /* the secret, the triplet, the identity */
	freeReplyObject(size);
	each_key(redis, has_our_prefix);
	redisFree(redis);
	end(&server, &fixture);
}

END_TEST

static void
has_its_time(redisContext *redis, const char *name)
{
	redisReply *ttl = redisCommand(redis, "TTL %s", name);
	const char *kind = strchr(name, ':') + 1;
	if (strcmp(kind, "secret") == 0)
		ck_assert_int_eq(ttl->integer, -1);
	else
		ck_assert_msg(ttl->integer > DAY - 60 && ttl->integer <= LIFE + 60,
		              "%s lives %lld s", name, ttl->integer);
	freeReplyObject(ttl);
}

/* What is never used again goes by itself; only the secret stays for ever. */
START_TEST(every_key_has_its_time)
{
	struct redis_server server;
	struct store_fixture fixture;
	start_patient(&server, &fixture);
	struct ask waits = fixture_ask(1, 1, &rules, T0);
	struct ask passes = fixture_ask(2, 1, &rules, T0);
	ask_wants(&fixture, "one that waits", &waits, STORE_OK, GREY_IS_NEW);
	ask_wants(&fixture, "one that passes", &passes, STORE_OK, GREY_IS_NEW);
	passes.now_s = T0 + 180;
	ask_wants(&fixture, "its retry", &passes, STORE_OK, GREY_IS_PASSED_NOW);
	redisContext *redis = redis_server_connect(&server);
	ck_assert_int_eq(redis_server_do(&server, "DBSIZE"), 4);
	each_key(redis, has_its_time);

	/* Use and an early retry leave the times as long as they were. */
	passes.now_s = T0 + 180 + LIFE / 2;
	ask_wants(&fixture, "its use", &passes, STORE_OK, GREY_IS_CLIENT_ALLOWED);
	waits.now_s = T0 + DAY + 1;
	ask_wants(&fixture, "one that aged", &waits, STORE_OK, GREY_IS_AGED);
	waits.now_s = T0;
	ask_wants(&fixture, "a clock set back", &waits, STORE_OK, GREY_IS_EARLY);
	each_key(redis, has_its_time);
	redisFree(redis);
	end(&server, &fixture);
}

END_TEST

START_TEST(becomes_a_replica_and_a_master_again)
{
	struct redis_server server;
	struct store_fixture fixture;
	start(&server, &fixture);
	struct ask ask = fixture_ask(1, 1, &rules, T0);
	redis_server_do(&server, "REPLICAOF 127.0.0.1 1");
	struct question question = {.ask = ask};
	ask_all(&fixture, &question, 1);
	ck_assert(question.answer.status == STORE_FAILED ||
	          question.answer.status == STORE_DOWN);
	within_two_deadlines(&question);
	ck_assert(fixture_wait_up(&fixture, false, FIXTURE_PATIENCE_MS));
	redis_server_do(&server, "REPLICAOF NO ONE");
	ask_until_it_works(&fixture, &ask, GREY_IS_NEW);
	end(&server, &fixture);
}

END_TEST

/* As on a full disk (test_sqlite_faults.c): only what would be lost is refused. */
START_TEST(memory_is_used_up)
{
	struct redis_server server;
	struct store_fixture fixture;
	start_patient(&server, &fixture);
	struct ask known = fixture_ask(1, 1, &never, T0);
	struct ask allowed = fixture_ask(2, 1, &rules, T0);
	struct ask waiting = fixture_ask(3, 1, &never, T0);
	struct ask fresh = fixture_ask(4, 1, &never, T0 + 180);
	ask_wants(&fixture, "known", &known, STORE_OK, GREY_IS_NEW);
	ask_wants(&fixture, "allowed", &allowed, STORE_OK, GREY_IS_NEW);
	ask_wants(&fixture, "waiting", &waiting, STORE_OK, GREY_IS_NEW);
	known.now_s = allowed.now_s = T0 + 180;
	ask_wants(&fixture, "known", &known, STORE_OK, GREY_IS_PASSED_NOW);
	ask_wants(&fixture, "allowed", &allowed, STORE_OK, GREY_IS_PASSED_NOW);

	redis_server_do(&server, "CONFIG SET maxmemory-policy noeviction");
	redis_server_do(&server, "CONFIG SET maxmemory 1");
	for (int i = 0; i < 20; i++)
		ask_wants(&fixture, "full: new", &fresh, STORE_FULL, GREY_IS_NEW);
	ask_wants(&fixture, "full: known", &known, STORE_OK, GREY_IS_KNOWN);
	ask_wants(&fixture, "full: allowed", &allowed, STORE_OK, GREY_IS_CLIENT_ALLOWED);
	ask_wants(&fixture, "full: early", &waiting, STORE_OK, GREY_IS_EARLY);
	allowed.now_s = known.now_s = T0 + 180 + LIFE / 2;
	ask_wants(&fixture, "full: allowed, use is due", &allowed, STORE_OK,
	          GREY_IS_CLIENT_ALLOWED);
	ask_wants(&fixture, "full: known, use is due", &known, STORE_OK, GREY_IS_KNOWN);
	waiting.now_s = T0 + 180;
	ask_wants(&fixture, "full: a pass", &waiting, STORE_OK, GREY_IS_PASSED_NOW);

	redis_server_do(&server, "CONFIG SET maxmemory 0");
	ask_wants(&fixture, "room again", &fresh, STORE_OK, GREY_IS_NEW);
	end(&server, &fixture);
}

END_TEST

/* The secret is put back by who knows it, or what is learnt next would be lost with it. */
START_TEST(everything_is_flushed)
{
	struct redis_server server;
	struct store_fixture fixture;
	start_patient(&server, &fixture);
	struct key_secret before = *store_secret(fixture.store);
	struct ask ask = fixture_ask(1, 1, &rules, T0);
	ask_wants(&fixture, "a first try", &ask, STORE_OK, GREY_IS_NEW);
	redis_server_do(&server, "FLUSHALL");
	ask_wants(&fixture, "it begins anew", &ask, STORE_OK, GREY_IS_NEW);
	redis_server_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
	char exists[sizeof(fixture.place.text) + 20];
	snprintf(exists, sizeof(exists), "EXISTS %ssecret", fixture.place.text);
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	while (redis_server_do(&server, exists) == 0 && clock_mono_ms() < give_up_ms)
		fixture_run_ms(&fixture, 20);
	ck_assert(fixture_wait_up(&fixture, true, FIXTURE_PATIENCE_MS));
	ck_assert_mem_eq(store_secret(fixture.store), &before, sizeof(before));
	struct store_fixture other;
	fixture_open(&other, &fixture.place, NULL);
	ck_assert_mem_eq(store_secret(other.store), &before, sizeof(before));
	fixture_close(&other);
	end(&server, &fixture);
}

END_TEST

/* A secret that is none is never replaced: what is stored under the true one may come back. */
START_TEST(a_secret_that_is_none)
{
	struct redis_server server;
	struct store_fixture fixture;
	struct err err;
	redis_server_start(&server, NULL);
	struct store_place place = {.backend = BACKEND_REDIS,
	                            .server = &server,
	                            .text = "x:"};
	redis_server_do(&server, "SET x:secret nonsense");
	ck_assert(fixture_try_open(&fixture, &place, usual, &err));
	ck_assert(!fixture_wait_up(&fixture, true, 500));
	redis_server_do(&server, "DEL x:secret");
	ck_assert(fixture_wait_up(&fixture, true, FIXTURE_PATIENCE_MS));
	end(&server, &fixture);
}

END_TEST

static void
fill(TCase *tcase)
{
	if (!redis_tests_wanted())
		return;
	tcase_add_test(tcase, killed_with_questions_under_way);
	tcase_add_test(tcase, killed_at_any_moment);
	tcase_add_test(tcase, not_there_at_the_start);
	tcase_add_test(tcase, asked_before_it_was_connected);
	tcase_add_test(tcase, the_secret_is_awaited);
	tcase_add_test(tcase, killed_connections_cost_nothing);
	tcase_add_test(tcase, lost_questions_about_limits);
	tcase_add_test(tcase, a_handshake_that_hangs);
	tcase_add_test(tcase, stopped_and_continued);
	tcase_add_test(tcase, up_again_while_no_mail_comes);
	tcase_add_test(tcase, a_lowered_deadline_holds_at_once);
	tcase_add_test(tcase, scripts_are_flushed);
	tcase_add_test(tcase, keys_that_are_not_ours);
	tcase_add_test(tcase, passwords);
	tcase_add_test(tcase, access_control_list);
	tcase_add_test(tcase, database_and_prefix_are_kept_to);
	tcase_add_test(tcase, every_key_has_its_time);
	tcase_add_test(tcase, becomes_a_replica_and_a_master_again);
	tcase_add_test(tcase, memory_is_used_up);
	tcase_add_test(tcase, everything_is_flushed);
	tcase_add_test(tcase, a_secret_that_is_none);
}

int
main(void)
{
	return harness_run("redis faults", fill);
}
