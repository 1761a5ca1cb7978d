/* delivery.c - what deliveries hold, renewed while they last and given back when they end. */
#include "delivery.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "log.h"
#include "mem.h"
#include "share.h"
#include "stats.h"

/* A message has at most so many recipients in Postfix; more uses than that run out by themselves. */
#define HELD_MAX 4000

#define IN_SHARE_MS 20000

struct held {
	struct limit_use use;
	char *name; /* of the limit, for a key with another secret; NULL while `maybe` */
	bool unnamed;
	bool to_put;           /* the store is to be told that it is held */
	bool unasked;          /* the store has never heard of it */
	unsigned tokens;       /* of a rate, from the store; the milter's only */
	unsigned share_tokens; /* from this host's share */
	bool maybe; /* a slot that may be held: not to be counted, only to be given back */
};

/* The note on what policyd took, or may have taken, for a recipient. */
struct receipt {
	struct key note;
	uint64_t message;
	unsigned n;
	uint16_t held[LIMIT_USES_MAX]; /* which rates */
};

struct delivery {
	struct engine *engine; /* NULL: has not asked for anything */
	char holder[HOLDER_MAX + 1];
	char other[HOLDER_MAX + 1];
	char service[SERVICE_MAX + 1];
	enum stage heard;
	bool unkeyed; /* the store's secret is not known yet: nothing of it is stored */
	struct held *held;
	size_t n, cap;
	struct receipt *receipts;
	size_t n_receipts, cap_receipts;
	int64_t renewed_ms;           /* or taken last */
	struct delivery *prev, *next; /* among those of the engine */
};

struct delivery *
delivery_new(void)
{
	return mem_new(struct delivery);
}

void
delivery_hear(struct delivery *delivery, enum stage stage)
{
	if (stage > delivery->heard)
		delivery->heard = stage;
}

static void
join(struct delivery *delivery, struct engine *engine, const struct conf *conf,
     const struct query *query)
{
	static const char kinds[] = {[ENGINE_OF_POLICYD] = 'p', [ENGINE_OF_MILTER] = 'm'};
	uint64_t serial = engine->next_holder++;
	struct text service = TEXT(delivery->service);
	text_put(&service, query->server_port);
	delivery->engine = engine;
	delivery->renewed_ms = loop_now_ms(engine->loop);
	limits_print_holder(kinds[engine->kind], conf->node, query, serial,
	                    delivery->holder);
	if (!limits_print_holder(kinds[!engine->kind], conf->node, query, serial,
	                         delivery->other))
		delivery->other[0] = '\0';
	DL_APPEND(engine->deliveries, delivery);
}

static struct held *
find_held(const struct delivery *delivery, const struct limit_use *use)
{
	for (size_t i = 0; i < delivery->n; i++)
		if (memcmp(&delivery->held[i].use.key, &use->key, sizeof(use->key)) == 0)
			return &delivery->held[i];
	return NULL;
}

static bool
is_slot(const struct held *held)
{
	return held->use.kind == LIMIT_CONCURRENCY;
}

/* A message is counted once at each limit, however many recipients it has there. */
static void
leave_out_counted(const struct delivery *delivery, struct limits_ask *ask)
{
	unsigned wanted = 0;
	for (size_t i = 0; i < ask->n; i++) {
		const struct held *held = find_held(delivery, &ask->uses[i]);
		if (ask->uses[i].kind != LIMIT_MESSAGES || !held || held->maybe)
			wanted |= 1u << i;
	}
	limits_keep(ask, wanted);
}

/* Postfix' instance as a number that Redis' scripts can hold; without one, one never used. */
static uint64_t
message_number(struct engine *engine, struct slice instance)
{
	uint64_t number = instance.n > 0 ? 0 : engine->next_holder++;
	for (size_t i = 0; i < instance.n; i++)
		number = number * 131 + (unsigned char)instance.p[i];
	return number & ((UINT64_C(1) << 53) - 1);
}

static unsigned
slots_of(const struct delivery *delivery, const struct limits_ask *ask)
{
	unsigned slots = 0;
	for (size_t i = 0; i < ask->n; i++) {
		const struct held *held = find_held(delivery, &ask->uses[i]);
		if (held && is_slot(held) && !held->maybe)
			slots |= 1u << i;
	}
	return slots;
}

