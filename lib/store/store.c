/* store.c - questions under way: their deadline, the breaker, and who waits for them. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "give_back_queue.h"
#include "recovery.h"
#include "store/backend.h"
#include "store/breaker.h"

/* What could not be told is told again after this. */
#define TELL_AGAIN_MS 500

/* More jobs than this under way (late ones included) means that the store is stuck. */
#define JOBS_MAX 16384

struct store {
	struct loop *loop;
	const struct store_ops *ops;
	struct store_backend *backend;
	int64_t deadline_ms;
	bool up;     /* as the backend says */
	bool coming; /* so it says: questions wait until it is up */
	bool was_up; /* ever */
	bool said_up;
	uint64_t secret_number; /* 0: there is none yet */
	struct key_secret secret;
	const struct store_events *events; /* or NULL */
	void *events_arg;
	struct breaker breaker;
	int64_t timed_out_ms;      /* when the breaker was told last */
	struct store_job *waiting; /* somebody waits for these; ordered by deadline */
	struct store_job
		*held; /* of these, those not asked yet, in the order to be asked in */
	size_t n_held;
	struct store_job *refused; /* never asked; answered by the task */
	struct task refuse_task;
	struct loop_timer *deadline_timer;
	struct turn_hook hook;
	struct store_job *spare;
	size_t jobs; /* with the backend */
	size_t late; /* of these, whose time is over */
	struct give_back_queue give_backs;
	enum store_status owes; /* why it is not empty */
	uint64_t next_serial;
	struct loop_timer *give_back_timer;
	size_t portion; /* told of the backlog, without an answer yet */
	struct recovery recovery;
};

/* Once for each job; what the job itself holds belongs to the backend until it is done. */
static void
answer_job(struct store_job *job, const struct answer *answer)
{
	store_fn *fn = job->fn;
	job->fn = NULL;
	if (fn)
		fn(job->arg, answer);
}

static void
stop_waiting(struct store *store, struct store_job *job)
{
	if (!job->waiting)
		return;
	job->waiting = false;
	DL_DELETE(store->waiting, job);
}

static struct store_job *
take_job(struct store *store)
{
	struct store_job *job = store->spare;
	if (!job)
		return mem_new(struct store_job);
	LL_DELETE(store->spare, job);
	memset(job, 0, offsetof(struct store_job, ask));
	return job;
}

static void
recycle(struct store *store, struct store_job *job)
{
	LL_PREPEND(store->spare, job);
}

static void
refuse_all(void *arg)
{
	struct store *store = arg;
	while (store->refused) {
		struct store_job *job = store->refused;
		DL_DELETE(store->refused, job);
		answer_job(job, &job->answer);
		recycle(store, job);
	}
}

/* One line for each change of what store_is_up() says, whatever the cause. */
static void
note_down(struct store *store)
{
	if (!store->said_up || store_is_up(store))
		return;
	store->said_up = false;
	log_error("store %s does not answer: applying store.on_failure until it recovers",
	          store->ops->name);
}

/* Called when it has proved so: a greeting is none, except the first. */
static void
note_up(struct store *store)
{
	if (store->said_up || !store_is_up(store))
		return;
	log_info("store %s%s", store->ops->name,
	         store->was_up ? " answers again" : ": connected");
	store->said_up = true;
	store->was_up = true;
}

static void
arm_deadline(struct store *store)
{
	if (!store->waiting || timer_is_running(store->deadline_timer))
		return;
	int64_t left_ms = store->waiting->deadline_ms - loop_now_ms(store->loop);
	timer_start(store->deadline_timer, left_ms > 0 ? left_ms : 0);
}

/* Behind those that are due sooner: most often at the end, unless the deadline was lowered. */
static void
start_waiting(struct store *store, struct store_job *job)
{
	struct store_job *last = store->waiting ? store->waiting->prev : NULL;
	job->waiting = true;
	while (last && last->deadline_ms > job->deadline_ms)
		last = last == store->waiting ? NULL : last->prev;
	if (last)
		DL_APPEND_ELEM(store->waiting, last, job);
	else
		DL_PREPEND(store->waiting, job);
	if (store->waiting == job)
		timer_stop(store->deadline_timer);
	arm_deadline(store);
}

/* One stall takes many questions with it: those asked before it was counted are not more. */
static void
note_time_out(struct store *store, int64_t asked_ms, int64_t now_ms)
{
	if (asked_ms < store->timed_out_ms)
		return;
	store->timed_out_ms = now_ms;
	breaker_timed_out(&store->breaker, now_ms);
	note_down(store);
}

