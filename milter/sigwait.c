/*
 * sigwait.c - keeps libmilter's hands off the signals.
 *
 * libmilter has a thread that sits in sigwait(3) for SIGHUP, SIGTERM and SIGINT and stops
 * everything at any of them, at once and without a word to its sessions.  Here these signals
 * are the loop's: a reload, and a stop that drains.  A thread in sigwait() may be given any
 * signal that the loop's thread does not take at that very moment, so it must not sit there.
 * This one stands before libc's, for libmilter alone: nothing else here calls it.
 */
#include <signal.h>
#include <unistd.h>

int
sigwait(const sigset_t *restrict set, int *restrict signo_out)
{
	(void)set, (void)signo_out;
	for (;;)
		pause();
}
