/* proc_self.c - what Linux counts of this process, from /proc/self. */
#include "proc_self.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/slice.h"

/* Fields of proc(5)'s stat, counted from the one behind the name in parentheses. */
enum { FIELD_UTIME = 11, FIELD_STIME = 12, FIELD_START = 19, FIELD_RSS = 21, FIELDS };

static bool
read_stat(uint64_t fields_out[FIELDS])
{
	char buf[1024];
	FILE *file = fopen("/proc/self/stat", "re");
	if (!file)
		return false;
	struct slice rest = {.p = buf, .n = fread(buf, 1, sizeof(buf), file)}, word;
	fclose(file);
	ptrdiff_t name_end = slice_rfind(rest, ')');
	if (name_end < 0)
		return false;
	rest = slice_from(rest, (size_t)name_end + 1);
	for (size_t i = 0; i < FIELDS; i++) {
		if (!slice_word(&rest, &word))
			return false;
		if (!slice_to_u64(word, INT64_MAX, &fields_out[i]))
			fields_out[i] = 0; /* negative, or the letter of the state */
	}
	return true;
}

/* Newer kernels tell it as the directory's size. */
static int64_t
count_fds(void)
{
	struct stat st;
	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return st.st_size;
	DIR *dir = opendir("/proc/self/fd");
	if (!dir)
		return 0;
	int64_t n = -3; /* ".", ".." and the directory's own */
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* From the time since the machine started; found once, so that it stays the same. */
static int64_t
start_of(uint64_t ticks_after_boot, int64_t ticks_per_s)
{
	static int64_t start_s;
	if (start_s == 0)
		start_s = (clock_wall_us() / 1000 - clock_boot_ms() +
		           (int64_t)ticks_after_boot * 1000 / ticks_per_s) /
		          1000;
	return start_s;
}

bool
proc_self_read(struct proc_self *self_out)
{
	uint64_t fields[FIELDS];
	struct rlimit limit = {0};
	int64_t ticks_per_s = sysconf(_SC_CLK_TCK);
	if (!read_stat(fields) || ticks_per_s <= 0)
		return false;
	getrlimit(RLIMIT_NOFILE, &limit);
	uint64_t ticks = fields[FIELD_UTIME] + fields[FIELD_STIME];
	*self_out =
		(struct proc_self){.resident_bytes = (int64_t)fields[FIELD_RSS] *
	                                             sysconf(_SC_PAGESIZE),
	                           .cpu_us = (int64_t)ticks * 1000000 / ticks_per_s,
	                           .start_s = start_of(fields[FIELD_START], ticks_per_s),
	                           .open_fds = count_fds(),
	                           .max_fds = limit.rlim_cur > INT32_MAX
	                                              ? INT32_MAX
	                                              : (int64_t)limit.rlim_cur};
	return true;
}
