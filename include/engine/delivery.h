/*
 * delivery.h - one mail transaction: what it holds of the limits, until it ends.
 *
 * A slot (lease) and the tokens of rates are taken recipient by recipient; several recipients at
 * one destination share a slot and a message.  What the milter's deliveries hold is renewed each
 * third of limits.lease; what policyd's hold ends with policyd.hold.
 *
 * Tokens are used up when the message has got as far as its service ever tells (steps.h); else they
 * are given back at the end.  The milter's deliveries own what they took, or took over.  policyd has
 * a receipt for each recipient instead, its note in the store: where the milter has used that up,
 * the tokens are the milter's.
 *
 * All but delivery_new() is for the loop's thread.
 */
#ifndef WEIR_DELIVERY_H
#define WEIR_DELIVERY_H

#include "engine/engine.h"
#include "rules/decision_line.h"
#include "rules/limit.h"
#include "rules/plan.h"
#include "rules/query.h"

struct delivery;

/* May be called on any thread. */
struct delivery *delivery_new(void);

/* The MTA has told its queue id, which decisions are remembered with. */
void delivery_name(struct delivery *delivery, struct slice queue_id);

/* A decision about it, to be remembered; at once, unless its queue id is yet to come. */
void delivery_remember(struct delivery *delivery, struct engine *engine,
                       struct decision_line *decided);

/* The MTA has told of this step of the message. */
void delivery_hear(struct delivery *delivery, enum stage stage);

/*
 * Recipients that were accepted, where their number is limited: each counts once.  Whether one more, or
 * the same again, is within `max`.
 */
void delivery_count_recipient(struct delivery *delivery, struct slice recipient);
bool delivery_has_room(const struct delivery *delivery, struct slice recipient,
                       int64_t max);
bool delivery_has_recipients(const struct delivery *delivery);

/*
 * The question for the room that the recipient needs.  Without a secret the keys are good for
 * engine->share only.
 */
void delivery_ask(struct delivery *delivery, struct engine *engine,
                  const struct conf *conf, const struct query *query,
                  const struct plan *plan, struct limits_ask *ask_out);

/* Who granted: the store, or this host's share, and then whether the store was asked at all. */
enum granted_by { BY_STORE, BY_LOCAL_LIMITS, BY_LOCAL_LIMITS_UNASKED };

/* These uses of the plan's limits were granted. */
void delivery_take(struct delivery *delivery, const struct plan *plan,
                   const struct limits_ask *ask, limit_set taken, enum granted_by by);

/*
 * Nobody waits for the answer to this question any more, but it may still be granted: slots that it
 * takes then, and what policyd takes of rates, are given back with the delivery's others.
 */
void delivery_may_take(struct delivery *delivery, const struct limits_ask *ask);

/* It is deferred after all: slots and tokens are given back, without waiting. */
void delivery_give_back(struct delivery *delivery);

/*
 * Gives back its slots, and its tokens unless they are used up, without waiting; frees it and clears
 * the pointer; NULL is fine.
 */
void delivery_end(struct delivery **delivery);

/* The same when it may go on unheard: its tokens are used up. */
void delivery_part(struct delivery **delivery);

/* Whether it may have something to give back. */
bool delivery_holds(const struct delivery *delivery);

/* How many there are that have asked for something. */
size_t deliveries_under_way(const struct engine *engine);

/*
 * Renews what the milter's deliveries hold, when it is due; what policyd's took a while ago leaves
 * engine->share.  Called by the engine once a second.
 */
void deliveries_renew(struct engine *engine);

/* The store has another secret: what is held has other keys from now on. */
void deliveries_rekey(struct engine *engine);

/*
 * What is held and the store does not know is put (ASK_PUT): all of it, from the next on, or what the
 * share has granted.  The next question of that kind; false when there is none.
 */
void deliveries_put_all(struct engine *engine);
bool deliveries_next_put(struct engine *engine, struct ask *ask_out);

/* At once: limits.lease has been changed. */
void deliveries_renew_all(struct engine *engine);

#endif
