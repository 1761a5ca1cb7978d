/* test_ledger.c - the ledger does the same on both stores, alone and beside the daemons' store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "harness.h"
#include "ledger_fixture.h"
#include "mem.h"
#include "order_board.h"
#include "record.h"

#define DAY  86400
#define LIFE (35 * DAY)
#define SOON (clock_wall_s() + DAY)

static const struct grey_rules rules = {180, DAY, LIFE, 1};

/* On a machine that has much else to do. */
static const char *const patient[] = {"store.deadline=5s", NULL};

static struct redis_server server;
static bool with_redis;

static struct store_place
place_on(int backend)
{
	return fresh_place(backend, backend == BACKEND_REDIS ? &server : NULL);
}

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
	struct ledger *ledger = ledger_at(&place);
	char *lines = ledger_all_lines(ledger);
	ck_assert_str_eq(lines, "");
	free(lines);
	ledger_add_lines(ledger, "a", 1, 1, LEDGER_KEEP);
	ledger_add_lines(ledger, "a", 2, 500, LEDGER_KEEP);
	for (unsigned i = 501; i < 700; i += 3)
		ledger_add_lines(ledger, "a", i, i + 2, LEDGER_KEEP);
	lines = ledger_all_lines(ledger);
	lines_are("one connection", lines, "a", 1, 701);
	free(lines);
	ledger_close(&ledger);
	ck_assert_ptr_null(ledger);
	ledger = ledger_at(&place);
	lines = ledger_all_lines(ledger);
	lines_are("another connection", lines, "a", 1, 701);
	free(lines);
	ledger_close(&ledger);
}

END_TEST

/* Keys of decisions that are in Redis. */
static size_t
count_segments(const struct store_place *place)
{
	if (place->backend != BACKEND_REDIS)
		return 0;
	redisContext *redis = redis_server_connect(&server);
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
		struct ledger *ledger = ledger_at(&place);
		unsigned last = 5000 - 5000 % rows[i].at_once;
		for (unsigned n = 1; n <= last; n += rows[i].at_once)
			ledger_add_lines(ledger, "k", n, n + rows[i].at_once - 1,
			                 rows[i].keep);
		char *lines = ledger_all_lines(ledger);
		size_t kept = count_lines(lines);
		ck_assert_uint_ge(kept, (size_t)rows[i].keep);
		/* Where segments get 64 lines and almost a piece more, a quarter more. */
		ck_assert_uint_le(kept, ((size_t)rows[i].keep + 700) * 5 / 4);
		ck_assert_uint_le(count_segments(&place), kept / 64 + 2);
		lines_are("kept", lines, "k", last - (unsigned)kept + 1, last);
		free(lines);

		/* Fewer are wanted, and then none. */
		struct err err = {0};
		ledger_worked(ledger_add_decisions(ledger, 0, SLICE(""), 0, LEDGER_LIFE,
		                                   &err),
		              "keep 0", &err);
		lines = ledger_all_lines(ledger);
		ck_assert_str_eq(lines, "");
		ck_assert_uint_eq(count_segments(&place), 0);
		free(lines);
		ledger_add_lines(ledger, "again", 1, 3, 100);
		lines = ledger_all_lines(ledger);
		lines_are("after keep 0", lines, "again", 1, 3);
		free(lines);
		ledger_close(&ledger);
	}
}

END_TEST

/* Nothing is older than the lifetime, also one that is shorter than it was. */
START_TEST(decisions_are_kept_for_their_time)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	struct err err = {0};
	ledger_add_lines(ledger, "old", 1, 200, LEDGER_KEEP);
	int64_t end_ms = clock_mono_ms() + 2200;
	ledger_worked(ledger_add_decisions(ledger, 1, SLICE("new.1\n"), LEDGER_KEEP, 1,
	                                   &err),
	              "adding", &err);
	char *lines = NULL;
	do {
		free(lines);
		usleep(20000);
		if (_i == BACKEND_EMBEDDED) /* it is trimmed when something is added */
			ledger_worked(ledger_add_decisions(ledger, 0, SLICE(""),
			                                   LEDGER_KEEP, 1, &err),
			              "trimming", &err);
		lines = ledger_all_lines(ledger);
	} while (*lines && clock_mono_ms() < end_ms);
	ck_assert_str_eq(lines, "");
	free(lines);
	ledger_add_lines(ledger, "next", 1, 70, LEDGER_KEEP);
	lines = ledger_all_lines(ledger);
	lines_are("after them", lines, "next", 1, 70);
	free(lines);
	ledger_close(&ledger);
}

END_TEST

