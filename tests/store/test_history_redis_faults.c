/* test_history_redis_faults.c - the history when Redis is not as it should be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "child.h"
#include "harness.h"
#include "history_fixture.h"
#include "store/record.h"

#define SHORT_MS 300  /* a short patience */
#define SLACK_MS 3000 /* of a machine that has much else to do */

static const struct grey_rules rules = {180, 86400, 35 * 86400, 1};

/* ------------------------------------------------------------------ Redis */

static struct redis_server server;

static void
end(struct history **history)
{
	history_close(history);
	redis_server_kill(&server);
}

START_TEST(redis_dies_and_comes_back)
{
	struct err err = {0};
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct history *history = history_at(&place);
	history_add_lines(history, "a", 1, 2, HISTORY_KEEP);
	redis_server_kill(&server);
	redis_server_start_again(&server);
	history_add_lines(history, "b", 1, 2, HISTORY_KEEP); /* as if nothing had been */
	redis_server_kill(&server);
	for (int i = 0; i < 3; i++) {
		history_failed("away",
		               history_read_decisions(history, history_ignore_lines, NULL,
		                                      &err),
		               &err, server.endpoint);
		ck_assert_msg(strstr(err.text, "cannot connect"), "%s", err.text);
	}
	redis_server_start_again(&server);
	history_add_lines(history, "c", 1, 2, HISTORY_KEEP);
	char *lines = history_all_lines(history);
	ck_assert_str_eq(lines, "c.1\nc.2\n");
	free(lines);
	/* A server that forgot its scripts, but not its clients. */
	redis_server_do(&server, "SCRIPT FLUSH");
	history_add_lines(history, "d", 1, 1, HISTORY_KEEP);
	end(&history);
}

END_TEST

static void
takes_its_time(int64_t began_ms)
{
	int64_t took_ms = clock_mono_ms() - began_ms;
	ck_assert_int_ge(took_ms, SHORT_MS);
	ck_assert_int_le(took_ms, SHORT_MS + SLACK_MS);
}

START_TEST(redis_is_silent)
{
	struct err err = {0};
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct history *history = history_try_at(&place, SHORT_MS, NULL, &err);
	redis_server_pause(&server);
	int64_t began_ms = clock_mono_ms();
	history_failed("a call",
	               history_read_decisions(history, history_ignore_lines, NULL, &err),
	               &err, "does not answer within 300 ms");
	takes_its_time(began_ms);
	began_ms = clock_mono_ms();
	history_failed("the next",
	               history_read_decisions(history, history_ignore_lines, NULL, &err),
	               &err, "does not answer within 300 ms");
	takes_its_time(began_ms);
	began_ms = clock_mono_ms();
	history_failed("opening", history_try_at(&place, SHORT_MS, NULL, &err) != NULL,
	               &err, "does not answer within 300 ms");
	takes_its_time(began_ms);
	redis_server_resume(&server);
	history_worked(history_read_decisions(history, history_ignore_lines, NULL, &err),
	               "resumed", &err);
	end(&history);
}

END_TEST

START_TEST(redis_wants_a_password)
{
	static const char *const options[] = {"--requirepass", "sesame", NULL};

	struct err err = {0};
	redis_server_start(&server, options);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	history_failed("none", history_try_at(&place, SHORT_MS, NULL, &err) != NULL, &err,
	               "store.redis.password_file");
	const char *wrong[] = {password_setting("simsim\n"), NULL};
	history_failed("wrong", history_try_at(&place, SHORT_MS, wrong, &err) != NULL,
	               &err, "store.redis.password_file");
	const char *right[] = {password_setting("sesame\n"), "store.redis.db=3", NULL};
	struct history *history =
		history_try_at(&place, HISTORY_PATIENCE_MS, right, &err);
	ck_assert_msg(history != NULL, "%s", err.text);
	history_add_lines(history, "a", 1, 2, HISTORY_KEEP);
	redisContext *redis = redis_server_connect(&server);
	freeReplyObject(redisCommand(redis, "AUTH sesame"));
	redisReply *size = redisCommand(redis, "DBSIZE");
	ck_assert_int_eq(size->integer, 0);
	freeReplyObject(size);
	freeReplyObject(redisCommand(redis, "SELECT 3"));
	size = redisCommand(redis, "DBSIZE");
	ck_assert_int_eq(size->integer, 2);
	freeReplyObject(size);
	redisFree(redis);
	end(&history);
}

END_TEST

static void
ignore_text(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	(void)name, (void)text, (void)until_s;
	++*(int *)arg;
}