/* Who asks, and the bounds of time: the same in every question of a delivery. */
static void
sign_ask(const struct delivery *delivery, struct limits_ask *ask)
{
	const struct engine *engine = delivery->engine;
	memcpy(ask->holder, delivery->holder, sizeof(ask->holder));
	memcpy(ask->other, delivery->other, sizeof(ask->other));
	ask->takes_over = engine->kind == ENGINE_OF_MILTER;
	ask->ttl_max_ms = LEASE_MAX_MS;
	ask->now_ms = engine->test_now_s * 1000;
}

void
delivery_ask(struct delivery *delivery, struct engine *engine, const struct conf *conf,
             const struct query *query, const struct plan *plan,
             struct limits_ask *ask_out)
{
	static const struct key_secret no_secret;
	const struct key_secret *secret = store_secret(engine->store);
	struct limits_ask *ask = ask_out;
	bool of_milter = engine->kind == ENGINE_OF_MILTER;
	if (!delivery->engine)
		join(delivery, engine, conf, query);
	delivery_hear(delivery, STAGE_RCPT);
	delivery->unkeyed = !secret;
	memset(ask, 0, sizeof(*ask));
	sign_ask(delivery, ask);
	ask->ttl_ms = of_milter ? conf->limits.lease_ms : conf->policyd.hold_ms;
	ask->message = message_number(engine, query->instance);
	limits_uses(plan->limits, plan->n_limits, secret ? secret : &no_secret, ask);
	leave_out_counted(delivery, ask);
	ask->mine = slots_of(delivery, ask);
	if (limits_have_rates(ask))
		ask->note = key_note(secret ? secret : &no_secret,
		                     slice_of(of_milter ? ask->other : ask->holder),
		                     query->sender, query->recipient);
}

static struct held *
add_held(struct delivery *delivery, const struct limit_use *use)
{
	if (delivery->n == HELD_MAX)
		return NULL;
	if (delivery->n == delivery->cap) {
		delivery->cap = delivery->cap ? 2 * delivery->cap : 4;
		delivery->held =
			mem_grow(delivery->held, delivery->cap * sizeof(struct held));
	}
	struct held *held = &delivery->held[delivery->n++];
	*held = (struct held){.use = *use, .maybe = true};
	return held;
}

static void
make_sure(struct delivery *delivery, const struct plan *plan, struct held *held)
{
	const struct limit_of *of = plan_limit_of(plan, &held->use);
	if (held->maybe && is_slot(held))
		share_hold(delivery->engine->share, &held->use.key);
	held->maybe = false;
	if (!held->name)
		held->name = mem_dup(of->name);
	held->unnamed = of->unnamed;
}

/* From here on somebody may hold what is to be put: the list is looked through from its start. */
static void
begin_puts(struct engine *engine)
{
	engine->to_put = engine->deliveries;
}

static bool
is_of_policyd(const struct delivery *delivery)
{
	return delivery->engine->kind == ENGINE_OF_POLICYD;
}

/* `old`: the store may have heard of it before. */
static void
note_by(struct delivery *delivery, struct held *held, bool old, enum granted_by by)
{
	bool is_new = held->maybe;
	if (!is_slot(held)) {
		held->tokens += by == BY_STORE && !is_of_policyd(delivery);
		held->share_tokens += by != BY_STORE;
	} else if (by == BY_STORE) {
		held->to_put = held->unasked = false;
	} else if (is_new) {
		held->to_put = true;
		held->unasked = !old && by == BY_SHARE_UNASKED;
		begin_puts(delivery->engine);
	}
}

static struct held *
find_or_add_held(struct delivery *delivery, const struct limit_use *use)
{
	struct held *held = find_held(delivery, use);
	return held ? held : add_held(delivery, use);
}

