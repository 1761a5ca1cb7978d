/*
 * test_limit_model.c - thousands of random questions about limits, asked of both stores and of a
 * plain model.
 *
 * The model is arrays: who holds which slot until when, the rates, the notes.  Whatever it says,
 * both stores must say, at every step: with several limits at once, observed ones, limits that
 * change, renewals, give-backs, and a clock that steps forward and back.
 *
 * Times are multiples of GRID_S, so that nothing Redis keeps runs out by the machine's clock
 * before the test is over.
 *
 * WEIR_SEED=n runs that seed alone; WEIR_STEPS=n takes so many steps with each.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "both_stores.h"
#include "harness.h"

#define SEEDS      4
#define STEPS      6000
#define PATIENT_MS 8000 /* no more steps after so long */
#define RECENT     3
#define SESSIONS   7
#define RECIPIENTS 3
#define NAMES      2 /* of each scope */
#define BATCH_MAX  12
#define GRID_S     10
#define NOTE_S     30 /* as long as policyd's lease */
#define TTL_S      60 /* the milter's */
#define HOLD_S     30 /* policyd's */
#define TTL_MAX_S  70
#define EVER       INT64_C(9000000000000)

enum side { OF_POLICYD, OF_MILTER, SIDES };

struct note {
	int64_t ends_s;
	uint64_t message;
	limit_set rates;
};

/* Zero is "nothing" everywhere. */
struct model {
	int64_t ends_s[SCOPES][NAMES][SESSIONS][SIDES];
	int64_t tat_s[LIMIT_RATES * RATE_WINDOWS_MAX][NAMES];
	struct note notes[SESSIONS][RECIPIENTS];
};

struct step {
	enum ask_kind kind;
	enum side side;
	unsigned session, recipient;
	uint64_t message;
	int64_t now_s;
	unsigned back; /* run's, at the time */
	size_t n;
	struct limit_use uses[LIMIT_USES_MAX];
	unsigned names[LIMIT_USES_MAX];
	struct limits_result want;
};

/* What came how often. */
enum seen {
	GRANTED,
	SLOT_REFUSED,
	RATE_REFUSED,
	WOULD,
	NOTED,
	TAKEN_OVER,
	LATE,
	LOST,
	SEEN
};

struct run {
	uint64_t seed;
	uint64_t random;
	int64_t now_s;
	unsigned back; /* how often the clock has gone back: notes have other keys then */
	size_t n_steps;
	struct step *steps;
	struct model model;
	struct limit_use limits[LIMIT_USES_MAX][NAMES]; /* as they are set now */
	size_t seen[SEEN];
	struct store_fixture stores[2];
	size_t n_stores;
};

/* xorshift64*: the same steps for a seed on every machine. */
static uint64_t
draw(struct run *run, uint64_t below)
{
	run->random ^= run->random >> 12;
	run->random ^= run->random << 25;
	run->random ^= run->random >> 27;
	return run->random * UINT64_C(2685821657736338717) % below;
}

/* ---- the model ---- */

static int64_t *
lease_of(struct model *model, const struct step *step, size_t i, enum side side)
{
	return &model->ends_s[step->uses[i].scope][step->names[i]][step->session][side];
}

static int64_t *
tat_of(struct model *model, const struct step *step, size_t i)
{
	return &model->tat_s[limit_note_bit(&step->uses[i])][step->names[i]];
}

static bool
in_force(const struct step *step, int64_t ends_s)
{
	return ends_s > step->now_s && ends_s <= step->now_s + TTL_MAX_S;
}

static int64_t
count_in_force(struct model *model, const struct step *step, size_t i)
{
	int64_t n = 0;
	for (unsigned session = 0; session < SESSIONS; session++)
		for (int side = 0; side < SIDES; side++)
			n += in_force(step, model->ends_s[step->uses[i].scope]
			                                 [step->names[i]][session][side]);
	return n;
}

static int64_t
interval_s(const struct limit_use *use)
{
	return use->per_ms / 1000 / use->count;
}

static int64_t
burst(const struct limit_use *use)
{
	return use->burst > 0 ? use->burst : use->count;
}

