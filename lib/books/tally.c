/* tally.c - what a daemon counts of its verdicts for the eyes of the operator. */
#include "books/tally.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "books/status.h"

#define DEFERRED_MINUTES 6 /* so that the last five are in it whenever it is asked */
#define PEAK_MINUTES     60
#define DESTINATIONS_MAX 512
#define PRINTED_BYTES    24000 /* of their names; a heartbeat must fit on its registry */

struct destination {
	char name[256];
	bool configured;
	int64_t minute; /* up to which both rings are */
	uint32_t deferred[DEFERRED_MINUTES];
	uint32_t peaks[PEAK_MINUTES];
	UT_hash_handle hh;
};

struct tally {
	uint64_t verdicts[WHY_COUNT][2];
	int64_t minute; /* up to which the rings of the causes are */
	uint32_t causes[WHY_COUNT][STATUS_MINUTES];
	struct destination *destinations;
	struct funnel_hour hours[TALLY_HOURS_MAX];
	size_t n_hours;
};

struct tally *
tally_new(void)
{
	return mem_new(struct tally);
}

static void
drop(struct tally *tally, struct destination *destination)
{
	HASH_DEL(tally->destinations, destination);
	free(destination);
}

void
tally_free(struct tally **tally_at)
{
	struct tally *tally = *tally_at;
	struct destination *destination, *next;
	*tally_at = NULL;
	if (!tally)
		return;
	HASH_ITER(hh, tally->destinations, destination, next)
		drop(tally, destination);
	free(tally);
}

/* ---- rings of minutes ---- */

/* Empties what has come round again between the two minutes. */
static void
advance(uint32_t *ring, int64_t n, int64_t from, int64_t to)
{
	for (int64_t minute = to - from > n ? to - n + 1 : from + 1; minute <= to;
	     minute++)
		ring[minute % n] = 0;
}

/* The clock was set back: what the rings tell of is still to come. */
static bool
is_ahead(int64_t at, int64_t minute)
{
	return at > minute + 1;
}

static void
advance_causes(struct tally *tally, int64_t minute)
{
	if (is_ahead(tally->minute, minute)) {
		memset(tally->causes, 0, sizeof(tally->causes));
		tally->minute = minute;
	}
	if (minute <= tally->minute)
		return;
	for (int why = 0; why < WHY_COUNT; why++)
		advance(tally->causes[why], STATUS_MINUTES, tally->minute, minute);
	tally->minute = minute;
}

static void
advance_destination(struct destination *destination, int64_t minute)
{
	if (is_ahead(destination->minute, minute)) {
		memset(destination->deferred, 0, sizeof(destination->deferred));
		memset(destination->peaks, 0, sizeof(destination->peaks));
		destination->minute = minute;
	}
	if (minute <= destination->minute)
		return;
	advance(destination->deferred, DEFERRED_MINUTES, destination->minute, minute);
	advance(destination->peaks, PEAK_MINUTES, destination->minute, minute);
	destination->minute = minute;
}

static uint32_t
sum_of(const uint32_t *ring, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += ring[i];
	return sum;
}

static uint32_t
most_of(const uint32_t *ring, size_t n)
{
	uint32_t most = 0;
	for (size_t i = 0; i < n; i++)
		most = ring[i] > most ? ring[i] : most;
	return most;
}

/* ---- counting ---- */

/* NULL when there are too many; those of the settings always have their place. */
static struct destination *
find_destination(struct tally *tally, const struct plan *plan, int64_t minute)
{
	struct destination *destination;
	struct slice name = slice_head(plan->destination, sizeof(destination->name) - 1);
	HASH_FIND(hh, tally->destinations, name.p, name.n, destination);
	if (destination ||
	    (HASH_COUNT(tally->destinations) >= DESTINATIONS_MAX && !plan->configured))
		return destination;
	destination = mem_new(struct destination);
	memcpy(destination->name, name.p, name.n);
	destination->minute = minute;
	destination->configured = plan->configured;
	HASH_ADD(hh, tally->destinations, name, name.n, destination);
	return destination;
}

static void
note_destination(struct tally *tally, const struct plan *plan, bool deferred,
                 int64_t held, int64_t minute)
{
	if (plan->destination.n == 0 || (!deferred && held == 0))
		return;
	struct destination *destination = find_destination(tally, plan, minute);
	if (!destination)
		return;
	advance_destination(destination, minute);
	int64_t at = destination->minute;
	uint32_t *peak = &destination->peaks[at % PEAK_MINUTES];
	destination->deferred[at % DEFERRED_MINUTES] += deferred;
	if (held > *peak)
		*peak = (uint32_t)held;
}

