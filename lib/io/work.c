/* work.c - something that takes long, done on a thread of its own. */
#include "work.h"

#include <pthread.h>
#include <stdlib.h>

#include "log.h"
#include "mem.h"

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
	if (pthread_create(&work->thread, NULL, work_thread, work) != 0)
		log_fatal("cannot start a thread");
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
