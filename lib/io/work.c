/* work.c - something that takes long, done on a thread of its own. */
#include "io/work.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

/* Whatever a program has made the default: long lists and regular expressions need some. */
#define STACK_BYTES (8 * 1024 * 1024)

struct work {
	pthread_t thread;
	loop_fn *work_fn;
	void *arg;
	struct loop_post *post;
};

static void *
work_thread(void *arg)
{
	struct work *work = arg;
	work->work_fn(work->arg);
	loop_post(work->post);
	return NULL;
}

struct work *
work_start(struct loop *loop, loop_fn *work_fn, loop_fn *done_fn, void *arg)
{
	struct work *work = mem_new(struct work);
	work->work_fn = work_fn;
	work->arg = arg;
	work->post = post_new(loop, done_fn, arg);
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (pthread_create(&work->thread, &attr, work_thread, work) != 0)
		log_fatal("cannot start a thread");
	pthread_attr_destroy(&attr);
	return work;
}

void
work_free(struct work **work_at)
{
	struct work *work = *work_at;
	*work_at = NULL;
	if (!work)
		return;
	pthread_join(work->thread, NULL);
	post_free(&work->post);
	free(work);
}
