/* proc_self.h - what Linux counts of this process. */
#ifndef WEIR_PROC_SELF_H
#define WEIR_PROC_SELF_H

#include <stdbool.h>
#include <stdint.h>

struct proc_self {
	int64_t resident_bytes;
	int64_t cpu_us;
	int64_t start_s; /* since 1970 */
	int64_t open_fds;
	int64_t max_fds;
};

/* False without /proc. */
bool proc_self_read(struct proc_self *self_out);

#endif