/* ---- questions that wait for the store to be up ---- */

static void
hold(struct store *store, struct store_job *job)
{
	job->held = true;
	store->n_held++;
	DL_APPEND2(store->held, job, held_prev, held_next);
}

static void
stop_holding(struct store *store, struct store_job *job)
{
	job->held = false;
	store->n_held--;
	DL_DELETE2(store->held, job, held_prev, held_next);
}

static bool
may_hold(const struct store *store)
{
	return store->coming && !store->breaker.open && store->n_held < JOBS_MAX;
}

/*
 * A question that was lost with its connection may have been answered there.  Greylisting and slots
 * say the same when asked again: a triplet has its record, a slot its holder.  A token would be
 * taken twice.
 */
static bool
may_ask_again(const struct store *store, const struct store_job *job)
{
	enum ask_kind kind = job->ask.kind;
	return job->lost && !job->again && job->waiting && !job->not_wanted &&
	       may_hold(store) && kind != ASK_TERM && kind != ASK_PUT &&
	       !limits_have_rates(&job->ask.limits);
}

static void
ask_again(struct store *store, struct store_job *job)
{
	job->lost = false;
	job->again = true;
	job->answer = (struct answer){0};
	hold(store, job);
}

/* Answered by the task. */
static void
answer_later(struct store *store, struct store_job *job, enum store_status status)
{
	stop_waiting(store, job);
	job->answer = (struct answer){.status = status,
	                              .unasked = !job->again,
	                              .limits.refused = -1};
	DL_APPEND(store->refused, job);
	loop_defer(store->loop, &store->refuse_task);
}

static bool
submit(struct store *store, struct store_job *job)
{
	enum ask_kind kind = job->ask.kind;
	bool takes = kind == ASK_LIMITS || kind == ASK_RENEW || kind == ASK_PUT;
	if (takes)
		recovery_sign(&store->recovery, &job->ask.limits);
	if (!store->ops->submit(store->backend, job))
		return false;
	if (takes)
		give_back_queue_forget(&store->give_backs, &job->ask.limits,
		                       ++store->next_serial);
	store->jobs++;
	return true;
}

static void
ask_held_job(struct store *store, struct store_job *job, bool same_secret)
{
	if (job->not_wanted || job->only_waits)
		answer_later(store, job, STORE_OK);
	else if (!same_secret)
		answer_later(store, job, STORE_DOWN); /* its keys are others' now */
	else if (recovery_holds_up(&store->recovery, job->ask.kind))
		hold(store, job);
	else if (!submit(store, job))
		answer_later(store, job, STORE_OVERLOADED);
}

/* Those that are held now: some are held again, for what has to be said first. */
static void
ask_held(struct store *store, bool same_secret)
{
	for (size_t n = store->n_held; n > 0 && store->held; n--) {
		struct store_job *job = store->held;
		stop_holding(store, job);
		ask_held_job(store, job, same_secret);
	}
}

static void
refuse_held(struct store *store, enum store_status status)
{
	while (store->held) {
		struct store_job *job = store->held;
		stop_holding(store, job);
		answer_later(store, job, status);
	}
}

static void
on_deadline(void *arg)
{
	struct store *store = arg;
	int64_t now_ms = loop_now_ms(store->loop);
	while (store->waiting && store->waiting->deadline_ms <= now_ms) {
		struct store_job *job = store->waiting;
		bool held = job->held;
		stop_waiting(store, job);
		if (held)
			stop_holding(store, job);
		else
			job->late = true;
		store->late += job->late;
		store->coming &= !held; /* others do not wait any more */
		stats_add(STAT_STORE_TIMEOUTS, 1);
		note_time_out(store, job->asked_ms, now_ms);
		note_down(store);
		answer_job(job, &(struct answer){.status = STORE_TIMEOUT,
		                                 .unasked = held && !job->again});
		if (held)
			recycle(store, job);
	}
	arm_deadline(store);
}

static struct store_job *
make_job(struct store *store, const struct ask *ask)
{
	struct store_job *job = take_job(store);
	job->store = store;
	job->backend = store->backend;
	ask_copy(&job->ask, ask);
	job->asked_ms = loop_now_ms(store->loop);
	job->asked_us = clock_mono_us();
	job->serial = ++store->next_serial;
	stats_add(STAT_STORE_ASKED, 1);
	return job;
}

