/*
 * gcra.h - the generic cell rate algorithm (ITU-T I.371): a rate limit in one integer.
 *
 * The integer is the theoretical arrival time (tat) in microseconds, so that rates up to
 * some 100,000 a second stay exact.  A rate lets its burst through at once (the whole count
 * unless it says otherwise), and goes on with one event each per_ms / count.  A tat that lies
 * further ahead than that burst can bring it was written before the clock was set back, or
 * under a slower rate: it counts as nothing.  Pure.
 */
#ifndef WEIR_GCRA_H
#define WEIR_GCRA_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"

/* The time that one event stands for. */
int64_t gcra_interval_us(const struct conf_rate *rate);

/* How many events may come at once. */
int64_t gcra_burst(const struct conf_rate *rate);

/* Whether one more event is within the rate at `now_us`; tat 0 = nothing yet. */
bool gcra_has_room(int64_t tat_us, const struct conf_rate *rate, int64_t now_us);

/* Microseconds until there is; 0 when there is. */
int64_t gcra_wait_us(int64_t tat_us, const struct conf_rate *rate, int64_t now_us);

/* The tat after one more event. */
int64_t gcra_take(int64_t tat_us, const struct conf_rate *rate, int64_t now_us);

/* The tat when one event is given back. */
int64_t gcra_give_back(int64_t tat_us, const struct conf_rate *rate, int64_t now_us);

#endif
