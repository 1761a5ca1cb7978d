/*
 * tally.h - counts a daemon's verdicts for the operator: by cause, by minute, by destination.  For the
 * loop's thread only; bounded, whatever destinations come.
 */
#ifndef WEIR_TALLY_H
#define WEIR_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "rules/verdict.h"
#include "store/history.h"

struct json_t;
struct tally;

struct tally *tally_new(void);
void tally_free(struct tally **tally);

/* A verdict: `held` slots were seen at its destination, 0: unknown. */
void tally_note(struct tally *tally, const struct plan *plan,
                const struct verdict *verdict, int64_t held, int64_t now_s);

/* How many verdicts there were of that cause since the start. */
uint64_t tally_verdicts(const struct tally *tally, enum why why,
                        enum verdict_action action);

/*
 * The minutes and destinations of a heartbeat: "causes" and "destinations" as status.c adds them up.
 * The caller frees it with json_decref().
 */
struct json_t *tally_print(struct tally *tally, int64_t now_s);

/* The most hours of the funnel that are written at once. */
#define TALLY_HOURS_MAX 64

/* Takes out the counts for the funnel, of at most `max` hours; returns how many. */
size_t tally_take_funnel(struct tally *tally, struct funnel_hour *hours_out, size_t max);

#endif