/* The backlog has grown, for this reason. */
static void
tell_later(struct store *store, enum store_status why)
{
	store->owes = why;
	if (store->give_back_timer && !timer_is_running(store->give_back_timer))
		timer_start(store->give_back_timer, TELL_AGAIN_MS);
}

/* Only give-backs are kept; a daemon's part in the term is another one by then. */
static void
keep(struct store *store, const struct ask *ask, unsigned tells, enum store_status why)
{
	if (ask->kind == ASK_TERM)
		return;
	give_back_queue_add(&store->give_backs, ask, tells);
	tell_later(store, why);
}

static void
tell_once(struct store *store, const struct ask *ask, unsigned tells, bool portion)
{
	if (ask->kind != ASK_TERM && ask->limits.n == 0)
		return;
	if (!store->up || store->jobs >= JOBS_MAX) {
		keep(store, ask, tells, STORE_DOWN);
		return;
	}
	struct store_job *job = make_job(store, ask);
	job->told_only = true;
	job->portion = portion;
	job->tells = tells;
	if (store->ops->submit(store->backend, job)) {
		store->jobs++;
		store->portion += portion;
	} else {
		keep(store, ask, tells, STORE_OVERLOADED);
		recycle(store, job);
	}
}

void
store_tell(struct store *store, const struct ask *ask)
{
	tell_once(store, ask, 0, false);
}

/* A portion, and the next when it is answered; what fails again waits for the next time. */
static void
tell_again(void *arg)
{
	struct store *store = arg;
	struct ask ask;
	unsigned tells;
	for (size_t n = store->portion > 0 ? 0 : PORTION;
	     n > 0 && store->up && give_back_queue_take(&store->give_backs, &ask, &tells);
	     n--)
		tell_once(store, &ask, tells, true);
}

static void
note_portion(struct store *store, const struct store_job *job)
{
	store->portion -= job->portion;
	if (job->portion && store->portion == 0 && job->answer.status == STORE_OK)
		tell_again(store);
}

static void
on_turn_end(void *arg)
{
	struct store *store = arg;
	store->ops->flush(store->backend);
}

/* ---- what recovery.c needs ---- */

static void
go_on(struct store *store, enum store_status status)
{
	if (!store->up) /* they wait for that, or are refused */
		return;
	if (status == STORE_OK)
		ask_held(store, true);
	else
		refuse_held(store, status);
}

static void
put_all(struct store *store)
{
	give_back_queue_drop_own(&store->give_backs); /* what is not put is not there */
	if (store->events)
		store->events->put_all(store->events_arg);
}

static bool
next_put(struct store *store, struct ask *ask_out)
{
	return store->events && store->events->next_put(store->events_arg, ask_out);
}

static bool
owes_puts(struct store *store)
{
	return store->events && store->events->owes_puts(store->events_arg);
}

static const struct recovery_calls recovery_calls = {
	.ask = store_ask,
	.tell = store_tell,
	.go_on = go_on,
	.hold = hold,
	.put_all = put_all,
	.next_put = next_put,
	.owes_puts = owes_puts,
};

void
store_configure(struct store *store, const struct conf *conf)
{
	store->deadline_ms = conf->store.deadline_ms;
	recovery_configure(&store->recovery, conf);
	store->ops->configure(store->backend, conf);
}

void
store_close(struct store **store_at)
{
	struct store *store = *store_at;
	*store_at = NULL;
	if (!store)
		return;
	for (struct store_job *job = store->waiting; job; job = job->next)
		job->fn = NULL;
	store->said_up = false; /* what is lost now needs no line */
	recovery_close(&store->recovery);
	loop_forget_turn_hook(store->loop, &store->hook);
	store->ops->close(store->backend);
	loop_undefer(store->loop, &store->refuse_task);
	timer_free(&store->deadline_timer);
	timer_free(&store->give_back_timer);
	give_back_queue_free(&store->give_backs);
	struct store_job *job, *next;
	DL_FOREACH_SAFE(store->refused, job, next)
		free(job);
	DL_FOREACH_SAFE2(store->held, job, next, held_next)
	free(job);
	LL_FOREACH_SAFE(store->spare, job, next)
		free(job);
	explicit_bzero(&store->secret, sizeof(store->secret));
	free(store);
}

const struct key_secret *
store_secret(const struct store *store)
{
	return store->secret_number > 0 ? &store->secret : NULL;
}

uint64_t
store_secret_number(const struct store *store)
{
	return store->secret_number;
}

void
store_follow(struct store *store, const struct store_events *events, void *arg)
{
	store->events = events;
	store->events_arg = arg;
}