/* As of hosts with other settings: neither makes the other begin anew. */
START_TEST(decisions_of_two_lifetimes)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place), *other = ledger_at(&place);
	char line[32];
	for (unsigned i = 1; i <= 1000; i++) {
		struct err err = {0};
		int n = snprintf(line, sizeof(line), "t.%u\n", i);
		struct slice text = {.p = line, .n = (size_t)n};
		ledger_worked(i % 2 ? ledger_add_decisions(ledger, 1, text, 200, 7 * DAY,
		                                           &err)
		                    : ledger_add_decisions(other, 1, text, 200, 14 * DAY,
		                                           &err),
		              "adding", &err);
	}
	char *lines = ledger_all_lines(ledger);
	size_t kept = count_lines(lines);
	ck_assert_uint_ge(kept, 200);
	ck_assert_uint_le(count_segments(&place), kept / 64 + 2);
	lines_are("kept", lines, "t", 1000 - (unsigned)kept + 1, 1000);
	free(lines);
	ledger_close(&ledger);
	ledger_close(&other);
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
	struct ledger *ledger = ledger_at(&place);
	struct err err = {0};
	unsigned pieces = 0;
	for (unsigned n = 0; n < 20000; n += 64)
		ledger_add_lines(ledger, "s", n + 1, n + 64 < 20000 ? n + 64 : 20000,
		                 LEDGER_KEEP);
	ledger_worked(ledger_read_decisions(ledger, stop_at_once, &pieces, &err),
	              "reading", &err);
	ck_assert_uint_eq(pieces, 1);
	ledger_worked(ledger_read_decisions(ledger, stop_at_once, &pieces, &err),
	              "reading again", &err);
	ck_assert_uint_eq(pieces, 2);
	ledger_close(&ledger);
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
	struct ledger *ledger = ledger_at(&place);
	char *much = mem_alloc(LEDGER_BYTES_MAX + 1);
	struct err err;
	for (size_t i = 0; i < COUNT_OF(bounds); i++)
		ck_assert_msg(ledger_add_decisions(ledger, bounds[i].n,
		                                   slice_of(bounds[i].lines), 1000, 1000,
		                                   &err) == bounds[i].good,
		              "%s", bounds[i].row);
	memset(much, 'x', LEDGER_BYTES_MAX + 1);
	for (size_t n = 1; n <= LEDGER_LINES_MAX + 1; n++)
		much[LEDGER_BYTES_MAX + 1 - n] = '\n';
	struct slice all = {.p = much, .n = LEDGER_BYTES_MAX + 1};
	ck_assert(!ledger_add_decisions(ledger, LEDGER_LINES_MAX + 1, all, 1000, 1000,
	                                &err));
	ck_assert(!ledger_add_decisions(ledger, LEDGER_LINES_MAX, all, 1000, 1000, &err));
	all = slice_from(all, 1);
	ck_assert(!ledger_add_decisions(ledger, LEDGER_LINES_MAX + 1, all, 1000, 1000,
	                                &err));
	much[LEDGER_BYTES_MAX + 1 - (LEDGER_LINES_MAX + 1)] = 'x';
	ledger_worked(ledger_add_decisions(ledger, LEDGER_LINES_MAX, all, 1000, 1000,
	                                   &err),
	              "the most", &err);
	char *lines = ledger_all_lines(ledger);
	ck_assert_uint_eq(count_lines(lines), LEDGER_LINES_MAX + 4);
	free(lines);
	free(much);
	ledger_close(&ledger);
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
	struct ledger *ledger = ledger_at(place);
	for (unsigned n = 1; n <= EACH; n += 6)
		ledger_add_lines(ledger, name, n, n + 5, LEDGER_KEEP);
	ledger_close(&ledger);
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
	struct ledger *ledger = ledger_at(&place);
	char *lines = ledger_all_lines(ledger);
	ck_assert_uint_eq(count_lines(lines), WRITERS * EACH);
	for (size_t i = 0; i < WRITERS; i++) {
		char name[32];
		snprintf(name, sizeof(name), "p%ld", (long)children[i].pid);
		has_all_of(lines, name);
		kill_child(&children[i]);
	}
	free(lines);
	ledger_close(&ledger);
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
	struct ledger *ledger = ledger_at(place);
	if (!ledger_secret(ledger, &secret, &err) ||
	    write(to, &secret, sizeof(secret)) != sizeof(secret))
		_exit(1);
	ledger_close(&ledger);
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

/* ------------------------------------------------------------------ boards */

static void
put(struct ledger *ledger, enum ledger_board board, struct slice name, const char *text,
    int64_t until_s)
{
	struct err err = {0};
	ledger_worked(ledger_put(ledger, board, name, slice_of(text), until_s, &err),
	              "putting", &err);
}

static void
board_is(struct ledger *ledger, enum ledger_board board, int64_t now_s, const char *want)
{
	char *got = ledger_board_text(ledger, board, now_s);
	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(boards_hold_texts_for_a_time)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place), *other = ledger_at(&place);
	struct err err = {0};
	bool found;
	board_is(ledger, BOARD_ORDERS, 0, "");
	put(ledger, BOARD_ORDERS, SLICE("drain acme"), "by=me", 5000);
	put(other, BOARD_ORDERS, SLICE("allow x"), "1", 6000);
	put(other, BOARD_DAEMONS, SLICE("allow x"), "2", 6000);
	board_is(ledger, BOARD_ORDERS, 4000,
	         "allow\\x20x=1 6000;drain\\x20acme=by=me 5000;");
	board_is(ledger, BOARD_DAEMONS, 4000, "allow\\x20x=2 6000;");
	put(ledger, BOARD_ORDERS, SLICE("drain acme"), "by=you", 7000);
	board_is(other, BOARD_ORDERS, 4000,
	         "allow\\x20x=1 6000;drain\\x20acme=by=you 7000;");
	board_is(other, BOARD_ORDERS, 6000, "drain\\x20acme=by=you 7000;");
	/* Who is a day ahead takes nothing from the others; later it goes for everybody. */
	board_is(other, BOARD_ORDERS, 6000 + DAY - 1, "");
	board_is(ledger, BOARD_ORDERS, 4000,
	         "allow\\x20x=1 6000;drain\\x20acme=by=you 7000;");
	board_is(other, BOARD_ORDERS, 6000 + DAY, "");
	board_is(ledger, BOARD_ORDERS, 4000, "drain\\x20acme=by=you 7000;");
	ledger_worked(ledger_drop(ledger, BOARD_ORDERS, SLICE("drain acme"), &found,
	                          &err),
	              "dropping", &err);
	ck_assert(found);
	ledger_worked(ledger_drop(ledger, BOARD_ORDERS, SLICE("drain acme"), &found,
	                          &err),
	              "dropping again", &err);
	ck_assert(!found);
	board_is(ledger, BOARD_ORDERS, 0, "");
	board_is(ledger, BOARD_DAEMONS, 0, "allow\\x20x=2 6000;");
	ledger_close(&ledger);
	ledger_close(&other);
}

