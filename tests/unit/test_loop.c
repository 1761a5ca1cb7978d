/* test_loop.c - the event loop: timers, tasks, descriptors, hooks, posts, names. */
#include "io/loop.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness.h"

/* What happened, a letter each. */
static char happened[100];
static struct text events;
static struct loop *loop;
static struct loop_timer *limit;

static void
on_limit(void *arg)
{
	(void)arg;
	ck_abort_msg("the loop does not end; so far: %s", happened);
}

static void
set_up(void)
{
	events = TEXT(happened);
	text_puts(&events, "");
	loop = loop_new();
	limit = timer_new(loop, on_limit, NULL);
	timer_start(limit, 20000);
}

static void
tear_down(void)
{
	timer_free(&limit);
	ck_assert_ptr_null(limit);
	loop_free(&loop);
	ck_assert_ptr_null(loop);
	loop_free(&loop);
}

#define note(what) text_puts(&events, (what))

static void
on_note(void *arg)
{
	note(arg);
}

static void
on_stop(void *arg)
{
	note(arg);
	loop_stop(loop);
}

#define LETTER(text) ((char[]){text})

START_TEST(timers_ring_in_the_order_of_their_times)
{
	struct loop_timer *a = timer_new(loop, on_note, LETTER("a"));
	struct loop_timer *b = timer_new(loop, on_note, LETTER("b"));
	struct loop_timer *c = timer_new(loop, on_note, LETTER("c"));
	struct loop_timer *stop = timer_new(loop, on_stop, LETTER("."));
	timer_start(stop, 80);
	timer_start(c, 40);
	timer_start(a, 0);
	timer_start(b, 20);
	ck_assert_str_eq(happened, ""); /* not even that of 0 ms rang at once */
	ck_assert(timer_is_running(a));
	loop_run(loop);
	ck_assert_str_eq(happened, "abc.");
	ck_assert(!timer_is_running(a) && !timer_is_running(stop));
	timer_free(&a);
	timer_free(&b);
	timer_free(&c);
	timer_free(&stop);
}

END_TEST

START_TEST(a_timer_started_again_rings_once_and_later)
{
	struct loop_timer *a = timer_new(loop, on_note, LETTER("a"));
	struct loop_timer *b = timer_new(loop, on_note, LETTER("b"));
	struct loop_timer *stop = timer_new(loop, on_stop, LETTER("."));
	timer_start(a, 5);
	timer_start(b, 20);
	timer_start(a, 40);
	timer_start(stop, 100);
	loop_run(loop);
	ck_assert_str_eq(happened, "ba.");
	timer_free(&a);
	timer_free(&b);
	timer_free(&stop);
}

END_TEST

START_TEST(a_stopped_timer_is_silent)
{
	struct loop_timer *a = timer_new(loop, on_note, LETTER("a"));
	struct loop_timer *gone = timer_new(loop, on_note, LETTER("g"));
	struct loop_timer *stop = timer_new(loop, on_stop, LETTER("."));
	timer_start(a, 5);
	timer_start(gone, 5);
	timer_stop(a);
	timer_stop(a);
	ck_assert(!timer_is_running(a));
	timer_free(&gone);
	timer_free(&gone);
	timer_start(stop, 40);
	loop_run(loop);
	ck_assert_str_eq(happened, ".");
	timer_free(&a);
	timer_free(&stop);
}

END_TEST

static struct loop_timer *again;

static void
ring_again(void *arg)
{
	(void)arg;
	note("r");
	if (events.n < 3)
		timer_start(again, 1);
	else
		loop_stop(loop);
}

START_TEST(a_timer_may_start_itself)
{
	again = timer_new(loop, ring_again, NULL);
	timer_start(again, 1);
	loop_run(loop);
	ck_assert_str_eq(happened, "rrr");
	timer_free(&again);
}

END_TEST

START_TEST(the_time_is_that_of_the_turn)
{
	struct loop_timer *stop = timer_new(loop, on_stop, LETTER("."));
	int64_t before = loop_now_ms(loop);
	timer_start(stop, 30);
	loop_run(loop);
	ck_assert_int_ge(loop_now_ms(loop), before + 29);
	ck_assert_int_le(loop_now_ms(loop), clock_mono_ms());
	timer_free(&stop);
}

END_TEST

/* A task, and another that it defers or takes back when it runs. */
struct pair {
	struct task task;
	struct task *defer;
	struct task *undefer;
	const char *letter;
};

