/* test_verdict.c - every answer and every failure, in every mode; replies; ids. */
#include "rules/verdict.h"

#include <stdlib.h>

#include "harness.h"

static struct arena arena;

static struct conf *
settings(const char *first, const char *second)
{
	static char copies[2][500];
	const char *given[] = {first, second};
	char *v[2];
	struct conf_texts overrides = {.v = v};
	for (size_t i = 0; i < COUNT_OF(given); i++) {
		if (!given[i])
			continue;
		struct text text = TEXT(copies[i]);
		text_puts(&text, given[i]);
		v[overrides.n++] = copies[i];
	}
	struct err err;
	struct conf *conf = conf_load(NULL, &overrides, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	return conf;
}

/* clang-format off */
static const struct answer_row {
	const char *row;
	struct grey_result grey;
	enum verdict_action action;
	enum why why;
} answer_rows[] = {
	{"new", {.answer = GREY_IS_NEW, .wait_s = 180}, VERDICT_DEFER, WHY_GREYLIST_NEW},
	{"unstored", {.answer = GREY_IS_NEW_UNSTORED, .wait_s = 180}, VERDICT_DEFER,
		WHY_GREYLIST_UNSTORED},
	{"early", {.answer = GREY_IS_EARLY, .wait_s = 7}, VERDICT_DEFER, WHY_GREYLIST_EARLY},
	{"aged", {.answer = GREY_IS_AGED, .wait_s = 180}, VERDICT_DEFER, WHY_GREYLIST_AGED},
	{"passed now", {.answer = GREY_IS_PASSED_NOW, .delayed_s = 300}, VERDICT_ACCEPT,
		WHY_GREYLIST_PASSED},
	{"released", {.answer = GREY_IS_RELEASED, .delayed_s = 7}, VERDICT_ACCEPT, WHY_GREYLIST_RELEASED},
	{"known", {.answer = GREY_IS_KNOWN}, VERDICT_ACCEPT, WHY_GREYLIST_KNOWN},
	{"told", {.answer = GREY_IS_TOLD}, VERDICT_ACCEPT, WHY_NOT_JUDGED},
	{"client allowed", {.answer = GREY_IS_CLIENT_ALLOWED}, VERDICT_ACCEPT, WHY_CLIENT_ALLOWED},
};

/* clang-format on */

START_TEST(an_answer_becomes_a_verdict)
{
	const struct answer_row *r = &answer_rows[_i];
	ck_assert_uint_eq(COUNT_OF(answer_rows), GREY_ANSWERS);
	struct plan plan = {.ask = true, .shown = SLICE_INIT("b.example")};
	struct answer answer = {.status = STORE_OK, .grey = r->grey};
	static const char *const modes[] = {"greylist.mode=on", "greylist.mode=observe"};
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		/* the rule for failures has no say in answers */
		struct conf *conf = settings(modes[i], "store.on_failure=defer");
		plan.greylist_mode = conf->greylist.mode;
		struct verdict v;
		verdict_make(conf, &plan, &answer, 1, &arena, &v);
		bool defer = r->action == VERDICT_DEFER;
		bool observe = i == 1;
		ck_assert_msg(v.action == (observe ? VERDICT_ACCEPT : r->action),
		              "%s, %s: action %d", r->row, modes[i], v.action);
		ck_assert_msg(v.observed == (observe && defer), "%s, %s: observed %d",
		              r->row, modes[i], v.observed);
		ck_assert_msg(v.why == r->why, "%s, %s: why %d", r->row, modes[i], v.why);
		ck_assert_msg(v.wait_s == r->grey.wait_s, "%s: wait", r->row);
		ck_assert_msg(v.delayed_s == r->grey.delayed_s, "%s: delayed", r->row);
		ck_assert_msg((v.reply.n > 0) == defer, "%s: reply \"%.*s\"", r->row,
		              (int)v.reply.n, v.reply.p);
		conf_unref(&conf);
	}
	arena_free(&arena);
}

END_TEST

