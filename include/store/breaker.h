/*
 * breaker.h - when to stop asking a store that does not answer.  Pure.
 *
 * Opens after 3 time-outs in a row or 5 errors within 10 s; then lets one question
 * through every 0.5 s, growing to 5 s, and closes when one is answered.
 */
#ifndef WEIR_BREAKER_H
#define WEIR_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_TIMEOUTS         3
#define BREAKER_ERRORS           5
#define BREAKER_ERRORS_WITHIN_MS 10000
#define BREAKER_PROBE_MIN_MS     500
#define BREAKER_PROBE_MAX_MS     5000

/* All zero = closed, nothing seen. */
struct breaker {
	bool open;
	int timeouts;                         /* in a row */
	int64_t errors_at_ms[BREAKER_ERRORS]; /* the last ones, a ring */
	unsigned next_error;
	int64_t probe_at_ms;
	int64_t probe_every_ms;
};

/* Whether to ask now; in an open breaker this takes the turn of the probe. */
bool breaker_allows(struct breaker *breaker, int64_t now_ms);

/* Each tells of one outcome; true when that opened or closed the breaker. */
bool breaker_answered(struct breaker *breaker);

/* An answer came, though after its deadline: the next probe may go at once. */
void breaker_answered_late(struct breaker *breaker);

bool breaker_timed_out(struct breaker *breaker, int64_t now_ms);
bool breaker_failed(struct breaker *breaker, int64_t now_ms);

#endif
