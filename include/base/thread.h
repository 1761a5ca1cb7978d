/* thread.h - threads that run until they are done. */
#ifndef WEIR_THREAD_H
#define WEIR_THREAD_H

/*
 * Starts a thread that nobody joins; 0 or the error.  It takes no signals (those are for the
 * loop's thread), and nor do the threads that it starts, except those that report a fault of
 * its own.
 */
int thread_start(void *(*fn)(void *arg), void *arg);

#endif