START_TEST(a_failure_follows_the_rule)
{
	enum store_status status = (enum store_status)_i;
	static const char *const modes[] = {"greylist.mode=on", "greylist.mode=observe"};
	static const char *const rules[] = {"store.on_failure=accept",
	                                    "store.on_failure=defer"};
	struct plan plan = {.ask = true};
	/* what an answer carries besides its status does not count then */
	struct answer answer = {.status = status,
	                        .grey = {.answer = GREY_IS_NEW,
	                                 .wait_s = 9,
	                                 .delayed_s = 9}};
	for (size_t mode = 0; mode < 2; mode++) {
		for (size_t rule = 0; rule < 2; rule++) {
			struct conf *conf = settings(modes[mode], rules[rule]);
			plan.greylist_mode = conf->greylist.mode;
			struct verdict v;
			verdict_make(conf, &plan, &answer, 1, &arena, &v);
			/* a record that cannot be read is not mended by a retry */
			bool by_rule = rule == 1 && status != STORE_BAD_RECORD;
			bool defer = by_rule && mode == 0;
			ck_assert_msg(v.action ==
			                      (defer ? VERDICT_DEFER : VERDICT_ACCEPT),
			              "status %d, %s, %s: action %d", status, modes[mode],
			              rules[rule], v.action);
			ck_assert_msg(v.why == WHY_STORE_FAILURE, "status %d: why %d",
			              status, v.why);
			ck_assert_int_eq(v.wait_s, 0);
			ck_assert_int_eq(v.delayed_s, 0);
			ck_assert_msg(v.observed == (by_rule && mode == 1),
			              "status %d: observed", status);
			if (defer)
				ck_assert(slice_starts_nocase(v.reply,
				                              SLICE("451 4.3.0 ")));
			conf_unref(&conf);
		}
	}
	arena_free(&arena);
}

END_TEST

START_TEST(what_was_planned_is_accepted)
{
	struct conf *conf = settings("store.on_failure=defer", NULL);
	for (enum why why = 0; why < WHY_COUNT; why++) {
		struct plan plan = {.why = why};
		struct verdict v;
		if (why == WHY_DRAINED || why == WHY_USER_DRAINED)
			continue;
		verdict_make(conf, &plan, NULL, 1, &arena, &v);
		ck_assert_int_eq(v.action, VERDICT_ACCEPT);
		ck_assert_int_eq(v.why, why);
		ck_assert_uint_eq(v.reply.n, 0);
		ck_assert(!v.observed);
		ck_assert_uint_eq(strlen(v.id), VERDICT_ID_LEN);
	}
	conf_unref(&conf);
	arena_free(&arena);
}

END_TEST

START_TEST(every_reason_has_a_word_of_its_own)
{
	for (enum why a = 0; a < WHY_COUNT; a++) {
		ck_assert_msg(why_word(a) && *why_word(a), "%d has no word", a);
		for (enum why b = 0; b < a; b++)
			ck_assert_str_ne(why_word(a), why_word(b));
	}
	ck_assert_str_eq(why_word(WHY_GREYLIST_NEW), "greylist-new");
	ck_assert_str_eq(why_word(WHY_STORE_FAILURE), "store-failure");
	ck_assert_str_eq(why_word(WHY_LIST_CLIENT), "list-client");
}

END_TEST

/* clang-format off */
static const struct reply_row {
	const char *row;
	const char *setting;
	const char *destination;
	const char *want; /* ID stands for the id */
} reply_rows[] = {
	{"as it comes", NULL, "b.example",
		"451 4.7.1 Greylisted, please try again later (id ID)"},
	{"seconds", "greylist.reply=450 4.2.0 wait %d s", "b.example", "450 4.2.0 wait 177 s"},
	{"the id alone", "greylist.reply=451 4.7.1 %i", "", "451 4.7.1 ID"},
	{"the destination", "greylist.reply=451 4.7.1 see http://%n/", "b.example",
		"451 4.7.1 see http://b.example/"},
	{"no destination", "greylist.reply=451 4.7.1 see http://%n/", "", "451 4.7.1 see http:///"},
	{"line breaks are escaped", "greylist.reply=451 4.7.1 %n", "b\r\n250 ok",
		"451 4.7.1 b\\x0d\\x0a250\\x20ok"},
	{"percent", "greylist.reply=451 4.7.1 100%% sure", "b.example", "451 4.7.1 100% sure"},
	{"percent, then a letter", "greylist.reply=451 4.7.1 %%d", "b.example", "451 4.7.1 %d"},
	{"percent at the end", "greylist.reply=451 4.7.1 x%%", "b.example", "451 4.7.1 x%"},
	{"all of them", "greylist.reply=451 4.7.1 %d%i%n%%", "b", "451 4.7.1 177IDb%"},
	{"twice", "greylist.reply=451 4.7.1 %i %i", "b", "451 4.7.1 ID ID"},
};

/* clang-format on */

