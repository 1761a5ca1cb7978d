/*
 * loop.h - the event loop of a daemon: descriptors, timers, signals, tasks.
 *
 * One thread runs it, and all its callbacks.  Nothing here calls back from within the
 * call that registered it.  Only loop_post() may be called from another thread.
 *
 * One turn: wait; callbacks of what is ready; tasks; then the turn hooks, which send
 * on what the turn gathered (one pipeline, one transaction, one write of the log).
 */
#ifndef WEIR_LOOP_H
#define WEIR_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct loop *loop_new(void);
void loop_free(struct loop **loop);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Monotonic milliseconds, read once a turn. */
int64_t loop_now_ms(struct loop *loop);

/* A descriptor.  Watched for reading, writing, both or nothing. */
enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct watch;

typedef void watch_fn(void *arg, int ready);

struct watch *watch_new(struct loop *loop, int fd, watch_fn *fn, void *arg);
void watch_set(struct watch *watch, int wanted);
void watch_free(struct watch **watch);

/* A timer that rings once for each start. */
struct loop_timer;

typedef void loop_fn(void *arg);

struct loop_timer *timer_new(struct loop *loop, loop_fn *fn, void *arg);
void timer_start(struct loop_timer *timer, int64_t ms);
void timer_stop(struct loop_timer *timer);
bool timer_is_running(const struct loop_timer *timer);
void timer_free(struct loop_timer **timer);

/* A signal; held until the loop is freed. */
void loop_signal(struct loop *loop, int signo, loop_fn *fn, void *arg);

/* Something to do later in this turn; memory of who asks, who may ask again once it ran. */
struct task {
	loop_fn *fn;
	void *arg;
	/* private */
	struct task *prev, *next;
	unsigned round;
	bool queued;
};

/* Queued twice runs once. */
void loop_defer(struct loop *loop, struct task *task);
void loop_undefer(struct loop *loop, struct task *task);

/* Runs at the end of each turn, in the order registered, until the loop is freed. */
struct turn_hook {
	loop_fn *fn;
	void *arg;
	struct turn_hook *next;
};

void loop_at_turn_end(struct loop *loop, struct turn_hook *hook);
void loop_forget_turn_hook(struct loop *loop, struct turn_hook *hook);

/* Wakes the loop from another thread; `fn` runs there.  Several posts may become one call. */
struct loop_post;

struct loop_post *post_new(struct loop *loop, loop_fn *fn, void *arg);
void loop_post(struct loop_post *post);
void post_free(struct loop_post **post);

/* Addresses of a host name, looked up without blocking. */
struct resolve;
struct sockaddr;

/* `addr` is NULL when there is none, with a text of why. */
typedef void resolve_fn(void *arg, const struct sockaddr *addr, unsigned addr_len,
                        const char *why);

/* Gives the address at position `nth`, counted round and round, of those there are. */
struct resolve *resolve_start(struct loop *loop, const char *host, uint16_t port,
                              unsigned nth, resolve_fn *fn, void *arg);
void resolve_cancel(struct resolve **resolve);

#endif