bool
store_is_up(const struct store *store)
{
	return store->up && !store->breaker.open;
}

bool
store_breaker_is_open(const struct store *store)
{
	return store->breaker.open;
}

static struct store_job *
refuse(struct store *store, struct store_job *job, enum store_status status)
{
	stats_add(STAT_STORE_REFUSED_BY_BREAKER, 1);
	answer_later(store, job, status);
	return job;
}

/*
 * Answers come in order, so what is asked behind a question that is late would be late, too.  As
 * long as that lasts, each deadline that passes is one more time-out.
 */
static void
note_behind_late(struct store *store, int64_t now_ms)
{
	if (now_ms - store->timed_out_ms >= store->deadline_ms)
		note_time_out(store, now_ms, now_ms);
}

static struct store_job *
make_waiting_job(struct store *store, const struct ask *ask, int64_t limit_ms,
                 store_fn *fn, void *arg)
{
	struct store_job *job = make_job(store, ask);
	int64_t within_ms = limit_ms < store->deadline_ms ? limit_ms : store->deadline_ms;
	job->fn = fn;
	job->arg = arg;
	job->deadline_ms = job->asked_ms + within_ms;
	return job;
}

static struct store_job *
wait_held(struct store *store, struct store_job *job)
{
	hold(store, job);
	start_waiting(store, job);
	return job;
}

struct store_job *
store_await(struct store *store, int64_t limit_ms, store_fn *fn, void *arg)
{
	static const struct ask nothing;
	struct store_job *job = make_waiting_job(store, &nothing, limit_ms, fn, arg);
	job->only_waits = true;
	if (!store->up && may_hold(store))
		return wait_held(store, job);
	if (!store->up)
		return refuse(store, job, STORE_DOWN);
	answer_later(store, job, STORE_OK);
	return job;
}

struct store_job *
store_ask(struct store *store, const struct ask *ask, int64_t limit_ms, store_fn *fn,
          void *arg)
{
	struct store_job *job = make_waiting_job(store, ask, limit_ms, fn, arg);
	if (!store->up && may_hold(store))
		return wait_held(store, job);
	if (!store->up)
		return refuse(store, job, STORE_DOWN);
	if (store->jobs >= JOBS_MAX)
		return refuse(store, job, STORE_OVERLOADED);
	if (store->late > 0) {
		note_behind_late(store, job->asked_ms);
		return refuse(store, job, STORE_TIMEOUT);
	}
	if (recovery_holds_up(&store->recovery, ask->kind))
		return wait_held(store, job);
	if (!breaker_allows(&store->breaker, job->asked_ms))
		return refuse(store, job, STORE_DOWN);
	if (!submit(store, job))
		return refuse(store, job, STORE_OVERLOADED);
	start_waiting(store, job);
	return job;
}

bool
store_waits_for(const struct store *store, struct text *names_out)
{
	return recovery_missing(&store->recovery, names_out);
}

void
store_tick(struct store *store)
{
	/* No key is that, so it changes nothing. */
	struct ask nobody = {.kind = ASK_GREYLIST};
	if (store->up && store->breaker.open &&
	    loop_now_ms(store->loop) >= store->breaker.probe_at_ms)
		store_ask(store, &nobody, INT64_MAX, NULL, NULL);
	if (store_is_up(store))
		recovery_tick(&store->recovery);
}

enum store_status
store_owes(const struct store *store)
{
	return store->give_backs.n > 0 ? store->owes : STORE_OK;
}

void
store_abandon(struct store_job **job_at)
{
	struct store_job *job = *job_at;
	*job_at = NULL;
	if (!job)
		return;
	job->fn = NULL;
	job->not_wanted = true;
}

/*
 * Gives back the tokens of a question that nobody wants any more.  A slot belongs to its holder,
 * who may have been granted it once more since: who asked sees to that.
 */
static void
undo(struct store *store, const struct store_job *job)
{
	struct ask ask;
	if (job->ask.kind != ASK_LIMITS || job->answer.status != STORE_OK ||
	    !job->answer.limits.granted)
		return;
	ask_copy(&ask, &job->ask);
	/* What policyd took may be the milter's by now. */
	ask.kind = ask.limits.takes_over ? ASK_GIVE_BACK : ASK_RETURN;
	limits_keep(&ask.limits, job->answer.limits.taken & limits_rates(&ask.limits));
	store_tell(store, &ask);
}