START_TEST(redis_is_full_or_a_replica)
{
	struct err err = {0};
	int entries = 0;
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct history *history = history_at(&place);
	struct slice name = SLICE("a"), text = SLICE("b");
	history_worked(history_put(history, REGISTRY_OVERRIDES, name, text, 5000, &err),
	               "room", &err);
	redis_server_do(&server, "CONFIG SET maxmemory 1");
	history_failed("full",
	               history_put(history, REGISTRY_OVERRIDES, name, text, 6000, &err),
	               &err, "maxmemory");
	history_failed("full",
	               history_add_decisions(history, 1, SLICE("a\n"), 10, 100, &err),
	               &err, "maxmemory");
	history_worked(history_read(history, REGISTRY_OVERRIDES, 1, ignore_text, &entries,
	                            &err),
	               "reading when full", &err);
	ck_assert_int_eq(entries, 1);
	redis_server_do(&server, "CONFIG SET maxmemory 0");
	redis_server_do(&server, "REPLICAOF 127.0.0.1 1");
	history_failed("a replica",
	               history_put(history, REGISTRY_OVERRIDES, name, text, 6000, &err),
	               &err, "replica");
	entries = 0;
	history_worked(history_read(history, REGISTRY_OVERRIDES, 99999, ignore_text,
	                            &entries, &err),
	               "what has run out", &err);
	ck_assert_int_eq(entries, 0);
	redis_server_do(&server, "REPLICAOF NO ONE");
	history_worked(history_put(history, REGISTRY_OVERRIDES, name, text, 6000, &err),
	               "again", &err);
	end(&history);
}

END_TEST

START_TEST(a_key_of_another_program)
{
	char command[300];
	struct err err = {0};
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct history *history = history_at(&place);
	snprintf(command, sizeof(command), "SET %sorders x", place.text);
	redis_server_do(&server, command);
	history_failed("theirs",
	               history_put(history, REGISTRY_OVERRIDES, SLICE("a"), SLICE("b"), 1,
	                           &err),
	               &err, "store.redis.prefix");
	end(&history);
}

END_TEST

/* GETs that Redis has answered. */
static long
count_gets(void)
{
	redisContext *redis = redis_server_connect(&server);
	redisReply *info = redisCommand(redis, "INFO commandstats");
	const char *calls = strstr(info->str, "cmdstat_get:calls=");
	long n = calls ? strtol(strchr(calls, '=') + 1, NULL, 10) : 0;
	freeReplyObject(info);
	redisFree(redis);
	return n;
}

static void
set_count(const struct store_place *place, const char *count)
{
	char command[300];
	snprintf(command, sizeof(command), "HSET %sdecisions count %s", place->text,
	         count);
	redis_server_do(&server, command);
}

/* Whatever their number is said to be, reading comes to an end. */
START_TEST(decisions_that_are_not_there)
{
	struct err err = {0};
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct history *history = history_at(&place);
	set_count(&place, "10000000"); /* all have run out */
	long before = count_gets();
	history_worked(history_read_decisions(history, history_ignore_lines, NULL, &err),
	               "none", &err);
	ck_assert_int_le(count_gets() - before, 200);
	set_count(&place, "900000000000000000");
	history_failed("damaged",
	               history_read_decisions(history, history_ignore_lines, NULL, &err),
	               &err, "decisions in redis is damaged: it may be deleted");
	end(&history);
}

END_TEST

/* Segments in Redis, each of so many bytes. */
static void
set_segments(const struct store_place *place, unsigned n, size_t bytes)
{
	redisContext *redis = redis_server_connect(&server);
	char *lines = mem_alloc(bytes);
	memset(lines, '\n', bytes);
	for (unsigned i = 0; i < n; i++) {
		redisReply *set =
			redisCommand(redis, "SET %sd%u %b", place->text, i, lines, bytes);
		ck_assert_ptr_nonnull(set);
		freeReplyObject(set);
	}
	free(lines);
	redisFree(redis);
}

/* Many of the largest of ours are read, but not as much as somebody else may put there. */
START_TEST(decisions_that_are_too_much)
{
	struct err err = {0};
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct history *history = history_at(&place);
	set_count(&place, "12800"); /* 200 segments of 64 */
	set_segments(&place, 200, 65536);
	history_worked(history_read_decisions(history, history_ignore_lines, NULL, &err),
	               "ours", &err);
	set_segments(&place, 200, 200000);
	history_failed("theirs",
	               history_read_decisions(history, history_ignore_lines, NULL, &err),
	               &err, "an unexpected reply");
	end(&history);
}

END_TEST

static bool
count_row(void *arg, const struct history_row *row)
{
	(void)row;
	++*(int *)arg;
	return true;
}

