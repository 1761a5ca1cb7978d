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
	unsigned tokens; /* of a rate, from the store */
	bool maybe; /* a slot that may be held: not to be counted, only to be given back */
};

struct delivery {
	struct engine *engine; /* NULL: has not asked for anything */
	char holder[HOLDER_MAX + 1];
	char other[HOLDER_MAX + 1];
	bool unkeyed; /* asked before the store's secret was known: nothing of it is stored */
	struct held *held;
	size_t n, cap;
	int64_t renewed_ms;           /* or taken last */
	struct delivery *prev, *next; /* among those of the engine */
};

struct delivery *
delivery_new(void)
{
	return mem_new(struct delivery);
}

static void
join(struct delivery *delivery, struct engine *engine, const struct conf *conf,
     const struct query *query)
{
	static const char kinds[] = {[ENGINE_OF_POLICYD] = 'p', [ENGINE_OF_MILTER] = 'm'};
	uint64_t serial = engine->next_holder++;
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
	for (size_t i = 0; i < ask->n; i++)
		if (ask->uses[i].kind != LIMIT_MESSAGES ||
		    !find_held(delivery, &ask->uses[i]))
			wanted |= 1u << i;
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
	delivery->unkeyed |= !secret;
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
make_sure(struct delivery *delivery, struct held *held)
{
	if (held->maybe && is_slot(held))
		share_hold(delivery->engine->share, &held->use.key);
	held->maybe = false;
}

void
delivery_take(struct delivery *delivery, const struct limits_ask *ask, unsigned taken,
              bool by_share)
{
	for (size_t i = 0; i < ask->n; i++) {
		if (!(taken & 1u << i))
			continue;
		struct held *held = find_held(delivery, &ask->uses[i]);
		if (!held)
			held = add_held(delivery, &ask->uses[i]);
		if (!held)
			return;
		make_sure(delivery, held);
		if (!is_slot(held) && !by_share)
			held->tokens++;
	}
	if (delivery->engine->kind == ENGINE_OF_POLICYD)
		delivery->renewed_ms = loop_now_ms(delivery->engine->loop);
}

void
delivery_may_take(struct delivery *delivery, const struct limits_ask *ask)
{
	for (size_t i = 0; i < ask->n; i++)
		if (ask->uses[i].kind == LIMIT_CONCURRENCY &&
		    !find_held(delivery, &ask->uses[i]))
			add_held(delivery, &ask->uses[i]);
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

static void
give_back(struct delivery *delivery, bool with_tokens)
{
	if (!delivery->engine || delivery->n == 0)
		return;
	struct ask ask = begin_ask(delivery, ASK_GIVE_BACK);
	for (size_t i = 0; i < delivery->n && !delivery->unkeyed; i++) {
		const struct held *held = &delivery->held[i];
		unsigned tokens = with_tokens ? held->tokens : 0;
		unsigned times = is_slot(held) ? 1 : tokens;
		for (unsigned t = 0; t < times; t++) {
			ask.limits.uses[ask.limits.n++] = held->use;
			send_gathered(delivery->engine, &ask, false, NULL);
		}
	}
	send_gathered(delivery->engine, &ask, true, NULL);
	leave_share(delivery);
	delivery->n = 0;
}

void
delivery_give_back(struct delivery *delivery)
{
	give_back(delivery, true);
}

void
delivery_end(struct delivery **delivery_at)
{
	struct delivery *delivery = *delivery_at;
	*delivery_at = NULL;
	if (!delivery)
		return;
	give_back(delivery, false);
	if (delivery->engine)
		DL_DELETE(delivery->engine->deliveries, delivery);
	free(delivery->held);
	free(delivery);
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
