/*
 * test_term_walk.c - two daemons, a limit of 2, one store that fails: every interleaving is walked
 * through until states repeat.
 *
 * The rules are those that run: term.c on the store's side, enrol.c on the daemon's.  Around them is
 * a model of what else there is: slots, messages in the order of a connection, answers that are late
 * or never come, a store that restarts (with all, without its last write, or empty), is emptied, or
 * whose clock is stepped.  What must hold in each state: no more deliveries are under way by leases
 * in force than the limit allows.  Without the rules the walk finds that they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "rules/enrol.h"

#define DAEMONS 2
#define SLOTS   2 /* deliveries that the first may have; the other has one less */
#define LIMIT   2
#define QUEUE   2
#define TABLE   (1U << 23)

enum say {
	SAY_NOTHING,
	SAY_BEGIN,
	SAY_SIGN_IN,
	SAY_LOOK,
	SAY_ASK,
	SAY_RENEW,
	SAY_PUT,
	SAY_BACK,
};

struct message {
	uint8_t say, arg, flags, number, clock;
};

enum { FLAG_FRESH = 1, FLAG_DOUBTS = 2, FLAG_WAITED = 4, FLAG_KNOWS = 8 };

struct reply {
	uint8_t say, arg, row, number, granted, not_yet, clock, knows;
};

struct server {
	uint8_t life; /* 0: the term is absent */
	uint8_t number, open, hosts, rows[DAEMONS];
	uint8_t leases[DAEMONS]; /* a bit for each slot */
};

struct daemon {
	uint8_t state, begun, doubts, said_doubts, signs_in, row, number, knows, waited;
	uint8_t held,
		expired; /* bits; expired: its lease ran out, so it counts no more */
	uint8_t asked;   /* bits: an answer is awaited */
	uint8_t clock;   /* the store's, as it knows it */
	uint8_t connected, n_out, n_in;
	struct message out[QUEUE];
	struct reply in[QUEUE];
};

struct state {
	uint8_t life, next_number, clock, faults;
	struct server server, before; /* its last write */
	struct daemon daemons[DAEMONS];
};

static const char *const names[DAEMONS] = {"m/a/", "m/b/"};

static struct walk {
	bool rules;
	uint8_t faults_max;

	struct seen {
		uint64_t hash;
		uint32_t from;
		const char *what;
	} * seen;

	size_t states;
	bool failed;
	size_t from;        /* the state that is left, in the table */
	struct state *next; /* states to be left in the next step */
	size_t n_next, cap_next;
} walk;

/* ---- between the model and the rules ---- */

static void
to_term(const struct server *server, struct term *term)
{
	*term = (struct term){.number = server->number,
	                      .open = server->open,
	                      .hosts = server->hosts};
	if (server->life)
		snprintf(term->id, sizeof(term->id), "%u", server->life);
	for (int d = 0; d < DAEMONS; d++)
		if (server->rows[d] != TERM_STRANGER) {
			struct term_member *member = &term->members[term->n++];
			snprintf(member->daemon, sizeof(member->daemon), "%s", names[d]);
			member->row = server->rows[d];
		}
}

static void
from_term(const struct term *term, struct server *server)
{
	server->life = (uint8_t)strtoul(term->id, NULL, 10);
	server->number = (uint8_t)term->number;
	server->open = term->open;
	server->hosts = (uint8_t)term->hosts;
	for (int d = 0; d < DAEMONS; d++)
		server->rows[d] = term_row(term, names[d]);
}

static void
to_enrol(const struct daemon *daemon, int d, struct enrol *enrol)
{
	enrol_init(enrol, names[d]);
	enrol_configure(enrol, 1, 1);
	enrol->state = daemon->state;
	enrol->takes_part = true;
	enrol->begun = daemon->begun;
	enrol->doubts = daemon->doubts;
	enrol->said_doubts = daemon->said_doubts;
	enrol->signs_in = daemon->signs_in;
	enrol->row = daemon->row;
	enrol->number = daemon->number;
	if (daemon->knows)
		snprintf(enrol->members, sizeof(enrol->members), "+%s", names[!d]);
}

static void
from_enrol(const struct enrol *enrol, struct daemon *daemon)
{
	daemon->state = enrol->state;
	daemon->begun = enrol->begun;
	daemon->doubts = enrol->doubts;
	daemon->said_doubts = enrol->said_doubts;
	daemon->signs_in = enrol->signs_in;
	daemon->row = enrol->row;
	daemon->number = (uint8_t)enrol->number;
}

