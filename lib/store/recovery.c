/* recovery.c - a daemon enrols with the store: begins, puts what it holds, signs in. */
#include "recovery.h"

#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"

#define TOLERANCE_MIN_MS 250
#define TOLERANCE_MAX_MS 5000
#define WAIT_MIN_MS      1000

void
recovery_init(struct recovery *recovery, struct store *store,
              const struct recovery_calls *calls, const char *daemon)
{
	*recovery = (struct recovery){.store = store, .calls = calls, .off = !*daemon};
	enrol_init(&recovery->enrol, daemon);
}

void
recovery_configure(struct recovery *recovery, const struct conf *conf)
{
	bool shared = conf->store.backend == BACKEND_REDIS;
	recovery->hosts = shared ? conf->nodes : 1;
	enrol_configure(&recovery->enrol, conf->limits.lease_ms, conf->policyd.hold_ms);
}

static void
fail(struct recovery *recovery, enum store_status status)
{
	enrol_lost(&recovery->enrol);
	recovery->calls->go_on(recovery->store, status);
}

/* ---- the store's clock ---- */

static int64_t
tolerance_ms(const struct recovery *recovery)
{
	int64_t ms = recovery->enrol.lease_ms / 6;
	if (ms < TOLERANCE_MIN_MS)
		return TOLERANCE_MIN_MS;
	return ms < TOLERANCE_MAX_MS ? ms : TOLERANCE_MAX_MS;
}

/*
 * The store told its time between when the job was asked and now.  True when its clock has been
 * stepped since the last answer: leases end at another time than they were meant to.
 */
static bool
has_stepped(struct recovery *recovery, const struct store_job *job, int64_t store_ms)
{
	int64_t least_ms = store_ms - clock_mono_ms();
	int64_t most_ms = store_ms + 1 - job->asked_us / 1000;
	bool known = recovery->ahead_min_ms || recovery->ahead_max_ms;
	bool stepped =
		known && (least_ms > recovery->ahead_max_ms + tolerance_ms(recovery) ||
	                  most_ms < recovery->ahead_min_ms - tolerance_ms(recovery));
	if (stepped)
		log_warning(
			"the clock of the store was stepped by %lld s: limits wait until all daemons have reported their slots",
			(long long)(least_ms - recovery->ahead_min_ms) / 1000);
	recovery->ahead_min_ms = least_ms;
	recovery->ahead_max_ms = most_ms;
	return stepped;
}

static bool
clock_has_stepped(struct recovery *recovery, const struct store_job *job)
{
	const struct answer *answer = &job->answer;
	int64_t store_ms = job->ask.kind == ASK_TERM ? answer->term.store_ms
	                                             : answer->limits.store_ms;
	return store_ms > 0 && has_stepped(recovery, job, store_ms);
}

void
recovery_sign(const struct recovery *recovery, struct limits_ask *ask)
{
	if (!recovery->ahead_min_ms && !recovery->ahead_max_ms)
		return;
	ask->store_ms =
		clock_mono_ms() + (recovery->ahead_min_ms + recovery->ahead_max_ms) / 2;
	ask->tolerance_ms = tolerance_ms(recovery);
}

/* ---- what is said ---- */

static int64_t
now_ms(void)
{
	return clock_mono_ms();
}

static void
say(struct recovery *recovery, enum term_step step, store_fn *fn)
{
	struct ask ask = {.kind = ASK_TERM};
	enrol_say(&recovery->enrol, step, now_ms(), &ask.term);
	ask.term.hosts = recovery->hosts;
	if (step == TERM_BEGIN)
		ask.term.number = (uint64_t)clock_wall_us();
	recovery->calls->ask(recovery->store, &ask, INT64_MAX, fn, recovery);
}

static struct enrol_answer
read_answer(const struct answer *answer)
{
	return (struct enrol_answer){.row = answer->term.row,
	                             .number = answer->term.number,
	                             .members = answer->term.members};
}

static void
on_answered(void *arg, const struct answer *answer)
{
	struct recovery *recovery = arg;
	struct enrol_answer got = read_answer(answer);
	recovery->looking = false;
	if (answer->status == STORE_OK)
		enrol_answered(&recovery->enrol, &got);
	else
		enrol_lost(&recovery->enrol);
}

static void put_portion(struct recovery *recovery);

static void
on_put(void *arg, const struct answer *answer)
{
	struct recovery *recovery = arg;
	recovery->putting--;
	recovery->failed |= answer->status != STORE_OK;
	if (recovery->putting > 0 || recovery->enrol.state != ENROL_PUTTING)
		return;
	if (recovery->failed) {
		recovery->enrol.begun = false; /* what failed is put with all */
		fail(recovery,
		     answer->status != STORE_OK ? answer->status : STORE_FAILED);
	} else {
		put_portion(recovery);
	}
}

/* All is put: questions follow in the same breath. */
static void
be_done(struct recovery *recovery)
{
	if (enrol_put(&recovery->enrol))
		say(recovery, TERM_SIGN_IN, on_answered);
	recovery->calls->go_on(recovery->store, STORE_OK);
}

static void
put_portion(struct recovery *recovery)
{
	struct ask ask;
	while (recovery->putting < PORTION &&
	       recovery->calls->next_put(recovery->store, &ask)) {
		recovery->putting++;
		recovery->calls->ask(recovery->store, &ask, INT64_MAX, on_put, recovery);
	}
	if (recovery->putting == 0)
		be_done(recovery);
}