/* How far the rate's events lie ahead; nothing when that is further than they can. */
static int64_t
ahead_s(struct model *model, const struct step *step, size_t i)
{
	const struct limit_use *use = &step->uses[i];
	int64_t ahead = *tat_of(model, step, i) - step->now_s;
	return ahead < 0 || ahead > (burst(use) + 1) * interval_s(use) ? 0 : ahead;
}

static bool
has_note(const struct step *step)
{
	for (size_t i = 0; i < step->n; i++)
		if (step->uses[i].kind != LIMIT_CONCURRENCY || step->uses[i].observed)
			return true;
	return false;
}

static struct note *
note_of(struct model *model, const struct step *step)
{
	return &model->notes[step->session][step->recipient];
}

/* Whether there is a note for who asks: policyd's own of this message, or, to the milter, any. */
static bool
has_been_noted(struct model *model, const struct step *step)
{
	const struct note *note = note_of(model, step);
	return has_note(step) && note->ends_s > step->now_s &&
	       (step->side == OF_MILTER || note->message == step->message);
}

/* The rates that are noted as taken. */
static limit_set
noted(struct model *model, const struct step *step)
{
	return has_been_noted(model, step) ? note_of(model, step)->rates : 0;
}

static bool
is_noted(const struct step *step, size_t i, limit_set rates)
{
	return step->uses[i].kind != LIMIT_CONCURRENCY &&
	       rates & LIMIT_BIT(limit_note_bit(&step->uses[i]));
}

static void
give_token_back(struct model *model, const struct step *step, size_t i)
{
	int64_t ahead = ahead_s(model, step, i) - interval_s(&step->uses[i]);
	*tat_of(model, step, i) = ahead > 0 ? step->now_s + ahead : 0;
}

/* What the names of that side hold, and the tokens of these rates. */
static void
give_all_back(struct model *model, const struct step *step, enum side side,
              limit_set rates)
{
	for (size_t i = 0; i < step->n; i++)
		if (step->uses[i].kind == LIMIT_CONCURRENCY)
			*lease_of(model, step, i, side) = 0;
		else if (is_noted(step, i, rates))
			give_token_back(model, step, i);
	if (has_note(step) &&
	    (step->kind == ASK_GIVE_BACK || has_been_noted(model, step)))
		*note_of(model, step) = (struct note){0};
}

/* The dead are dropped, unless it is a mere renewal. */
static void
drop_dead(struct model *model, const struct step *step, size_t i)
{
	for (unsigned session = 0; session < SESSIONS; session++)
		for (int side = 0; side < SIDES; side++) {
			int64_t *ends = &model->ends_s[step->uses[i].scope]
			                              [step->names[i]][session][side];
			if (!in_force(step, *ends))
				*ends = 0;
		}
}

static void
take_slot(struct model *model, const struct step *step, size_t i)
{
	int64_t *mine = lease_of(model, step, i, step->side);
	int64_t *others = lease_of(model, step, i, !step->side);
	bool had = in_force(step, *mine) || in_force(step, *others);
	if (in_force(step, *others) && step->side == OF_POLICYD)
		return;
	if (!had || step->kind == ASK_LIMITS)
		drop_dead(model, step, i);
	if (in_force(step, *others))
		*others = 0;
	*mine = step->now_s + (step->side == OF_MILTER ? TTL_S : HOLD_S);
	ck_assert_msg(had || count_in_force(model, step, i) <= step->uses[i].count,
	              "the model itself exceeds a limit");
}

static bool
has_slot(struct model *model, const struct step *step, size_t i)
{
	return in_force(step, *lease_of(model, step, i, OF_POLICYD)) ||
	       in_force(step, *lease_of(model, step, i, OF_MILTER));
}

/* Whether there is room; what it adds to the result. */
static bool
judge(struct model *model, const struct step *step, size_t i, limit_set rates,
      struct limits_result *result)
{
	const struct limit_use *use = &step->uses[i];
	result->wait_ms = 0;
	if (use->kind != LIMIT_CONCURRENCY) {
		int64_t wait_s =
			ahead_s(model, step, i) - (burst(use) - 1) * interval_s(use);
		if (wait_s <= 0 || is_noted(step, i, rates))
			return true;
		result->wait_ms = wait_s * 1000;
		return false;
	}
	int64_t n = count_in_force(model, step, i);
	bool has = has_slot(model, step, i);
	bool room = has || n < use->count;
	if (result->held == 0)
		result->held = n + (room && !has);
	return room;
}