END_TEST

static struct orders *
orders_at_time(struct ledger *ledger, int64_t now_s)
{
	struct err err = {0};
	struct orders *orders = order_board_read(ledger, now_s, &err);
	ck_assert_msg(orders != NULL, "%s", err.text);
	return orders;
}

/* How many there are then, and whether they are the same as before. */
static void
orders_are(struct ledger *ledger, int64_t now_s, size_t n, bool same)
{
	static struct orders *before;
	struct orders *orders = orders_at_time(ledger, now_s);
	ck_assert_uint_eq(orders_count(orders), n);
	ck_assert_msg((orders == before) == same, "at %lld", (long long)now_s);
	orders_unref(&before);
	before = orders;
	if (n == 0)
		orders_unref(&before);
}

START_TEST(orders_are_made_when_they_change)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place), *other = ledger_at(&place);
	struct order drain = {.kind = ORDER_DRAIN, .name = "acme", .until_s = 7000};
	struct order limit = {.kind = ORDER_LIMIT, .name = "acme", .until_s = 6000};
	struct err err = {0};
	put(other, BOARD_ORDERS, SLICE("allow-client x y"), "none of ours", 8000);
	ledger_worked(order_board_put(other, &drain, &err), "draining", &err);
	orders_are(ledger, 4000, 1, false);
	orders_are(ledger, 4000, 1, true);
	ledger_worked(order_board_put(other, &limit, &err), "limiting", &err);
	orders_are(ledger, 4000, 2, false);
	limit.limit = 1;
	ledger_worked(order_board_put(other, &limit, &err), "limiting", &err);
	orders_are(ledger, 4000, 2, false);
	orders_are(ledger, 5999, 2, true);
	orders_are(ledger, 6000, 1, false);
	orders_are(ledger, 6001, 1, true);
	orders_are(ledger, 7000, 0, false);
	ledger_close(&ledger);
	ledger_close(&other);
}

END_TEST

START_TEST(names_of_limits_are_found_for_a_time)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place), *other = ledger_at(&place);
	const struct key a = {{1}}, b = {{2}};
	char texts[2][32] = {"client 192.0.2.0/24", "sender a@b.test"};
	const struct ledger_name both[] = {{a, texts[0]}, {{{3}}, texts[1]}};
	const struct ledger_name nameless[] = {{a, texts[1]}, {b, texts[1] + 31}};
	int64_t now_s = clock_wall_s();
	struct err err = {0};
	char buf[100] = "";
	struct text name = TEXT(buf);
	ledger_worked(ledger_get_name(ledger, &a, now_s, &name, &err), "getting", &err);
	ck_assert_str_eq(buf, "");
	ledger_worked(ledger_put_names(ledger, 0, NULL, now_s + 60, &err), "none", &err);
	ledger_worked(ledger_put_names(ledger, 2, both, now_s + 60, &err), "putting",
	              &err);
	ck_assert(!ledger_put_names(ledger, 2, nameless, now_s + 60, &err));
	ledger_worked(ledger_get_name(other, &b, now_s, &name, &err), "getting", &err);
	ck_assert_str_eq(buf, "");
	ledger_worked(ledger_get_name(other, &a, now_s, &name, &err), "getting", &err);
	ck_assert_str_eq(buf, "client 192.0.2.0/24");
	name.n = 0;
	ledger_worked(ledger_get_name(other, &both[1].key, now_s, &name, &err), "getting",
	              &err);
	ck_assert_str_eq(buf, "sender a@b.test");
	if (place.backend == BACKEND_EMBEDDED) { /* Redis has its own clock */
		name.n = 0;
		buf[0] = '\0';
		ledger_worked(ledger_get_name(other, &a, now_s + 60, &name, &err),
		              "getting", &err);
		ck_assert_str_eq(buf, "");
	}
	ledger_close(&ledger);
	ledger_close(&other);
}

END_TEST

