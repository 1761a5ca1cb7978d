/* test_ledger_boards.c - orders, names and the funnel on both stores. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "harness.h"
#include "ledger_fixture.h"
#include "store/order_board.h"
#include "store/record.h"

#define DAY  86400
#define LIFE (35 * DAY)
#define SOON (clock_wall_s() + DAY)

static const struct grey_rules rules = {180, DAY, LIFE, 1};

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

/* ------------------------------------------------------------------ all of it in Redis */

START_TEST(every_key_expires)
{
	struct store_place place = place_on(BACKEND_REDIS);
	struct ledger *ledger = ledger_at(&place);
	static const struct funnel_hour hour = {100, 1, 0};
	struct grey_record rec = {GREY_PASSED, clock_wall_s(), 0};
	struct ledger_row row = {RECORD_TRIPLET, fixture_key('t', 1), record_pack(&rec)};
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
	redisContext *redis = redis_server_connect(shared_redis());
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
fill(TCase *tcase)
{
	int stores = both_stores(tcase);
	tcase_add_loop_test(tcase, boards_hold_texts_for_a_time, 0, stores);
	tcase_add_loop_test(tcase, orders_are_made_when_they_change, 0, stores);
	tcase_add_loop_test(tcase, names_of_limits_are_found_for_a_time, 0, stores);
	tcase_add_loop_test(tcase, names_and_texts_are_any_bytes, 0, stores);
	tcase_add_loop_test(tcase, names_and_texts_have_bounds, 0, stores);
	tcase_add_loop_test(tcase, the_funnel_adds_up, 0, stores);
	if (stores > BACKEND_REDIS)
		tcase_add_test(tcase, every_key_expires);
}

int
main(void)
{
	return harness_run("ledger boards", fill);
}
