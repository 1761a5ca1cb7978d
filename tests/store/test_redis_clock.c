/*
 * test_redis_clock.c - Redis' clock steps an hour forward and an hour back while leases are held.
 *
 * clock_shift.so sees to that.  Holders renew as weir does; whatever they are told, the limit holds
 * again within the time of a lease, who is dead is gone and who lives holds a slot.  A rate does
 * not stay closed for the hour.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness.h"
#include "store_fixture.h"

#define LIMIT    3
#define TTL_MS   1500
#define TTL_MAX  3000
#define HOUR_S   3600
#define HALF_S   1800
#define RENEW_MS 300

static struct redis_server server;
static char clock_file[300];

static int64_t
redis_time_s(void)
{
	redisContext *redis = redis_server_connect(&server);
	redisReply *reply = redisCommand(redis, "TIME");
	ck_assert(reply && reply->elements == 2);
	int64_t now_s = strtoll(reply->element[0]->str, NULL, 10);
	freeReplyObject(reply);
	redisFree(redis);
	return now_s;
}

static void
write_shift(int64_t offset_s)
{
	int fd = open(clock_file, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(fd, &offset_s, sizeof(offset_s)), sizeof(offset_s));
	close(fd);
}

/* Sets how far the server's clock is off. */
static void
set_clock(int64_t offset_s)
{
	write_shift(offset_s);
	int64_t off_s = redis_time_s() - clock_wall_s();
	ck_assert_msg(llabs(off_s - offset_s) < 60,
	              "redis-server's clock is off by %lld s, want %lld",
	              (long long)off_s, (long long)offset_s);
}

static void
start(struct store_fixture *fixture)
{
	snprintf(clock_file, sizeof(clock_file), "%s", harness_file("clock", "        "));
	setenv("WEIR_CLOCK_SHIFT", clock_file, 1);
	write_shift(0);
	setenv("LD_PRELOAD", CLOCK_SHIFT, 1);
	redis_server_start(&server, NULL);
	unsetenv("LD_PRELOAD");
	set_clock(0);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	fixture_open(fixture, &place, NULL);
}

static void
end(struct store_fixture *fixture)
{
	fixture_close(fixture);
	redis_server_kill(&server);
}

static struct ask
ask_of(enum ask_kind kind, unsigned session, const char *uses)
{
	struct ask ask = {.kind = kind};
	struct limits_ask *limits = &ask.limits;
	snprintf(limits->holder, sizeof(limits->holder), "m/mx1/%u", session);
	snprintf(limits->other, sizeof(limits->other), "p/mx1/%u", session);
	limits->takes_over = true;
	limits->ttl_ms = TTL_MS;
	limits->ttl_max_ms = TTL_MAX;
	limits->note = fixture_key('n', session);
	fixture_uses(uses, limits);
	return ask;
}

static struct limits_result
get(struct store_fixture *fixture, enum ask_kind kind, unsigned session, const char *uses)
{
	struct ask ask = ask_of(kind, session, uses);
	struct answer answer = ask_and_wait(fixture, &ask);
	ck_assert_msg(answer.status == STORE_OK, "store %s",
	              store_status_word(answer.status));
	return answer.limits;
}

/* All leases that are there, whenever they end. */
static int64_t
leases(const struct store_fixture *fixture)
{
	struct limit_use use = fixture_use(SLICE("Dl3"));
	return place_leases(&fixture->place, &use.key, 0, INT64_C(9000000000000));
}

/* The living renew all the while; strangers ask as well, and hold on to what they get. */
static void
live_on(struct store_fixture *fixture, int64_t for_ms)
{
	int64_t end_ms = clock_mono_ms() + for_ms;
	while (clock_mono_ms() < end_ms) {
		for (unsigned session = 0; session < LIMIT - 1; session++)
			get(fixture, ASK_RENEW, session, "Dl3");
		fixture_run_ms(fixture, RENEW_MS / 3);
	}
}

/* Slots 0 and 1 are renewed, 2 belongs to a dead one; nobody else gets more than that. */
static void
heals_after(int before_s, int after_s)
{
	struct store_fixture fixture;
	start(&fixture);
	set_clock(before_s);
	for (unsigned session = 0; session < LIMIT; session++)
		ck_assert(get(&fixture, ASK_LIMITS, session, "Dl3").granted);
	ck_assert(!get(&fixture, ASK_LIMITS, LIMIT, "Dl3").granted);

	set_clock(after_s);
	live_on(&fixture, TTL_MS + TTL_MS / 2);
	struct limits_result stranger = get(&fixture, ASK_LIMITS, LIMIT, "Dl3");
	ck_assert_msg(stranger.granted, "a dead one's slot is not free");
	ck_assert_int_eq(stranger.held, LIMIT);
	ck_assert_int_eq(leases(&fixture), LIMIT);
	ck_assert_msg(!get(&fixture, ASK_LIMITS, LIMIT + 1, "Dl3").granted,
	              "one more than the limit");
	for (unsigned session = 0; session < LIMIT - 1; session++) {
		struct limits_result got = get(&fixture, ASK_RENEW, session, "Dl3");
		ck_assert_msg(!got.lost && !got.late, "holder %u has lost its slot",
		              session);
	}
	end(&fixture);
}

START_TEST(leases_heal_when_the_clock_steps_forward)
{
	heals_after(0, HOUR_S);
}

