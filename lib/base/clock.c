/* clock.c - the one place where clocks are read. */
#include "base/clock.h"

#include <time.h>

static struct timespec
read_clock(clockid_t id)
{
	struct timespec ts = {0};
	clock_gettime(id, &ts);
	return ts;
}

static int64_t
read_us(clockid_t id)
{
	struct timespec ts = read_clock(id);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t
clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

void
clock_mono_after(int64_t ms, struct timespec *when_out)
{
	int64_t us = clock_mono_us() + ms * 1000;
	*when_out =
		(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

int64_t
clock_boot_ms(void)
{
	return read_us(CLOCK_BOOTTIME) / 1000;
}

int64_t
clock_wall_s(void)
{
	return read_clock(CLOCK_REALTIME).tv_sec;
}

int64_t
clock_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}

bool
clock_parse_date(struct slice text, int64_t *wall_s_out)
{
	struct slice rest = text, part;
	uint64_t year, month, day;
	if (!slice_cut(&rest, '-', &part) || part.n != 4 ||
	    !slice_to_u64(part, 9999, &year) || !slice_cut(&rest, '-', &part) ||
	    part.n != 2 || !slice_to_u64(part, 12, &month) || rest.n != 2 ||
	    !slice_to_u64(rest, 31, &day) || year < 1970)
		return false;
	struct tm tm = {.tm_year = (int)year - 1900,
	                .tm_mon = (int)month - 1,
	                .tm_mday = (int)day};
	time_t time = timegm(&tm);
	if (tm.tm_mon != (int)month - 1 || tm.tm_mday != (int)day) /* 31 February */
		return false;
	*wall_s_out = time;
	return true;
}

void
clock_print_rfc5322(int64_t wall_s, struct text *out)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t time = wall_s;
	struct tm tm;
	if (!gmtime_r(&time, &tm))
		return;
	text_printf(out, "%s, %02d %s %d %02d:%02d:%02d +0000 (UTC)", days[tm.tm_wday],
	            tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
	            tm.tm_min, tm.tm_sec);
}