START_TEST(names_and_texts_are_any_bytes)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	struct slice binary = SLICE("x\0y\r\n");
	struct err err = {0};
	put(ledger, BOARD_DAEMONS, SLICE("a"), "", 5000);
	put(ledger, BOARD_DAEMONS, SLICE("\xff '%s*?["), "\x01\xff", 5000);
	put(ledger, BOARD_DAEMONS, SLICE("a\n"), "\n", 5000);
	put(ledger, BOARD_DAEMONS, SLICE("a\0b"), "1 2", 5000);
	put(ledger, BOARD_DAEMONS, SLICE("\0"), "0", 5000);
	ledger_worked(ledger_put(ledger, BOARD_DAEMONS, SLICE("b"), binary, 5000, &err),
	              "binary", &err);
	board_is(ledger, BOARD_DAEMONS, 0,
	         "\\x00=0 5000;a= 5000;a\\x00b=1\\x202 5000;a\\x0a=\\x0a 5000;"
	         "b=x\\x00y\\x0d\\x0a 5000;\\xff\\x20'%s*?[=\\x01\\xff 5000;");
	board_is(ledger, BOARD_DAEMONS, 5000, "");
	board_is(ledger, BOARD_DAEMONS, 5000 + DAY, "");
	board_is(ledger, BOARD_DAEMONS, 0, "");
	ledger_close(&ledger);
}

END_TEST

/* The text of the one entry. */
static void
copy_text(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	struct text *out = arg;
	(void)until_s;
	ck_assert_uint_eq(name.n, LEDGER_NAME_MAX);
	text_put(out, text);
}

START_TEST(names_and_texts_have_bounds)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	char *bytes = mem_alloc(LEDGER_TEXT_MAX + 1);
	struct text got = {.cap = LEDGER_TEXT_MAX + 10};
	struct err err = {0};
	bool found;
	got.p = mem_alloc(got.cap);
	for (size_t i = 0; i <= LEDGER_TEXT_MAX; i++)
		bytes[i] = (char)(i % 251);
	struct slice all = {.p = bytes, .n = LEDGER_TEXT_MAX + 1};
	struct slice name = slice_head(all, LEDGER_NAME_MAX);
	struct slice text = slice_head(all, LEDGER_TEXT_MAX);
	ck_assert(!ledger_put(ledger, BOARD_DAEMONS, SLICE(""), text, 5000, &err));
	ck_assert(!ledger_put(ledger, BOARD_DAEMONS, slice_head(all, LEDGER_NAME_MAX + 1),
	                      text, 5000, &err));
	ck_assert(!ledger_put(ledger, BOARD_DAEMONS, name, all, 5000, &err));
	ck_assert(!ledger_drop(ledger, BOARD_DAEMONS, SLICE(""), &found, &err));
	ledger_worked(ledger_put(ledger, BOARD_DAEMONS, name, text, 5000, &err),
	              "the longest", &err);
	ledger_worked(ledger_read(ledger, BOARD_DAEMONS, 0, copy_text, &got, &err),
	              "reading", &err);
	ck_assert_msg(slice_eq(text_slice(&got), text), "another text");
	free(got.p);
	free(bytes);
	ledger_close(&ledger);
}

END_TEST

/* ------------------------------------------------------------------ the funnel */

static void
put_hour(void *arg, const struct funnel_hour *hour)
{
	text_printf(arg, "%lld:%lld/%lld ", (long long)hour->hour, (long long)hour->fresh,
	            (long long)hour->back);
}

static void
funnel_is(struct ledger *ledger, const char *want)
{
	char buf[4096] = "";
	struct text got = TEXT(buf);
	struct err err = {0};
	ledger_worked(ledger_read_funnel(ledger, put_hour, &got, &err), "reading", &err);
	ck_assert_str_eq(buf, want);
}

START_TEST(the_funnel_adds_up)
{
	static const struct funnel_hour first[] = {{100, 5, 0}, {98, 0, 2}, {99, 1, 1}};
	static const struct funnel_hour second[] = {{100, 1, 1}};
	static const struct funnel_hour ahead[] = {{125, 1, 0}};
	static const struct funnel_hour later[] = {{126, 7, 0}, {99, 0, 1}};
	static const struct funnel_hour last[] = {{1000, 1, 0}};
	static const struct funnel_hour none[] = {{1001, INT64_C(1) << 33, -5}};

	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place), *other = ledger_at(&place);
	struct err err = {0};
	funnel_is(ledger, "");
	ledger_worked(ledger_add_funnel(ledger, 0, NULL, 3, &err), "nothing", &err);
	ledger_worked(ledger_add_funnel(ledger, 3, first, 3, &err), "adding", &err);
	funnel_is(ledger, "98:0/2 99:1/1 100:5/0 ");
	ledger_worked(ledger_add_funnel(other, 1, second, 3, &err), "adding", &err);
	funnel_is(ledger, "98:0/2 99:1/1 100:6/1 ");
	ledger_worked(ledger_add_funnel(other, 1, ahead, 3, &err), "a day ahead", &err);
	funnel_is(ledger, "98:0/2 99:1/1 100:6/1 125:1/0 ");
	ledger_worked(ledger_add_funnel(other, 2, later, 3, &err), "adding", &err);
	funnel_is(ledger, "99:1/2 100:6/1 125:1/0 126:7/0 ");
	ledger_worked(ledger_add_funnel(ledger, 1, last, 3, &err), "adding", &err);
	funnel_is(ledger, "1000:1/0 ");
	ledger_worked(ledger_add_funnel(ledger, 1, none, 3, &err), "no counts", &err);
	funnel_is(ledger, "1000:1/0 ");
	ledger_close(&ledger);
	ledger_close(&other);
}

END_TEST

/* ------------------------------------------------------------------ the secret */