/* Its signs mean nothing but themselves. */
START_TEST(a_prefix_of_signs)
{
	static const char *const settings[] = {"store.redis.prefix=w\\e^r:", NULL};

	struct err err = {0};
	struct grey_record rec = {GREY_PASSED, clock_wall_s(), 0};
	struct history_row row = {RECORD_TRIPLET, fixture_key('t', 1), record_pack(&rec)};
	int rows = 0;
	redis_server_start(&server, NULL);
	struct store_place place = fresh_place(BACKEND_REDIS, &server);
	struct history *history =
		history_try_at(&place, HISTORY_PATIENCE_MS, settings, &err);
	ck_assert_msg(history != NULL, "%s", err.text);
	history_worked(history_put_records(history, 1, &row, &rules, rec.at_s, &err),
	               "putting", &err);
	redis_server_do(&server, "SET we^r:tAAAAAAAAAAAAAAAAAAAAAA 1");
	history_worked(history_scan(history, count_row, &rows, &err), "scanning", &err);
	ck_assert_int_eq(rows, 1);
	end(&history);
}

END_TEST

/* ------------------------------------------------------------------ Redis' access control */

/* The command that weir.conf(5) gives, in one line. */
static void
read_acl(struct text *out)
{
	const char *srcdir = getenv("srcdir");
	char path[512], line[512];
	snprintf(path, sizeof(path), "%s/man/weir.conf.5", srcdir ? srcdir : ".");
	FILE *file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s: run it by make check", path);
	bool inside = false;
	while (fgets(line, sizeof(line), file)) {
		inside |= strncmp(line, "ACL SETUSER", 11) == 0;
		if (inside && strncmp(line, ".Ed", 3) == 0)
			break;
		if (!inside)
			continue;
		struct slice words = slice_trim(slice_of(line));
		if (slice_ends_nocase(words, SLICE("\\e")))
			words.n -= 2;
		text_put(out, words);
		text_puts(out, " ");
	}
	fclose(file);
	ck_assert_msg(out->n > 0 && !out->cut, "no ACL in the manual");
}

static void
ignore_lease(void *arg, const struct history_lease *lease)
{
	(void)arg, (void)lease;
}

static void
ignore_hour(void *arg, const struct funnel_hour *hour)
{
	(void)arg, (void)hour;
}

/* Once each of all that a history can do. */
static void
do_everything(struct history *history)
{
	static const struct funnel_hour first = {100, 1, 0}, later = {200, 1, 0};

	struct grey_record rec = {GREY_PASSED, clock_wall_s(), 0};
	struct history_row row = {RECORD_TRIPLET, fixture_key('t', 1), record_pack(&rec)};
	struct key_secret secret, others;
	struct err err = {0};
	int n = 0;
	int64_t value = -1;
	bool found;
	struct slice name = SLICE("a");
	key_secret_make(&others);
	bool done =
		history_secret(history, &secret, &err) &&
		history_set_secret(history, &others, &err) &&
		history_add_decisions(history, 2, SLICE("a\nb\n"), 10, 1000, &err) &&
		history_add_decisions(history, 2, SLICE("a\nb\n"), 0, 500, &err) &&
		history_add_decisions(history, 2, SLICE("a\nb\n"), 10, 500, &err) &&
		history_add_decisions(history, 2, SLICE("a\nb\n"), 10, 400, &err) &&
		history_read_decisions(history, history_ignore_lines, NULL, &err) &&
		history_put(history, REGISTRY_OVERRIDES, name, name, 5000, &err) &&
		history_read(history, REGISTRY_OVERRIDES, 99999, ignore_text, &n, &err) &&
		history_put(history, REGISTRY_OVERRIDES, name, name, 5000, &err) &&
		history_drop(history, REGISTRY_OVERRIDES, name, &found, &err) &&
		history_add_funnel(history, 1, &first, 3, &err) &&
		history_add_funnel(history, 1, &later, 3, &err) &&
		history_read_funnel(history, ignore_hour, NULL, &err) &&
		history_put_records(history, 1, &row, &rules, rec.at_s, &err) &&
		history_get_record(history, row.kind, &row.key, &value, &err) &&
		history_scan(history, count_row, &n, &err) &&
		history_estimate(history, &value, &err) &&
		history_drop_record(history, row.kind, &row.key, &found, &err) &&
		history_read_leases(history, ignore_lease, NULL, &err) &&
		history_kill_leases(history, SLICE("m/a/192.0.2.1:25"), &value, &err) &&
		history_get_rate(history, &row.key, &value, &err);
	history_worked(done, "with those rights", &err);
	ck_assert_int_eq(value, 0);
}

