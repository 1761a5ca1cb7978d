/* history_hand.c - what backends of the history hand on: none but what makes sense. */
#include "store/history_backend.h"
#include "store/record.h"

int64_t
history_oldest_hour(size_t n, const struct funnel_hour *hours, int64_t kept_hours)
{
	int64_t newest = hours[0].hour;
	for (size_t i = 1; i < n; i++)
		newest = hours[i].hour > newest ? hours[i].hour : newest;
	return newest - kept_hours - HISTORY_LINGER_S / 3600;
}

static bool
is_count(int64_t value)
{
	return value >= 0 && value <= HISTORY_COUNT_MAX;
}

void
history_hand_hour(history_funnel_fn *fn, void *arg, const struct funnel_hour *hour)
{
	if (is_count(hour->fresh) && is_count(hour->back))
		fn(arg, hour);
}

bool
history_is_record(enum history_record kind, int64_t packed)
{
	struct grey_record rec;
	return record_unpack(packed, &rec) &&
	       (rec.state == GREY_IDENTITY) == (kind == RECORD_IDENTITY);
}

void
history_hand_lease(history_lease_fn *fn, void *arg, const struct key *key,
                   struct slice holder, int64_t left_ms)
{
	struct history_lease lease = {.key = *key, .left_ms = left_ms};
	struct text name = TEXT(lease.holder);
	text_put(&name, holder);
	if (!name.cut && left_ms > 0 && left_ms <= LEASE_MAX_MS)
		fn(arg, &lease);
}
