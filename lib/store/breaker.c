/* breaker.c - when to stop asking a store that does not answer. */
#include "store/breaker.h"

bool
breaker_allows(struct breaker *breaker, int64_t now_ms)
{
	if (!breaker->open)
		return true;
	if (now_ms < breaker->probe_at_ms)
		return false;
	breaker->probe_every_ms *= 2;
	if (breaker->probe_every_ms > BREAKER_PROBE_MAX_MS)
		breaker->probe_every_ms = BREAKER_PROBE_MAX_MS;
	breaker->probe_at_ms = now_ms + breaker->probe_every_ms;
	return true;
}

bool
breaker_answered(struct breaker *breaker)
{
	bool closed = breaker->open;
	if (closed)
		*breaker = (struct breaker){0};
	breaker->timeouts = 0;
	return closed;
}

void
breaker_answered_late(struct breaker *breaker)
{
	breaker->probe_at_ms = 0;
	breaker->probe_every_ms = BREAKER_PROBE_MIN_MS;
}

static bool
open_breaker(struct breaker *breaker, int64_t now_ms)
{
	if (breaker->open)
		return false;
	breaker->open = true;
	breaker->probe_every_ms = BREAKER_PROBE_MIN_MS;
	breaker->probe_at_ms = now_ms + BREAKER_PROBE_MIN_MS;
	return true;
}

bool
breaker_timed_out(struct breaker *breaker, int64_t now_ms)
{
	if (++breaker->timeouts < BREAKER_TIMEOUTS)
		return false;
	return open_breaker(breaker, now_ms);
}

bool
breaker_failed(struct breaker *breaker, int64_t now_ms)
{
	breaker->errors_at_ms[breaker->next_error] = now_ms;
	breaker->next_error = (breaker->next_error + 1) % BREAKER_ERRORS;
	int64_t oldest_ms = breaker->errors_at_ms[breaker->next_error];
	bool many = oldest_ms != 0 && now_ms - oldest_ms <= BREAKER_ERRORS_WITHIN_MS;
	return many && open_breaker(breaker, now_ms);
}