END_TEST

START_TEST(leases_heal_when_the_clock_steps_back)
{
	heals_after(0, -HOUR_S);
}

END_TEST

START_TEST(leases_heal_after_both)
{
	struct store_fixture fixture;
	start(&fixture);
	for (unsigned session = 0; session < LIMIT; session++)
		ck_assert(get(&fixture, ASK_LIMITS, session, "Dl3").granted);
	set_clock(HOUR_S);
	for (unsigned session = LIMIT; session < 2 * LIMIT; session++) /* too many, but */
		ck_assert(get(&fixture, ASK_LIMITS, session, "Dl3").granted);
	ck_assert_int_eq(leases(&fixture), LIMIT); /* the others' are not in force */
	set_clock(0);
	ck_assert(get(&fixture, ASK_LIMITS, 0, "Dl3").granted);
	ck_assert_int_le(leases(&fixture), LIMIT);
	live_on(&fixture, TTL_MS + TTL_MS / 2);
	ck_assert(get(&fixture, ASK_LIMITS, 3 * LIMIT, "Dl3").granted);
	ck_assert(!get(&fixture, ASK_LIMITS, 3 * LIMIT + 1, "Dl3").granted);
	ck_assert_int_eq(leases(&fixture), LIMIT);
	end(&fixture);
}

END_TEST

/* In the very moment of the step: those that were, count no more, and all can be taken anew. */
START_TEST(a_step_forward_frees_every_slot_at_once)
{
	struct store_fixture fixture;
	start(&fixture);
	for (unsigned session = 0; session < LIMIT; session++)
		ck_assert(get(&fixture, ASK_LIMITS, session, "Dl3").granted);
	set_clock(HOUR_S);
	for (unsigned session = LIMIT; session < 2 * LIMIT; session++)
		ck_assert(get(&fixture, ASK_LIMITS, session, "Dl3").granted);
	struct limits_result got = get(&fixture, ASK_RENEW, 0, "Dl3");
	ck_assert(got.lost); /* it goes on without */
	ck_assert_int_eq(leases(&fixture), LIMIT);
	end(&fixture);
}

END_TEST

/* Two in half an hour; the step back leaves a tat an hour ahead, which counts as nothing. */
START_TEST(a_rate_does_not_stay_closed)
{
	static const char rate[] = "Cm2/1800";
	struct store_fixture fixture;
	start(&fixture);
	set_clock(_i ? HOUR_S : 0);
	ck_assert(get(&fixture, ASK_LIMITS, 1, rate).granted);
	ck_assert(get(&fixture, ASK_LIMITS, 2, rate).granted);
	struct limits_result closed = get(&fixture, ASK_LIMITS, 3, rate);
	ck_assert(!closed.granted);
	ck_assert_int_le(closed.wait_ms, HALF_S * 1000 / 2);
	set_clock(_i ? 0 : HOUR_S);
	ck_assert(get(&fixture, ASK_LIMITS, 3, rate).granted);
	ck_assert(get(&fixture, ASK_LIMITS, 4, rate).granted);
	ck_assert(!get(&fixture, ASK_LIMITS, 5, rate).granted);
	end(&fixture);
}

END_TEST

/* Stepped back by less than its burst can bring, it is closed by so much longer, no more. */
START_TEST(a_rate_after_a_small_step_back)
{
	struct store_fixture fixture;
	start(&fixture);
	ck_assert(get(&fixture, ASK_LIMITS, 1, "Cm2/1800").granted);
	ck_assert(get(&fixture, ASK_LIMITS, 2, "Cm2/1800").granted);
	set_clock(-60);
	struct limits_result closed = get(&fixture, ASK_LIMITS, 3, "Cm2/1800");
	ck_assert(!closed.granted);
	ck_assert_msg(closed.wait_ms > 900000 && closed.wait_ms <= 966000,
	              "closed for %lld ms", (long long)closed.wait_ms);
	end(&fixture);
}

END_TEST

/* A note from the hour that is gone frees nobody of a token. */
START_TEST(a_note_does_not_last_an_hour)
{
	struct store_fixture fixture;
	start(&fixture);
	struct ask first = ask_of(ASK_LIMITS, 1, "Cm9/1800");
	first.limits.takes_over = false;
	ck_assert(ask_and_wait(&fixture, &first).limits.granted);
	set_clock(-HOUR_S);
	ck_assert(get(&fixture, ASK_LIMITS, 1, "Cm1/60").granted); /* not noted: taken */
	ck_assert(!get(&fixture, ASK_LIMITS, 2, "Cm1/60").granted);
	end(&fixture);
}

END_TEST

static void
fill(TCase *tcase)
{
	if (!redis_tests_wanted())
		return;
	tcase_add_test(tcase, leases_heal_when_the_clock_steps_forward);
	tcase_add_test(tcase, leases_heal_when_the_clock_steps_back);
	tcase_add_test(tcase, leases_heal_after_both);
	tcase_add_test(tcase, a_step_forward_frees_every_slot_at_once);
	tcase_add_loop_test(tcase, a_rate_does_not_stay_closed, 0, 2);
	tcase_add_test(tcase, a_rate_after_a_small_step_back);
	tcase_add_test(tcase, a_note_does_not_last_an_hour);
}

int
main(void)
{
	return harness_run("redis clock", fill);
}
