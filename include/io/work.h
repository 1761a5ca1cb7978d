/*
 * work.h - something that takes long, done on a thread of its own beside the loop.
 */
#ifndef WEIR_WORK_H
#define WEIR_WORK_H

#include "io/loop.h"

struct work;

/* `work_fn` runs on the thread, then `done_fn` on the loop; both with `arg`. */
struct work *work_start(struct loop *loop, loop_fn *work_fn, loop_fn *done_fn, void *arg);

/* Waits for the thread; done_fn does not run if it has not.  May be called from done_fn. */
void work_free(struct work **work);

#endif
