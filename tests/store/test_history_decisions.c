/* test_history_decisions.c - decisions come back as they were added, on both stores, whoever adds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "child.h"
#include "harness.h"
#include "history_fixture.h"

#define DAY 86400

/* ------------------------------------------------------------------ decisions */

static size_t
count_lines(const char *lines)
{
	size_t n = 0;
	for (; *lines; lines++)
		n += *lines == '\n';
	return n;
}

/* "NAME.FIRST\n" to "NAME.LAST\n", in the order of their numbers and without a gap. */
static void
lines_are(const char *what, const char *lines, const char *name, unsigned first,
          unsigned last)
{
	char want[64];
	for (unsigned i = first; i <= last; i++) {
		int n = snprintf(want, sizeof(want), "%s.%u\n", name, i);
		ck_assert_msg(strncmp(lines, want, (size_t)n) == 0,
		              "%s: want %.*s, got %.20s", what, n - 1, want, lines);
		lines += n;
	}
	ck_assert_msg(*lines == '\0', "%s: more than wanted: %.40s", what, lines);
}

START_TEST(decisions_come_back_in_their_order)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	char *lines = history_all_lines(history);
	ck_assert_str_eq(lines, "");
	free(lines);
	history_add_lines(history, "a", 1, 1, HISTORY_KEEP);
	history_add_lines(history, "a", 2, 500, HISTORY_KEEP);
	for (unsigned i = 501; i < 700; i += 3)
		history_add_lines(history, "a", i, i + 2, HISTORY_KEEP);
	lines = history_all_lines(history);
	lines_are("one connection", lines, "a", 1, 701);
	free(lines);
	history_close(&history);
	ck_assert_ptr_null(history);
	history = history_at(&place);
	lines = history_all_lines(history);
	lines_are("another connection", lines, "a", 1, 701);
	free(lines);
	history_close(&history);
}

END_TEST

/* Keys of decisions that are in Redis. */
static size_t
count_segments(const struct store_place *place)
{
	if (place->backend != BACKEND_REDIS)
		return 0;
	redisContext *redis = redis_server_connect(shared_redis());
	redisReply *keys = redisCommand(redis, "KEYS %sd[0-9]*", place->text);
	size_t n = keys->elements;
	freeReplyObject(keys);
	redisFree(redis);
	return n;
}

/* The last `keep` are there, and not many more, whatever is added at once. */
START_TEST(decisions_are_kept_by_number)
{
	static const struct {
		unsigned at_once;
		int64_t keep;
	} rows[] = {{1, 10},   {1, 100},   {7, 1000},  {64, 1000},
	            {64, 100}, {63, 1000}, {500, 1000}};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct store_place place = place_on(_i);
		struct history *history = history_at(&place);
		unsigned last = 5000 - 5000 % rows[i].at_once;
		for (unsigned n = 1; n <= last; n += rows[i].at_once)
			history_add_lines(history, "k", n, n + rows[i].at_once - 1,
			                  rows[i].keep);
		char *lines = history_all_lines(history);
		size_t kept = count_lines(lines);
		ck_assert_uint_ge(kept, (size_t)rows[i].keep);
		/* Where segments get 64 lines and almost a piece more, a quarter more. */
		ck_assert_uint_le(kept, ((size_t)rows[i].keep + 700) * 5 / 4);
		ck_assert_uint_le(count_segments(&place), kept / 64 + 2);
		lines_are("kept", lines, "k", last - (unsigned)kept + 1, last);
		free(lines);

		/* Fewer are wanted, and then none. */
		struct err err = {0};
		history_worked(history_add_decisions(history, 0, SLICE(""), 0,
		                                     HISTORY_LIFE, &err),
		               "keep 0", &err);
		lines = history_all_lines(history);
		ck_assert_str_eq(lines, "");
		ck_assert_uint_eq(count_segments(&place), 0);
		free(lines);
		history_add_lines(history, "again", 1, 3, 100);
		lines = history_all_lines(history);
		lines_are("after keep 0", lines, "again", 1, 3);
		free(lines);
		history_close(&history);
	}
}

END_TEST