/* policyd's question may have taken these rates, and then its note says so. */
static void
add_receipt(struct delivery *delivery, const struct limits_ask *ask, unsigned rates)
{
	struct receipt receipt = {.note = ask->note, .message = ask->message};
	for (size_t i = 0; i < ask->n; i++) {
		struct held *held = rates & 1u << i
		                            ? find_or_add_held(delivery, &ask->uses[i])
		                            : NULL;
		if (held)
			receipt.held[receipt.n++] = (uint16_t)(held - delivery->held);
	}
	if (receipt.n == 0 || delivery->n_receipts == HELD_MAX)
		return;
	if (delivery->n_receipts == delivery->cap_receipts) {
		delivery->cap_receipts =
			delivery->cap_receipts ? 2 * delivery->cap_receipts : 2;
		delivery->receipts =
			mem_grow(delivery->receipts,
		                 delivery->cap_receipts * sizeof(struct receipt));
	}
	delivery->receipts[delivery->n_receipts++] = receipt;
}

void
delivery_take(struct delivery *delivery, const struct plan *plan,
              const struct limits_ask *ask, unsigned taken, enum granted_by by)
{
	for (size_t i = 0; i < ask->n; i++) {
		if (!(taken & 1u << i))
			continue;
		struct held *held = find_held(delivery, &ask->uses[i]);
		bool old = held && !held->unasked;
		if (!held)
			held = add_held(delivery, &ask->uses[i]);
		if (!held)
			return;
		note_by(delivery, held, old, by);
		make_sure(delivery, plan, held);
	}
	if (!is_of_policyd(delivery))
		return;
	delivery->renewed_ms = loop_now_ms(delivery->engine->loop);
	if (by == BY_STORE)
		add_receipt(delivery, ask, taken & limits_rates(ask));
}

void
delivery_may_take(struct delivery *delivery, const struct limits_ask *ask)
{
	for (size_t i = 0; i < ask->n; i++)
		if (ask->uses[i].kind == LIMIT_CONCURRENCY)
			find_or_add_held(delivery, &ask->uses[i]);
	if (is_of_policyd(delivery))
		add_receipt(delivery, ask, limits_rates(ask));
}

/* A question about what is held; its uses are added one by one. */
static struct ask
begin_ask(const struct delivery *delivery, enum ask_kind kind)
{
	struct ask ask = {.kind = kind};
	sign_ask(delivery, &ask.limits);
	ask.limits.ttl_ms = delivery->engine->conf->limits.lease_ms;
	return ask;
}

/* Sends what was gathered when it is full, or at the end. */
static void
send_gathered(struct engine *engine, struct ask *ask, bool at_end, store_fn *fn)
{
	if (ask->limits.n == 0 || (ask->limits.n < LIMIT_USES_MAX && !at_end))
		return;
	if (fn)
		store_ask(engine->store, ask, INT64_MAX, fn, engine);
	else
		store_tell(engine->store, ask);
	ask->limits.n = 0;
}

static void
leave_share(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->n; i++) {
		struct held *held = &delivery->held[i];
		if (is_slot(held) && !held->maybe)
			share_drop(delivery->engine->share, &held->use.key);
		held->maybe |= is_slot(held);
	}
}

/* What the store's notes still say that policyd has taken. */
static void
return_receipts(struct delivery *delivery)
{
	struct ask ask = begin_ask(delivery, ASK_RETURN);
	for (size_t i = 0; i < delivery->n_receipts; i++) {
		const struct receipt *receipt = &delivery->receipts[i];
		ask.limits.note = receipt->note;
		ask.limits.message = receipt->message;
		for (unsigned u = 0; u < receipt->n; u++)
			ask.limits.uses[ask.limits.n++] =
				delivery->held[receipt->held[u]].use;
		send_gathered(delivery->engine, &ask, true, NULL);
	}
}

static void
return_to_share(struct delivery *delivery)
{
	const struct engine *engine = delivery->engine;
	int64_t now_us = 1000 * (engine->test_clock ? engine->test_now_s * 1000
	                                            : loop_now_ms(engine->loop));
	for (size_t i = 0; i < delivery->n; i++)
		for (unsigned t = 0; t < delivery->held[i].share_tokens; t++)
			share_give_back(engine->share, &delivery->held[i].use,
			                engine->conf->nodes, now_us);
}

static void
drop_all(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->n; i++)
		free(delivery->held[i].name);
	delivery->n = delivery->n_receipts = 0;
}