START_TEST(the_secret_is_the_daemons)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	struct key_secret made, again, others;
	struct store_fixture fixture;
	struct err err = {0};
	ledger_worked(ledger_secret(ledger, &made, &err), "reading", &err);
	fixture_open(&fixture, &place, patient);
	ck_assert_mem_eq(store_secret(fixture.store), &made, sizeof(made));
	fixture_close(&fixture);

	key_secret_make(&others);
	ledger_worked(ledger_set_secret(ledger, &others, &err), "setting", &err);
	ledger_worked(ledger_secret(ledger, &again, &err), "reading", &err);
	ck_assert_mem_eq(&again, &others, sizeof(again));
	fixture_open(&fixture, &place, patient);
	ck_assert_mem_eq(store_secret(fixture.store), &others, sizeof(others));
	struct ask ask = fixture_ask(1, 1, &rules, 0);
	ask_wants(&fixture, "a first try", &ask, STORE_OK, GREY_IS_NEW);
	fixture_close(&fixture);
	ck_assert(!ledger_set_secret(ledger, &made, &err));
	ck_assert_msg(strstr(err.text, "records already") != NULL, "%s", err.text);
	ledger_worked(ledger_secret(ledger, &again, &err), "reading", &err);
	ck_assert_mem_eq(&again, &others, sizeof(again));
	ledger_close(&ledger);
}

END_TEST

/* ------------------------------------------------------------------ records */

static struct ledger_row
row_of(char kind, unsigned number, enum grey_state state, int64_t at_s, unsigned count)
{
	struct grey_record rec = {state, at_s, count};
	return (struct ledger_row){kind == 'i' ? RECORD_IDENTITY : RECORD_TRIPLET,
	                           fixture_key(kind, number), record_pack(&rec)};
}

/* The daemons go by what the ledger wrote. */
START_TEST(records_are_written_for_the_daemons)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	int64_t now_s = clock_wall_s(), packed;
	struct store_fixture fixture;
	struct err err = {0};
	bool found;
	struct ask waiting = fixture_ask(1, 1, &rules, 0);
	struct ask passed = fixture_ask(2, 2, &rules, 0);
	struct ask allowed = fixture_ask(3, 3, &rules, 0);
	struct ask expired = fixture_ask(4, 4, &rules, 0);
	struct ledger_row rows[] = {
		row_of('t', 1 << 16 | 1, GREY_WAITING, now_s - 200, 0),
		row_of('t', 2 << 16 | 2, GREY_PASSED, now_s - 5 * DAY, 0),
		row_of('i', 3, GREY_IDENTITY, now_s - 5 * DAY, 3),
		row_of('t', 4 << 16 | 4, GREY_PASSED, now_s - 36 * DAY, 0),
	};
	ledger_worked(ledger_put_records(ledger, COUNT_OF(rows), rows, &rules, now_s,
	                                 &err),
	              "putting", &err);
	ledger_worked(ledger_get_record(ledger, RECORD_TRIPLET, &rows[3].key, &packed,
	                                &err),
	              "an expired one", &err);
	ck_assert_int_eq(packed, 0);
	fixture_open(&fixture, &place, patient);
	ask_wants(&fixture, "waiting", &waiting, STORE_OK, GREY_IS_PASSED_NOW);
	ask_wants(&fixture, "passed", &passed, STORE_OK, GREY_IS_KNOWN);
	ask_wants(&fixture, "allowed", &allowed, STORE_OK, GREY_IS_CLIENT_ALLOWED);
	ask_wants(&fixture, "expired", &expired, STORE_OK, GREY_IS_NEW);

	ledger_worked(ledger_drop_record(ledger, RECORD_IDENTITY, &rows[2].key, &found,
	                                 &err),
	              "dropping", &err);
	ck_assert(found);
	ledger_worked(ledger_drop_record(ledger, RECORD_IDENTITY, &rows[2].key, &found,
	                                 &err),
	              "dropping again", &err);
	ck_assert(!found);
	ask_wants(&fixture, "no longer allowed", &allowed, STORE_OK, GREY_IS_NEW);
	fixture_close(&fixture);
	ledger_close(&ledger);
}

END_TEST

START_TEST(many_records_are_read_at_once)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	struct err err = {0};
	int64_t now_s = FIXTURE_T0_S;
	struct ledger_row put[] = {
		row_of('t', 1 << 16 | 1, GREY_WAITING, now_s - 200, 0),
		row_of('i', 3, GREY_IDENTITY, now_s, 3),
	};
	struct ledger_row got[1000];
	for (size_t i = 0; i < COUNT_OF(got); i++) {
		got[i] = put[i % 2];
		got[i].packed = 7;
	}
	got[500] = row_of('t', 9 << 16 | 9, GREY_WAITING, now_s, 0);
	ledger_worked(ledger_put_records(ledger, COUNT_OF(put), put, &rules, now_s, &err),
	              "putting", &err);
	ledger_worked(ledger_get_records(ledger, COUNT_OF(got), got, &err), "reading",
	              &err);
	for (size_t i = 0; i < COUNT_OF(got); i++)
		ck_assert_msg(got[i].packed == (i == 500 ? 0 : put[i % 2].packed), "%zu",
		              i);
	ledger_worked(ledger_get_records(ledger, 0, got, &err), "reading none", &err);
	ledger_close(&ledger);
}

END_TEST

