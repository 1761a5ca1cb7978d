/* systemd.h - what systemd is told (sd_notify(3)); nothing happens when it does not listen. */
#ifndef WEIR_SYSTEMD_H
#define WEIR_SYSTEMD_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1" */
void systemd_notify(const char *state);

/* How often it wants to hear WATCHDOG=1, in milliseconds; 0: not at all. */
int64_t systemd_watchdog_ms(void);

#endif
