/*
 * test_store_model.c - thousands of random steps, asked of both stores and of a plain model.
 *
 * The model is the functions of rules/grey.c on arrays.  Whatever they say, both stores must
 * say: answer, wait and delay, at every step.
 *
 * WEIR_SEED=n runs that seed alone; WEIR_STEPS=n takes so many steps with each.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "both_stores.h"
#include "harness.h"
#include "history_fixture.h"
#include "store/record.h"

#define SEEDS      4
#define STEPS      5000
#define IDENTITIES 32
#define TRIPLETS   12 /* of each identity */
#define BATCH_MAX  16
#define RECENT     40
#define DAY        86400

/* The times of Redis' keys go by the machine's clock, so none is shorter than the test takes. */
static const struct grey_rules rule_sets[] = {
	{180, DAY, 35 * DAY, 1}, {180, DAY, 35 * DAY, 2}, {60, 4 * 3600, 7 * DAY, 0},
	{600, 3600, DAY, 3},     {1, 3601, 3601, 1},      {180, DAY, 35 * DAY, 1000},
};

/* What is under one key, as the model has it. */
struct model {
	struct grey_record identities[IDENTITIES];
	struct grey_record triplets[IDENTITIES][TRIPLETS];
};

struct step {
	unsigned identity, triplet;
	struct ask ask;
	struct grey_result want;
};