static void
take(struct model *model, const struct step *step, limit_set rates, limit_set room)
{
	struct note *note = note_of(model, step);
	limit_set all = rates;
	for (size_t i = 0; i < step->n; i++) {
		if (!(room & LIMIT_BIT(i)))
			continue;
		if (step->uses[i].kind == LIMIT_CONCURRENCY) {
			take_slot(model, step, i);
			continue;
		}
		all |= LIMIT_BIT(limit_note_bit(&step->uses[i]));
		if (!is_noted(step, i, rates))
			*tat_of(model, step, i) = step->now_s + ahead_s(model, step, i) +
			                          interval_s(&step->uses[i]);
	}
	if (!has_note(step))
		return;
	if (step->side == OF_POLICYD)
		*note = (struct note){step->now_s + NOTE_S, step->message, all};
	else
		*note = (struct note){0};
}

static struct limits_result
ask_model(struct model *model, const struct step *step)
{
	struct limits_result result = {.refused = -1};
	limit_set rates = noted(model, step), room = 0;
	bool told = step->side == OF_MILTER && has_been_noted(model, step);
	for (size_t i = 0; i < step->n; i++) {
		if (judge(model, step, i, rates, &result)) {
			room |= LIMIT_BIT(i);
			if (step->side == OF_MILTER || !is_noted(step, i, rates))
				result.taken |= LIMIT_BIT(i);
			continue;
		}
		if (!step->uses[i].observed || (result.refused < 0 && !told))
			result.refused = (int)i;
		if (step->uses[i].observed)
			continue;
		result.taken = 0;
		if (step->side == OF_MILTER)
			give_all_back(model, step, OF_POLICYD, rates);
		return result;
	}
	result.granted = true;
	result.wait_ms = 0;
	take(model, step, rates, room);
	return result;
}

static struct limits_result
renew_model(struct model *model, const struct step *step)
{
	struct limits_result result = {.granted = true, .refused = -1};
	for (size_t i = 0; i < step->n; i++) {
		bool ran_out = !has_slot(model, step, i);
		if (ran_out && count_in_force(model, step, i) >= step->uses[i].count) {
			result.lost = true;
			continue;
		}
		result.late |= ran_out;
		take_slot(model, step, i);
	}
	return result;
}

static struct limits_result
do_in_model(struct model *model, const struct step *step)
{
	const struct limits_result nothing = {.refused = -1};
	switch (step->kind) {
	case ASK_LIMITS: return ask_model(model, step);
	case ASK_RENEW: return renew_model(model, step);
	case ASK_GIVE_BACK:
		give_all_back(model, step, step->side, ~UINT64_C(0));
		return nothing;
	case ASK_RETURN:
		give_all_back(model, step, step->side, noted(model, step));
		return nothing;
	case ASK_REFUSED:
		give_all_back(model, step, !step->side, noted(model, step));
		return nothing;
	case ASK_GREYLIST:
	case ASK_PUT:
	case ASK_TERM:
	case ASK_KINDS: break;
	}
	return nothing;
}

static void
note_seen(struct run *run, const struct step *step, const struct model *before)
{
	const struct limits_result *want = &step->want;
	struct model copy = *before;
	run->seen[LATE] += want->late;
	run->seen[LOST] += want->lost;
	if (step->kind != ASK_LIMITS)
		return;
	run->seen[GRANTED] += want->granted;
	run->seen[WOULD] += want->granted && want->refused >= 0;
	run->seen[NOTED] += step->side == OF_MILTER && noted(&copy, step) != 0;
	if (!want->granted)
		run->seen[step->uses[want->refused].kind == LIMIT_CONCURRENCY
		                  ? SLOT_REFUSED
		                  : RATE_REFUSED]++;
	for (size_t i = 0; want->granted && step->side == OF_MILTER && i < step->n; i++)
		run->seen[TAKEN_OVER] +=
			in_force(step, *lease_of(&copy, step, i, OF_POLICYD));
}

