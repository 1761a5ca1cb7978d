/*
 * heartbeat.h - what a daemon tells of itself once a second, for the registry that all daemons and weirctl
 * read: who it is, its counters, its minutes and destinations (tally.h).
 */
#ifndef WEIR_HEARTBEAT_H
#define WEIR_HEARTBEAT_H

#include <stdbool.h>

#include "books/self.h"

/* JSON, to be given to free(); `stops`: it is the last one. */
char *heartbeat_print(const struct self *self, bool stops);

#endif
