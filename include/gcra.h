/*
 * gcra.h - the generic cell rate algorithm (ITU-T I.371): a rate limit in one integer.
 *
 * The integer is the theoretical arrival time (tat) in microseconds, so that rates up to
 * some 100,000 a second stay exact.  `count` events in `per_ms` with the whole count as
 * burst.  A tat that lies further ahead than that burst can bring it was written before the
 * clock was set back, or under a slower rate: it counts as nothing.  Pure.
 */
#ifndef WEIR_GCRA_H
#define WEIR_GCRA_H

#include <stdbool.h>
#include <stdint.h>

/* The time that one event stands for. */
int64_t gcra_interval_us(int64_t count, int64_t per_ms);

/* Whether one more event is within the rate at `now_us`; tat 0 = nothing yet. */
bool gcra_has_room(int64_t tat_us, int64_t count, int64_t per_ms, int64_t now_us);

/* Microseconds until there is; 0 when there is. */
int64_t gcra_wait_us(int64_t tat_us, int64_t count, int64_t per_ms, int64_t now_us);

/* The tat after one more event. */
int64_t gcra_take(int64_t tat_us, int64_t count, int64_t per_ms, int64_t now_us);

/* The tat when one event is given back. */
int64_t gcra_give_back(int64_t tat_us, int64_t count, int64_t per_ms, int64_t now_us);

#endif