/* ---- the steps ---- */

/* The use with this number: first the slots of each scope, then the rates by their bits. */
static struct limit_use
numbered_use(int number)
{
	int bit = number - SCOPES;
	if (bit < 0)
		return (struct limit_use){.scope = (enum limit_scope)number,
		                          .kind = LIMIT_CONCURRENCY};
	int of_window = bit % LIMIT_RATES;
	return (struct limit_use){
		.scope = (enum limit_scope)(of_window / (LIMIT_KINDS - 1)),
		.kind = (enum limit_kind)(LIMIT_MESSAGES + of_window % (LIMIT_KINDS - 1)),
		.window = (uint8_t)(bit / LIMIT_RATES),
	};
}

static void
draw_limit(struct run *run, int number, unsigned name)
{
	struct limit_use *limit = &run->limits[number][name];
	*limit = numbered_use(number);
	limit->observed = draw(run, 5) == 0;
	limit->count = 1 + (int64_t)draw(run, 4);
	bool leases = limit->kind == LIMIT_CONCURRENCY;
	if (!leases) { /* an interval of 10 s to a minute */
		limit->per_ms =
			limit->count * GRID_S * 1000 * (1 + (int64_t)draw(run, 6));
		limit->burst = draw(run, 3) ? 0 : 1 + (int64_t)draw(run, 6);
	}
	limit->key = fixture_key(leases ? 'l' : 'r', (unsigned)number << 4 | name);
}

/* Now and then all windows, mostly few of those beside the first. */
static bool
is_left_out(struct run *run, const struct limit_use *use, bool all)
{
	if (all)
		return false;
	return draw(run, 3) == 0 || (use->window > 0 && draw(run, 6));
}

/* Some of the bounds of some scopes, in any order; renewals are of slots only. */
static void
draw_uses(struct run *run, struct step *step)
{
	unsigned scopes = 1 + (unsigned)draw(run, (1 << SCOPES) - 1);
	unsigned name = (unsigned)draw(run, NAMES);
	bool all = draw(run, 50) == 0;
	for (int number = 0; number < LIMIT_USES_MAX; number++) {
		const struct limit_use use = numbered_use(number);
		if (!(scopes >> use.scope & 1) || is_left_out(run, &use, all))
			continue;
		if (step->kind == ASK_RENEW && use.kind != LIMIT_CONCURRENCY)
			continue;
		size_t at = draw(run, 4) ? step->n : draw(run, step->n + 1);
		step->uses[step->n] = step->uses[at];
		step->names[step->n++] = step->names[at];
		step->names[at] = draw(run, 3) ? 0 : name;
		step->uses[at] = run->limits[number][step->names[at]];
	}
}

static enum ask_kind
draw_kind(struct run *run)
{
	uint64_t kind = draw(run, 100);
	return kind < 62   ? ASK_LIMITS
	       : kind < 78 ? ASK_RENEW
	       : kind < 86 ? ASK_GIVE_BACK
	       : kind < 92 ? ASK_RETURN
	                   : ASK_REFUSED;
}

/* Often about a recipient that was asked about lately: by policyd, say, and now by the milter. */
static struct step
draw_step(struct run *run, size_t n)
{
	struct step step = {
		.kind = draw_kind(run),
		.side = draw(run, 5) < 2 ? OF_POLICYD : OF_MILTER,
		.session = (unsigned)draw(run, SESSIONS),
		.recipient = (unsigned)draw(run, RECIPIENTS),
		.message = 1 + draw(run, 2),
		.now_s = run->now_s,
		.back = run->back,
	};
	if (step.kind == ASK_RENEW || step.kind == ASK_REFUSED)
		step.side = OF_MILTER;
	if (step.kind == ASK_RETURN)
		step.side = OF_POLICYD;
	if (n > RECENT && draw(run, 2)) {
		const struct step *recent = &run->steps[n - 1 - draw(run, RECENT)];
		step.session = recent->session;
		step.recipient = recent->recipient;
	}
	draw_uses(run, &step);
	return step;
}