/* The rights that weir.conf(5) names are enough; one less is told as such. */
START_TEST(access_control_list)
{
	char buf[2048];
	struct text acl = TEXT(buf);
	struct err err = {0};
	struct store_fixture fixture;
	redis_server_start(&server, NULL);
	struct store_place place = {.backend = BACKEND_REDIS,
	                            .server = &server,
	                            .text = "weir:"};
	read_acl(&acl);
	redis_server_do(&server, buf);
	const char *settings[] = {password_setting("PASSWORD\n"),
	                          "store.redis.username=weir", "store.deadline=5s", NULL};
	struct history *history =
		history_try_at(&place, HISTORY_PATIENCE_MS, settings, &err);
	ck_assert_msg(history != NULL, "%s", err.text);
	fixture_open(&fixture, &place, settings);
	struct ask ask = {.kind = ASK_LIMITS,
	                  .limits = {.holder = "m/a/192.0.2.1:25",
	                             .ttl_ms = 60000,
	                             .ttl_max_ms = LEASE_MAX_MS}};
	fixture_uses("Dl2", &ask.limits);
	struct answer got = ask_and_wait(&fixture, &ask);
	ck_assert_int_eq(got.status, STORE_OK);
	fixture_close(&fixture);
	do_everything(history);
	redis_server_do(&server, "ACL SETUSER weir -hgetall");
	history_failed("one less", history_read_funnel(history, ignore_hour, NULL, &err),
	               &err, "weir.conf(5)");
	end(&history);
}

END_TEST

/* ------------------------------------------------------------------ what is no Redis */

static const struct {
	const char *row;
	const char *reply; /* to HGETALL; NULL: the connection is closed */
	const char *want;
} replies[] = {
	{"closed", NULL, "closed the connection"},
	{"a number", ":1\r\n", "an unexpected reply"},
	{"an odd array", "*1\r\n$1\r\na\r\n", "an unexpected reply"},
	{"numbers", "*2\r\n:1\r\n:2\r\n", "an unexpected reply"},
	{"no reply at all", "HTTP/1.1 400 Bad Request\r\n\r\n", "an unexpected reply"},
	{"a huge array", "*2000000000\r\n", "an unexpected reply"},
	{"arrays in arrays", "*1000\r\n*1000000\r\n", "an unexpected reply"},
	{"an endless one", "$999999999999\r\nx", "answer"},
	{"an error with control bytes", "-ERR \033[31mred\r\n", "ERR ?[31mred"},
	{"half of one", "*2\r\n$1\r\na\r\n", "does not answer"},
};

static unsigned next_reply;

/* In the child: greets well, then answers as the row says. */
static void
be_no_redis(const struct store_place *place, int from, int to)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct text path = TEXT(name.sun_path);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	char buf[1024];
	text_puts(&path, place->server->socket);
	if (bind(listener, (struct sockaddr *)&name, sizeof(name)) != 0 ||
	    listen(listener, 5) != 0 || write(to, "+", 1) != 1)
		_exit(1);
	int fd = accept(listener, NULL, NULL);
	const char *reply = replies[next_reply].reply;
	if (read(fd, buf, sizeof(buf)) <= 0 || write(fd, "+PONG\r\n", 7) != 7 ||
	    read(fd, buf, sizeof(buf)) <= 0)
		_exit(1);
	if (!reply)
		close(fd);
	else if (write(fd, reply, strlen(reply)) < 0)
		_exit(1);
	while (read(from, buf, 1) == 1)
		;
}

START_TEST(what_answers_is_no_redis)
{
	struct redis_server none = {0};
	char done;
	struct err err = {0};
	snprintf(none.socket, sizeof(none.socket), "%s", harness_path("none"));
	snprintf(none.endpoint, sizeof(none.endpoint), "unix:%s", none.socket);
	struct store_place place = fresh_place(BACKEND_REDIS, &none);
	unlink(none.socket);
	next_reply = (unsigned)_i;
	struct child child = start_child(be_no_redis, &place);
	ck_assert_int_eq(read(child.from, &done, 1), 1);
	struct history *history = history_try_at(&place, SHORT_MS, NULL, &err);
	ck_assert_msg(history != NULL, "%s", err.text);
	history_failed(replies[_i].row,
	               history_read_funnel(history, ignore_hour, NULL, &err), &err,
	               replies[_i].want);
	kill_child(&child);
	history_close(&history);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, what_answers_is_no_redis, 0, COUNT_OF(replies));
	if (!redis_tests_wanted())
		return;
	tcase_add_test(tcase, redis_dies_and_comes_back);
	tcase_add_test(tcase, redis_is_silent);
	tcase_add_test(tcase, redis_wants_a_password);
	tcase_add_test(tcase, redis_is_full_or_a_replica);
	tcase_add_test(tcase, a_key_of_another_program);
	tcase_add_test(tcase, decisions_that_are_not_there);
	tcase_add_test(tcase, decisions_that_are_too_much);
	tcase_add_test(tcase, a_prefix_of_signs);
	tcase_add_test(tcase, access_control_list);
}

int
main(void)
{
	return harness_run("history redis faults", fill);
}
