/*
 * log_lines.h - where finished log lines go: to syslog or standard error, at once or through
 * the queue of the writer thread.
 *
 * The queue is two buffers.  Whoever logs appends to one under a lock; the thread takes it
 * as a whole and leaves the other, so a write that blocks holds no lock.  A line that finds
 * no room is lost; the first line that does is preceded by one that says how many were.
 */
#ifndef WEIR_LOG_LINES_H
#define WEIR_LOG_LINES_H

#include "base/log.h"

void lines_open(const char *program, enum log_target target, int facility);
void lines_put(enum log_level level, struct slice line);
void lines_flush(void);

/* 0, or an errno. */
int lines_start_writer(void);

/* Waits for the writer, but not for one that hangs. */
void lines_close(void);

#endif