/* ---- the daemon ---- */

static bool
say(struct daemon *daemon, struct message message)
{
	if (!daemon->connected || daemon->n_out == QUEUE)
		return false;
	message.clock = daemon->clock;
	daemon->out[daemon->n_out++] = message;
	return true;
}

static bool
say_term(struct state *state, int d, enum term_step step, enum say word)
{
	struct daemon *daemon = &state->daemons[d];
	struct enrol enrol;
	struct term_call call;
	if (!daemon->connected || daemon->n_out == QUEUE)
		return false;
	to_enrol(daemon, d, &enrol);
	enrol_say(&enrol, step, daemon->waited, &call);
	from_enrol(&enrol, daemon);
	return say(daemon,
	           (struct message){.say = word,
	                            .flags = (uint8_t)((call.fresh ? FLAG_FRESH : 0) |
	                                               (call.doubts ? FLAG_DOUBTS : 0) |
	                                               (call.waited ? FLAG_WAITED : 0) |
	                                               (*call.known ? FLAG_KNOWS : 0)),
	                            .number = (uint8_t)call.number});
}

static void
all_is_put(struct state *state, int d)
{
	struct daemon *daemon = &state->daemons[d];
	struct enrol enrol;
	to_enrol(daemon, d, &enrol);
	bool signs_in = enrol_put(&enrol);
	from_enrol(&enrol, daemon);
	if (signs_in)
		say_term(state, d, TERM_SIGN_IN, SAY_SIGN_IN);
}

static void
hear_term(struct state *state, int d, const struct reply *reply)
{
	struct daemon *daemon = &state->daemons[d];
	struct enrol enrol;
	struct enrol_answer answer = {.row = reply->row, .number = reply->number};
	to_enrol(daemon, d, &enrol);
	if (reply->say != SAY_BEGIN) {
		enrol_answered(&enrol, &answer);
		from_enrol(&enrol, daemon);
		return;
	}
	if (daemon->state != ENROL_BEGINNING)
		return;
	bool all = enrol_begun(&enrol, &answer, 0);
	from_enrol(&enrol, daemon);
	daemon->waited = false;
	if (!all && daemon->doubts)
		say_term(state, d, TERM_BEGIN, SAY_BEGIN);
	else if (!all || !daemon->held)
		all_is_put(state, d);
	else
		say(daemon, (struct message){.say = SAY_PUT, .arg = daemon->held});
}

static void
hear_slot(struct state *state, int d, const struct reply *reply)
{
	struct daemon *daemon = &state->daemons[d];
	uint8_t bit = (uint8_t)(1 << reply->arg);
	struct enrol enrol;
	if (reply->say == SAY_ASK && daemon->asked & bit) {
		daemon->asked &= (uint8_t)~bit;
		if (reply->granted)
			daemon->held |= bit;
		daemon->expired &= (uint8_t)~bit;
	}
	if (walk.rules && reply->not_yet && reply->row != TERM_OPEN) {
		to_enrol(daemon, d, &enrol);
		enrol_learned(&enrol, reply->row);
		from_enrol(&enrol, daemon);
	}
}

static void
hear(struct state *state, int d)
{
	struct daemon *daemon = &state->daemons[d];
	struct reply reply = daemon->in[0];
	daemon->n_in--;
	memmove(daemon->in, daemon->in + 1, sizeof(reply) * daemon->n_in);
	memset(&daemon->in[daemon->n_in], 0, sizeof(reply));
	if (reply.clock != daemon->clock) {
		daemon->clock = reply.clock;
		daemon->doubts = true;
		if (daemon->state == ENROL_DONE)
			daemon->state = ENROL_AWAY;
	}
	if (reply.say == SAY_PUT) {
		if (daemon->state == ENROL_PUTTING)
			all_is_put(state, d);
		return;
	}
	if (reply.say == SAY_ASK || reply.say == SAY_RENEW)
		hear_slot(state, d, &reply);
	else if (reply.say != SAY_BACK) {
		daemon->knows |= reply.knows;
		hear_term(state, d, &reply);
	}
}

