/* when.c - times as people write and read them. */
#include "when.h"

#include <time.h>

#include "clock.h"
#include "schema.h"

void
when_print(int64_t at_s, struct text *out)
{
	time_t at = (time_t)at_s;
	struct tm local;
	char buf[32];
	if (localtime_r(&at, &local) &&
	    strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &local) > 0)
		text_puts(out, buf);
	else
		text_int(out, at_s);
}

void
when_print_long(int64_t seconds, struct text *out)
{
	static const struct {
		int64_t seconds;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

	size_t i = 0;
	int64_t left = seconds > 0 ? seconds : 0;
	while (i < COUNT_OF(units) - 1 && left < units[i].seconds)
		i++;
	text_printf(out, "%lld%c", (long long)(left / units[i].seconds), units[i].letter);
	left %= units[i].seconds;
	if (i + 1 < COUNT_OF(units) && left >= units[i + 1].seconds)
		text_printf(out, " %lld%c", (long long)(left / units[i + 1].seconds),
		            units[i + 1].letter);
}

bool
when_parse_since(struct slice text, int64_t now_s, int64_t *since_s_out)
{
	int64_t ms;
	if (clock_parse_date(text, since_s_out))
		return true;
	if (!parse_time(text, &ms))
		return false;
	*since_s_out = now_s - ms / 1000;
	return true;
}
