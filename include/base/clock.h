/*
 * clock.h - the one place where clocks are read.
 *
 * Deadlines and periods use the monotonic clock; what is stored uses the wall clock.
 */
#ifndef WEIR_CLOCK_H
#define WEIR_CLOCK_H

#include <stdint.h>

#include "base/slice.h"

/* Since some point in the past; never steps. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* Since the machine started, sleep included; the same for every process, never steps. */
int64_t clock_boot_ms(void);

/* The monotonic clock's time `ms` from now, as pthread_cond_timedwait() wants it. */
struct timespec;
void clock_mono_after(int64_t ms, struct timespec *when_out);

/* Seconds since 1970-01-01 UTC. */
int64_t clock_wall_s(void);
int64_t clock_wall_us(void);

/* Start of the UTC day written as "2027-01-31", in seconds since 1970. */
bool clock_parse_date(struct slice text, int64_t *wall_s_out) MUST_CHECK;

/* Appends the time as RFC 5322 writes it: "Sun, 22 Nov 2026 10:11:12 +0000 (UTC)". */
void clock_print_rfc5322(int64_t wall_s, struct text *out);

#endif
