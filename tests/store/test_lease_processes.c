/*
 * test_lease_processes.c - the leases in force are never more than the limit, whatever dies.
 *
 * Many processes, each a daemon of its own, take slots, renew them and give them back, for real
 * and at random, while they are killed and replaced, stopped for longer than a lease lasts, and
 * cut off.  The store is looked at all the while, past weir.  Each process also writes down from
 * when to when it may believe to hold its slots; laid side by side at the end, no more than the
 * limit may overlap.
 *
 * WEIR_SEED=n draws the same; what happens differs all the same, as processes do.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "child.h"
#include "harness.h"

#define WORKERS   12
#define LIMITS    3
#define TTL_MS    1000
#define STOP_MS   1500 /* longer than a lease lasts */
#define RUN_MS    9000
#define CHAOS_MS  100
#define LOOK_US   2000
#define TELL_MS   800  /* longer than the store waits before it tells again */
#define MARGIN_US 2000 /* the store rounds down to milliseconds */
#define SPANS_MAX 20000
#define LOCKS_MAX 500
#define ENOUGH    30 /* slots taken, on a machine that has much else to do */
#define LOCK_MS   70 /* longer than SQLite is waited for */
#define EVER      INT64_C(9000000000000)

/* All share the first; the others are for half of them each. */
static const int64_t limits[LIMITS] = {4, 3, 3};

/* A time in which a worker may believe that it has its slots. */
struct span {
	int64_t from_us, until_us;
};

/* What a worker tells; in memory that all share. */
struct worker_log {
	_Atomic unsigned n;
	atomic_uint granted, refused, kept, late, lost, failed, abandoned;
	struct span spans[SPANS_MAX];
};

struct shared {
	struct worker_log logs[WORKERS];
};

static struct redis_server server;
static struct shared *shared;
static uint64_t random_state;
static unsigned next_worker; /* whom start_child() starts */

/* xorshift64*, as in test_store_model.c */
static uint64_t
draw(uint64_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717) % below;
}

/* ---- a worker: a process of its own, without Check ---- */

struct worker {
	struct worker_log *log;
	struct loop *loop;
	struct store *store;
	struct loop_timer *next;
	struct ask ask;
	int64_t asked_us;
	bool holds;
	char name[32];
};

static struct span *
last_span(const struct worker *worker)
{
	unsigned n = worker->log->n;
	return n > 0 ? &worker->log->spans[n - 1] : NULL;
}

static void
begin_span(struct worker *worker)
{
	unsigned n = worker->log->n;
	if (n == SPANS_MAX)
		_exit(1);
	worker->log->spans[n] =
		(struct span){clock_mono_us(),
	                      worker->asked_us + TTL_MS * 1000 - MARGIN_US};
	worker->log->n = n + 1;
}

/* Before anything is sent that gives the slots back. */
static void
end_span(struct worker *worker)
{
	struct span *span = last_span(worker);
	int64_t now_us = clock_mono_us();
	if (span && span->until_us > now_us)
		span->until_us = now_us;
	worker->holds = false;
}

static void
give_back(struct worker *worker)
{
	end_span(worker);
	worker->ask.kind = ASK_GIVE_BACK;
	store_tell(worker->store, &worker->ask);
}

static void
ask(struct worker *worker, enum ask_kind kind, store_fn *fn)
{
	worker->ask.kind = kind;
	worker->asked_us = clock_mono_us();
	struct store_job *job =
		store_ask(worker->store, &worker->ask, INT64_MAX, fn, worker);
	if (kind != ASK_LIMITS || draw(20) > 0)
		return;
	store_abandon(&job);
	worker->log->abandoned++;
	timer_start(worker->next, (int64_t)draw(10));
}

static void
on_asked(void *arg, const struct answer *answer)
{
	struct worker *worker = arg;
	if (answer->status != STORE_OK) {
		worker->log->failed++;
		give_back(worker); /* it may be granted later */
	} else if (answer->limits.granted) {
		worker->log->granted++;
		worker->holds = true;
		begin_span(worker);
	} else {
		worker->log->refused++;
	}
	timer_start(worker->next, (int64_t)draw(15));
}

