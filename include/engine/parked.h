/*
 * parked.h - decisions of a message that are remembered with its queue id once the MTA has told it.
 *
 * Postfix makes the queue file with the first recipient that it accepts, and tells a milter of it with
 * the next step.
 */
#ifndef WEIR_PARKED_H
#define WEIR_PARKED_H

#include "base/slice.h"
#include "books/recorder.h"

#define QUEUE_ID_MAX 32

struct parked;

/* Whether there was room; else it has to be told without. */
bool parked_add(struct parked **parked, const struct decision_line *decided);

/* To the recorder, with that queue id, or without one; frees them.  NULL is fine. */
void parked_tell(struct parked **parked, struct slice queue, struct recorder *recorder);

#endif
