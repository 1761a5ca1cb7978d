/*
 * beat.h - what a daemon tells of itself once a second, for the board that all daemons and weirctl
 * read: who it is, its counters, its minutes and destinations (tally.h).
 */
#ifndef WEIR_BEAT_H
#define WEIR_BEAT_H

#include <stdbool.h>

#include "books/self.h"

/* JSON, to be given to free(); `stops`: it is the last one. */
char *beat_print(const struct self *self, bool stops);

#endif