static void
on_renewed(void *arg, const struct answer *answer)
{
	struct worker *worker = arg;
	if (answer->status != STORE_OK) {
		worker->log->failed++;
	} else if (answer->limits.lost) {
		worker->log->lost++;
		give_back(worker);
	} else if (answer->limits.late) {
		worker->log->late++;
		begin_span(worker);
	} else {
		worker->log->kept++;
		last_span(worker)->until_us =
			worker->asked_us + TTL_MS * 1000 - MARGIN_US;
	}
	timer_start(worker->next, (int64_t)draw(15));
}

static void
on_next(void *arg)
{
	struct worker *worker = arg;
	uint64_t what = draw(100);
	if (!worker->holds) {
		ask(worker, ASK_LIMITS, on_asked);
	} else if (what < 60) {
		ask(worker, ASK_RENEW, on_renewed);
	} else if (what < 95) {
		give_back(worker);
		timer_start(worker->next, (int64_t)draw(15));
	} else {
		timer_start(worker->next, TTL_MS + (int64_t)draw(TTL_MS)); /* hangs */
	}
}

static void
set_up_ask(struct worker *worker, unsigned number)
{
	struct limits_ask *limits_ask = &worker->ask.limits;
	unsigned half = 1 + number % 2;
	snprintf(limits_ask->holder, sizeof(limits_ask->holder), "%s%u", worker->name,
	         1U);
	snprintf(limits_ask->other, sizeof(limits_ask->other), "p/w%u/1", number);
	limits_ask->takes_over = true;
	limits_ask->ttl_ms = TTL_MS;
	limits_ask->ttl_max_ms = TTL_MS;
	limits_ask->n = 2;
	limits_ask->uses[number % 3 == 0] =
		(struct limit_use){.count = limits[0], .key = fixture_key('l', 0)};
	limits_ask->uses[number % 3 != 0] =
		(struct limit_use){.scope = SCOPE_CLIENT,
	                           .count = limits[half],
	                           .key = fixture_key('l', half)};
}

static void
work_until_killed(const struct store_place *place, int from, int to)
{
	static const char *const settings[] = {"store.deadline=2s", NULL};
	struct worker worker = {.log = &shared->logs[next_worker]};
	struct err err;
	(void)from, (void)to;
	random_state ^= (uint64_t)getpid() * UINT64_C(0x9E3779B97F4A7C15);
	snprintf(worker.name, sizeof(worker.name), "m/w%u/", next_worker);
	set_up_ask(&worker, next_worker);
	struct conf *conf = place_conf(place, NULL, settings, &err);
	worker.loop = loop_new();
	worker.next = timer_new(worker.loop, on_next, &worker);
	worker.store = store_open(worker.loop, conf, worker.name, &err);
	if (!worker.store)
		_exit(1);
	timer_start(worker.next, 1);
	loop_run(worker.loop);
}

/* ---- who looks on, and who does them harm ---- */

static void
hold_the_lock(const struct store_place *place, int from, int to)
{
	const char *steps[2 * LOCKS_MAX + 1];
	for (size_t i = 0; i < 2 * LOCKS_MAX; i++)
		steps[i] = i % 2 ? "COMMIT" : "BEGIN IMMEDIATE";
	steps[2 * LOCKS_MAX] = NULL;
	run_steps(place, from, to, steps);
}

struct watched {
	struct store_place place;
	struct child workers[WORKERS];
	int64_t stopped_ms[WORKERS]; /* 0: is running */
	redisContext *redis;         /* NULL: it is SQLite */
	struct child locker;
	int64_t locked_ms; /* 0: its lock is free */
	int64_t most[LIMITS];
	unsigned looks, kills, stops, cuts, locks;
};