static void
run_pair(void *arg)
{
	struct pair *pair = arg;
	note(pair->letter);
	if (pair->defer)
		loop_defer(loop, pair->defer);
	if (pair->undefer)
		loop_undefer(loop, pair->undefer);
	note(pair->task.queued ? "!" : "");
}

static struct pair
pair_of(const char *letter)
{
	return (struct pair){.letter = letter};
}

static void
ready(struct pair *pair)
{
	pair->task = (struct task){.fn = run_pair, .arg = pair};
}

/* Ends each turn with '|', and the loop at the fourth. */
static void
end_turn(void *arg)
{
	int *turns = arg;
	note("|");
	if (++*turns == 4)
		loop_stop(loop);
}

static void
ignore_ready(void *arg, int what)
{
	(void)arg, (void)what;
}

static void
run_four_turns(void)
{
	int turns = 0, fd[2];
	struct turn_hook hook = {.fn = end_turn, .arg = &turns};
	loop_at_turn_end(loop, &hook);
	/* a byte that nobody reads wakes every turn */
	ck_assert_int_eq(pipe(fd), 0);
	ck_assert_int_eq(write(fd[1], "", 1), 1);
	struct watch *watch = watch_new(loop, fd[0], ignore_ready, NULL);
	watch_set(watch, LOOP_READ);
	loop_run(loop);
	watch_free(&watch);
	close(fd[0]);
	close(fd[1]);
	loop_forget_turn_hook(loop, &hook);
}

START_TEST(tasks_run_in_their_order_once)
{
	struct pair a = pair_of("a"), b = pair_of("b"), c = pair_of("c");
	ready(&a), ready(&b), ready(&c);
	loop_defer(loop, &b.task);
	loop_defer(loop, &a.task);
	loop_defer(loop, &c.task);
	loop_defer(loop, &b.task);
	ck_assert_str_eq(happened, "");
	run_four_turns();
	ck_assert_str_eq(happened, "bac||||");
}

END_TEST

START_TEST(what_a_task_defers_runs_in_the_next_round)
{
	struct pair a = pair_of("a"), b = pair_of("b"), c = pair_of("c");
	ready(&a), ready(&b), ready(&c);
	a.defer = &c.task;
	loop_defer(loop, &a.task);
	loop_defer(loop, &b.task);
	run_four_turns();
	ck_assert_str_eq(happened, "ab|c|||");
}

END_TEST

START_TEST(a_task_may_defer_itself)
{
	struct pair a = pair_of("a");
	ready(&a);
	a.defer = &a.task;
	loop_defer(loop, &a.task);
	run_four_turns();
	ck_assert_str_eq(happened, "a!|a!|a!|a!|");
	loop_undefer(loop, &a.task);
}

END_TEST

START_TEST(a_task_taken_back_does_not_run)
{
	struct pair a = pair_of("a"), b = pair_of("b"), c = pair_of("c");
	ready(&a), ready(&b), ready(&c);
	loop_undefer(loop, &a.task); /* never queued */
	loop_defer(loop, &a.task);
	loop_defer(loop, &b.task);
	loop_defer(loop, &c.task);
	loop_undefer(loop, &b.task);
	loop_undefer(loop, &b.task);
	run_four_turns();
	ck_assert_str_eq(happened, "ac||||");
}

END_TEST

START_TEST(a_task_of_the_same_round_is_taken_back)
{
	struct pair a = pair_of("a"), b = pair_of("b"), c = pair_of("c");
	ready(&a), ready(&b), ready(&c);
	a.undefer = &b.task;
	loop_defer(loop, &a.task);
	loop_defer(loop, &b.task);
	loop_defer(loop, &c.task);
	run_four_turns();
	ck_assert_str_eq(happened, "ac||||");
}

END_TEST

START_TEST(a_task_of_the_next_round_is_taken_back)
{
	struct pair a = pair_of("a"), b = pair_of("b"), c = pair_of("c");
	ready(&a), ready(&b), ready(&c);
	a.defer = &c.task;
	b.undefer = &c.task;
	loop_defer(loop, &a.task);
	loop_defer(loop, &b.task);
	run_four_turns();
	ck_assert_str_eq(happened, "ab||||");
}

END_TEST

