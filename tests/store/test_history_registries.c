/* test_history_registries.c - overrides, names and the funnel on both stores. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "harness.h"
#include "history_fixture.h"
#include "store/override_store.h"
#include "store/record.h"

#define DAY  86400
#define LIFE (35 * DAY)
#define SOON (clock_wall_s() + DAY)

static const struct grey_rules rules = {180, DAY, LIFE, 1};

/* ------------------------------------------------------------------ registries */

static void
put(struct history *history, enum history_registry registry, struct slice name,
    const char *text, int64_t until_s)
{
	struct err err = {0};
	history_worked(history_put(history, registry, name, slice_of(text), until_s,
	                           &err),
	               "putting", &err);
}

static void
registry_is(struct history *history, enum history_registry registry, int64_t now_s,
            const char *want)
{
	char *got = history_registry_text(history, registry, now_s);
	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(registries_hold_texts_for_a_time)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place), *other = history_at(&place);
	struct err err = {0};
	bool found;
	registry_is(history, REGISTRY_OVERRIDES, 0, "");
	put(history, REGISTRY_OVERRIDES, SLICE("drain acme"), "by=me", 5000);
	put(other, REGISTRY_OVERRIDES, SLICE("allow x"), "1", 6000);
	put(other, REGISTRY_DAEMONS, SLICE("allow x"), "2", 6000);
	registry_is(history, REGISTRY_OVERRIDES, 4000,
	            "allow\\x20x=1 6000;drain\\x20acme=by=me 5000;");
	registry_is(history, REGISTRY_DAEMONS, 4000, "allow\\x20x=2 6000;");
	put(history, REGISTRY_OVERRIDES, SLICE("drain acme"), "by=you", 7000);
	registry_is(other, REGISTRY_OVERRIDES, 4000,
	            "allow\\x20x=1 6000;drain\\x20acme=by=you 7000;");
	registry_is(other, REGISTRY_OVERRIDES, 6000, "drain\\x20acme=by=you 7000;");
	/* Who is a day ahead takes nothing from the others; later it goes for everybody. */
	registry_is(other, REGISTRY_OVERRIDES, 6000 + DAY - 1, "");
	registry_is(history, REGISTRY_OVERRIDES, 4000,
	            "allow\\x20x=1 6000;drain\\x20acme=by=you 7000;");
	registry_is(other, REGISTRY_OVERRIDES, 6000 + DAY, "");
	registry_is(history, REGISTRY_OVERRIDES, 4000, "drain\\x20acme=by=you 7000;");
	history_worked(history_drop(history, REGISTRY_OVERRIDES, SLICE("drain acme"),
	                            &found, &err),
	               "dropping", &err);
	ck_assert(found);
	history_worked(history_drop(history, REGISTRY_OVERRIDES, SLICE("drain acme"),
	                            &found, &err),
	               "dropping again", &err);
	ck_assert(!found);
	registry_is(history, REGISTRY_OVERRIDES, 0, "");
	registry_is(history, REGISTRY_DAEMONS, 0, "allow\\x20x=2 6000;");
	history_close(&history);
	history_close(&other);
}

END_TEST

static struct overrides *
overrides_at_time(struct history *history, int64_t now_s)
{
	struct err err = {0};
	struct overrides *overrides = override_store_read(history, now_s, &err);
	ck_assert_msg(overrides != NULL, "%s", err.text);
	return overrides;
}

/* How many there are then, and whether they are the same as before. */
static void
overrides_are(struct history *history, int64_t now_s, size_t n, bool same)
{
	static struct overrides *before;
	struct overrides *overrides = overrides_at_time(history, now_s);
	ck_assert_uint_eq(overrides_count(overrides), n);
	ck_assert_msg((overrides == before) == same, "at %lld", (long long)now_s);
	overrides_unref(&before);
	before = overrides;
	if (n == 0)
		overrides_unref(&before);
}

START_TEST(overrides_are_made_when_they_change)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place), *other = history_at(&place);
	struct override drain = {.kind = OVERRIDE_DRAIN, .name = "acme", .until_s = 7000};
	struct override limit = {.kind = OVERRIDE_LIMIT, .name = "acme", .until_s = 6000};
	struct err err = {0};
	put(other, REGISTRY_OVERRIDES, SLICE("allow-client x y"), "none of ours", 8000);
	history_worked(override_store_put(other, &drain, &err), "draining", &err);
	overrides_are(history, 4000, 1, false);
	overrides_are(history, 4000, 1, true);
	history_worked(override_store_put(other, &limit, &err), "limiting", &err);
	overrides_are(history, 4000, 2, false);
	limit.limit = 1;
	history_worked(override_store_put(other, &limit, &err), "limiting", &err);
	overrides_are(history, 4000, 2, false);
	overrides_are(history, 5999, 2, true);
	overrides_are(history, 6000, 1, false);
	overrides_are(history, 6001, 1, true);
	overrides_are(history, 7000, 0, false);
	history_close(&history);
	history_close(&other);
}