/* Nothing is older than the lifetime, also one that is shorter than it was. */
START_TEST(decisions_are_kept_for_their_time)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	struct err err = {0};
	history_add_lines(history, "old", 1, 200, HISTORY_KEEP);
	int64_t end_ms = clock_mono_ms() + 2200;
	history_worked(history_add_decisions(history, 1, SLICE("new.1\n"), HISTORY_KEEP,
	                                     1, &err),
	               "adding", &err);
	char *lines = NULL;
	do {
		free(lines);
		usleep(20000);
		if (_i == BACKEND_EMBEDDED) /* it is trimmed when something is added */
			history_worked(history_add_decisions(history, 0, SLICE(""),
			                                     HISTORY_KEEP, 1, &err),
			               "trimming", &err);
		lines = history_all_lines(history);
	} while (*lines && clock_mono_ms() < end_ms);
	ck_assert_str_eq(lines, "");
	free(lines);
	history_add_lines(history, "next", 1, 70, HISTORY_KEEP);
	lines = history_all_lines(history);
	lines_are("after them", lines, "next", 1, 70);
	free(lines);
	history_close(&history);
}

END_TEST

/* As of hosts with other settings: neither makes the other begin anew. */
START_TEST(decisions_of_two_lifetimes)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place), *other = history_at(&place);
	char line[32];
	for (unsigned i = 1; i <= 1000; i++) {
		struct err err = {0};
		int n = snprintf(line, sizeof(line), "t.%u\n", i);
		struct slice text = {.p = line, .n = (size_t)n};
		history_worked(i % 2 ? history_add_decisions(history, 1, text, 200,
		                                             7 * DAY, &err)
		                     : history_add_decisions(other, 1, text, 200,
		                                             14 * DAY, &err),
		               "adding", &err);
	}
	char *lines = history_all_lines(history);
	size_t kept = count_lines(lines);
	ck_assert_uint_ge(kept, 200);
	ck_assert_uint_le(count_segments(&place), kept / 64 + 2);
	lines_are("kept", lines, "t", 1000 - (unsigned)kept + 1, 1000);
	free(lines);
	history_close(&history);
	history_close(&other);
}

END_TEST

static bool
stop_at_once(void *arg, struct slice lines)
{
	unsigned *pieces = arg;
	ck_assert_msg(slice_ends_nocase(lines, SLICE("s.20000\n")),
	              "the newest piece is not the first");
	++*pieces;
	return false;
}

START_TEST(reading_stops_when_enough_is_read)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	struct err err = {0};
	unsigned pieces = 0;
	for (unsigned n = 0; n < 20000; n += 64)
		history_add_lines(history, "s", n + 1, n + 64 < 20000 ? n + 64 : 20000,
		                  HISTORY_KEEP);
	history_worked(history_read_decisions(history, stop_at_once, &pieces, &err),
	               "reading", &err);
	ck_assert_uint_eq(pieces, 1);
	history_worked(history_read_decisions(history, stop_at_once, &pieces, &err),
	               "reading again", &err);
	ck_assert_uint_eq(pieces, 2);
	history_close(&history);
}

END_TEST

/* clang-format off */
static const struct {
	const char *row;
	size_t n;
	const char *lines;
	bool good;
} bounds[] = {
	{"no line", 0, "", true},
	{"two lines", 2, "a\nb\n", true},
	{"an empty line", 2, "\n\n", true},
	{"fewer than said", 2, "a\n", false},
	{"more than said", 1, "a\nb\n", false},
	{"not ended", 1, "a", false},
	{"lines, said to be none", 0, "a\n", false},
	{"none, said to be one", 1, "", false},
};

/* clang-format on */

START_TEST(decisions_are_whole_lines)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	char *much = mem_alloc(HISTORY_BYTES_MAX + 1);
	struct err err;
	for (size_t i = 0; i < COUNT_OF(bounds); i++)
		ck_assert_msg(history_add_decisions(history, bounds[i].n,
		                                    slice_of(bounds[i].lines), 1000, 1000,
		                                    &err) == bounds[i].good,
		              "%s", bounds[i].row);
	memset(much, 'x', HISTORY_BYTES_MAX + 1);
	for (size_t n = 1; n <= HISTORY_LINES_MAX + 1; n++)
		much[HISTORY_BYTES_MAX + 1 - n] = '\n';
	struct slice all = {.p = much, .n = HISTORY_BYTES_MAX + 1};
	ck_assert(!history_add_decisions(history, HISTORY_LINES_MAX + 1, all, 1000, 1000,
	                                 &err));
	ck_assert(!history_add_decisions(history, HISTORY_LINES_MAX, all, 1000, 1000,
	                                 &err));
	all = slice_from(all, 1);
	ck_assert(!history_add_decisions(history, HISTORY_LINES_MAX + 1, all, 1000, 1000,
	                                 &err));
	much[HISTORY_BYTES_MAX + 1 - (HISTORY_LINES_MAX + 1)] = 'x';
	history_worked(history_add_decisions(history, HISTORY_LINES_MAX, all, 1000, 1000,
	                                     &err),
	               "the most", &err);
	char *lines = history_all_lines(history);
	ck_assert_uint_eq(count_lines(lines), HISTORY_LINES_MAX + 4);
	free(lines);
	free(much);
	history_close(&history);
}