static void
give_back(struct delivery *delivery, bool with_tokens)
{
	if (!delivery->engine || delivery->n == 0)
		return;
	if (with_tokens)
		return_to_share(delivery);
	if (with_tokens && !delivery->unkeyed)
		return_receipts(delivery);
	struct ask ask = begin_ask(delivery, ASK_GIVE_BACK);
	for (size_t i = 0; i < delivery->n && !delivery->unkeyed; i++) {
		const struct held *held = &delivery->held[i];
		unsigned tokens = with_tokens ? held->tokens : 0;
		unsigned times = is_slot(held) ? !held->unasked : tokens;
		for (unsigned t = 0; t < times; t++) {
			ask.limits.uses[ask.limits.n++] = held->use;
			send_gathered(delivery->engine, &ask, false, NULL);
		}
	}
	send_gathered(delivery->engine, &ask, true, NULL);
	leave_share(delivery);
	drop_all(delivery);
}

void
delivery_give_back(struct delivery *delivery)
{
	give_back(delivery, true);
}

static void
leave_engine(struct delivery *delivery)
{
	struct engine *engine = delivery->engine;
	if (!engine)
		return;
	if (engine->to_put == delivery)
		engine->to_put = delivery->next;
	DL_DELETE(engine->deliveries, delivery);
}

/* Whether it was heard of as far as its service ever tells. */
static bool
is_accepted(const struct delivery *delivery)
{
	struct engine *engine = delivery->engine;
	int64_t now_ms = loop_now_ms(engine->loop);
	if (delivery->n == 0)
		return true;
	steps_hear(&engine->steps, delivery->service, delivery->heard, now_ms);
	return delivery->heard >= steps_last(&engine->steps, delivery->service, now_ms);
}

static void
end(struct delivery *delivery, bool accepted)
{
	give_back(delivery, !accepted);
	leave_engine(delivery);
	free(delivery->held);
	free(delivery->receipts);
	free(delivery);
}

void
delivery_end(struct delivery **delivery_at)
{
	struct delivery *delivery = *delivery_at;
	*delivery_at = NULL;
	if (delivery)
		end(delivery, !delivery->engine || is_accepted(delivery));
}

void
delivery_part(struct delivery **delivery_at)
{
	struct delivery *delivery = *delivery_at;
	*delivery_at = NULL;
	if (delivery)
		end(delivery, true);
}

static void
on_renewed(void *arg, const struct answer *answer)
{
	static int64_t last_ms;
	(void)arg;
	if (answer->status != STORE_OK)
		return;
	stats_add(STAT_LEASES_LATE, answer->limits.late);
	stats_add(STAT_LEASES_LOST, answer->limits.lost);
	if ((answer->limits.late || answer->limits.lost) && log_ration(&last_ms, 60))
		log_warning(
			"leases had run out before they were renewed: deliveries go on, "
			"a limit may be exceeded meanwhile");
}

static void
renew(struct delivery *delivery)
{
	if (delivery->unkeyed)
		return;
	struct ask ask = begin_ask(delivery, ASK_RENEW);
	for (size_t i = 0; i < delivery->n; i++) {
		if (!is_slot(&delivery->held[i]) || delivery->held[i].maybe)
			continue;
		ask.limits.uses[ask.limits.n++] = delivery->held[i].use;
		send_gathered(delivery->engine, &ask, false, on_renewed);
	}
	send_gathered(delivery->engine, &ask, true, on_renewed);
}

/* ---- what the store is told anew ---- */

/* How long the slots of a delivery go on: policyd's are not renewed. */
static int64_t
time_left_ms(const struct delivery *delivery)
{
	const struct engine *engine = delivery->engine;
	if (engine->kind == ENGINE_OF_MILTER)
		return engine->conf->limits.lease_ms;
	return delivery->renewed_ms + engine->conf->policyd.hold_ms -
	       loop_now_ms(engine->loop);
}

static void
mark_to_put(struct delivery *delivery, int64_t renewed_ms)
{
	for (size_t i = 0; i < delivery->n; i++)
		delivery->held[i].to_put = is_slot(&delivery->held[i]);
	if (delivery->engine->kind == ENGINE_OF_MILTER)
		delivery->renewed_ms = renewed_ms;
}