/* Leases that end later than `later_ms` from now, now being the time of who has them. */
static int64_t
count_leases(struct watched *watched, unsigned limit, int64_t later_ms)
{
	static const char script[] =
		"local t = redis.call('TIME') "
		"local now = math.floor((t[1] * 1000000 + t[2]) / 1000) + ARGV[1] "
		"return redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf')";
	struct key key = fixture_key('l', limit);
	if (!watched->redis)
		return place_leases(&watched->place, &key, clock_boot_ms() + later_ms,
		                    EVER);
	char buf[300];
	struct text name = TEXT(buf);
	place_key_name(&watched->place, 'l', &key, &name);
	redisReply *reply = redisCommand(watched->redis, "EVAL %s 1 %s %lld", script, buf,
	                                 (long long)later_ms);
	ck_assert_msg(reply && reply->type == REDIS_REPLY_INTEGER, "EVAL: %s",
	              reply ? reply->str : watched->redis->errstr);
	int64_t n = reply->integer;
	freeReplyObject(reply);
	return n;
}

static void
look(struct watched *watched)
{
	for (unsigned i = 0; i < LIMITS; i++) {
		int64_t n = count_leases(watched, i, 0);
		ck_assert_msg(n <= limits[i], "%" PRId64 " leases in force on limit %u",
		              n, i);
		if (n > watched->most[i])
			watched->most[i] = n;
	}
	watched->looks++;
}

static void
start_worker(struct watched *watched, unsigned number)
{
	next_worker = number;
	random_state += number;
	watched->workers[number] = start_child(work_until_killed, &watched->place);
	watched->stopped_ms[number] = 0;
}

/* It believes nothing any more; its successor forgets what it had. */
static void
kill_worker(struct watched *watched, unsigned number)
{
	struct worker_log *log = &shared->logs[number];
	kill_child(&watched->workers[number]);
	int64_t now_us = clock_mono_us();
	if (log->n > 0 && log->spans[log->n - 1].until_us > now_us)
		log->spans[log->n - 1].until_us = now_us;
	watched->kills++;
}

static void
stop_worker(struct watched *watched, unsigned number)
{
	if (watched->stopped_ms[number])
		return;
	kill(watched->workers[number].pid, SIGSTOP);
	watched->stopped_ms[number] = clock_mono_ms();
	watched->stops++;
}

static void
continue_workers(struct watched *watched)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		if (!watched->stopped_ms[i] ||
		    clock_mono_ms() < watched->stopped_ms[i] + STOP_MS)
			continue;
		kill(watched->workers[i].pid, SIGCONT);
		watched->stopped_ms[i] = 0;
	}
	if (watched->locked_ms && clock_mono_ms() >= watched->locked_ms + LOCK_MS) {
		step_child(&watched->locker);
		watched->locked_ms = 0;
	}
}

static void
do_harm(struct watched *watched)
{
	unsigned victim = (unsigned)draw(WORKERS);
	uint64_t what = draw(10);
	if (what < 4) {
		kill_worker(watched, victim);
		start_worker(watched, victim);
	} else if (what < 6) {
		stop_worker(watched, victim);
	} else if (watched->redis) {
		freeReplyObject(redisCommand(watched->redis, "CLIENT KILL TYPE normal"));
		watched->cuts++;
	} else if (!watched->locked_ms && watched->locks < LOCKS_MAX) {
		step_child(&watched->locker);
		watched->locked_ms = clock_mono_ms();
		watched->locks++;
	}
}

static void
run_all(struct watched *watched)
{
	int64_t end_ms = clock_mono_ms() + RUN_MS,
		next_harm_ms = clock_mono_ms() + RUN_MS / 8;
	if (!watched->redis)
		watched->locker = start_child(hold_the_lock, &watched->place);
	for (unsigned i = 0; i < WORKERS; i++)
		start_worker(watched, i);
	while (clock_mono_ms() < end_ms) {
		look(watched);
		continue_workers(watched);
		if (clock_mono_ms() >= next_harm_ms) {
			do_harm(watched);
			next_harm_ms = clock_mono_ms() + (int64_t)draw(2 * CHAOS_MS);
		}
		usleep(LOOK_US);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		kill_worker(watched, i);
	if (!watched->redis)
		kill_child(&watched->locker);
}

/* ---- what they believed ---- */

struct event {
	int64_t at_us;
	int change;
};

/* Ends first: a slot may pass on at once. */
static int
compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return x->change - y->change;
}

