/* loop_priv.h - the inside of the loop, for the files of lib/io that need libevent. */
#ifndef WEIR_LOOP_PRIV_H
#define WEIR_LOOP_PRIV_H

#include "io/loop.h"

struct event_base;
struct signal_watch;

struct loop {
	struct event_base *base;
	int64_t now_ms;
	bool stopped;
	struct task *tasks;   /* of the round to come */
	struct task *running; /* left of the round under way */
	unsigned round;
	struct turn_hook *hooks;
	struct signal_watch *signals;
};

#endif