END_TEST

/* ------------------------------------------------------------------ many who add */

#define WRITERS 4
#define EACH    600

/* In the child: adds its lines, a few at a time. */
static void
add_many(const struct store_place *place, int from, int to)
{
	char name[32], go;
	if (read(from, &go, 1) != 1)
		return;
	snprintf(name, sizeof(name), "p%ld", (long)getpid());
	struct history *history = history_at(place);
	for (unsigned n = 1; n <= EACH; n += 6)
		history_add_lines(history, name, n, n + 5, HISTORY_KEEP);
	history_close(&history);
	if (write(to, "+", 1) != 1)
		_exit(1);
	while (read(from, &go, 1) == 1)
		;
}

/* Each name's lines without a gap; others stand between. */
static void
has_all_of(const char *lines, const char *name)
{
	size_t n = strlen(name);
	unsigned next = 1;
	for (; *lines; lines = strchr(lines, '\n') + 1) {
		if (strncmp(lines, name, n) != 0 || lines[n] != '.')
			continue;
		ck_assert_uint_eq(strtoul(lines + n + 1, NULL, 10), next);
		next++;
	}
	ck_assert_uint_eq(next, EACH + 1);
}

START_TEST(many_processes_add)
{
	struct store_place place = place_on(_i);
	struct child children[WRITERS];
	for (size_t i = 0; i < WRITERS; i++)
		children[i] = start_child(add_many, &place);
	for (size_t i = 0; i < WRITERS; i++)
		ck_assert_int_eq(write(children[i].to, "x", 1), 1);
	for (size_t i = 0; i < WRITERS; i++) {
		char done;
		ck_assert_msg(read(children[i].from, &done, 1) == 1, "a child failed");
	}
	struct history *history = history_at(&place);
	char *lines = history_all_lines(history);
	ck_assert_uint_eq(count_lines(lines), WRITERS * EACH);
	for (size_t i = 0; i < WRITERS; i++) {
		char name[32];
		snprintf(name, sizeof(name), "p%ld", (long)children[i].pid);
		has_all_of(lines, name);
		kill_child(&children[i]);
	}
	free(lines);
	history_close(&history);
}

END_TEST

/* In the child: opens the store, and tells its secret. */
static void
begin(const struct store_place *place, int from, int to)
{
	struct key_secret secret;
	struct err err = {0};
	char go;
	if (read(from, &go, 1) != 1)
		return;
	struct history *history = history_at(place);
	if (!history_secret(history, &secret, &err) ||
	    write(to, &secret, sizeof(secret)) != sizeof(secret))
		_exit(1);
	history_close(&history);
}

/* Whoever makes the files, all go by them. */
START_TEST(many_processes_begin)
{
	for (int round = 0; round < 20; round++) {
		struct store_place place = place_on(_i);
		struct child children[WRITERS];
		struct key_secret secrets[WRITERS];
		for (size_t i = 0; i < WRITERS; i++)
			children[i] = start_child(begin, &place);
		for (size_t i = 0; i < WRITERS; i++)
			ck_assert_int_eq(write(children[i].to, "x", 1), 1);
		for (size_t i = 0; i < WRITERS; i++) {
			ck_assert_msg(read(children[i].from, &secrets[i],
			                   sizeof(secrets[i])) == sizeof(secrets[i]),
			              "a child failed");
			ck_assert_mem_eq(&secrets[i], &secrets[0], sizeof(secrets[0]));
		}
		for (size_t i = 0; i < WRITERS; i++)
			kill_child(&children[i]);
	}
}

END_TEST

static void
fill(TCase *tcase)
{
	int stores = both_stores(tcase);
	tcase_add_loop_test(tcase, decisions_come_back_in_their_order, 0, stores);
	tcase_add_loop_test(tcase, decisions_are_kept_by_number, 0, stores);
	tcase_add_loop_test(tcase, decisions_are_kept_for_their_time, 0, stores);
	tcase_add_loop_test(tcase, decisions_of_two_lifetimes, 0, stores);
	tcase_add_loop_test(tcase, reading_stops_when_enough_is_read, 0, stores);
	tcase_add_loop_test(tcase, decisions_are_whole_lines, 0, stores);
	tcase_add_loop_test(tcase, many_processes_add, 0, stores);
	tcase_add_loop_test(tcase, many_processes_begin, 0, stores);
}

int
main(void)
{
	return harness_run("history decisions", fill);
}