static void
cut_off(struct daemon *daemon)
{
	struct enrol enrol;
	to_enrol(daemon, 0, &enrol);
	enrol_lost(&enrol);
	from_enrol(&enrol, daemon);
	daemon->connected = false;
	daemon->asked = 0;
	daemon->n_out = daemon->n_in = 0;
	memset(daemon->out, 0, sizeof(daemon->out));
	memset(daemon->in, 0, sizeof(daemon->in));
}

/* ---- the store ---- */

static int
leases(const struct server *server)
{
	int n = 0;
	for (int d = 0; d < DAEMONS; d++)
		n += __builtin_popcount(server->leases[d]);
	return n;
}

static void
do_term(struct state *state, int d, const struct message *message, struct reply *reply)
{
	static const enum term_step steps[] = {[SAY_BEGIN] = TERM_BEGIN,
	                                       [SAY_SIGN_IN] = TERM_SIGN_IN,
	                                       [SAY_LOOK] = TERM_LOOK};
	struct server *server = &state->server;
	struct term_call call = {.step = steps[message->say],
	                         .hosts = DAEMONS,
	                         .fresh = message->flags & FLAG_FRESH,
	                         .doubts = message->flags & FLAG_DOUBTS,
	                         .waited = message->flags & FLAG_WAITED};
	struct term term;
	struct term_effect effect;
	snprintf(call.daemon, sizeof(call.daemon), "%s", names[d]);
	snprintf(call.id, sizeof(call.id), "%u", state->life);
	call.number = message->say == SAY_BEGIN ? state->next_number : message->number;
	if (message->flags & FLAG_KNOWS)
		snprintf(call.known, sizeof(call.known), "%s ", names[!d]);
	to_term(server, &term);
	term_apply(&term, &call, &effect);
	from_term(&term, server);
	if (effect.drop_all)
		state->next_number++;
	if (effect.drop_all)
		memset(server->leases, 0, sizeof(server->leases));
	if (effect.drop_own)
		server->leases[d] = 0;
	reply->row = server->rows[d];
	reply->number = server->number;
	reply->knows = server->rows[!d] != TERM_STRANGER;
}

static void
do_slot(struct state *state, int d, const struct message *message, struct reply *reply)
{
	struct server *server = &state->server;
	uint8_t bit = (uint8_t)(1 << message->arg);
	bool has = server->leases[d] & bit;
	bool may = !walk.rules || server->rows[d] == TERM_OPEN ||
	           (message->say == SAY_RENEW && server->rows[d] == TERM_IN);
	if (walk.rules)
		may &= message->clock == state->clock;
	reply->row = server->rows[d];
	reply->not_yet = !may;
	reply->granted = may && (has || leases(server) < LIMIT);
	if (reply->granted)
		server->leases[d] |= bit;
}

static void
serve(struct state *state, int d)
{
	struct daemon *daemon = &state->daemons[d];
	struct message message = daemon->out[0];
	struct reply reply = {.say = message.say,
	                      .arg = message.arg,
	                      .clock = state->clock};
	struct server before = state->server;
	daemon->n_out--;
	memmove(daemon->out, daemon->out + 1, sizeof(message) * daemon->n_out);
	memset(&daemon->out[daemon->n_out], 0, sizeof(message));
	if (message.say <= SAY_LOOK)
		do_term(state, d, &message, &reply);
	else if (message.say == SAY_PUT)
		state->server.leases[d] |= message.arg;
	else if (message.say == SAY_BACK)
		state->server.leases[d] &= (uint8_t) ~(1 << message.arg);
	else
		do_slot(state, d, &message, &reply);
	if (memcmp(&before, &state->server, sizeof(before)) != 0)
		state->before = before;
	daemon->in[daemon->n_in++] = reply;
}

/* ---- what may happen ---- */

static void reach(const struct state *state, const char *what);

static void
restart(struct state *state, const struct server *as)
{
	state->server = *as;
	state->before = *as;
	state->life++;
	state->faults++;
	for (int d = 0; d < DAEMONS; d++)
		cut_off(&state->daemons[d]);
}

static void
explore_faults(const struct state *from)
{
	static const struct server empty;
	struct state state = *from;
	if (from->faults >= walk.faults_max)
		return;
	restart(&state, &from->server);
	reach(&state, "the store restarts");
	state = *from;
	restart(&state, &from->before);
	reach(&state, "the store restarts without its last write");
	state = *from;
	restart(&state, &empty);
	reach(&state, "the store restarts empty");
	state = *from;
	state.server = state.before = empty;
	state.faults++;
	reach(&state, "the store is emptied");
	state = *from;
	memset(state.server.leases, 0, sizeof(state.server.leases));
	state.before = state.server;
	state.clock++;
	state.faults++;
	reach(&state, "the store's clock is stepped");
}