static struct ask
ask_of(const struct step *step)
{
	struct ask ask = {.kind = step->kind};
	struct limits_ask *limits = &ask.limits;
	bool milter = step->side == OF_MILTER;
	snprintf(limits->holder, sizeof(limits->holder), "%c/mx1/%u", milter ? 'm' : 'p',
	         step->session);
	snprintf(limits->other, sizeof(limits->other), "%c/mx1/%u", milter ? 'p' : 'm',
	         step->session);
	limits->takes_over = milter;
	limits->ttl_ms = (milter ? TTL_S : HOLD_S) * 1000;
	limits->ttl_max_ms = TTL_MAX_S * 1000;
	limits->now_ms = step->now_s * 1000;
	limits->note =
		fixture_key('n', step->back << 16 | step->session << 8 | step->recipient);
	limits->message = step->message;
	limits->n = step->n;
	memcpy(limits->uses, step->uses, step->n * sizeof(*step->uses));
	return ask;
}

/* Mostly it stands or goes on a little, sometimes far, sometimes back. */
static void
move_clock(struct run *run)
{
	uint64_t kind = draw(run, 100);
	if (kind < 45)
		return;
	if (kind < 90) {
		run->now_s += GRID_S * (1 + (int64_t)draw(run, 3));
	} else if (kind < 95) {
		run->now_s += GRID_S * (int64_t)draw(run, 30);
	} else {
		run->now_s -= GRID_S * (1 + (int64_t)draw(run, draw(run, 3) ? 3 : 50));
		run->back++;
		memset(run->model.notes, 0, sizeof(run->model.notes));
	}
}

/* ---- what came out ---- */

static void
print_step(const struct run *run, size_t at)
{
	static const char *const kinds[] = {[ASK_LIMITS] = "ask",
	                                    [ASK_RENEW] = "renew",
	                                    [ASK_GIVE_BACK] = "back",
	                                    [ASK_RETURN] = "return",
	                                    [ASK_REFUSED] = "refused"};
	const struct step *step = &run->steps[at];
	char buf[100] = "";
	struct text want = TEXT(buf);
	fixture_put_limits(&step->want, &want);
	printf("# step %zu at %" PRId64 ": %s %c%u recipient %u message %" PRIu64 ":", at,
	       step->now_s - FIXTURE_T0_S, kinds[step->kind],
	       step->side == OF_MILTER ? 'm' : 'p', step->session, step->recipient,
	       step->message);
	for (size_t i = 0; i < step->n; i++) {
		const struct limit_use *use = &step->uses[i];
		printf(" %c%c%u:%" PRId64 "/%" PRId64 "b%" PRId64 "#%u%s",
		       "DCSUM"[use->scope], "lmr"[use->kind], step -> names[i],
		       use -> count, use -> per_ms / 1000, use -> burst, use -> window,
		       use -> observed ? "?" : "");
	}
	printf(" -> %s%s%s\n", buf, step->want.late ? " late" : "",
	       step->want.lost ? " lost" : "");
	fflush(stdout);
}

static void
compare(const struct run *run, size_t at, const struct question *question)
{
	const struct limits_result *want = &run->steps[at].want;
	const struct limits_result *got = &question->answer.limits;
	bool asked =
		run->steps[at].kind == ASK_LIMITS || run->steps[at].kind == ASK_RENEW;
	if (question->answer.status == STORE_OK &&
	    (!asked || (got->granted == want->granted && got->refused == want->refused &&
	                got->taken == want->taken && got->held == want->held &&
	                got->wait_ms == want->wait_ms && got->late == want->late &&
	                got->lost == want->lost)))
		return;
	for (size_t i = at > 40 ? at - 40 : 0; i <= at; i++)
		print_step(run, i);
	char buf[100] = "";
	struct text text = TEXT(buf);
	fixture_put_limits(got, &text);
	ck_abort_msg("WEIR_SEED=%" PRIu64 " step %zu on %s: got %s, %s%s%s", run->seed,
	             at,
	             question->fixture->place.backend == BACKEND_REDIS ? "redis"
	                                                               : "sqlite",
	             store_status_word(question->answer.status), buf,
	             got->late ? " late" : "", got->lost ? " lost" : "");
}

