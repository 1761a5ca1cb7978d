/* thread.c - threads that run until they are done. */
#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

#include "base/attr.h"

/* A thread's own: blocked, they end the process without a trace of why. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

int
thread_start(void *(*fn)(void *arg), void *arg)
{
	pthread_t thread;
	sigset_t others, old;
	sigfillset(&others);
	for (size_t i = 0; i < COUNT_OF(faults); i++)
		sigdelset(&others, faults[i]);
	pthread_sigmask(SIG_BLOCK, &others, &old);
	int rc = pthread_create(&thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 ? pthread_detach(thread) : rc;
}
