/* gcra.c - the generic cell rate algorithm. */
#include "gcra.h"

/* The time one event stands for. */
static int64_t
interval_us(int64_t count, int64_t per_ms)
{
	int64_t us = per_ms * 1000 / count;
	return us > 0 ? us : 1;
}

bool
gcra_has_room(int64_t tat_us, int64_t count, int64_t per_ms, int64_t now_us)
{
	return tat_us - now_us <= (count - 1) * interval_us(count, per_ms);
}

int64_t
gcra_take(int64_t tat_us, int64_t count, int64_t per_ms, int64_t now_us)
{
	int64_t from_us = tat_us > now_us ? tat_us : now_us;
	return from_us + interval_us(count, per_ms);
}