/* Draws steps for one turn, asks all stores, compares; the number of the next step. */
static size_t
run_turn(struct run *run, size_t from)
{
	static struct question questions[BATCH_MAX];
	static struct model before;
	size_t wanted = 1 + draw(run, BATCH_MAX), to = from;
	if (draw(run, 20) == 0)
		draw_limit(run, (int)draw(run, LIMIT_USES_MAX),
		           (unsigned)draw(run, NAMES));
	for (; to < run->n_steps && to - from < wanted; to++) {
		move_clock(run);
		run->steps[to] = draw_step(run, to);
		before = run->model;
		run->steps[to].want = do_in_model(&run->model, &run->steps[to]);
		note_seen(run, &run->steps[to], &before);
	}
	for (size_t s = 0; s < run->n_stores; s++) {
		for (size_t i = from; i < to; i++)
			questions[i - from] =
				(struct question){.ask = ask_of(&run->steps[i])};
		ask_all(&run->stores[s], questions, to - from);
		for (size_t i = from; i < to; i++)
			compare(run, i, &questions[i - from]);
	}
	return to;
}

/* Leases are looked at past the store, too: those in force, and those that are dead. */
static void
compare_leases(const struct run *run, const struct store_place *place)
{
	for (int scope = 0; scope < SCOPES; scope++)
		for (unsigned name = 0; name < NAMES; name++) {
			int64_t want = 0;
			for (size_t i = 0; i < (size_t)SESSIONS * SIDES; i++)
				want += run->model.ends_s[scope][name][i / SIDES]
				                         [i % SIDES] > 0;
			int64_t got = place_leases(place, &run->limits[scope][name].key,
			                           0, EVER);
			ck_assert_msg(got == want,
			              "WEIR_SEED=%" PRIu64 ": %" PRId64
			              " leases of scope %d, want %" PRId64,
			              run->seed, got, scope, want);
		}
}

static uint64_t
number_from(const char *variable, uint64_t otherwise)
{
	uint64_t value;
	const char *text = getenv(variable);
	return text && slice_to_u64(slice_of(text), 1000000000, &value) ? value
	                                                                : otherwise;
}

/* Each must have come often enough for the run to mean something. */
static void
check_variety(const struct run *run, size_t steps)
{
	for (size_t i = 0; steps >= STEPS && i < SEEN; i++)
		ck_assert_msg(run->seen[i] > 20,
		              "WEIR_SEED=%" PRIu64 ": %zu came %zu times", run->seed, i,
		              run->seen[i]);
}

static int n_stores;

static void
open_stores(struct run *run)
{
	static const char *const settings[] = {"store.deadline=10s", NULL};
	for (int backend = BACKEND_EMBEDDED; backend < n_stores; backend++) {
		struct store_place place = place_on(backend);
		fixture_open(&run->stores[run->n_stores++], &place, settings);
	}
}

START_TEST(stores_do_what_the_model_does)
{
	static struct run run;
	run = (struct run){.seed = number_from("WEIR_SEED", (uint64_t)_i),
	                   .n_steps = number_from("WEIR_STEPS", STEPS),
	                   .now_s = FIXTURE_T0_S};
	run.random = run.seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	run.steps = calloc(run.n_steps + 1, sizeof(*run.steps));
	for (int number = 0; number < LIMIT_USES_MAX; number++)
		for (unsigned name = 0; name < NAMES; name++)
			draw_limit(&run, number, name);
	open_stores(&run);
	int64_t end_ms = clock_mono_ms() + PATIENT_MS;
	size_t next = 0;
	while (next < run.n_steps && clock_mono_ms() < end_ms)
		next = run_turn(&run, next);
	check_variety(&run, next);
	while (run.n_stores > 0) {
		struct store_fixture *last = &run.stores[--run.n_stores];
		compare_leases(&run, &last->place);
		fixture_close(last);
	}
	free(run.steps);
}

END_TEST

static void
fill(TCase *tcase)
{
	n_stores = both_stores(tcase);
	tcase_add_loop_test(tcase, stores_do_what_the_model_does, 1,
	                    getenv("WEIR_SEED") ? 2 : 1 + SEEDS);
}

int
main(void)
{
	return harness_run("limit model", fill);
}