static bool
takes_part(unsigned worker, unsigned limit)
{
	return limit == 0 || 1 + worker % 2 == limit;
}

/* The most workers that believed at once to hold a slot of the limit. */
static int64_t
most_believed(unsigned limit)
{
	static struct event events[2 * WORKERS * SPANS_MAX];
	size_t n = 0;
	int64_t now = 0, most = 0;
	for (unsigned w = 0; w < WORKERS; w++) {
		const struct worker_log *log = &shared->logs[w];
		for (unsigned i = 0; takes_part(w, limit) && i < log->n; i++) {
			const struct span *span = &log->spans[i];
			if (span->until_us <= span->from_us)
				continue;
			events[n++] = (struct event){span->from_us, 1};
			events[n++] = (struct event){span->until_us, -1};
		}
	}
	qsort(events, n, sizeof(*events), compare_events);
	for (size_t i = 0; i < n; i++) {
		now += events[i].change;
		most = now > most ? now : most;
	}
	return most;
}

static unsigned
print_totals(const struct watched *watched, uint64_t seed)
{
	unsigned granted = 0, refused = 0, kept = 0, late = 0, lost = 0, failed = 0,
		 abandoned = 0;
	for (unsigned w = 0; w < WORKERS; w++) {
		struct worker_log *log = &shared->logs[w];
		granted += log->granted;
		refused += log->refused;
		kept += log->kept;
		late += log->late;
		lost += log->lost;
		failed += log->failed;
		abandoned += log->abandoned;
	}
	printf("# WEIR_SEED=%" PRIu64
	       ": %u granted, %u refused, %u kept, %u late, %u lost, "
	       "%u failed, %u abandoned; %u looks, %u kills, %u stops, %u cuts, %u locks\n",
	       seed, granted, refused, kept, late, lost, failed, abandoned,
	       watched->looks, watched->kills, watched->stops, watched->cuts,
	       watched->locks);
	fflush(stdout);
	return granted;
}

/* All are dead: what they left runs out within the time of a lease, and all is free then. */
static void
all_is_free(struct watched *watched)
{
	struct store_fixture fixture;
	struct worker survivor = {.name = "m/last/"};
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	for (unsigned i = 0; i < LIMITS; i++)
		ck_assert_msg(count_leases(watched, i, TTL_MS) == 0,
		              "limit %u: a lease ends later than its time", i);
	fixture_open(&fixture, &watched->place, NULL);
	for (unsigned i = 0; i < limits[0]; i++) {
		set_up_ask(&survivor, i);
		struct limits_ask *asked = &survivor.ask.limits;
		snprintf(asked->holder, sizeof(asked->holder), "m/last/%u", i);
		asked->ttl_ms = asked->ttl_max_ms = FIXTURE_PATIENCE_MS;
		survivor.ask.kind = ASK_LIMITS;
		while (!ask_and_wait(&fixture, &survivor.ask).limits.granted)
			ck_assert_msg(clock_mono_ms() < give_up_ms, "slot %u stays taken",
			              i);
	}
	fixture_close(&fixture);
}

static uint64_t
choose_seed(void)
{
	uint64_t seed;
	const char *text = getenv("WEIR_SEED");
	if (text && slice_to_u64(slice_of(text), UINT64_MAX, &seed))
		return seed;
	return (uint64_t)clock_wall_us();
}

static void
set_up(struct watched *watched, int backend)
{
	struct store_fixture fixture;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	*watched = (struct watched){0};
	if (backend == BACKEND_REDIS) {
		redis_server_start(&server, NULL);
		watched->redis = redis_server_connect(&server);
		watched->place = fresh_place(backend, &server);
		return;
	}
	watched->place = fresh_place(backend, NULL);
	fixture_open(&fixture, &watched->place, NULL); /* makes the tables */
	fixture_close(&fixture);
}