/* Puts the id where the template says ID. */
static const char *
with_id(const char *template, const char *id)
{
	static char buf[600];
	struct text out = TEXT(buf);
	for (const char *at; (at = strstr(template, "ID")); template = at + 2) {
		text_put(&out,
		         (struct slice){.p = template, .n = (size_t)(at - template)});
		text_puts(&out, id);
	}
	text_puts(&out, template);
	return buf;
}

START_TEST(a_reply_is_filled_in)
{
	const struct reply_row *r = &reply_rows[_i];
	struct conf *conf = settings(r->setting, NULL);
	struct plan plan = {.ask = true, .shown = slice_of(r->destination)};
	struct answer answer = {.grey = {.answer = GREY_IS_EARLY, .wait_s = 177}};
	struct verdict v;
	verdict_make(conf, &plan, &answer, 4711, &arena, &v);
	ck_slice_eq(r->row, v.reply, with_id(r->want, v.id));
	conf_unref(&conf);
	arena_free(&arena);
}

END_TEST

/* RFC 5321 4.5.3.1.5: 512 octets with code and CRLF. */
START_TEST(a_reply_is_one_short_line)
{
	char setting[500], domain[400];
	struct text s = TEXT(setting), d = TEXT(domain);
	text_puts(&s, "greylist.reply=451 4.7.1 ");
	while (s.n < sizeof("greylist.reply=") - 1 + 398)
		text_puts(&s, "%n");
	while (!d.cut)
		text_putc(&d, _i ? '\n' : 'x');
	struct conf *conf = settings(setting, NULL);
	struct plan plan = {.ask = true, .shown = text_slice(&d)};
	struct answer answer = {.grey = {.answer = GREY_IS_NEW, .wait_s = 180}};
	struct verdict v;
	verdict_make(conf, &plan, &answer, 1, &arena, &v);
	ck_assert_uint_le(v.reply.n, 510);
	ck_assert_uint_ge(v.reply.n, 500);
	for (size_t i = 0; i < v.reply.n; i++)
		ck_assert(v.reply.p[i] >= ' ' && v.reply.p[i] <= '~');
	conf_unref(&conf);
	arena_free(&arena);
}

END_TEST

enum { IDS = 200000 };

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, VERDICT_ID_LEN + 1);
}

