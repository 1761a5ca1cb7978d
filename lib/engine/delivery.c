/* delivery.c - what a delivery holds of the limits, and gives back when it ends. */
#include "delivery_priv.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/mem.h"
#include "engine/local_limits.h"

/* A message has at most so many recipients in Postfix; more uses than that run out by themselves. */
#define HELD_MAX 4000

struct delivery *
delivery_new(void)
{
	return mem_new(struct delivery);
}

void
delivery_count(const struct delivery *delivery, const struct held *held, bool in)
{
	struct local_limits *share = delivery->engine->local_limits;
	if (in)
		local_limits_hold(share, &held->use.key);
	if (delivery->quiet)
		local_limits_quiet(share, &held->use.key, in ? 1 : -1);
	if (!in)
		local_limits_drop(share, &held->use.key);
}

static bool
is_of_policyd(const struct delivery *delivery)
{
	return delivery->engine->kind == ENGINE_OF_POLICYD;
}

static void
grow_quiet(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->n; i++)
		if (held_is_slot(&delivery->held[i]) && !delivery->held[i].maybe)
			local_limits_quiet(delivery->engine->local_limits,
			                   &delivery->held[i].use.key, 1);
	delivery->quiet = true;
}

void
delivery_hear(struct delivery *delivery, enum stage stage)
{
	if (stage > delivery->heard)
		delivery->heard = stage;
	if (!delivery->engine)
		return;
	delivery->spoke_ms = loop_now_ms(delivery->engine->loop);
	if (stage == STAGE_DATA && !delivery->quiet && !is_of_policyd(delivery))
		grow_quiet(delivery);
}

void
delivery_name(struct delivery *delivery, struct slice queue_id)
{
	struct text queue = TEXT(delivery->queue);
	text_put(&queue, queue_id);
	if (delivery->parked)
		parked_tell(&delivery->parked, text_slice(&queue),
		            delivery->parked_by->recorder);
}

void
delivery_remember(struct delivery *delivery, struct engine *engine,
                  struct decision_line *decided)
{
	bool passes = slice_eq(decided->action, SLICE("accept"));
	if (decided->queue.n == 0)
		decided->queue = slice_of(delivery->queue);
	/* A policy service may never be told; who is deferred has no queue file. */
	if (decided->queue.n == 0 && passes && engine->kind == ENGINE_OF_MILTER &&
	    parked_add(&delivery->parked, decided))
		delivery->parked_by = engine;
	else
		recorder_decision(engine->recorder, decided);
}

static bool
has_recipient(const struct delivery *delivery, struct slice recipient)
{
	for (size_t i = 0; i < delivery->n_recipients; i++)
		if (slice_eq(slice_of(delivery->recipients[i]), recipient))
			return true;
	return false;
}

void
delivery_count_recipient(struct delivery *delivery, struct slice recipient)
{
	if (has_recipient(delivery, recipient))
		return;
	if (delivery->n_recipients == delivery->cap_recipients) {
		delivery->cap_recipients =
			delivery->cap_recipients ? 2 * delivery->cap_recipients : 4;
		delivery->recipients =
			mem_grow(delivery->recipients,
		                 delivery->cap_recipients * sizeof(char *));
	}
	delivery->recipients[delivery->n_recipients++] = mem_dup(recipient);
}

bool
delivery_has_room(const struct delivery *delivery, struct slice recipient, int64_t max)
{
	return (int64_t)delivery->n_recipients < max ||
	       has_recipient(delivery, recipient);
}

