/* deliveries.c - all deliveries of a daemon: renewed while they last, and told to a store that forgot. */
#include <string.h>
#include <utlist.h>

#include "base/log.h"
#include "base/stats.h"
#include "delivery_priv.h"
#include "engine/local_limits.h"

#define IN_LOCAL_LIMITS_MS 20000

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
			"leases ran out before they were renewed: the deliveries go on, and a limit may be exceeded meanwhile");
}

static void
renew(struct delivery *delivery)
{
	if (delivery->unkeyed)
		return;
	struct ask ask = delivery_begin_ask(delivery, ASK_RENEW);
	ask.limits.only_held = delivery->quiet;
	for (size_t i = 0; i < delivery->n; i++) {
		if (!held_is_slot(&delivery->held[i]) || delivery->held[i].maybe)
			continue;
		ask.limits.uses[ask.limits.n++] = delivery->held[i].use;
		delivery_send(delivery->engine, &ask, false, on_renewed);
	}
	delivery_send(delivery->engine, &ask, true, on_renewed);
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

/* The next time they are due one after the other. */
static void
stagger(struct engine *engine)
{
	int64_t now_ms = loop_now_ms(engine->loop);
	int64_t every_ms = engine->conf->limits.lease_ms / 3;
	int64_t n = (int64_t)deliveries_under_way(engine), i = 0;
	struct delivery *delivery;
	DL_FOREACH(engine->deliveries, delivery)
		delivery->renewed_ms = now_ms - every_ms * i++ / n;
}

/* What has left the share has probably ended: a milter has taken it over, and given it back. */
static void
mark_to_put(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->n; i++) {
		struct held *held = &delivery->held[i];
		held->to_put = held_is_slot(held) && !held->maybe;
	}
}

void
deliveries_put_all(struct engine *engine)
{
	struct delivery *delivery;
	DL_FOREACH(engine->deliveries, delivery)
		mark_to_put(delivery);
	if (engine->kind == ENGINE_OF_MILTER)
		stagger(engine);
	delivery_begin_puts(engine);
}

/* As many as one question has room for; false when there is none. */
static bool
gather_puts(struct delivery *delivery, struct ask *ask)
{
	int64_t left_ms = time_left_ms(delivery);
	*ask = delivery_begin_ask(delivery, ASK_PUT);
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
leave_local_limits_when_due(struct delivery *delivery, int64_t now_ms)
{
	if (now_ms - delivery->renewed_ms >= IN_LOCAL_LIMITS_MS)
		delivery_leave_local_limits(delivery);
}

/* Whose end is not heard of: the MTA did not tell, or the client is slow. */
static bool
is_silent(const struct delivery *delivery, int64_t now_ms)
{
	int64_t hold_ms = delivery->engine->conf->milter.hold_ms;
	return delivery->quiet && now_ms - delivery->spoke_ms >= hold_ms;
}

static void
release_silent(struct delivery *delivery, int64_t now_ms)
{
	if (!delivery_holds_slots(delivery) || !is_silent(delivery, now_ms))
		return;
	log_info(
		"%s: heard no end of the message since DATA within milter.hold: giving its slots back",
		delivery->holder);
	delivery_give_back_slots(delivery);
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
	const struct limit_of of = {.scope = held->use.scope,
	                            .unnamed = held->unnamed,
	                            .shared = held->shared,
	                            .name = slice_of(held->name)};
	bool counted = held_is_slot(held) && !held->maybe;
	if (!held->name)
		return;
	if (counted)
		delivery_count(delivery, held, false);
	held->use.key = limit_use_key(store_secret(engine->store), &held->use, &of);
	held->tokens = held->local_limits_tokens = 0;
	if (counted)
		delivery_count(delivery, held, true);
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
		if (engine->kind != ENGINE_OF_MILTER) {
			leave_local_limits_when_due(delivery, now_ms);
		} else {
			release_silent(delivery, now_ms);
			renew_when_due(delivery, now_ms);
		}
}

void
deliveries_renew_all(struct engine *engine)
{
	struct delivery *delivery;
	if (engine->kind != ENGINE_OF_MILTER)
		return;
	stagger(engine);
	DL_FOREACH(engine->deliveries, delivery)
		renew(delivery);
}
