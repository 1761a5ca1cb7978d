/* steps.c - a small table of services. */
#include "rules/steps.h"

#include <stdbool.h>
#include <string.h>

#include "base/slice.h"

#define KEPT_MS (INT64_C(24) * 3600 * 1000)

static size_t
find(const struct steps *steps, const char *service)
{
	size_t i = 0;
	while (i < steps->n && strcmp(steps->v[i].service, service) != 0)
		i++;
	return i;
}

void
steps_hear(struct steps *steps, const char *service, enum stage stage, int64_t now_ms)
{
	size_t i = find(steps, service);
	if (stage < STAGE_DATA || i == COUNT_OF(steps->v))
		return;
	if (i == steps->n) {
		struct text name = TEXT(steps->v[i].service);
		text_puts(&name, service);
		steps->n++;
	}
	if (stage == STAGE_DATA)
		steps->v[i].data_ms = now_ms;
	else
		steps->v[i].end_ms = now_ms;
}

static bool
is_kept(int64_t heard_ms, int64_t now_ms)
{
	return heard_ms > 0 && now_ms - heard_ms < KEPT_MS;
}

enum stage
steps_last(const struct steps *steps, const char *service, int64_t now_ms)
{
	size_t i = find(steps, service);
	if (i < steps->n && is_kept(steps->v[i].end_ms, now_ms))
		return STAGE_END_OF_MESSAGE;
	if (i < steps->n && is_kept(steps->v[i].data_ms, now_ms))
		return STAGE_DATA;
	return steps->least;
}