START_TEST(records_are_read_as_the_daemons_wrote_them)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	struct store_fixture fixture;
	struct grey_record rec;
	struct err err = {0};
	int64_t packed;
	fixture_open(&fixture, &place, patient);
	struct ask ask = fixture_ask(1, 1, &rules, FIXTURE_T0_S);
	ask_wants(&fixture, "a first try", &ask, STORE_OK, GREY_IS_NEW);
	ledger_worked(ledger_get_record(ledger, RECORD_TRIPLET, &ask.triplet, &packed,
	                                &err),
	              "reading", &err);
	ck_assert(record_unpack(packed, &rec));
	ck_assert_int_eq(rec.state, GREY_WAITING);
	ck_assert_int_eq(rec.at_s, FIXTURE_T0_S);
	ledger_worked(ledger_get_record(ledger, RECORD_IDENTITY, &ask.identity, &packed,
	                                &err),
	              "reading", &err);
	ck_assert_int_eq(packed, 0);
	ask.now_s += 200;
	ask_wants(&fixture, "a retry", &ask, STORE_OK, GREY_IS_PASSED_NOW);
	ledger_worked(ledger_get_record(ledger, RECORD_IDENTITY, &ask.identity, &packed,
	                                &err),
	              "reading", &err);
	ck_assert(record_unpack(packed, &rec));
	ck_assert_int_eq(rec.count, 1);
	fixture_close(&fixture);
	ledger_close(&ledger);
}

END_TEST

START_TEST(only_records_are_written)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	int64_t now_s = clock_wall_s(), packed;
	struct err err = {0};
	struct ledger_row rows[] = {
		row_of('t', 1, GREY_PASSED, now_s, 0),
		row_of('t', 2, GREY_IDENTITY, now_s, 1),
	};
	ck_assert(!ledger_put_records(ledger, 2, rows, &rules, now_s, &err));
	rows[1] = row_of('i', 2, GREY_PASSED, now_s, 1);
	ck_assert(!ledger_put_records(ledger, 2, rows, &rules, now_s, &err));
	rows[1].packed = 17;
	ck_assert(!ledger_put_records(ledger, 2, rows, &rules, now_s, &err));
	ledger_worked(ledger_get_record(ledger, RECORD_TRIPLET, &rows[0].key, &packed,
	                                &err),
	              "reading", &err);
	ck_assert_int_eq(packed, 0);
	ledger_close(&ledger);
}

END_TEST

#define MANY 5000

struct seen {
	unsigned char triplets[MANY], identities[MANY]; /* how often */
	size_t n, stop_at;
};

static bool
see(void *arg, const struct ledger_row *row)
{
	struct seen *seen = arg;
	unsigned number = 0;
	for (size_t i = 0; i < sizeof(number); i++)
		number |= (unsigned)row->key.bytes[1 + i] << (8 * i);
	ck_assert_uint_lt(number, MANY);
	ck_assert_int_eq(row->key.bytes[0], row->kind == RECORD_IDENTITY ? 'i' : 't');
	if (row->kind == RECORD_IDENTITY)
		seen->identities[number]++;
	else
		seen->triplets[number]++;
	return ++seen->n != seen->stop_at;
}

/* Many of them, among things that are none. */
static void
plant_many(const struct store_place *place, struct ledger *ledger, int64_t now_s)
{
	struct ledger_row *rows = mem_alloc(2 * MANY * sizeof(*rows));
	struct err err = {0};
	for (unsigned i = 0; i < MANY; i++) {
		rows[i] = row_of('t', i, GREY_WAITING, now_s, 0);
		rows[MANY + i] = row_of('i', i, GREY_IDENTITY, now_s, i + 1);
	}
	for (unsigned i = 0; i < 2 * MANY; i += 1000)
		ledger_worked(ledger_put_records(ledger, 1000, rows + i, &rules, now_s,
		                                 &err),
		              "putting", &err);
	free(rows);
	struct key odd = fixture_key('t', MANY);
	place_plant(place, 't', &odd, 17);
	odd = fixture_key('r', 1);
	place_plant(place, 'r', &odd, now_s);
}

START_TEST(a_scan_sees_every_record)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	struct seen *seen = mem_new(struct seen);
	struct err err = {0};
	int64_t estimate;
	ledger_worked(ledger_scan(ledger, see, seen, &err), "an empty one", &err);
	ck_assert_uint_eq(seen->n, 0);
	plant_many(&place, ledger, clock_wall_s());
	ledger_worked(ledger_scan(ledger, see, seen, &err), "scanning", &err);
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_uint_ge(seen->triplets[i], 1);
		ck_assert_uint_ge(seen->identities[i], 1);
	}
	ck_assert_uint_ge(seen->n, 2 * MANY);
	ck_assert_uint_le(seen->n, 2 * MANY + 100);
	ledger_worked(ledger_estimate(ledger, &estimate, &err), "estimating", &err);
	ck_assert_int_ge(estimate, 2 * MANY);

	*seen = (struct seen){.stop_at = 1500};
	ledger_worked(ledger_scan(ledger, see, seen, &err), "scanning", &err);
	ck_assert_uint_eq(seen->n, 1500);
	ledger_worked(ledger_estimate(ledger, &estimate, &err), "afterwards", &err);
	free(seen);
	ledger_close(&ledger);
}

END_TEST