static void
on_begun(void *arg, const struct answer *answer)
{
	struct recovery *recovery = arg;
	struct enrol_answer got = read_answer(answer);
	if (recovery->enrol.state != ENROL_BEGINNING)
		return;
	if (answer->status != STORE_OK) {
		fail(recovery, answer->status);
		return;
	}
	bool rekeyed = recovery->rekeyed;
	recovery->rekeyed = false;
	if (enrol_begun(&recovery->enrol, &got, now_ms()) || rekeyed) {
		recovery->calls->put_all(recovery->store);
	} else if (recovery->enrol.doubts) { /* its clock was stepped meanwhile */
		say(recovery, TERM_BEGIN, on_begun);
		return;
	}
	recovery->failed = false;
	put_portion(recovery);
}

static void
begin(struct recovery *recovery)
{
	enrol_heard(&recovery->enrol, now_ms());
	say(recovery, TERM_BEGIN, on_begun);
}

void
recovery_start(struct recovery *recovery)
{
	if (!recovery->off && recovery->enrol.state == ENROL_AWAY)
		begin(recovery);
}

void
recovery_lost(struct recovery *recovery)
{
	recovery->looking = false;
	enrol_lost(&recovery->enrol);
}

void
recovery_rekeyed(struct recovery *recovery)
{
	recovery->rekeyed = recovery->enrol.state == ENROL_BEGINNING;
	if (recovery->rekeyed)
		return;
	recovery->enrol.begun = false; /* all that is stored under our name is dropped */
	enrol_lost(&recovery->enrol);
}

void
recovery_close(struct recovery *recovery)
{
	struct ask ask = {.kind = ASK_TERM};
	if (recovery->off || recovery->enrol.row == TERM_STRANGER)
		return;
	enrol_say(&recovery->enrol, TERM_SIGN_OUT, now_ms(), &ask.term);
	recovery->calls->tell(recovery->store, &ask);
}

void
recovery_tick(struct recovery *recovery)
{
	if (recovery->off || !recovery->enrol.takes_part)
		return;
	if (recovery->enrol.state == ENROL_DONE &&
	    enrol_doubts(&recovery->enrol, now_ms()))
		enrol_lost(&recovery->enrol);
	if (recovery->enrol.state == ENROL_AWAY) {
		begin(recovery);
	} else if (recovery->enrol.state == ENROL_DONE && !recovery->looking) {
		recovery->looking = true;
		say(recovery, TERM_LOOK, on_answered);
	}
}

bool
recovery_holds_up(struct recovery *recovery, enum ask_kind kind)
{
	struct enrol *enrol = &recovery->enrol;
	if (recovery->off || (kind != ASK_LIMITS && kind != ASK_RENEW))
		return false;
	if (enrol->state == ENROL_DONE && (!enrol->takes_part || enrol->doubts ||
	                                   recovery->calls->owes_puts(recovery->store)))
		enrol_lost(enrol);
	enrol->takes_part = true;
	if (enrol->state == ENROL_AWAY)
		begin(recovery);
	return enrol->state != ENROL_DONE;
}

/* ---- what is heard ---- */

static int64_t
wait_ms(const struct recovery *recovery)
{
	const struct enrol *enrol = &recovery->enrol;
	int64_t left_ms = enrol->begun_ms + enrol_longest_ms(enrol) - now_ms();
	return left_ms > WAIT_MIN_MS ? left_ms : WAIT_MIN_MS;
}

/* Its answer was no answer; the next will be, for all is put or the store's time is known by then. */
static void
ask_again(struct recovery *recovery, struct store_job *job)
{
	recovery->calls->hold(recovery->store, job);
	if (recovery->enrol.state == ENROL_AWAY)
		begin(recovery);
	else if (recovery->enrol.state == ENROL_DONE)
		recovery->calls->go_on(recovery->store, STORE_OK);
}

bool
recovery_answered(struct recovery *recovery, struct store_job *job)
{
	struct limits_result *limits = &job->answer.limits;
	bool is_question = job->ask.kind == ASK_LIMITS || job->ask.kind == ASK_RENEW;
	if (recovery->off || job->answer.status != STORE_OK)
		return false;
	enrol_heard(&recovery->enrol, now_ms());
	if (job->ask.kind != ASK_GREYLIST && clock_has_stepped(recovery, job)) {
		recovery->enrol.doubts = true;
		if (recovery->enrol.state == ENROL_DONE)
			enrol_lost(&recovery->enrol);
	}
	if (!is_question || !limits->not_yet)
		return false;
	if (limits->row != TERM_OPEN)
		enrol_learned(&recovery->enrol, limits->row);
	limits->wait_ms = wait_ms(recovery);
	bool again =
		job->ask.kind == ASK_LIMITS && job->waiting && limits->row != TERM_IN;
	if (again)
		ask_again(recovery, job);
	return again;
}

bool
recovery_missing(const struct recovery *recovery, struct text *names_out)
{
	struct slice rest = slice_of(recovery->enrol.members), word;
	if (recovery->off || !enrol_waits(&recovery->enrol))
		return false;
	while (slice_word(&rest, &word))
		if (word.p[0] == '-')
			text_printf(names_out, "%.*s ", (int)word.n - 1, word.p + 1);
	return true;
}