struct run {
	uint64_t seed;
	uint64_t random; /* state of the generator */
	int64_t now_s;
	size_t n_steps;
	struct step *steps;
	struct model model;
	struct store_fixture stores[2];
	struct history *histories[2];
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

static int64_t
draw_between(struct run *run, int64_t from, int64_t to)
{
	return from + (int64_t)draw(run, (uint64_t)(to - from + 1));
}

/* Mostly a little forward, sometimes far, sometimes back. */
static int64_t
draw_clock_move(struct run *run, const struct grey_rules *rules)
{
	uint64_t kind = draw(run, 1000);
	if (kind < 100)
		return rules->delay_s;
	if (kind < 140)
		return draw_between(run, 600, 7200);
	if (kind < 145)
		return rules->retry_window_s;
	if (kind < 147)
		return rules->lifetime_s;
	if (kind < 180)
		return draw_between(run, -600, 0);
	if (kind < 183)
		return draw_between(run, -2 * DAY, -DAY);
	return draw_between(run, 0, 60);
}

/*
 * To a second before or behind, or just to, where a rule changes its mind about what is stored
 * for the step; false when that is far away.
 */
static bool
aim_clock(struct run *run, const struct step *step, const struct grey_rules *rules)
{
	const struct model *model = &run->model;
	int64_t identity_s = model->identities[step->identity].at_s;
	int64_t triplet_s = model->triplets[step->identity][step->triplet].at_s;
	const int64_t edges_s[] = {triplet_s + rules->delay_s,
	                           triplet_s + rules->retry_window_s,
	                           triplet_s + rules->lifetime_s,
	                           triplet_s + rules->lifetime_s / 32,
	                           identity_s + 3600,
	                           identity_s + rules->lifetime_s / 32,
	                           identity_s + rules->lifetime_s};
	int64_t aim_s = edges_s[draw(run, COUNT_OF(edges_s))] + draw_between(run, -1, 1);
	int64_t far_s = draw(run, 100) ? 7200 : 2 * rules->lifetime_s;
	if (aim_s < run->now_s - 600 || aim_s > run->now_s + far_s)
		return false;
	run->now_s = aim_s;
	return true;
}

static struct grey_result
ask_model(struct model *model, const struct step *step)
{
	struct grey_record *identity = &model->identities[step->identity];
	struct grey_record *triplet = &model->triplets[step->identity][step->triplet];
	const struct ask *ask = &step->ask;
	bool write;
	if (grey_identity_allowed(identity, &ask->rules, ask->now_s, &write))
		return (struct grey_result){.answer = GREY_IS_CLIENT_ALLOWED};
	struct grey_result result =
		grey_triplet_observe(triplet, &ask->rules, ask->may_store, ask->mark,
	                             ask->is_second, ask->now_s);
	if (result.answer == GREY_IS_PASSED_NOW)
		grey_identity_count(identity, &ask->rules, ask->now_s);
	return result;
}

/* One of all, or, since what is never retried is dull, one that came lately. */
static struct step
draw_step(struct run *run, const struct grey_rules *rules, size_t n)
{
	struct step step = {.identity = (unsigned)draw(run, IDENTITIES),
	                    .triplet = (unsigned)draw(run, TRIPLETS)};
	if (n > RECENT && draw(run, 2)) {
		const struct step *recent = &run->steps[n - 1 - draw(run, RECENT)];
		step.identity = recent->identity;
		step.triplet = recent->triplet;
	}
	if (draw(run, 3) || !aim_clock(run, &step, rules))
		run->now_s += draw_clock_move(run, rules);
	step.ask = (struct ask){.identity = fixture_key('i', step.identity),
	                        .triplet = fixture_key('t',
	                                               step.identity << 8 | step.triplet),
	                        .rules = *rules,
	                        .may_store = draw(run, 4) > 0,
	                        .mark = (unsigned)draw(run, 3),
	                        .is_second = draw(run, 2) > 0,
	                        .now_s = run->now_s};
	return step;
}

/* Prints what was asked about the identity so far. */
static void
print_history(const struct run *run, size_t last)
{
	unsigned identity = run->steps[last].identity;
	printf("# the history of identity %u:\n", identity);
	for (size_t i = 0; i <= last; i++) {
		const struct step *step = &run->steps[i];
		const struct ask *ask = &step->ask;
		if (step->identity != identity)
			continue;
		printf("# step %zu at %" PRId64 " triplet %u rules %" PRId64 " %" PRId64
		       " %" PRId64 " %" PRId64 "%s: %d, wait %" PRId64
		       ", delayed %" PRId64 "\n",
		       i, ask->now_s - FIXTURE_T0_S, step->triplet, ask->rules.delay_s,
		       ask->rules.retry_window_s, ask->rules.lifetime_s,
		       ask->rules.allow_client_after, ask->may_store ? "" : " unstored",
		       (int)step->want.answer, step->want.wait_s, step->want.delayed_s);
	}
	fflush(stdout);
}

static void
compare(const struct run *run, size_t at, const struct question *question)
{
	const struct grey_result *want = &run->steps[at].want;
	const struct grey_result *got = &question->answer.grey;
	if (question->answer.status == STORE_OK && got->answer == want->answer &&
	    got->wait_s == want->wait_s && got->delayed_s == want->delayed_s)
		return;
	print_history(run, at);
	ck_abort_msg("WEIR_SEED=%" PRIu64 " step %zu on %s: got %s, %d, wait %" PRId64
	             ", delayed %" PRId64 "; want %d, %" PRId64 ", %" PRId64,
	             run->seed, at,
	             question->fixture->place.backend == BACKEND_REDIS ? "redis"
	                                                               : "sqlite",
	             store_status_word(question->answer.status), (int)got->answer,
	             got->wait_s, got->delayed_s, (int)want->answer, want->wait_s,
	             want->delayed_s);
}

/*
 * Whether the step may share a turn with those from `from` on.  Redis is asked for all
 * identities of a turn first, so a pass shows in the next turn only; without identities the
 * order of questions is the order of answers.
 */
static bool
fits(const struct run *run, size_t from, size_t to, unsigned identity)
{
	if (run->steps[from].ask.rules.allow_client_after == 0)
		return true;
	for (size_t i = from; i < to; i++)
		if (run->steps[i].identity == identity)
			return false;
	return true;
}

/* The operator lets one pass that came lately, as weirctl does. */
static void
release_one(struct run *run, size_t n)
{
	const struct step *recent = &run->steps[n - 1 - draw(run, RECENT)];
	struct grey_record *rec = &run->model.triplets[recent->identity][recent->triplet];
	struct history_row row = {RECORD_TRIPLET, recent->ask.triplet, 0};
	struct err err;
	if (grey_is_expired(rec, &rule_sets[0], run->now_s))
		*rec = (struct grey_record){.state = GREY_ABSENT};
	grey_release(rec, run->now_s);
	row.packed = record_pack(rec);
	for (size_t s = 0; s < run->n_stores; s++)
		history_worked(history_put_records(run->histories[s], 1, &row,
		                                   &rule_sets[0], run->now_s, &err),
		               "releasing", &err);
}

/* Draws steps for one turn, asks all stores, compares; the number of the next step. */
static size_t
run_turn(struct run *run, size_t from)
{
	static struct question questions[BATCH_MAX];
	const struct grey_rules *rules = &rule_sets[draw(run, COUNT_OF(rule_sets))];
	size_t wanted = 1 + draw(run, BATCH_MAX), to = from;
	if (from > RECENT && draw(run, 4) == 0)
		release_one(run, from);
	while (to < run->n_steps && to - from < wanted) {
		struct step step = draw_step(run, rules, to);
		if (to > from && !fits(run, from, to, step.identity))
			break;
		step.want = ask_model(&run->model, &step);
		run->steps[to++] = step;
	}
	for (size_t s = 0; s < run->n_stores; s++) {
		for (size_t i = from; i < to; i++)
			questions[i - from] = (struct question){.ask = run->steps[i].ask};
		ask_all(&run->stores[s], questions, to - from);
		for (size_t i = from; i < to; i++)
			compare(run, i, &questions[i - from]);
	}
	return to;
}

static uint64_t
number_from(const char *variable, uint64_t otherwise)
{
	uint64_t value;
	const char *text = getenv(variable);
	return text && slice_to_u64(slice_of(text), 1000000000, &value) ? value
	                                                                : otherwise;
}

/* Each answer must have come often enough for the run to mean something. */
static void
check_variety(const struct run *run)
{
	size_t seen[GREY_ANSWERS] = {0};
	for (size_t i = 0; i < run->n_steps; i++)
		seen[run->steps[i].want.answer]++;
	for (size_t i = 0; run->n_steps >= STEPS && i < GREY_ANSWERS; i++)
		ck_assert_msg(seen[i] > 20,
		              "WEIR_SEED=%" PRIu64 ": answer %zu came %zu times",
		              run->seed, i, seen[i]);
}

static void
compare_record(const struct run *run, const struct store_place *place, char kind,
               unsigned number, const struct grey_record *rec)
{
	struct key key = fixture_key(kind, number);
	int64_t want = rec->state == GREY_ABSENT ? 0 : record_pack(rec);
	int64_t got = place_value(place, kind, &key);
	ck_assert_msg(got == want,
	              "WEIR_SEED=%" PRIu64 ": %s holds %" PRIx64
	              " under %c %u, want %" PRIx64,
	              run->seed, place->backend == BACKEND_REDIS ? "redis" : "sqlite",
	              (uint64_t)got, kind, number, (uint64_t)want);
}

/* What was written down matters only much later: so it is looked at, too. */
static void
compare_records(const struct run *run, const struct store_place *place)
{
	for (unsigned i = 0; i < IDENTITIES; i++) {
		compare_record(run, place, 'i', i, &run->model.identities[i]);
		for (unsigned t = 0; t < TRIPLETS; t++)
			compare_record(run, place, 't', i << 8 | t,
			               &run->model.triplets[i][t]);
	}
}

static int n_stores;

static void
open_stores(struct run *run)
{
	static const char *const settings[] = {"store.deadline=10s", NULL};
	for (int backend = BACKEND_EMBEDDED; backend < n_stores; backend++) {
		struct store_place place = place_on(backend);
		fixture_open(&run->stores[run->n_stores], &place, settings);
		run->histories[run->n_stores++] = history_at(&place);
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
	open_stores(&run);
	for (size_t next = 0; next < run.n_steps;)
		next = run_turn(&run, next);
	check_variety(&run);
	while (run.n_stores > 0) {
		struct store_fixture *last = &run.stores[--run.n_stores];
		history_close(&run.histories[run.n_stores]);
		compare_records(&run, &last->place);
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
	return harness_run("store model", fill);
}