/* What a job's end says of the store. */
static void
note_end(struct store *store, const struct store_job *job)
{
	enum store_status status = job->answer.status;
	int64_t now_ms = loop_now_ms(store->loop);
	bool answered = status != STORE_FAILED && status != STORE_DOWN;
	if (status != STORE_OK)
		stats_add(STAT_STORE_ERRORS, 1);
	if (answered)
		histogram_add(HISTOGRAM_STORE_US, clock_mono_us() - job->asked_us);
	if (!answered &&
	    !job->lost) /* what the connection's end says, its loss has said */
		breaker_failed(&store->breaker, now_ms);
	note_down(store);
	if (!job->waiting && !job->told_only)
		stats_add(STAT_LATE_ANSWERS, 1);
	if (answered && job->waiting) {
		breaker_answered(&store->breaker);
		note_up(store);
	} else if (answered) {
		breaker_answered_late(&store->breaker);
	}
}

static void
job_done(struct store_job *job)
{
	struct store *store = job->store;
	store->jobs--;
	store->late -= job->late;
	if (may_ask_again(store, job)) {
		ask_again(store, job);
		return;
	}
	note_end(store, job);
	note_portion(store, job);
	if (recovery_answered(&store->recovery, job))
		return;
	stop_waiting(store, job);
	if (job->not_wanted)
		undo(store, job);
	if (job->told_only && job->ask.kind != ASK_TERM &&
	    job->answer.status != STORE_OK) {
		give_back_queue_add_failed(&store->give_backs, &job->ask, job->tells + 1,
		                           job->serial);
		tell_later(store, job->answer.status);
	}
	answer_job(job, &job->answer);
	recycle(store, job);
}

/* The first one, or another: the store was emptied, and who came first made a new one. */
static void
adopt_secret(struct store *store, const struct key_secret *secret)
{
	if (store->secret_number > 0 &&
	    memcmp(&store->secret, secret, sizeof(*secret)) == 0)
		return;
	store->secret = *secret;
	store->secret_number++;
	give_back_queue_free(&store->give_backs); /* of keys that nobody has any more */
	if (store->events)
		store->events->secret_changed(store->events_arg);
	recovery_rekeyed(&store->recovery);
}

static void
came_up(struct store *store, const struct key_secret *secret)
{
	uint64_t number = store->secret_number;
	bool was_up = store->up;
	adopt_secret(store, secret);
	store->up = true;
	store->coming = false;
	if (was_up)
		return;
	if (store->backend)
		recovery_start(&store->recovery);
	tell_again(store); /* before the first question */
	ask_held(store, number == 0 || number == store->secret_number);
	if (!store->was_up)
		note_up(store);
}

static void
is_coming(struct store *store)
{
	store->up = false;
	store->coming = true;
	recovery_lost(&store->recovery);
}

static void
went_down(struct store *store)
{
	store->up = store->coming = false;
	recovery_lost(&store->recovery);
	note_down(store);
	refuse_held(store, STORE_DOWN);
}

static const struct store_reports reports = {
	.job_done = job_done,
	.came_up = came_up,
	.is_coming = is_coming,
	.went_down = went_down,
};

struct store *
store_open(struct loop *loop, const struct conf *conf, const char *owner,
           struct err *err_out)
{
	struct store *store = mem_new(struct store);
	store->loop = loop;
	store->ops = backend_ops(conf);
	store->deadline_ms = conf->store.deadline_ms;
	store->refuse_task = (struct task){.fn = refuse_all, .arg = store};
	store->hook = (struct turn_hook){.fn = on_turn_end, .arg = store};
	recovery_init(&store->recovery, store, &recovery_calls, owner);
	recovery_configure(&store->recovery, conf);
	store->backend = store->ops->open(store, &reports, loop, conf, owner, err_out);
	if (!store->backend) {
		free(store);
		return NULL;
	}
	store->deadline_timer = timer_new(loop, on_deadline, store);
	store->give_back_timer = timer_new(loop, tell_again, store);
	loop_at_turn_end(loop, &store->hook);
	if (store->up)
		recovery_start(&store->recovery);
	return store;
}

const char *
store_status_word(enum store_status status)
{
	static const char *const words[] = {
		[STORE_OK] = "ok",         [STORE_TIMEOUT] = "timeout",
		[STORE_DOWN] = "down",     [STORE_OVERLOADED] = "overloaded",
		[STORE_FULL] = "full",     [STORE_BAD_RECORD] = "bad-record",
		[STORE_FAILED] = "failed",
	};
	return words[status];
}