END_TEST

START_TEST(names_of_limits_are_found_for_a_time)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place), *other = history_at(&place);
	const struct key a = {{1}}, b = {{2}};
	char texts[2][32] = {"client 192.0.2.0/24", "sender a@b.test"};
	const struct history_name both[] = {{a, texts[0]}, {{{3}}, texts[1]}};
	const struct history_name nameless[] = {{a, texts[1]}, {b, texts[1] + 31}};
	int64_t now_s = clock_wall_s();
	struct err err = {0};
	char buf[100] = "";
	struct text name = TEXT(buf);
	history_worked(history_get_name(history, &a, now_s, &name, &err), "getting",
	               &err);
	ck_assert_str_eq(buf, "");
	history_worked(history_put_names(history, 0, NULL, now_s + 60, &err), "none",
	               &err);
	history_worked(history_put_names(history, 2, both, now_s + 60, &err), "putting",
	               &err);
	ck_assert(!history_put_names(history, 2, nameless, now_s + 60, &err));
	history_worked(history_get_name(other, &b, now_s, &name, &err), "getting", &err);
	ck_assert_str_eq(buf, "");
	history_worked(history_get_name(other, &a, now_s, &name, &err), "getting", &err);
	ck_assert_str_eq(buf, "client 192.0.2.0/24");
	name.n = 0;
	history_worked(history_get_name(other, &both[1].key, now_s, &name, &err),
	               "getting", &err);
	ck_assert_str_eq(buf, "sender a@b.test");
	if (place.backend == BACKEND_EMBEDDED) { /* Redis has its own clock */
		name.n = 0;
		buf[0] = '\0';
		history_worked(history_get_name(other, &a, now_s + 60, &name, &err),
		               "getting", &err);
		ck_assert_str_eq(buf, "");
	}
	history_close(&history);
	history_close(&other);
}

END_TEST

START_TEST(names_and_texts_are_any_bytes)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	struct slice binary = SLICE("x\0y\r\n");
	struct err err = {0};
	put(history, REGISTRY_DAEMONS, SLICE("a"), "", 5000);
	put(history, REGISTRY_DAEMONS, SLICE("\xff '%s*?["), "\x01\xff", 5000);
	put(history, REGISTRY_DAEMONS, SLICE("a\n"), "\n", 5000);
	put(history, REGISTRY_DAEMONS, SLICE("a\0b"), "1 2", 5000);
	put(history, REGISTRY_DAEMONS, SLICE("\0"), "0", 5000);
	history_worked(history_put(history, REGISTRY_DAEMONS, SLICE("b"), binary, 5000,
	                           &err),
	               "binary", &err);
	registry_is(history, REGISTRY_DAEMONS, 0,
	            "\\x00=0 5000;a= 5000;a\\x00b=1\\x202 5000;a\\x0a=\\x0a 5000;"
	            "b=x\\x00y\\x0d\\x0a 5000;\\xff\\x20'%s*?[=\\x01\\xff 5000;");
	registry_is(history, REGISTRY_DAEMONS, 5000, "");
	registry_is(history, REGISTRY_DAEMONS, 5000 + DAY, "");
	registry_is(history, REGISTRY_DAEMONS, 0, "");
	history_close(&history);
}

END_TEST

/* The text of the one entry. */
static void
copy_text(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	struct text *out = arg;
	(void)until_s;
	ck_assert_uint_eq(name.n, HISTORY_NAME_MAX);
	text_put(out, text);
}