static struct funnel_hour *
find_hour(struct tally *tally, int64_t at_s)
{
	int64_t hour = at_s / 3600;
	for (size_t i = 0; i < tally->n_hours; i++)
		if (tally->hours[i].hour == hour)
			return &tally->hours[i];
	if (tally->n_hours == TALLY_HOURS_MAX)
		return NULL;
	tally->hours[tally->n_hours] = (struct funnel_hour){.hour = hour};
	return &tally->hours[tally->n_hours++];
}

static void
note_funnel(struct tally *tally, const struct verdict *verdict, int64_t now_s)
{
	bool fresh =
		verdict->why == WHY_GREYLIST_NEW || verdict->why == WHY_GREYLIST_AGED;
	if (!fresh && verdict->delayed_s == 0)
		return;
	struct funnel_hour *hour = find_hour(tally, now_s - verdict->delayed_s);
	if (!hour)
		return;
	hour->fresh += fresh;
	hour->back += !fresh;
}

void
tally_note(struct tally *tally, const struct plan *plan, const struct verdict *verdict,
           int64_t held, int64_t now_s)
{
	bool deferred = verdict->action == VERDICT_DEFER || verdict->observed;
	int64_t minute = now_s / 60;
	tally->verdicts[verdict->why][verdict->action]++;
	note_funnel(tally, verdict, now_s);
	note_destination(tally, plan, deferred, held, minute);
	if (!deferred)
		return;
	advance_causes(tally, minute);
	tally->causes[verdict->why][tally->minute % STATUS_MINUTES]++;
}

uint64_t
tally_verdicts(const struct tally *tally, enum why why, enum verdict_action action)
{
	return tally->verdicts[why][action];
}

size_t
tally_take_funnel(struct tally *tally, struct funnel_hour *hours_out, size_t max)
{
	size_t n = tally->n_hours < max ? tally->n_hours : max;
	memcpy(hours_out, tally->hours, n * sizeof(*hours_out));
	tally->n_hours -= n;
	memmove(tally->hours, tally->hours + n, tally->n_hours * sizeof(*hours_out));
	return n;
}

/* ---- what is told in a heartbeat ---- */

/* Oldest first. */
static json_t *
print_ring(const uint32_t *ring, int64_t n, int64_t minute)
{
	json_t *counts = json_array();
	for (int64_t i = minute - n + 1; i <= minute; i++)
		json_array_append_new(counts, json_integer(ring[i % n]));
	return counts;
}

static json_t *
print_causes(struct tally *tally)
{
	json_t *causes = json_object();
	for (int why = 0; why < WHY_COUNT; why++)
		if (sum_of(tally->causes[why], STATUS_MINUTES) > 0)
			json_object_set_new(causes, why_word((enum why)why),
			                    print_ring(tally->causes[why], STATUS_MINUTES,
			                               tally->minute));
	return causes;
}

static uint32_t
weight_of(const struct destination *destination)
{
	return sum_of(destination->deferred, DEFERRED_MINUTES) +
	       most_of(destination->peaks, PEAK_MINUTES);
}

/* Those of the settings come first. */
static int
by_weight(const struct destination *a, const struct destination *b)
{
	if (a->configured != b->configured)
		return a->configured ? -1 : 1;
	uint32_t first = weight_of(a), second = weight_of(b);
	return first < second ? 1 : first > second ? -1 : 0;
}

/* The name is escaped, so that it is ASCII whatever it was. */
static json_t *
print_destination(const struct destination *destination, size_t *bytes)
{
	char escaped[4 * sizeof(destination->name) + 1];
	struct text name = TEXT(escaped);
	text_put_escaped(&name, slice_of(destination->name));
	*bytes += name.n;
	return json_pack("{s:s, s:I, s:I}", "name", escaped, "peak",
	                 (json_int_t)most_of(destination->peaks, PEAK_MINUTES),
	                 "deferred",
	                 (json_int_t)sum_of(destination->deferred, DEFERRED_MINUTES));
}

static void
drop_idle(struct tally *tally, int64_t minute)
{
	struct destination *destination, *next;
	HASH_ITER(hh, tally->destinations, destination, next) {
		advance_destination(destination, minute);
		if (weight_of(destination) == 0)
			drop(tally, destination);
	}
}

static json_t *
print_destinations(struct tally *tally, int64_t minute)
{
	json_t *list = json_array();
	size_t bytes = 0;
	drop_idle(tally, minute);
	HASH_SORT(tally->destinations, by_weight);
	for (const struct destination *destination = tally->destinations;
	     destination && json_array_size(list) < STATUS_TOLD && bytes < PRINTED_BYTES;
	     destination = destination->hh.next)
		json_array_append_new(list, print_destination(destination, &bytes));
	return list;
}

struct json_t *
tally_print(struct tally *tally, int64_t now_s)
{
	advance_causes(tally, now_s / 60);
	return json_pack("{s:I, s:o, s:o}", "minute", (json_int_t)tally->minute, "causes",
	                 print_causes(tally), "destinations",
	                 print_destinations(tally, now_s / 60));
}
