/* loop.c - the event loop, over libevent. */
#include "io/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop_priv.h"

struct signal_watch {
	struct event *event;
	loop_fn *fn;
	void *arg;
	struct signal_watch *next;
};

/* libevent's resolver has opinions about nameservers: for the curious only. */
static void
on_library_message(int severity, const char *text)
{
	(void)severity;
	log_debug("libevent: %s", text);
}

struct loop *
loop_new(void)
{
	event_set_log_callback(on_library_message);
	struct loop *loop = mem_new(struct loop);
	loop->base = event_base_new();
	if (!loop->base)
		log_fatal("cannot make an event loop");
	loop->now_ms = clock_mono_ms();
	return loop;
}

/* Tasks queued by tasks wait for the next round, so that none can hold up the turn. */
static void
run_tasks(struct loop *loop)
{
	loop->running = loop->tasks;
	loop->tasks = NULL;
	loop->round++;
	while (loop->running) {
		struct task *task = loop->running;
		DL_DELETE(loop->running, task);
		task->queued = false;
		task->fn(task->arg);
	}
}

void
loop_free(struct loop **loop_at)
{
	struct loop *loop = *loop_at;
	*loop_at = NULL;
	if (!loop)
		return;
	struct signal_watch *sig, *next;
	LL_FOREACH_SAFE(loop->signals, sig, next) {
		event_free(sig->event);
		free(sig);
	}
	/* Look-ups that were cancelled are freed by their callbacks. */
	event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	run_tasks(loop);
	event_base_free(loop->base);
	free(loop);
}

static void
run_turn_hooks(struct loop *loop)
{
	for (struct turn_hook *hook = loop->hooks; hook; hook = hook->next)
		hook->fn(hook->arg);
}

void
loop_run(struct loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped) {
		run_tasks(loop);
		run_turn_hooks(loop);
		if (loop->stopped)
			break;
		/* ONCE in any case: a descriptor that is always ready must not keep the turn. */
		int how = EVLOOP_ONCE | (loop->tasks ? EVLOOP_NONBLOCK : 0);
		if (event_base_loop(loop->base, how) < 0)
			log_fatal("the event loop failed");
		loop->now_ms = clock_mono_ms();
	}
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

int64_t
loop_now_ms(struct loop *loop)
{
	return loop->now_ms;
}

struct watch {
	struct loop *loop;
	int fd;
	int wanted;
	watch_fn *fn;
	void *arg;
	struct event *event;
};

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;
	(void)fd;
	int ready = (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0);
	watch->loop->now_ms = clock_mono_ms();
	watch->fn(watch->arg, ready);
}

struct watch *
watch_new(struct loop *loop, int fd, watch_fn *fn, void *arg)
{
	struct watch *watch = mem_new(struct watch);
	*watch = (struct watch){.loop = loop, .fd = fd, .fn = fn, .arg = arg};
	watch->event = event_new(loop->base, fd, EV_PERSIST, on_ready, watch);
	if (!watch->event)
		log_fatal("cannot watch a descriptor");
	return watch;
}

void
watch_set(struct watch *watch, int wanted)
{
	if (watch->wanted == wanted)
		return;
	watch->wanted = wanted;
	event_del(watch->event);
	if (wanted == 0)
		return;
	short what = EV_PERSIST;
	what |= wanted & LOOP_READ ? EV_READ : 0;
	what |= wanted & LOOP_WRITE ? EV_WRITE : 0;
	event_assign(watch->event, watch->loop->base, watch->fd, what, on_ready, watch);
	if (event_add(watch->event, NULL) != 0)
		log_fatal("cannot watch a descriptor");
}

void
watch_free(struct watch **watch_at)
{
	struct watch *watch = *watch_at;
	*watch_at = NULL;
	if (!watch)
		return;
	event_free(watch->event);
	free(watch);
}