START_TEST(a_task_taken_back_may_be_deferred_again)
{
	struct pair a = pair_of("a"), b = pair_of("b");
	ready(&a), ready(&b);
	a.undefer = &b.task;
	b.defer = NULL;
	loop_defer(loop, &a.task);
	loop_defer(loop, &b.task);
	loop_undefer(loop, &a.task);
	loop_defer(loop, &a.task); /* behind b now */
	run_four_turns();
	ck_assert_str_eq(happened, "ba||||");
}

END_TEST

static void
note_and_forget(void *arg)
{
	struct turn_hook *hook = arg;
	note("x");
	loop_forget_turn_hook(loop, hook);
}

START_TEST(hooks_run_behind_the_tasks_in_their_order)
{
	struct turn_hook first = {.fn = on_note, .arg = LETTER("1")};
	struct turn_hook once = {.fn = note_and_forget, .arg = &once};
	struct pair a = pair_of("a");
	ready(&a);
	a.defer = &a.task;
	loop_at_turn_end(loop, &first);
	loop_at_turn_end(loop, &once);
	loop_defer(loop, &a.task);
	run_four_turns();
	ck_assert_str_eq(happened, "a!1x|a!1|a!1|a!1|");
	loop_undefer(loop, &a.task);
	loop_forget_turn_hook(loop, &first);
}

END_TEST

static void
defer_from_hook(void *arg)
{
	struct pair *pair = arg;
	if (events.n < 4)
		loop_defer(loop, &pair->task);
}

START_TEST(what_a_hook_defers_does_not_wait_for_an_event)
{
	struct pair a = pair_of("a");
	ready(&a);
	struct turn_hook hook = {.fn = defer_from_hook, .arg = &a};
	struct loop_timer *stop = timer_new(loop, on_stop, LETTER("."));
	loop_at_turn_end(loop, &hook);
	timer_start(stop, 200);
	loop_run(loop);
	ck_assert_str_eq(happened, "aaaa.");
	loop_forget_turn_hook(loop, &hook);
	timer_free(&stop);
}

END_TEST

struct ends {
	int fd[2];
	struct watch *watch;
};

static void
on_readable(void *arg, int what)
{
	struct ends *ends = arg;
	char c;
	note(what & LOOP_READ ? "r" : "");
	note(what & LOOP_WRITE ? "w" : "");
	if (what & LOOP_READ) {
		ck_assert_int_eq(read(ends->fd[0], &c, 1), 1);
		if (c == '.')
			loop_stop(loop);
		else if (c == 'f')
			watch_free(&ends->watch);
	}
	if (what & LOOP_WRITE)
		watch_set(ends->watch, LOOP_READ);
}

static void
open_ends(struct ends *ends)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends->fd),
	                 0);
	ends->watch = watch_new(loop, ends->fd[0], on_readable, ends);
}

static void
close_ends(struct ends *ends)
{
	watch_free(&ends->watch);
	ck_assert_ptr_null(ends->watch);
	close(ends->fd[0]);
	close(ends->fd[1]);
}

static void
send_text(const struct ends *ends, const char *text)
{
	ck_assert_int_eq(write(ends->fd[1], text, strlen(text)), (ssize_t)strlen(text));
}

START_TEST(a_descriptor_is_watched_until_it_is_drained)
{
	struct ends ends;
	open_ends(&ends);
	watch_set(ends.watch, LOOP_READ);
	send_text(&ends, "abc.");
	ck_assert_str_eq(happened, "");
	loop_run(loop);
	ck_assert_str_eq(happened, "rrrr");
	close_ends(&ends);
}

END_TEST

START_TEST(writing_and_reading_are_watched_apart)
{
	struct ends ends;
	open_ends(&ends);
	watch_set(ends.watch, LOOP_READ | LOOP_WRITE);
	watch_set(ends.watch, LOOP_READ | LOOP_WRITE);
	struct loop_timer *stop = timer_new(loop, on_stop, LETTER("."));
	timer_start(stop, 30);
	loop_run(loop);
	ck_assert_str_eq(happened, "w."); /* the callback asked for reading only */
	send_text(&ends, ".");
	loop_run(loop);
	ck_assert_str_eq(happened, "w.r");
	timer_free(&stop);
	close_ends(&ends);
}

END_TEST