START_TEST(ids_do_not_come_twice)
{
	static char ids[IDS][VERDICT_ID_LEN + 1];
	struct conf *conf = settings(NULL, NULL);
	struct plan plan = {.why = WHY_OFF};
	/* across the end of the serials */
	uint32_t first = _i ? UINT32_MAX - IDS / 2 : 0;
	for (uint32_t i = 0; i < IDS; i++) {
		struct verdict v;
		verdict_make(conf, &plan, NULL, first + i, &arena, &v);
		memcpy(ids[i], v.id, sizeof(v.id));
		ck_assert_uint_eq(strspn(v.id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
		                  VERDICT_ID_LEN);
	}
	qsort(ids, IDS, sizeof(ids[0]), compare_ids);
	for (size_t i = 1; i < IDS; i++)
		ck_assert_str_ne(ids[i - 1], ids[i]);
	conf_unref(&conf);
}

END_TEST

/* No bit of a serial is lost before 2^30 of them were used. */
START_TEST(every_bit_of_a_serial_counts)
{
	char ids[31][VERDICT_ID_LEN + 1];
	struct conf *conf = settings(NULL, NULL);
	struct plan plan = {.why = WHY_OFF};
	for (int i = 0; i < 31; i++) {
		struct verdict v;
		verdict_make(conf, &plan, NULL, i ? UINT32_C(1) << (i - 1) : 0, &arena,
		             &v);
		memcpy(ids[i], v.id, sizeof(v.id));
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(ids[i], ids[j]);
	}
	conf_unref(&conf);
}

END_TEST

/* ---- limits */

static const struct conf_limit no_reply = {.reply = (char[]){""}};
static const struct conf_limit own_reply = {.reply = (char[]){"450 4.7.0 %n: %d %i"}};

#define LIMIT_OF(scope_, limit_, name_)                           \
 {                                                                \
  .scope = (scope_), .limit = (limit_), .name = SLICE_INIT(name_) \
 }

/* clang-format off */
/* All limits apply; only the users' has a reply of its own. */
static const struct plan limited = {
	.destination = SLICE_INIT("acme"),
	.shown = SLICE_INIT("acme"),
	.n_limits = SCOPES,
	.limits = {
		LIMIT_OF(SCOPE_DESTINATION, &no_reply, "acme"),
		LIMIT_OF(SCOPE_CLIENT, &no_reply, "192.0.2.0/24"),
		LIMIT_OF(SCOPE_SENDER, &no_reply, "a b@example.org"),
		LIMIT_OF(SCOPE_USER, &own_reply, "alice"),
		LIMIT_OF(SCOPE_MAILBOX, &no_reply, "bob@acme.test"),
	},
};

static const struct limit_row {
	enum limit_scope scope;
	enum limit_kind kind;
	const char *word;
	const char *reply; /* ID stands for the id */
} limit_rows[] = {
	{SCOPE_DESTINATION, LIMIT_CONCURRENCY, "destination-concurrency", "451 4.7.1 all acme ID"},
	{SCOPE_DESTINATION, LIMIT_MESSAGES, "destination-messages", "451 4.7.2 rate acme 2 ID"},
	{SCOPE_DESTINATION, LIMIT_RECIPIENTS, "destination-recipients", "451 4.7.2 rate acme 2 ID"},
	{SCOPE_CLIENT, LIMIT_CONCURRENCY, "client-concurrency",
		"451 4.7.3 you 192.0.2.0/24 ID"},
	{SCOPE_CLIENT, LIMIT_MESSAGES, "client-messages", "451 4.7.2 rate 192.0.2.0/24 2 ID"},
	{SCOPE_CLIENT, LIMIT_RECIPIENTS, "client-recipients", "451 4.7.2 rate 192.0.2.0/24 2 ID"},
	{SCOPE_SENDER, LIMIT_CONCURRENCY, "sender-concurrency",
		"451 4.7.3 you a\\x20b@example.org ID"},
	{SCOPE_SENDER, LIMIT_MESSAGES, "sender-messages",
		"451 4.7.2 rate a\\x20b@example.org 2 ID"},
	{SCOPE_SENDER, LIMIT_RECIPIENTS, "sender-recipients",
		"451 4.7.2 rate a\\x20b@example.org 2 ID"},
	{SCOPE_USER, LIMIT_CONCURRENCY, "user-concurrency", "450 4.7.0 alice: 0 ID"},
	{SCOPE_USER, LIMIT_MESSAGES, "user-messages", "450 4.7.0 alice: 2 ID"},
	{SCOPE_USER, LIMIT_RECIPIENTS, "user-recipients", "450 4.7.0 alice: 2 ID"},
	{SCOPE_MAILBOX, LIMIT_CONCURRENCY, "mailbox-concurrency", "451 4.7.3 you bob@acme.test ID"},
	{SCOPE_MAILBOX, LIMIT_MESSAGES, "mailbox-messages", "451 4.7.2 rate bob@acme.test 2 ID"},
	{SCOPE_MAILBOX, LIMIT_RECIPIENTS, "mailbox-recipients", "451 4.7.2 rate bob@acme.test 2 ID"},
};

/* clang-format on */

static struct conf *
settings_of_limits(void)
{
	char *v[] = {(char[]){"limits.reply=451 4.7.1 all %n %i"},
	             (char[]){"limits.client_reply=451 4.7.3 you %n %i"},
	             (char[]){"limits.rate_reply=451 4.7.2 rate %n %d %i"}};
	struct conf_texts overrides = {.v = v, .n = COUNT_OF(v)};
	struct err err;
	struct conf *conf = conf_load(NULL, &overrides, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	return conf;
}

/* What stands before the limits gate: a first pass, with its header. */
static struct verdict
first_pass(const struct conf *conf, const struct plan *plan)
{
	struct answer answer = {.grey = {.answer = GREY_IS_PASSED_NOW, .delayed_s = 300}};
	struct verdict verdict;
	verdict_make(conf, plan, &answer, 4711, &arena, &verdict);
	ck_assert_uint_gt(verdict.header.n, 0);
	return verdict;
}

/* A question of one use before the one in question, so that its place counts. */
static struct limits_ask
ask_of(const struct limit_row *r)
{
	return (struct limits_ask){.n = 2,
	                           .uses = {{.scope = SCOPE_USER},
	                                    {.scope = r->scope,
	                                     .kind = r->kind,
	                                     .count = 20,
	                                     .per_ms = 60000,
	                                     .burst = 3}}};
}

START_TEST(a_limit_that_refuses_defers)
{
	const struct limit_row *r = &limit_rows[_i];
	ck_assert_uint_eq(COUNT_OF(limit_rows), LIMIT_BOUNDS);
	struct conf *conf = settings_of_limits();
	struct verdict v = first_pass(conf, &limited);
	struct limits_ask ask = ask_of(r);
	bool rate = r->kind != LIMIT_CONCURRENCY;
	struct limits_result result = {.refused = 1, .wait_ms = rate ? 1001 : 0};
	verdict_limits(conf, &limited, &ask, &result, &arena, &v);
	ck_assert_msg(v.action == VERDICT_DEFER, "%s: action %d", r->word, v.action);
	ck_assert_str_eq(why_word(v.why), r->word);
	ck_assert(!v.observed);
	ck_assert_int_eq(v.wait_s, rate ? 2 : 0);
	ck_slice_eq(r->word, v.reply, with_id(r->reply, v.id));
	ck_slice_eq(r->word, v.limit, rate ? "20/1m burst 3" : "20");
	ck_assert_uint_eq(v.header.n, 0);
	conf_unref(&conf);
	arena_free(&arena);
}

END_TEST

START_TEST(a_limit_that_is_observed_is_only_noted)
{
	const struct limit_row *r = &limit_rows[_i];
	struct conf *conf = settings_of_limits();
	struct verdict v = first_pass(conf, &limited);
	struct limits_ask ask = ask_of(r);
	struct limits_result result = {.granted = true, .refused = 1};
	verdict_limits(conf, &limited, &ask, &result, &arena, &v);
	ck_assert_msg(v.action == VERDICT_ACCEPT, "%s: action %d", r->word, v.action);
	ck_assert_str_eq(why_word(v.why), r->word);
	ck_assert(v.observed);
	ck_assert_uint_eq(v.reply.n, 0);
	ck_assert_uint_gt(v.header.n, 0);
	conf_unref(&conf);
	arena_free(&arena);
}

END_TEST

/* The verdict of the greylist gate stands, also one that was only observed. */
START_TEST(what_is_granted_changes_nothing)
{
	struct conf *conf = settings_of_limits();
	struct limits_ask ask = ask_of(&limit_rows[0]);
	struct limits_result result = {.granted = true, .refused = -1, .taken = 3};
	struct plan observed = limited;
	observed.greylist_mode = MODE_OBSERVE;
	struct answer answer = {.grey = {.answer = GREY_IS_NEW, .wait_s = 180}};
	struct verdict v = first_pass(conf, &limited);
	verdict_limits(conf, &limited, &ask, &result, &arena, &v);
	ck_assert_int_eq(v.action, VERDICT_ACCEPT);
	ck_assert_int_eq(v.why, WHY_GREYLIST_PASSED);
	ck_assert_uint_gt(v.header.n, 0);
	ck_assert(!v.observed);
	verdict_make(conf, &observed, &answer, 1, &arena, &v);
	verdict_limits(conf, &observed, &ask, &result, &arena, &v);
	ck_assert_int_eq(v.action, VERDICT_ACCEPT);
	ck_assert_int_eq(v.why, WHY_GREYLIST_NEW);
	ck_assert_int_eq(v.wait_s, 180);
	ck_assert(v.observed);
	conf_unref(&conf);
	arena_free(&arena);
}

END_TEST

/* What greylisting only observed is deferred when a limit refuses, in the limit's words. */
START_TEST(a_limit_comes_before_what_was_observed)
{
	struct conf *conf = settings_of_limits();
	struct plan plan = limited;
	plan.greylist_mode = MODE_OBSERVE;
	struct answer answer = {.grey = {.answer = GREY_IS_NEW, .wait_s = 180}};
	struct limits_ask ask = ask_of(&limit_rows[0]);
	struct limits_result result = {.refused = 1};
	struct verdict v;
	verdict_make(conf, &plan, &answer, 1, &arena, &v);
	verdict_limits(conf, &plan, &ask, &result, &arena, &v);
	ck_assert_int_eq(v.action, VERDICT_DEFER);
	ck_assert_int_eq(v.why, WHY_LIMIT);
	ck_assert_int_eq(v.wait_s, 0);
	ck_assert(!v.observed);
	ck_slice_eq("reply", v.reply, with_id("451 4.7.1 all acme ID", v.id));
	conf_unref(&conf);
	arena_free(&arena);
}

END_TEST

START_TEST(a_full_message_is_deferred)
{
	char *v[] = {(char[]){"limits.message_reply=452 4.5.3 %n is one too many"}};
	struct conf_texts overrides = {.v = v, .n = COUNT_OF(v)};
	struct conf *conf = conf_load(NULL, &overrides, &(struct err){0});
	const struct plan plan = {.why = WHY_OFF,
	                          .message_recipients = 50,
	                          .shown = SLICE_INIT("acme")};
	struct verdict verdict;
	verdict_make(conf, &plan, NULL, 1, &arena, &verdict);
	verdict.header = SLICE("X-Greylist: x");
	verdict_message_full(conf, &plan, &arena, &verdict);
	ck_assert_int_eq(verdict.action, VERDICT_DEFER);
	ck_assert_str_eq(why_word(verdict.why), "message-recipients");
	ck_assert_uint_eq(verdict.header.n, 0);
	ck_slice_eq("limit", verdict.limit, "50");
	ck_slice_eq("reply", verdict.reply, "452 4.5.3 acme is one too many");
	conf_unref(&conf);
	arena_free(&arena);
}

END_TEST

START_TEST(a_drained_user_is_deferred)
{
	char *v[] = {(char[]){"limits.user_drain_reply=451 4.7.1 %n waits %d"}};
	struct conf_texts overrides = {.v = v, .n = COUNT_OF(v)};
	struct conf *conf = conf_load(NULL, &overrides, &(struct err){0});
	const struct override override = {.kind = OVERRIDE_DRAIN_USER,
	                                  .name = "alice",
	                                  .until_s = 1090};
	const struct plan plan = {.why = WHY_USER_DRAINED,
	                          .override = &override,
	                          .now_s = 1000,
	                          .shown = SLICE_INIT("acme")};
	struct verdict verdict;
	verdict_make(conf, &plan, NULL, 1, &arena, &verdict);
	ck_assert_int_eq(verdict.action, VERDICT_DEFER);
	ck_assert_int_eq(verdict.wait_s, 90);
	ck_slice_eq("reply", verdict.reply, "451 4.7.1 alice waits 90");
	conf_unref(&conf);
	arena_free(&arena);
}

END_TEST

START_TEST(a_drained_destination_defers)
{
	struct conf *conf = conf_load(NULL, NULL, &(struct err){0});
	const struct override override = {.kind = OVERRIDE_DRAIN, .until_s = 1090};
	const struct plan plan = {.why = WHY_DRAINED,
	                          .override = &override,
	                          .now_s = 1000,
	                          .shown = SLICE_INIT("acme")};
	struct verdict verdict;
	verdict_make(conf, &plan, NULL, 1, &arena, &verdict);
	ck_assert_int_eq(verdict.action, VERDICT_DEFER);
	ck_assert_int_eq(verdict.why, WHY_DRAINED);
	ck_assert_int_eq(verdict.wait_s, 90);
	ck_assert(slice_starts_nocase(
		verdict.reply,
		SLICE("451 4.3.2 acme is not accepting mail now, please try again later (id ")));
	conf_unref(&conf);
	arena_free(&arena);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, a_drained_destination_defers);
	tcase_add_test(tcase, a_full_message_is_deferred);
	tcase_add_test(tcase, a_drained_user_is_deferred);
	tcase_add_loop_test(tcase, an_answer_becomes_a_verdict, 0, COUNT_OF(answer_rows));
	tcase_add_loop_test(tcase, a_failure_follows_the_rule, STORE_OK + 1,
	                    STORE_STATUSES);
	tcase_add_test(tcase, what_was_planned_is_accepted);
	tcase_add_test(tcase, every_reason_has_a_word_of_its_own);
	tcase_add_loop_test(tcase, a_reply_is_filled_in, 0, COUNT_OF(reply_rows));
	tcase_add_loop_test(tcase, a_reply_is_one_short_line, 0, 2);
	tcase_add_loop_test(tcase, a_limit_that_refuses_defers, 0, COUNT_OF(limit_rows));
	tcase_add_loop_test(tcase, a_limit_that_is_observed_is_only_noted, 0,
	                    COUNT_OF(limit_rows));
	tcase_add_test(tcase, what_is_granted_changes_nothing);
	tcase_add_test(tcase, a_limit_comes_before_what_was_observed);
	tcase_add_loop_test(tcase, ids_do_not_come_twice, 0, 2);
	tcase_add_test(tcase, every_bit_of_a_serial_counts);
}

int
main(void)
{
	return harness_run("verdict", fill);
}
