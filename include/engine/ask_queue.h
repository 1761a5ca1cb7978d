/*
 * ask_queue.h - decisions for threads beside the loop: libmilter's workers.
 *
 * A thread hands its question over and sleeps until the loop has the verdict.  It is never held
 * longer than milter.deadline and a little grace, whatever becomes of loop and store.
 */
#ifndef WEIR_ASK_QUEUE_H
#define WEIR_ASK_QUEUE_H

#include <stdbool.h>

#include "base/mem.h"
#include "engine/delivery.h"
#include "engine/engine.h"
#include "rules/query.h"
#include "rules/verdict.h"

struct ask_queue;

/* On the loop's thread. */
struct ask_queue *ask_queue_new(struct engine *engine);

/*
 * On the loop's thread, when it does not run any more: whoever asks from now on gets no answer,
 * at once, so that the engine can be closed.  The ask_queue itself stays for threads that come late.
 */
void ask_queue_close(struct ask_queue *ask_queue);

/*
 * On any other thread.  Judges one step of the delivery; query is copied, the verdict's slices
 * live in the arena.  False when there is no verdict in time: the mail then goes on.  One
 * question of a delivery at a time.
 */
bool ask_queue_ask(struct ask_queue *ask_queue, struct delivery *delivery,
                   const struct query *query, struct arena *arena,
                   struct verdict *verdict_out);

/*
 * On any other thread.  The MTA has told of this step of the message, and perhaps its queue id.  Never
 * waits.
 */
void ask_queue_hear(struct ask_queue *ask_queue, struct delivery *delivery,
                    enum stage stage, struct slice queue_id);

/*
 * On any other thread.  The delivery has ended: what it holds is given back.  Never waits;
 * clears the caller's pointer; NULL is fine.
 */
void ask_queue_end(struct ask_queue *ask_queue, struct delivery **delivery);

#endif