/* ------------------------------------------------------------------ leases and rates */

static struct limits_ask
take(const char *holder, const char *uses)
{
	struct limits_ask ask = {.ttl_ms = 60000, .ttl_max_ms = LEASE_MAX_MS};
	struct text name = TEXT(ask.holder);
	text_puts(&name, holder);
	fixture_uses(uses, &ask);
	return ask;
}

static void
take_slot(struct store_fixture *fixture, const char *holder, const char *uses, bool want)
{
	struct ask ask = {.kind = ASK_LIMITS, .limits = take(holder, uses)};
	struct answer got = ask_and_wait(fixture, &ask);
	ck_assert_int_eq(got.status, STORE_OK);
	ck_assert_msg(got.limits.granted == want, "%s at %s", holder, uses);
}

struct found_lease {
	const char *holder;
	struct key key;
};

struct found_leases {
	struct ledger_lease leases[16];
	size_t n;
};

static void
find_lease(void *arg, const struct ledger_lease *lease)
{
	struct found_leases *found = arg;
	ck_assert_uint_lt(found->n, COUNT_OF(found->leases));
	found->leases[found->n++] = *lease;
}

/* Whether exactly these are held. */
static void
leases_are(struct ledger *ledger, const char *what, size_t n,
           const struct found_lease *want)
{
	struct found_leases found = {.n = 0};
	struct err err = {0};
	ledger_worked(ledger_read_leases(ledger, find_lease, &found, &err), what, &err);
	ck_assert_msg(found.n == n, "%s: %zu leases, want %zu", what, found.n, n);
	for (size_t i = 0; i < n; i++) {
		size_t at = 0;
		while (at < n &&
		       (strcmp(found.leases[at].holder, want[i].holder) != 0 ||
		        memcmp(&found.leases[at].key, &want[i].key, KEY_BYTES) != 0))
			at++;
		ck_assert_msg(at < n, "%s: %s is missing", what, want[i].holder);
		ck_assert_int_gt(found.leases[at].left_ms, 30000);
		ck_assert_int_le(found.leases[at].left_ms, 60000);
	}
}

START_TEST(leases_of_the_daemons_are_seen_and_killed)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	struct key destination = fixture_use(SLICE("Dl2")).key;
	struct key user = fixture_use(SLICE("Ul2")).key;
	const struct found_lease both[] = {{"m/a/192.0.2.1:25", destination},
	                                   {"m/a/192.0.2.1:25", user},
	                                   {"m/b/[2001:db8::1]:2525", destination}};
	struct store_fixture fixture;
	struct err err = {0};
	int64_t killed;
	leases_are(ledger, "none", 0, NULL);
	fixture_open(&fixture, &place, patient);
	take_slot(&fixture, both[0].holder, "Dl2 Ul2", true);
	take_slot(&fixture, both[2].holder, "Dl2", true);
	take_slot(&fixture, "m/c/192.0.2.3:25", "Dl2", false);
	leases_are(ledger, "both", 3, both);
	ledger_worked(ledger_kill_leases(ledger, slice_of("m/a/192.0.2.1:2"), &killed,
	                                 &err),
	              "a name's beginning", &err);
	ck_assert_int_eq(killed, 0);
	ledger_worked(ledger_kill_leases(ledger, slice_of(both[0].holder), &killed, &err),
	              "killing", &err);
	ck_assert_int_eq(killed, 2);
	leases_are(ledger, "the other", 1, both + 2);
	take_slot(&fixture, "m/c/192.0.2.3:25", "Dl2", true);
	fixture_close(&fixture);
	ledger_close(&ledger);
}

END_TEST

static int64_t
store_clock_ms(const struct store_place *place)
{
	if (place->backend == BACKEND_EMBEDDED)
		return clock_boot_ms();
	return clock_wall_us() / 1000;
}

/* Neither what has run out, nor what a clock set back has left. */
START_TEST(only_leases_in_force_are_seen)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	struct key key = fixture_use(SLICE("Dl9")).key;
	const struct found_lease held = {"m/a/192.0.2.1:25", key};
	struct store_fixture fixture;
	struct err err = {0};
	int64_t now_ms = store_clock_ms(&place), killed;
	fixture_open(&fixture, &place, patient);
	take_slot(&fixture, held.holder, "Dl9", true);
	place_plant_lease(&place, &key, "m/dead/192.0.2.2:25", now_ms - 1);
	place_plant_lease(&place, &key, "m/future/192.0.2.2:25",
	                  now_ms + LEASE_MAX_MS + 60000);
	leases_are(ledger, "in force", 1, &held);
	ledger_worked(ledger_kill_leases(ledger, SLICE("m/dead/192.0.2.2:25"), &killed,
	                                 &err),
	              "a dead one", &err);
	ck_assert_int_eq(killed, 0);
	if (_i == BACKEND_EMBEDDED) {
		place_sql(&place,
		          "UPDATE meta SET value = 'another' WHERE name = 'boot'");
		leases_are(ledger, "another boot", 0, NULL);
	}
	fixture_close(&fixture);
	ledger_close(&ledger);
}

END_TEST