START_TEST(a_watch_for_nothing_sees_nothing)
{
	struct ends ends;
	open_ends(&ends);
	send_text(&ends, "a.");
	struct loop_timer *stop = timer_new(loop, on_stop, LETTER("t"));
	timer_start(stop, 30);
	loop_run(loop); /* never set */
	watch_set(ends.watch, LOOP_READ);
	watch_set(ends.watch, 0);
	timer_start(stop, 30);
	loop_run(loop);
	ck_assert_str_eq(happened, "tt");
	watch_set(ends.watch, LOOP_READ);
	loop_run(loop);
	ck_assert_str_eq(happened, "ttrr");
	timer_free(&stop);
	close_ends(&ends);
}

END_TEST

START_TEST(a_watch_may_be_freed_in_its_callback)
{
	struct ends ends;
	open_ends(&ends);
	watch_set(ends.watch, LOOP_READ);
	send_text(&ends, "fa");
	struct loop_timer *stop = timer_new(loop, on_stop, LETTER("."));
	timer_start(stop, 30);
	loop_run(loop);
	ck_assert_str_eq(happened, "r.");
	timer_free(&stop);
	close_ends(&ends);
}

END_TEST

enum { POSTS = 1000 };

static int posted_value;
static int seen_value;
static int calls;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *
post_often(void *arg)
{
	for (int i = 1; i <= POSTS; i++) {
		pthread_mutex_lock(&lock);
		posted_value = i;
		pthread_mutex_unlock(&lock);
		loop_post(arg);
		if (i % 100 == 0)
			usleep(1000);
	}
	return NULL;
}

static void
on_post(void *arg)
{
	(void)arg;
	calls++;
	pthread_mutex_lock(&lock);
	seen_value = posted_value;
	pthread_mutex_unlock(&lock);
	if (seen_value == POSTS)
		loop_stop(loop);
}

START_TEST(another_thread_wakes_the_loop)
{
	struct loop_post *post = post_new(loop, on_post, NULL);
	pthread_t thread;
	posted_value = seen_value = calls = 0;
	ck_assert_int_eq(pthread_create(&thread, NULL, post_often, post), 0);
	loop_run(loop);
	pthread_join(thread, NULL);
	ck_assert_int_eq(seen_value, POSTS);
	ck_assert(calls >= 1 && calls <= POSTS);
	post_free(&post);
	ck_assert_ptr_null(post);
	post_free(&post);
}

END_TEST

START_TEST(posts_before_the_loop_runs_become_one)
{
	posted_value = POSTS;
	calls = 0;
	struct loop_post *post = post_new(loop, on_post, NULL);
	loop_post(post);
	loop_post(post);
	ck_assert_int_eq(calls, 0);
	loop_run(loop);
	ck_assert_int_eq(calls, 1);
	loop_post(post);
	loop_run(loop);
	ck_assert_int_eq(calls, 2);
	post_free(&post);
}

END_TEST

START_TEST(signals_come_as_callbacks)
{
	loop_signal(loop, SIGUSR1, on_stop, LETTER("1"));
	loop_signal(loop, SIGUSR2, on_note, LETTER("2"));
	raise(SIGUSR2);
	raise(SIGUSR1);
	ck_assert_str_eq(happened, "");
	loop_run(loop);
	ck_assert_ptr_nonnull(strchr(happened, '1'));
	ck_assert_ptr_nonnull(strchr(happened, '2'));
}

END_TEST

/* clang-format off */
static const struct resolve_row {
	const char *host;
	uint16_t port;
	unsigned nth;
	const char *want;
} resolve_rows[] = {
	{"127.0.0.1", 6379, 0, "127.0.0.1"},
	{"127.0.0.1", 6379, 1, "127.0.0.1"},
	{"127.0.0.1", 6379, UINT32_MAX, "127.0.0.1"},
	{"192.0.2.1", 0, 0, "192.0.2.1"},
	{"::1", 65535, 0, "::1"},
	{"2001:db8::1", 25, 3, "2001:db8::1"},
};

/* clang-format on */

static void
on_resolved(void *arg, const struct sockaddr *addr, unsigned addr_len, const char *why)
{
	const struct resolve_row *r = arg;
	char buf[64] = "";
	uint16_t port = 0;
	ck_assert_msg(addr != NULL, "%s: %s", r->host, why);
	ck_assert_str_eq(why, "");
	const void *sa = addr;
	if (addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = sa;
		ck_assert_uint_ge(addr_len, sizeof(*in));
		inet_ntop(AF_INET, &in->sin_addr, buf, sizeof(buf));
		port = ntohs(in->sin_port);
	} else {
		const struct sockaddr_in6 *in6 = sa;
		ck_assert_uint_ge(addr_len, sizeof(*in6));
		inet_ntop(AF_INET6, &in6->sin6_addr, buf, sizeof(buf));
		port = ntohs(in6->sin6_port);
	}
	ck_assert_msg(strcmp(buf, r->want) == 0 && port == r->port, "%s: %s port %u",
	              r->host, buf, port);
	note("r");
	loop_stop(loop);
}