START_TEST(names_and_texts_have_bounds)
{
	struct store_place place = place_on(_i);
	struct history *history = history_at(&place);
	char *bytes = mem_alloc(HISTORY_TEXT_MAX + 1);
	struct text got = {.cap = HISTORY_TEXT_MAX + 10};
	struct err err = {0};
	bool found;
	got.p = mem_alloc(got.cap);
	for (size_t i = 0; i <= HISTORY_TEXT_MAX; i++)
		bytes[i] = (char)(i % 251);
	struct slice all = {.p = bytes, .n = HISTORY_TEXT_MAX + 1};
	struct slice name = slice_head(all, HISTORY_NAME_MAX);
	struct slice text = slice_head(all, HISTORY_TEXT_MAX);
	ck_assert(!history_put(history, REGISTRY_DAEMONS, SLICE(""), text, 5000, &err));
	ck_assert(!history_put(history, REGISTRY_DAEMONS,
	                       slice_head(all, HISTORY_NAME_MAX + 1), text, 5000, &err));
	ck_assert(!history_put(history, REGISTRY_DAEMONS, name, all, 5000, &err));
	ck_assert(!history_drop(history, REGISTRY_DAEMONS, SLICE(""), &found, &err));
	history_worked(history_put(history, REGISTRY_DAEMONS, name, text, 5000, &err),
	               "the longest", &err);
	history_worked(history_read(history, REGISTRY_DAEMONS, 0, copy_text, &got, &err),
	               "reading", &err);
	ck_assert_msg(slice_eq(text_slice(&got), text), "another text");
	free(got.p);
	free(bytes);
	history_close(&history);
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
funnel_is(struct history *history, const char *want)
{
	char buf[4096] = "";
	struct text got = TEXT(buf);
	struct err err = {0};
	history_worked(history_read_funnel(history, put_hour, &got, &err), "reading",
	               &err);
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
	struct history *history = history_at(&place), *other = history_at(&place);
	struct err err = {0};
	funnel_is(history, "");
	history_worked(history_add_funnel(history, 0, NULL, 3, &err), "nothing", &err);
	history_worked(history_add_funnel(history, 3, first, 3, &err), "adding", &err);
	funnel_is(history, "98:0/2 99:1/1 100:5/0 ");
	history_worked(history_add_funnel(other, 1, second, 3, &err), "adding", &err);
	funnel_is(history, "98:0/2 99:1/1 100:6/1 ");
	history_worked(history_add_funnel(other, 1, ahead, 3, &err), "a day ahead", &err);
	funnel_is(history, "98:0/2 99:1/1 100:6/1 125:1/0 ");
	history_worked(history_add_funnel(other, 2, later, 3, &err), "adding", &err);
	funnel_is(history, "99:1/2 100:6/1 125:1/0 126:7/0 ");
	history_worked(history_add_funnel(history, 1, last, 3, &err), "adding", &err);
	funnel_is(history, "1000:1/0 ");
	history_worked(history_add_funnel(history, 1, none, 3, &err), "no counts", &err);
	funnel_is(history, "1000:1/0 ");
	history_close(&history);
	history_close(&other);
}

END_TEST

/* ------------------------------------------------------------------ all of it in Redis */

START_TEST(every_key_expires)
{
	struct store_place place = place_on(BACKEND_REDIS);
	struct history *history = history_at(&place);
	static const struct funnel_hour hour = {100, 1, 0};
	struct grey_record rec = {GREY_PASSED, clock_wall_s(), 0};
	struct history_row row = {RECORD_TRIPLET, fixture_key('t', 1), record_pack(&rec)};
	struct key_secret secret;
	struct err err = {0};
	history_worked(history_secret(history, &secret, &err), "the secret", &err);
	history_add_lines(history, "x", 1, 300, HISTORY_KEEP);
	put(history, REGISTRY_OVERRIDES, SLICE("a"), "1", SOON);
	put(history, REGISTRY_OVERRIDES, SLICE("b"), "1", SOON + 5 * DAY);
	put(history, REGISTRY_OVERRIDES, SLICE("c"), "1", SOON);
	history_worked(history_add_funnel(history, 1, &hour, 24, &err), "funnel", &err);
	history_worked(history_put_records(history, 1, &row, &rules, clock_wall_s(),
	                                   &err),
	               "record", &err);
	redisContext *redis = redis_server_connect(shared_redis());
	redisReply *keys = redisCommand(redis, "KEYS %s*", place.text);
	ck_assert_uint_eq(keys->elements, 1 + 5 + 1 + 1 + 1 + 1);
	for (size_t i = 0; i < keys->elements; i++) {
		const char *name = keys->element[i]->str;
		redisReply *ttl = redisCommand(redis, "TTL %s", name);
		if (strstr(name, ":secret"))
			ck_assert_int_eq(ttl->integer, -1);
		else if (strstr(name, ":overrides"))
			ck_assert_int_gt(ttl->integer, 5 * DAY);
		else
			ck_assert_msg(ttl->integer > 0 && ttl->integer <= LIFE + 60,
			              "%s stays %lld s", name, ttl->integer);
		freeReplyObject(ttl);
	}
	freeReplyObject(keys);
	redisFree(redis);
	history_close(&history);
}

END_TEST

static void
fill(TCase *tcase)
{
	int stores = both_stores(tcase);
	tcase_add_loop_test(tcase, registries_hold_texts_for_a_time, 0, stores);
	tcase_add_loop_test(tcase, overrides_are_made_when_they_change, 0, stores);
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
	return harness_run("history registries", fill);
}