START_TEST(rates_are_read)
{
	struct store_place place = place_on(_i);
	struct ledger *ledger = ledger_at(&place);
	struct limit_use use = fixture_use(SLICE("Cm3/60"));
	struct store_fixture fixture;
	struct err err = {0};
	int64_t tat_us;
	ledger_worked(ledger_get_rate(ledger, &use.key, &tat_us, &err), "none", &err);
	ck_assert_int_eq(tat_us, 0);
	fixture_open(&fixture, &place, patient);
	take_slot(&fixture, "m/a/192.0.2.1:25", "Cm3/60", true);
	ledger_worked(ledger_get_rate(ledger, &use.key, &tat_us, &err), "one", &err);
	ck_assert_int_gt(tat_us, clock_wall_us());
	ck_assert_int_le(tat_us, clock_wall_us() + 20000000);
	fixture_close(&fixture);
	ledger_close(&ledger);
}

END_TEST

/* ------------------------------------------------------------------ all of it in Redis */

START_TEST(every_key_expires)
{
	struct store_place place = place_on(BACKEND_REDIS);
	struct ledger *ledger = ledger_at(&place);
	static const struct funnel_hour hour = {100, 1, 0};
	struct ledger_row row = row_of('t', 1, GREY_PASSED, clock_wall_s(), 0);
	struct key_secret secret;
	struct err err = {0};
	ledger_worked(ledger_secret(ledger, &secret, &err), "the secret", &err);
	ledger_add_lines(ledger, "x", 1, 300, LEDGER_KEEP);
	put(ledger, BOARD_ORDERS, SLICE("a"), "1", SOON);
	put(ledger, BOARD_ORDERS, SLICE("b"), "1", SOON + 5 * DAY);
	put(ledger, BOARD_ORDERS, SLICE("c"), "1", SOON);
	ledger_worked(ledger_add_funnel(ledger, 1, &hour, 24, &err), "funnel", &err);
	ledger_worked(ledger_put_records(ledger, 1, &row, &rules, clock_wall_s(), &err),
	              "record", &err);
	redisContext *redis = redis_server_connect(&server);
	redisReply *keys = redisCommand(redis, "KEYS %s*", place.text);
	ck_assert_uint_eq(keys->elements, 1 + 5 + 1 + 1 + 1 + 1);
	for (size_t i = 0; i < keys->elements; i++) {
		const char *name = keys->element[i]->str;
		redisReply *ttl = redisCommand(redis, "TTL %s", name);
		if (strstr(name, ":secret"))
			ck_assert_int_eq(ttl->integer, -1);
		else if (strstr(name, ":orders"))
			ck_assert_int_gt(ttl->integer, 5 * DAY);
		else
			ck_assert_msg(ttl->integer > 0 && ttl->integer <= LIFE + 60,
			              "%s stays %lld s", name, ttl->integer);
		freeReplyObject(ttl);
	}
	freeReplyObject(keys);
	redisFree(redis);
	ledger_close(&ledger);
}

END_TEST

static void
start_server(void)
{
	if (with_redis)
		redis_server_start(&server, NULL);
}

static void
kill_server(void)
{
	redis_server_kill(&server);
}

static void
fill(TCase *tcase)
{
	with_redis = redis_tests_wanted();
	int stores = with_redis ? 2 : 1;
	tcase_add_unchecked_fixture(tcase, start_server, kill_server);
	tcase_add_loop_test(tcase, decisions_come_back_in_their_order, 0, stores);
	tcase_add_loop_test(tcase, decisions_are_kept_by_number, 0, stores);
	tcase_add_loop_test(tcase, decisions_are_kept_for_their_time, 0, stores);
	tcase_add_loop_test(tcase, decisions_of_two_lifetimes, 0, stores);
	tcase_add_loop_test(tcase, reading_stops_when_enough_is_read, 0, stores);
	tcase_add_loop_test(tcase, decisions_are_whole_lines, 0, stores);
	tcase_add_loop_test(tcase, many_processes_add, 0, stores);
	tcase_add_loop_test(tcase, many_processes_begin, 0, stores);
	tcase_add_loop_test(tcase, boards_hold_texts_for_a_time, 0, stores);
	tcase_add_loop_test(tcase, orders_are_made_when_they_change, 0, stores);
	tcase_add_loop_test(tcase, names_of_limits_are_found_for_a_time, 0, stores);
	tcase_add_loop_test(tcase, names_and_texts_are_any_bytes, 0, stores);
	tcase_add_loop_test(tcase, names_and_texts_have_bounds, 0, stores);
	tcase_add_loop_test(tcase, the_funnel_adds_up, 0, stores);
	tcase_add_loop_test(tcase, the_secret_is_the_daemons, 0, stores);
	tcase_add_loop_test(tcase, records_are_written_for_the_daemons, 0, stores);
	tcase_add_loop_test(tcase, many_records_are_read_at_once, 0, stores);
	tcase_add_loop_test(tcase, records_are_read_as_the_daemons_wrote_them, 0, stores);
	tcase_add_loop_test(tcase, only_records_are_written, 0, stores);
	tcase_add_loop_test(tcase, a_scan_sees_every_record, 0, stores);
	tcase_add_loop_test(tcase, leases_of_the_daemons_are_seen_and_killed, 0, stores);
	tcase_add_loop_test(tcase, only_leases_in_force_are_seen, 0, stores);
	tcase_add_loop_test(tcase, rates_are_read, 0, stores);
	if (with_redis)
		tcase_add_test(tcase, every_key_expires);
}

int
main(void)
{
	return harness_run("ledger", fill);
}