START_TEST(an_address_is_resolved_later)
{
	struct resolve_row row = resolve_rows[_i];
	ck_assert_ptr_nonnull(
		resolve_start(loop, row.host, row.port, row.nth, on_resolved, &row));
	ck_assert_str_eq(happened, "");
	loop_run(loop);
	ck_assert_str_eq(happened, "r");
}

END_TEST

START_TEST(a_cancelled_question_is_not_answered)
{
	struct resolve_row row = resolve_rows[0];
	struct loop_timer *stop = timer_new(loop, on_stop, LETTER("."));
	struct resolve *resolve =
		resolve_start(loop, row.host, row.port, 0, on_resolved, &row);
	resolve_cancel(&resolve);
	ck_assert_ptr_null(resolve);
	resolve_cancel(&resolve);
	/* one that needs a server, which there may or may not be */
	resolve = resolve_start(loop, "weir.invalid", 1, 0, on_resolved, &row);
	resolve_cancel(&resolve);
	timer_start(stop, 50);
	loop_run(loop);
	ck_assert_str_eq(happened, ".");
	timer_free(&stop);
}

END_TEST

static void
on_no_address(void *arg, const struct sockaddr *addr, unsigned addr_len, const char *why)
{
	(void)arg, (void)addr_len;
	ck_assert_ptr_null(addr);
	ck_assert_str_ne(why, "");
	note("n");
	loop_stop(loop);
}

START_TEST(what_is_no_name_is_refused)
{
	resolve_start(loop, "", 1, 0, on_no_address, NULL);
	ck_assert_str_eq(happened, "");
	loop_run(loop);
	ck_assert_str_eq(happened, "n");
}

END_TEST

START_TEST(a_stopped_loop_runs_again)
{
	struct pair a = pair_of("a");
	ready(&a);
	run_four_turns();
	loop_defer(loop, &a.task);
	run_four_turns();
	ck_assert_str_eq(happened, "||||a||||");
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, timers_ring_in_the_order_of_their_times);
	tcase_add_test(tcase, a_timer_started_again_rings_once_and_later);
	tcase_add_test(tcase, a_stopped_timer_is_silent);
	tcase_add_test(tcase, a_timer_may_start_itself);
	tcase_add_test(tcase, the_time_is_that_of_the_turn);
	tcase_add_test(tcase, tasks_run_in_their_order_once);
	tcase_add_test(tcase, what_a_task_defers_runs_in_the_next_round);
	tcase_add_test(tcase, a_task_may_defer_itself);
	tcase_add_test(tcase, a_task_taken_back_does_not_run);
	tcase_add_test(tcase, a_task_of_the_same_round_is_taken_back);
	tcase_add_test(tcase, a_task_of_the_next_round_is_taken_back);
	tcase_add_test(tcase, a_task_taken_back_may_be_deferred_again);
	tcase_add_test(tcase, hooks_run_behind_the_tasks_in_their_order);
	tcase_add_test(tcase, what_a_hook_defers_does_not_wait_for_an_event);
	tcase_add_test(tcase, a_descriptor_is_watched_until_it_is_drained);
	tcase_add_test(tcase, writing_and_reading_are_watched_apart);
	tcase_add_test(tcase, a_watch_for_nothing_sees_nothing);
	tcase_add_test(tcase, a_watch_may_be_freed_in_its_callback);
	tcase_add_test(tcase, another_thread_wakes_the_loop);
	tcase_add_test(tcase, posts_before_the_loop_runs_become_one);
	tcase_add_test(tcase, signals_come_as_callbacks);
	tcase_add_loop_test(tcase, an_address_is_resolved_later, 0,
	                    COUNT_OF(resolve_rows));
	tcase_add_test(tcase, a_cancelled_question_is_not_answered);
	tcase_add_test(tcase, what_is_no_name_is_refused);
	tcase_add_test(tcase, a_stopped_loop_runs_again);
}

int
main(void)
{
	return harness_run("loop", fill);
}