/* An answer to an earlier question is still to come: no answer to the next. */
static bool
is_late(const struct daemon *daemon, int k)
{
	for (int i = 0; i < daemon->n_out; i++)
		if (daemon->out[i].say == SAY_ASK && daemon->out[i].arg == k)
			return true;
	for (int i = 0; i < daemon->n_in; i++)
		if (daemon->in[i].say == SAY_ASK && daemon->in[i].arg == k)
			return true;
	return false;
}

static void
explore_slot(const struct state *from, int d, int k)
{
	struct state state = *from;
	struct daemon *daemon = &state.daemons[d];
	uint8_t bit = (uint8_t)(1 << k);
	bool ready = daemon->state == ENROL_DONE || !walk.rules;
	if (!(daemon->held & bit) && !is_late(daemon, k) && ready &&
	    (k == 0 || (daemon->held | daemon->asked) & 1) &&
	    say(daemon, (struct message){.say = SAY_ASK, .arg = (uint8_t)k})) {
		daemon->asked |= bit;
		reach(&state, d ? "b asks" : "a asks");
	}
	state = *from;
	if (daemon->asked & bit &&
	    say(daemon, (struct message){.say = SAY_BACK, .arg = (uint8_t)k})) {
		daemon->asked &= (uint8_t)~bit; /* a late answer is no admission */
		reach(&state, d ? "b gives up" : "a gives up");
	}
	state = *from;
	if (daemon->held & bit) {
		daemon->held &= (uint8_t)~bit;
		daemon->expired &= (uint8_t)~bit;
		say(daemon, (struct message){.say = SAY_BACK, .arg = (uint8_t)k});
		if (!from->daemons[d].connected || from->daemons[d].n_out < QUEUE)
			reach(&state, d ? "b's ends" : "a's ends");
	}
	state = *from;
	if (daemon->held & bit & ~state.server.leases[d] && ready &&
	    daemon->n_out + daemon->n_in == 0 &&
	    say(daemon, (struct message){.say = SAY_RENEW, .arg = (uint8_t)k}))
		reach(&state, d ? "b renews" : "a renews");
}

static void
explore_daemon(const struct state *from, int d)
{
	struct state state = *from;
	struct daemon *daemon = &state.daemons[d];
	if (daemon->n_out > 0 && daemon->n_in < QUEUE) {
		serve(&state, d);
		reach(&state, d ? "b is served" : "a is served");
	}
	state = *from;
	if (daemon->n_in > 0) {
		hear(&state, d);
		reach(&state, d ? "b hears" : "a hears");
	}
	state = *from;
	if (!daemon->connected) {
		daemon->connected = true;
		reach(&state, d ? "b connects" : "a connects");
	}
	state = *from;
	if (walk.rules && daemon->state == ENROL_AWAY &&
	    say_term(&state, d, TERM_BEGIN, SAY_BEGIN))
		reach(&state, d ? "b begins" : "a begins");
	state = *from;
	if (walk.rules && daemon->state == ENROL_DONE && daemon->row == TERM_IN &&
	    daemon->n_out + daemon->n_in == 0 && say_term(&state, d, TERM_LOOK, SAY_LOOK))
		reach(&state, d ? "b looks" : "a looks");
	state = *from;
	if (from->faults < walk.faults_max && daemon->connected) {
		cut_off(daemon);
		state.faults++;
		reach(&state, d ? "b is cut off" : "a is cut off");
	}
	state = *from;
	if (from->faults < walk.faults_max) {
		*daemon = (struct daemon){.clock = from->clock};
		state.faults++;
		reach(&state, d ? "b crashes" : "a crashes");
	}
	for (int k = 0; k < SLOTS - d; k++)
		explore_slot(from, d, k);
}

/* Who is away since the term began holds by no lease any more, and who waits for it has waited. */
static void
explore_time(const struct state *from)
{
	struct state state = *from;
	bool away = false;
	for (int d = 0; d < DAEMONS; d++) {
		struct daemon *daemon = &state.daemons[d];
		if (!daemon->connected && state.server.life == state.life &&
		    state.server.rows[d] == TERM_OUT) {
			away = true;
			daemon->expired = daemon->held;
			state.server.leases[d] = 0;
		}
	}
	for (int d = 0; d < DAEMONS; d++)
		if (state.daemons[d].state == ENROL_DONE &&
		    state.server.rows[d] == TERM_IN)
			state.daemons[d].waited = true;
	if (away)
		reach(&state, "a lease's time passes");
}

