/* gcra.c - the generic cell rate algorithm. */
#include "rules/gcra.h"

int64_t
gcra_interval_us(const struct conf_rate *rate)
{
	int64_t us = rate->per_ms * 1000 / rate->count;
	return us > 0 ? us : 1;
}

int64_t
gcra_burst(const struct conf_rate *rate)
{
	return rate->burst > 0 ? rate->burst : rate->count;
}

/* One event more than the burst, since the burst's last is taken at its own moment. */
static bool
is_of_another_time(int64_t tat_us, const struct conf_rate *rate, int64_t now_us)
{
	return tat_us - now_us > (gcra_burst(rate) + 1) * gcra_interval_us(rate);
}

int64_t
gcra_wait_us(int64_t tat_us, const struct conf_rate *rate, int64_t now_us)
{
	int64_t wait_us =
		tat_us - now_us - (gcra_burst(rate) - 1) * gcra_interval_us(rate);
	if (wait_us <= 0 || is_of_another_time(tat_us, rate, now_us))
		return 0;
	return wait_us;
}

bool
gcra_has_room(int64_t tat_us, const struct conf_rate *rate, int64_t now_us)
{
	return gcra_wait_us(tat_us, rate, now_us) == 0;
}

int64_t
gcra_take(int64_t tat_us, const struct conf_rate *rate, int64_t now_us)
{
	bool counts = tat_us > now_us && !is_of_another_time(tat_us, rate, now_us);
	return (counts ? tat_us : now_us) + gcra_interval_us(rate);
}

int64_t
gcra_give_back(int64_t tat_us, const struct conf_rate *rate, int64_t now_us)
{
	if (is_of_another_time(tat_us, rate, now_us))
		return 0;
	int64_t before_us = tat_us - gcra_interval_us(rate);
	return before_us > now_us ? before_us : 0;
}
