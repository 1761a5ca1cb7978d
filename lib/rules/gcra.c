/* gcra.c - the generic cell rate algorithm. */
#include "gcra.h"

int64_t
gcra_interval_us(int64_t count, int64_t per_ms)
{
	int64_t us = per_ms * 1000 / count;
	return us > 0 ? us : 1;
}

/* One event more than the burst, since the burst's last is taken at its own moment. */
static bool
is_of_another_time(int64_t tat_us, int64_t count, int64_t per_ms, int64_t now_us)
{
	return tat_us - now_us > (count + 1) * gcra_interval_us(count, per_ms);
}

int64_t
gcra_wait_us(int64_t tat_us, int64_t count, int64_t per_ms, int64_t now_us)
{
	int64_t wait_us = tat_us - now_us - (count - 1) * gcra_interval_us(count, per_ms);
	if (wait_us <= 0 || is_of_another_time(tat_us, count, per_ms, now_us))
		return 0;
	return wait_us;
}

bool
gcra_has_room(int64_t tat_us, int64_t count, int64_t per_ms, int64_t now_us)
{
	return gcra_wait_us(tat_us, count, per_ms, now_us) == 0;
}

int64_t
gcra_take(int64_t tat_us, int64_t count, int64_t per_ms, int64_t now_us)
{
	bool counts =
		tat_us > now_us && !is_of_another_time(tat_us, count, per_ms, now_us);
	return (counts ? tat_us : now_us) + gcra_interval_us(count, per_ms);
}

int64_t
gcra_give_back(int64_t tat_us, int64_t count, int64_t per_ms, int64_t now_us)
{
	if (is_of_another_time(tat_us, count, per_ms, now_us))
		return 0;
	int64_t before_us = tat_us - gcra_interval_us(count, per_ms);
	return before_us > now_us ? before_us : 0;
}
