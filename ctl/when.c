/* when.c - times as people write and read them. */
#include "when.h"

#include <time.h>

#include "base/clock.h"
#include "conf/schema.h"

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
when_print_short(int64_t at_s, int64_t now_s, struct text *out)
{
	time_t at = (time_t)at_s, now = (time_t)now_s;
	struct tm local, today;
	char buf[32];
	if (localtime_r(&at, &local) && localtime_r(&now, &today) &&
	    local.tm_year == today.tm_year && local.tm_yday == today.tm_yday &&
	    strftime(buf, sizeof(buf), "%H:%M:%S", &local) > 0)
		text_puts(out, buf);
	else
		when_print(at_s, out);
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

/* Takes "1h" off "1h30m" or "1h 30m". */
static struct slice
cut_part(struct slice *rest)
{
	struct slice whole = slice_trim(*rest);
	size_t end = 0;
	while (end < whole.n && ascii_digit(whole.p[end]))
		end++;
	while (end < whole.n && ascii_alpha(whole.p[end]))
		end++;
	*rest = slice_trim(slice_from(whole, end));
	return slice_head(whole, end);
}

bool
when_parse_span(struct slice text, int64_t *ms_out)
{
	int64_t sum = 0, ms;
	do {
		if (!parse_time(cut_part(&text), &ms) ||
		    __builtin_add_overflow(sum, ms, &sum))
			return false;
	} while (text.n > 0);
	*ms_out = sum;
	return true;
}

/* Where the day begins here. */
static int64_t
start_of_day(int64_t utc_s)
{
	time_t at = (time_t)utc_s;
	struct tm day;
	if (!gmtime_r(&at, &day))
		return utc_s;
	day.tm_isdst = -1;
	return mktime(&day);
}

bool
when_parse_since(struct slice text, int64_t now_s, int64_t *since_s_out)
{
	int64_t ms;
	if (clock_parse_date(text, since_s_out)) {
		*since_s_out = start_of_day(*since_s_out);
		return true;
	}
	if (!when_parse_span(text, &ms))
		return false;
	*since_s_out = now_s - ms / 1000;
	return true;
}
