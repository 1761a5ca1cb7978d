/*
 * test_web.c - what a daemon tells over HTTP about the site: made when somebody asks, once for all
 * who do, and not shown when it is old because the store hangs.
 */
#include "books/web.h"

#include <errno.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "books/status.h"
#include "engine/engine.h"
#include "harness.h"
#include "store_fixture.h"

#define CROWD 30

static struct engine *engine;
static struct loop *loop;
static struct loop_timer *limit;
static const char *path;

/* ---- what the linker puts in the place of the functions without "__wrap_" ---- */

static atomic_int built;
static atomic_bool hangs;
static atomic_llong later_ms, frozen_ms;

json_t *__real_status_build(const struct conf *conf, struct history *history,
                            const struct err *not_open, int64_t now_s);
json_t *__wrap_status_build(const struct conf *conf, struct history *history,
                            const struct err *not_open, int64_t now_s);
int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);

json_t *
__wrap_status_build(const struct conf *conf, struct history *history,
                    const struct err *not_open, int64_t now_s)
{
	built++;
	while (hangs)
		usleep(10000);
	return __real_status_build(conf, history, not_open, now_s);
}

int64_t
__wrap_clock_mono_ms(void)
{
	return frozen_ms ? frozen_ms : __real_clock_mono_ms() + later_ms;
}

/* ---- a daemon ---- */

static void
on_limit(void *arg)
{
	(void)arg;
	ck_abort_msg("the loop does not end");
}

static void
set_up(void)
{
	struct err err;
	char listen[300];
	struct text text = TEXT(listen);
	struct store_place place = fresh_place(BACKEND_EMBEDDED, NULL);
	path = harness_path("status.sock");
	text_printf(&text, "http.listen=unix:%s", path);
	const char *const settings[] = {"node=mx1.test", listen, NULL};
	struct conf *conf = place_conf(&place, NULL, settings, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	built = 0;
	hangs = false;
	later_ms = frozen_ms = 0;
	loop = loop_new();
	limit = timer_new(loop, on_limit, NULL);
	timer_start(limit, 30000);
	engine = engine_open(ENGINE_OF_POLICYD, loop, conf, false, &err);
	ck_assert_msg(engine != NULL, "%s", err.text);
	conf_unref(&conf);
}

static void
tear_down(void)
{
	hangs = false;
	engine_close(&engine);
	timer_free(&limit);
	loop_free(&loop);
}

static void
run_ms(int64_t ms)
{
	struct loop_timer *timer = timer_new(loop, (loop_fn *)loop_stop, loop);
	timer_start(timer, ms);
	loop_run(loop);
	timer_free(&timer);
}

/* ---- who asks ---- */

struct visit {
	int fd;
	struct watch *watch;
	char got[65536];
	size_t n;
};

static int under_way;

static void
on_bytes(void *arg, int ready)
{
	struct visit *visit = arg;
	(void)ready;
	ssize_t n =
		read(visit->fd, visit->got + visit->n, sizeof(visit->got) - 1 - visit->n);
	if (n < 0 && errno == EAGAIN)
		return;
	ck_assert_int_ge(n, 0);
	visit->n += (size_t)n;
	visit->got[visit->n] = '\0';
	if (n > 0)
		return;
	watch_set(visit->watch, 0);
	if (--under_way == 0)
		loop_stop(loop);
}

static void
ask_for(struct visit *visit, const char *what)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct text name = TEXT(to.sun_path);
	char buf[100];
	struct text request = TEXT(buf);
	text_puts(&name, path);
	text_printf(&request, "GET %s HTTP/1.0\r\n\r\n", what);
	visit->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	visit->n = 0;
	ck_assert_int_eq(connect(visit->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	ck_assert_int_eq(write(visit->fd, buf, request.n), (ssize_t)request.n);
	visit->watch = watch_new(loop, visit->fd, on_bytes, visit);
	watch_set(visit->watch, LOOP_READ);
	under_way++;
}

static void
forget(struct visit *visit)
{
	watch_free(&visit->watch);
	close(visit->fd);
}

/* The answer to that; valid until the next one. */
static const char *
answer_to(const char *what)
{
	static struct visit visit;
	ask_for(&visit, what);
	loop_run(loop);
	forget(&visit);
	return visit.got;
}

#define ck_answer(what, wanted) \
 ck_assert_msg(strstr(answer_to(what), wanted), "%s: no %s", what, wanted)

/* ---- the tests ---- */

START_TEST(is_made_when_it_is_asked_for)
{
	run_ms(1500);
	ck_assert_int_eq(built, 0);
	frozen_ms = __real_clock_mono_ms();
	ck_answer("/status.json", "HTTP/1.1 200 ");
	ck_assert_int_eq(built, 1);
	ck_answer("/status.json", "\"node\":\"mx1.test\"");
	ck_answer("/metrics", "\nweir_site_up 1\n");
	ck_assert_int_eq(built, 1);
	frozen_ms += 1000;
	ck_answer("/metrics", "\nweir_site_up 1\n");
	ck_assert_int_eq(built, 2);
}

END_TEST

START_TEST(is_made_once_for_all_who_ask)
{
	static struct visit crowd[CROWD];
	frozen_ms = __real_clock_mono_ms(); /* one that is made stays fresh */
	hangs = true;
	for (int i = 0; i < CROWD; i++)
		ask_for(&crowd[i], i % 2 ? "/status.json" : "/metrics");
	for (int turn = 0; turn < 20; turn++) /* until all of them have been heard */
		run_ms(20);
	hangs = false;
	loop_run(loop);
	for (int i = 0; i < CROWD; i++) {
		ck_assert_ptr_nonnull(strstr(crowd[i].got, "HTTP/1.1 200 "));
		forget(&crowd[i]);
	}
	ck_assert_int_le(built, 2); /* others asked while the first was made */
}

END_TEST

START_TEST(is_not_known_while_the_store_hangs)
{
	hangs = true;
	ck_answer("/status.json", "{\"error\": \"not known yet\"}");
	ck_answer("/metrics", "\nweir_site_up 0\n");
	hangs = false;
	ck_answer("/status.json", "HTTP/1.1 200 ");
}

END_TEST

START_TEST(is_not_shown_when_it_is_old)
{
	ck_answer("/status.json", "HTTP/1.1 200 ");
	hangs = true;
	later_ms = 2000; /* and some seconds go by at each answer */
	ck_answer("/status.json", "HTTP/1.1 200 ");
	ck_answer("/metrics", "\nweir_site_up 1\n");
	later_ms = 10000;
	ck_answer("/status.json", "HTTP/1.1 503 ");
	ck_answer("/status.json", "{\"error\": \"stale\"}");
	ck_answer("/metrics", "\nweir_site_up 0\n");
	hangs = false;
	while (strstr(answer_to("/status.json"),
	              "stale")) /* what hung was begun as long ago */
		;
	ck_answer("/status.json", "HTTP/1.1 200 ");
	ck_answer("/metrics", "\nweir_site_up 1\n");
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, is_made_when_it_is_asked_for);
	tcase_add_test(tcase, is_made_once_for_all_who_ask);
	tcase_add_test(tcase, is_not_known_while_the_store_hangs);
	tcase_add_test(tcase, is_not_shown_when_it_is_old);
}

int
main(void)
{
	return harness_run("web", fill);
}