/* The next time they are due one after the other. */
void
deliveries_put_all(struct engine *engine)
{
	int64_t now_ms = loop_now_ms(engine->loop);
	int64_t every_ms = engine->conf->limits.lease_ms / 3;
	int64_t n = (int64_t)deliveries_under_way(engine), i = 0;
	struct delivery *delivery;
	DL_FOREACH(engine->deliveries, delivery)
		mark_to_put(delivery, now_ms - every_ms * i++ / n);
	begin_puts(engine);
}

/* As many as one question has room for; false when there is none. */
static bool
gather_puts(struct delivery *delivery, struct ask *ask)
{
	int64_t left_ms = time_left_ms(delivery);
	*ask = begin_ask(delivery, ASK_PUT);
	ask->limits.ttl_ms = left_ms;
	for (size_t i = 0; i < delivery->n && ask->limits.n < LIMIT_USES_MAX; i++) {
		struct held *held = &delivery->held[i];
		if (!held->to_put || delivery->unkeyed)
			continue;
		held->to_put = held->unasked = false;
		if (held->name && left_ms > 0)
			ask->limits.uses[ask->limits.n++] = held->use;
	}
	return ask->limits.n > 0;
}

bool
deliveries_next_put(struct engine *engine, struct ask *ask_out)
{
	while (engine->to_put) {
		if (gather_puts(engine->to_put, ask_out))
			return true;
		engine->to_put = engine->to_put->next;
	}
	return false;
}

/*
 * policyd does not see deliveries end.  In its share of the limits, which counts while the store is
 * away, they count no longer than most of them last.
 */
static void
leave_share_when_due(struct delivery *delivery, int64_t now_ms)
{
	if (now_ms - delivery->renewed_ms >= IN_SHARE_MS)
		leave_share(delivery);
}

static void
renew_when_due(struct delivery *delivery, int64_t now_ms)
{
	if (now_ms - delivery->renewed_ms < delivery->engine->conf->limits.lease_ms / 3)
		return;
	delivery->renewed_ms = now_ms;
	renew(delivery);
}

/* What may be held under the old key is left to run out; no token was taken under the new one. */
static void
rekey_held(struct delivery *delivery, struct held *held)
{
	const struct engine *engine = delivery->engine;
	bool counted = is_slot(held) && !held->maybe;
	if (!held->name)
		return;
	if (counted)
		share_drop(engine->share, &held->use.key);
	held->use.key = limit_use_key(store_secret(engine->store), &held->use,
	                              held->unnamed, slice_of(held->name));
	held->tokens = held->share_tokens = 0;
	if (counted)
		share_hold(engine->share, &held->use.key);
}

static void
rekey(struct delivery *delivery)
{
	delivery->unkeyed = false;
	delivery->n_receipts = 0;
	for (size_t i = 0; i < delivery->n; i++)
		rekey_held(delivery, &delivery->held[i]);
}

void
deliveries_rekey(struct engine *engine)
{
	struct delivery *delivery;
	DL_FOREACH(engine->deliveries, delivery)
		rekey(delivery);
}

bool
delivery_holds(const struct delivery *delivery)
{
	return delivery->n > 0;
}

size_t
deliveries_under_way(const struct engine *engine)
{
	struct delivery *delivery;
	size_t n;
	DL_COUNT(engine->deliveries, delivery, n);
	return n;
}

void
deliveries_renew(struct engine *engine)
{
	int64_t now_ms = loop_now_ms(engine->loop);
	struct delivery *delivery;
	DL_FOREACH(engine->deliveries, delivery)
		if (engine->kind == ENGINE_OF_MILTER)
			renew_when_due(delivery, now_ms);
		else
			leave_share_when_due(delivery, now_ms);
}

/* The next time they are due one after the other. */
void
deliveries_renew_all(struct engine *engine)
{
	int64_t now_ms = loop_now_ms(engine->loop);
	int64_t every_ms = engine->conf->limits.lease_ms / 3;
	int64_t n = 0, i = 0;
	struct delivery *delivery;
	if (engine->kind != ENGINE_OF_MILTER)
		return;
	DL_COUNT(engine->deliveries, delivery, n);
	DL_FOREACH(engine->deliveries, delivery) {
		delivery->renewed_ms = now_ms - every_ms * i++ / n;
		renew(delivery);
	}
}