struct loop_timer {
	struct loop *loop;
	loop_fn *fn;
	void *arg;
	struct event *event;
};

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *timer = arg;
	(void)fd, (void)what;
	timer->loop->now_ms = clock_mono_ms();
	timer->fn(timer->arg);
}

struct loop_timer *
timer_new(struct loop *loop, loop_fn *fn, void *arg)
{
	struct loop_timer *timer = mem_new(struct loop_timer);
	*timer = (struct loop_timer){.loop = loop, .fn = fn, .arg = arg};
	timer->event = event_new(loop->base, -1, 0, on_timer, timer);
	if (!timer->event)
		log_fatal("cannot make a timer");
	return timer;
}

void
timer_start(struct loop_timer *timer, int64_t ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	if (event_add(timer->event, &tv) != 0)
		log_fatal("cannot start a timer");
}

void
timer_stop(struct loop_timer *timer)
{
	event_del(timer->event);
}

bool
timer_is_running(const struct loop_timer *timer)
{
	return event_pending(timer->event, EV_TIMEOUT, NULL);
}

void
timer_free(struct loop_timer **timer_at)
{
	struct loop_timer *timer = *timer_at;
	*timer_at = NULL;
	if (!timer)
		return;
	event_free(timer->event);
	free(timer);
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct signal_watch *sig = arg;
	(void)signo, (void)what;
	sig->fn(sig->arg);
}

void
loop_signal(struct loop *loop, int signo, loop_fn *fn, void *arg)
{
	struct signal_watch *sig = mem_new(struct signal_watch);
	*sig = (struct signal_watch){.fn = fn, .arg = arg};
	sig->event = evsignal_new(loop->base, signo, on_signal, sig);
	if (!sig->event || event_add(sig->event, NULL) != 0)
		log_fatal("cannot watch signal %d", signo);
	LL_PREPEND(loop->signals, sig);
}

void
loop_defer(struct loop *loop, struct task *task)
{
	if (task->queued)
		return;
	task->queued = true;
	task->round = loop->round;
	DL_APPEND(loop->tasks, task);
}

void
loop_undefer(struct loop *loop, struct task *task)
{
	if (!task->queued)
		return;
	task->queued = false;
	if (task->round == loop->round)
		DL_DELETE(loop->tasks, task);
	else
		DL_DELETE(loop->running, task);
}

void
loop_at_turn_end(struct loop *loop, struct turn_hook *hook)
{
	hook->next = NULL;
	LL_APPEND(loop->hooks, hook);
}

void
loop_forget_turn_hook(struct loop *loop, struct turn_hook *hook)
{
	LL_DELETE(loop->hooks, hook);
}

struct loop_post {
	loop_fn *fn;
	void *arg;
	int fd;
	atomic_bool posted; /* so that many posts cost one write */
	struct watch *watch;
};

static void
on_posted(void *arg, int ready)
{
	struct loop_post *post = arg;
	uint64_t count;
	(void)ready;
	if (read(post->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_error("cannot read an eventfd");
	atomic_store(&post->posted, false);
	post->fn(post->arg);
}

struct loop_post *
post_new(struct loop *loop, loop_fn *fn, void *arg)
{
	struct loop_post *post = mem_new(struct loop_post);
	post->fn = fn;
	post->arg = arg;
	post->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (post->fd < 0)
		log_fatal("cannot make an eventfd");
	post->watch = watch_new(loop, post->fd, on_posted, post);
	watch_set(post->watch, LOOP_READ);
	return post;
}

void
loop_post(struct loop_post *post)
{
	uint64_t one = 1;
	if (atomic_exchange(&post->posted, true))
		return;
	if (write(post->fd, &one, sizeof(one)) < 0)
		log_error("cannot write an eventfd");
}

void
post_free(struct loop_post **post_at)
{
	struct loop_post *post = *post_at;
	*post_at = NULL;
	if (!post)
		return;
	watch_free(&post->watch);
	close(post->fd);
	free(post);
}