static void
tear_down(struct watched *watched)
{
	if (watched->redis) {
		redisFree(watched->redis);
		redis_server_kill(&server);
	}
	munmap(shared, sizeof(*shared));
}

static void
run_on(int backend)
{
	static struct watched watched;
	uint64_t seed = choose_seed();
	random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	printf("# WEIR_SEED=%" PRIu64 "\n", seed);
	set_up(&watched, backend);
	run_all(&watched);
	unsigned granted = print_totals(&watched, seed);
	for (unsigned i = 0; i < LIMITS; i++) {
		int64_t most = most_believed(i);
		ck_assert_msg(most <= limits[i], "%" PRId64 " believed to have limit %u",
		              most, i);
	}
	ck_assert_msg(granted > ENOUGH && watched.most[0] == limits[0],
	              "%u granted, %" PRId64 " at once: too little happened", granted,
	              watched.most[0]);
	all_is_free(&watched);
	tear_down(&watched);
}

START_TEST(never_more_than_the_limit_on_sqlite)
{
	run_on(BACKEND_EMBEDDED);
}

END_TEST

START_TEST(never_more_than_the_limit_on_redis)
{
	run_on(BACKEND_REDIS);
}

END_TEST

/* ---- what could not be given back at once ---- */

/* Another process holds SQLite's lock while the slot is given back: that fails. */
static struct child
give_back_while_locked(struct store_fixture *fixture, struct worker *worker)
{
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	struct child child = start_child(hold_the_lock, &place);
	fixture_open(fixture, &place, NULL);
	set_up_ask(worker, 0);
	worker->ask.kind = ASK_LIMITS;
	worker->ask.limits.ttl_ms = worker->ask.limits.ttl_max_ms = FIXTURE_PATIENCE_MS;
	ck_assert(ask_and_wait(fixture, &worker->ask).limits.granted);
	step_child(&child);
	worker->ask.kind = ASK_GIVE_BACK;
	store_tell(fixture->store, &worker->ask);
	ck_assert_int_ne(ask_and_wait(fixture, &worker->ask).status, STORE_OK);
	step_child(&child);
	return child;
}

static int64_t
leases_of(const struct store_fixture *fixture)
{
	struct key key = fixture_key('l', 0);
	return place_leases(&fixture->place, &key, 0, EVER);
}

START_TEST(given_back_again_when_it_failed)
{
	struct store_fixture fixture;
	struct worker worker = {.name = "m/mx1/"};
	struct child child = give_back_while_locked(&fixture, &worker);
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	ck_assert_int_eq(leases_of(&fixture), 1);
	while (leases_of(&fixture) > 0) {
		ck_assert_msg(clock_mono_ms() < give_up_ms, "the slot is not given back");
		fixture_run_ms(&fixture, 10);
	}
	fixture_close(&fixture);
	kill_child(&child);
}

END_TEST

/* The same session takes a slot anew before that: this one is not meant. */
START_TEST(an_old_give_back_leaves_a_new_slot_alone)
{
	struct store_fixture fixture;
	struct worker worker = {.name = "m/mx1/"};
	struct child child = give_back_while_locked(&fixture, &worker);
	worker.ask.kind = ASK_LIMITS;
	struct answer got;
	while ((got = ask_and_wait(&fixture, &worker.ask)).status != STORE_OK)
		fixture_run_ms(&fixture, 5); /* the one before may be late */
	ck_assert(got.limits.granted);
	fixture_run_ms(&fixture, TELL_MS); /* what is told again is told by then */
	ck_assert_int_eq(leases_of(&fixture), 1);
	fixture_close(&fixture);
	kill_child(&child);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, given_back_again_when_it_failed);
	tcase_add_test(tcase, an_old_give_back_leaves_a_new_slot_alone);
	tcase_add_test(tcase, never_more_than_the_limit_on_sqlite);
	if (redis_tests_wanted())
		tcase_add_test(tcase, never_more_than_the_limit_on_redis);
}

int
main(void)
{
	return harness_run("lease processes", fill);
}