/* ---- the walk ---- */

static uint64_t
hash_of(const struct state *state)
{
	const unsigned char *bytes = (const unsigned char *)state;
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < sizeof(*state); i++)
		hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
	hash ^= hash >> 29;
	return hash ? hash : 1;
}

/* Where the state is in the table, or has its place. */
static size_t
place_of(uint64_t hash)
{
	size_t at = hash % TABLE;
	while (walk.seen[at].hash && walk.seen[at].hash != hash)
		at = (at + 1) % TABLE;
	return at;
}

static int
under_way(const struct state *state)
{
	int n = 0;
	for (int d = 0; d < DAEMONS; d++)
		n += __builtin_popcount(state->daemons[d].held &
		                        ~state->daemons[d].expired);
	return n;
}

static void
print_trail(size_t at)
{
	if (walk.seen[at].from != at)
		print_trail(walk.seen[at].from);
	printf("#   %s\n", walk.seen[at].what);
}

/* What can make no difference any more is not to make another state. */
static struct state
reduce(const struct state *state)
{
	struct state reduced = *state;
	if (state->faults < walk.faults_max)
		return reduced;
	memset(&reduced.before, 0, sizeof(reduced.before));
	for (int d = 0; d < DAEMONS && state->server.life; d++)
		reduced.daemons[d].knows = 0;
	return reduced;
}

static void
reach(const struct state *reached, const char *what)
{
	struct state reduced = reduce(reached);
	const struct state *state = &reduced;
	uint64_t hash = hash_of(state);
	size_t at = place_of(hash);
	if (walk.failed || walk.seen[at].hash)
		return;
	ck_assert_msg(walk.states < TABLE / 4 * 3, "more states than there is room for");
	walk.seen[at] =
		(struct seen){hash, (uint32_t)(walk.states ? walk.from : at), what};
	walk.states++;
	if (under_way(state) > LIMIT) {
		walk.failed = true;
		print_trail(at);
		return;
	}
	if (walk.n_next == walk.cap_next) {
		walk.cap_next = walk.cap_next ? 2 * walk.cap_next : 1024;
		walk.next = realloc(walk.next, walk.cap_next * sizeof(*walk.next));
		ck_assert_ptr_nonnull(walk.next);
	}
	walk.next[walk.n_next++] = *state;
}

static void
explore(const struct state *from)
{
	walk.from = place_of(hash_of(from));
	for (int d = 0; d < DAEMONS; d++)
		explore_daemon(from, d);
	explore_time(from);
	explore_faults(from);
}

/* All states that are a step away from some state before, then those two steps away, ... */
static void
walk_through(bool rules, uint8_t faults_max)
{
	struct state start = {.life = 1, .next_number = 1};
	unsigned steps = 0;
	walk = (struct walk){.rules = rules, .faults_max = faults_max};
	walk.seen = calloc(TABLE, sizeof(*walk.seen));
	ck_assert_ptr_nonnull(walk.seen);
	for (reach(&start, "begin"); walk.n_next > 0 && !walk.failed; steps++) {
		struct state *states = walk.next;
		size_t n = walk.n_next;
		walk.next = NULL;
		walk.n_next = walk.cap_next = 0;
		for (size_t i = 0; i < n; i++)
			explore(&states[i]);
		free(states);
	}
	printf("# %zu states, %u steps\n", walk.states, steps);
	fflush(stdout);
	free(walk.next);
	free(walk.seen);
}

START_TEST(never_more_than_the_limit)
{
	walk_through(true, 1);
	ck_assert_msg(!walk.failed, "more than the limit are under way");
}

END_TEST

START_TEST(without_the_rules_there_are_more)
{
	walk_through(false, 1);
	ck_assert_msg(walk.failed, "the walk does not find the fault");
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_set_timeout(tcase, 600);
	tcase_add_test(tcase, never_more_than_the_limit);
	tcase_add_test(tcase, without_the_rules_there_are_more);
}

int
main(void)
{
	return harness_run("term walk", fill);
}