bool
delivery_has_recipients(const struct delivery *delivery)
{
	return delivery->n_recipients > 0;
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

/* A message is counted once at each limit, however many recipients it has there. */
static void
leave_out_counted(const struct delivery *delivery, struct limits_ask *ask)
{
	limit_set wanted = 0;
	for (size_t i = 0; i < ask->n; i++) {
		const struct held *held = find_held(delivery, &ask->uses[i]);
		if (ask->uses[i].kind != LIMIT_MESSAGES || !held || held->maybe)
			wanted |= LIMIT_BIT(i);
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

static limit_set
slots_of(const struct delivery *delivery, const struct limits_ask *ask)
{
	limit_set slots = 0;
	for (size_t i = 0; i < ask->n; i++) {
		const struct held *held = find_held(delivery, &ask->uses[i]);
		if (held && held_is_slot(held) && !held->maybe)
			slots |= LIMIT_BIT(i);
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
	if (limits_have_note(ask))
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
	if (held->maybe && held_is_slot(held))
		delivery_count(delivery, held, true);
	held->maybe = false;
	if (!held->name)
		held->name = mem_dup(of->name);
	held->unnamed = of->unnamed;
	held->shared = of->shared;
}

void
delivery_begin_puts(struct engine *engine)
{
	engine->to_put = engine->deliveries;
}

/* `old`: the store may have heard of it before. */
static void
note_by(struct delivery *delivery, struct held *held, bool old, enum granted_by by)
{
	bool is_new = held->maybe;
	if (!held_is_slot(held)) {
		held->tokens += by == BY_STORE && !is_of_policyd(delivery);
		held->local_limits_tokens += by != BY_STORE;
	} else if (by == BY_STORE) {
		held->to_put = held->unasked = false;
	} else if (is_new) {
		held->to_put = true;
		held->unasked = !old && by == BY_LOCAL_LIMITS_UNASKED;
		delivery_begin_puts(delivery->engine);
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
add_receipt(struct delivery *delivery, const struct limits_ask *ask, limit_set rates)
{
	struct receipt receipt = {.note = ask->note, .message = ask->message};
	for (size_t i = 0; i < ask->n; i++) {
		struct held *held = rates & LIMIT_BIT(i)
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
              const struct limits_ask *ask, limit_set taken, enum granted_by by)
{
	for (size_t i = 0; i < ask->n; i++) {
		if (!(taken & LIMIT_BIT(i)))
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

struct ask
delivery_begin_ask(const struct delivery *delivery, enum ask_kind kind)
{
	struct ask ask = {.kind = kind};
	sign_ask(delivery, &ask.limits);
	ask.limits.ttl_ms = delivery->engine->conf->limits.lease_ms;
	return ask;
}

void
delivery_send(struct engine *engine, struct ask *ask, bool at_end, store_fn *fn)
{
	if (ask->limits.n == 0 || (ask->limits.n < LIMIT_USES_MAX && !at_end))
		return;
	if (fn)
		store_ask(engine->store, ask, INT64_MAX, fn, engine);
	else
		store_tell(engine->store, ask);
	ask->limits.n = 0;
}

void
delivery_leave_local_limits(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->n; i++) {
		struct held *held = &delivery->held[i];
		if (held_is_slot(held) && !held->maybe)
			delivery_count(delivery, held, false);
		held->maybe |= held_is_slot(held);
	}
}

/* What the store's notes still say that policyd has taken. */
static void
return_receipts(struct delivery *delivery)
{
	struct ask ask = delivery_begin_ask(delivery, ASK_RETURN);
	for (size_t i = 0; i < delivery->n_receipts; i++) {
		const struct receipt *receipt = &delivery->receipts[i];
		ask.limits.note = receipt->note;
		ask.limits.message = receipt->message;
		for (unsigned u = 0; u < receipt->n; u++)
			ask.limits.uses[ask.limits.n++] =
				delivery->held[receipt->held[u]].use;
		delivery_send(delivery->engine, &ask, true, NULL);
	}
}

static void
return_to_local_limits(struct delivery *delivery)
{
	const struct engine *engine = delivery->engine;
	int64_t now_us = 1000 * (engine->test_clock ? engine->test_now_s * 1000
	                                            : loop_now_ms(engine->loop));
	for (size_t i = 0; i < delivery->n; i++)
		for (unsigned t = 0; t < delivery->held[i].local_limits_tokens; t++)
			local_limits_give_back(engine->local_limits,
			                       &delivery->held[i].use,
			                       engine->conf->nodes, now_us);
}

static void
drop_all(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->n; i++)
		free(delivery->held[i].name);
	delivery->n = delivery->n_receipts = 0;
}

bool
delivery_holds_slots(const struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->n; i++)
		if (held_is_slot(&delivery->held[i]) && !delivery->held[i].maybe)
			return true;
	return false;
}

/* To the store, without waiting. */
static void
tell_back(struct delivery *delivery, bool with_tokens)
{
	struct ask ask = delivery_begin_ask(delivery, ASK_GIVE_BACK);
	for (size_t i = 0; i < delivery->n && !delivery->unkeyed; i++) {
		const struct held *held = &delivery->held[i];
		unsigned tokens = with_tokens ? held->tokens : 0;
		unsigned times = held_is_slot(held) ? !held->unasked : tokens;
		for (unsigned t = 0; t < times; t++) {
			ask.limits.uses[ask.limits.n++] = held->use;
			delivery_send(delivery->engine, &ask, false, NULL);
		}
	}
	delivery_send(delivery->engine, &ask, true, NULL);
}

void
delivery_give_back_slots(struct delivery *delivery)
{
	tell_back(delivery, false);
	delivery_leave_local_limits(delivery);
	for (size_t i = 0; i < delivery->n; i++)
		delivery->held[i].to_put = false;
}

static void
give_back(struct delivery *delivery, bool with_tokens)
{
	if (!delivery->engine || delivery->n == 0)
		return;
	if (with_tokens)
		return_to_local_limits(delivery);
	if (with_tokens && !delivery->unkeyed)
		return_receipts(delivery);
	tell_back(delivery, with_tokens);
	delivery_leave_local_limits(delivery);
	drop_all(delivery);
}

static void
on_freed(void *arg, const struct answer *answer)
{
	(void)arg,
		(void)answer; /* else it ends when the milter hears of the end, or with its lease */
}

/*
 * policyd has heard the end of the message, which the milter may never hear of: the session's slots
 * are free under either name.  Not told later, when the store is away: the milter may hold them for
 * the session's next message by then.
 */
static void
free_of_milter(struct delivery *delivery)
{
	struct ask ask = delivery_begin_ask(delivery, ASK_GIVE_BACK);
	memcpy(ask.limits.holder, delivery->other, sizeof(ask.limits.holder));
	for (size_t i = 0; i < delivery->n; i++) {
		if (!held_is_slot(&delivery->held[i]))
			continue;
		ask.limits.uses[ask.limits.n++] = delivery->held[i].use;
		delivery_send(delivery->engine, &ask, false, on_freed);
	}
	delivery_send(delivery->engine, &ask, true, on_freed);
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

static bool
may_be_of_milter(const struct delivery *delivery)
{
	return delivery->engine && is_of_policyd(delivery) && *delivery->other &&
	       delivery->heard == STAGE_END_OF_MESSAGE && !delivery->unkeyed;
}

static void
end(struct delivery *delivery, bool accepted)
{
	if (may_be_of_milter(delivery))
		free_of_milter(delivery);
	give_back(delivery, !accepted);
	if (delivery->parked)
		parked_tell(&delivery->parked, (struct slice){0},
		            delivery->parked_by->recorder);
	leave_engine(delivery);
	free(delivery->held);
	free(delivery->receipts);
	for (size_t i = 0; i < delivery->n_recipients; i++)
		free(delivery->recipients[i]);
	free(delivery->recipients);
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

bool
delivery_holds(const struct delivery *delivery)
{
	return delivery->n > 0;
}
