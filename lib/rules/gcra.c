/* gcra.c - the generic cell rate algorithm. */
#include "gcra.h"

/* The time one event stands for. */
static int64_t
interval_ms(int64_t count, int64_t per_ms)
{
	return per_ms / count > 0 ? per_ms / count : 1;
}

bool
gcra_has_room(int64_t tat_ms, int64_t count, int64_t per_ms, int64_t now_ms)
{
	return tat_ms - now_ms <= per_ms - interval_ms(count, per_ms);
}

int64_t
gcra_take(int64_t tat_ms, int64_t count, int64_t per_ms, int64_t now_ms)
{
	int64_t from_ms = tat_ms > now_ms ? tat_ms : now_ms;
	return from_ms + interval_ms(count, per_ms);
}
