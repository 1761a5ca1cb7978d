/* test_overrides.c - overrides as text, and what they apply to. */
#include "rules/overrides.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/member.h"
#include "conf/schema.h"
#include "harness.h"

#define NOW 1800000000

static struct override
make(enum override_kind kind, const char *name)
{
	struct override override = {.kind = kind,
	                            .by = "root",
	                            .made_s = NOW - 60,
	                            .until_s = NOW + 60};
	struct err err;
	ck_assert_msg(override_set_name(&override, slice_of(name), &err), "%s: %s", name,
	              err.text);
	return override;
}

#define SETS(scope, bound) (OVERRIDE_LIMIT + (scope)*LIMIT_KINDS + (bound))

/* clang-format off */
static const struct name_row {
	enum override_kind kind;
	const char *name;
	const char *want; /* NULL: refused */
} names[] = {
	{OVERRIDE_ALLOW_CLIENT, "192.0.2.1", "192.0.2.1"},
	{OVERRIDE_ALLOW_CLIENT, " 192.0.2.0/24 ", "192.0.2.0/24"},
	{OVERRIDE_ALLOW_CLIENT, "Mail.Example.COM", "mail.example.com"},
	{OVERRIDE_ALLOW_CLIENT, "2001:DB8:0::1", "2001:db8::1"},
	{OVERRIDE_ALLOW_CLIENT, "[2001:db8::1]/128", "2001:db8::1"},
	{OVERRIDE_ALLOW_CLIENT, "::ffff:192.0.2.1", "192.0.2.1"},
	{OVERRIDE_ALLOW_CLIENT, "2001:DB8:0::/48", "2001:db8::/48"},
	{OVERRIDE_ALLOW_CLIENT, "[::ffff:127.0.0.0]/104", "127.0.0.0/8"},
	{OVERRIDE_ALLOW_CLIENT, "fe80::1%eth0", "fe80::1"},
	{OVERRIDE_ALLOW_CLIENT, "0.0.0.0/0", "0.0.0.0/0"},
	{OVERRIDE_ALLOW_CLIENT, "/^MX\\D+\\.test$/", "/^MX\\D+\\.test$/"},
	{OVERRIDE_ALLOW_CLIENT, "192.0.2.1/24", "192.0.2.0/24"},
	{OVERRIDE_ALLOW_CLIENT, "alice@example.org", NULL},
	{OVERRIDE_ALLOW_CLIENT, "", NULL},
	{OVERRIDE_ALLOW_SENDER, "Alice@Example.org", "alice@example.org"},
	{OVERRIDE_ALLOW_SENDER, "example.org", "example.org"},
	{OVERRIDE_ALLOW_SENDER, "/^\\S+@re\\.test$/", "/^\\S+@re\\.test$/"},
	{OVERRIDE_ALLOW_SENDER, "<Bob@acme.test>", "bob@acme.test"},
	{OVERRIDE_ALLOW_SENDER, "<>", NULL},
	{OVERRIDE_ALLOW_CLIENT, "<192.0.2.1>", NULL},
	{OVERRIDE_ALLOW_SENDER, "a b@example.org", NULL},
	{OVERRIDE_ALLOW_RECIPIENT, "postmaster@", "postmaster@"},
	{OVERRIDE_ALLOW_USER, "Alice", "alice"},
	{OVERRIDE_ALLOW_USER, " Bob@Acme.test ", "bob@acme.test"},
	{OVERRIDE_DRAIN_USER, "two words", "two words"},
	{OVERRIDE_DRAIN_USER, "M\xc3\x9cLLER", "m\xc3\xbcller"},
	{OVERRIDE_DRAIN_USER, "", NULL},
	{OVERRIDE_DRAIN_USER, "a\tb", NULL},
	{OVERRIDE_DRAIN, "Acme", "acme"},
	{OVERRIDE_DRAIN, "two words", NULL},
	{OVERRIDE_DRAIN, "", NULL},
	{OVERRIDE_LIMIT, "b\xc3\xbc" "ro.test", "xn--bro-hoa.test"},
	{OVERRIDE_DRAIN, "XN--BRO-HOA.Test.", "xn--bro-hoa.test"},
	{OVERRIDE_ALLOW_CLIENT, "B\xc3\x9c" "RO.test", "xn--bro-hoa.test"},
	{OVERRIDE_ALLOW_SENDER, "M\xc3\x9cLLER@b\xc3\xbcro.test.", "m\xc3\xbcller@xn--bro-hoa.test"},
	{OVERRIDE_DRAIN, "b\xfcro.test", NULL},
	{SETS(SCOPE_DESTINATION, LIMIT_MESSAGES), "Acme.", "acme"},
	{SETS(SCOPE_CLIENT, LIMIT_MESSAGES), "192.0.2.7/24", "192.0.2.0/24"},
	{SETS(SCOPE_CLIENT, LIMIT_MESSAGES), "Google", "google"},
	{SETS(SCOPE_SENDER, LIMIT_RECIPIENTS), "<Bob@B\xc3\x9cRO.test>", "bob@xn--bro-hoa.test"},
	{SETS(SCOPE_SENDER, LIMIT_RECIPIENTS), "", NULL},
	{SETS(SCOPE_USER, LIMIT_CONCURRENCY), "Alice Jones", "alice jones"},
	{SETS(SCOPE_USER, LIMIT_CONCURRENCY), "a\nb", NULL},
	{SETS(SCOPE_MAILBOX, LIMIT_MESSAGES), "Bob@Acme.test", "bob@acme.test"},
};

/* clang-format on */

START_TEST(names_are_checked_and_folded)
{
	const struct name_row *r = &names[_i];
	struct override override = {.kind = r->kind};
	struct err err;
	bool set = override_set_name(&override, slice_of(r->name), &err);
	ck_assert_msg(set == (r->want != NULL), "%s", r->name);
	if (set)
		ck_assert_str_eq(override.name, r->want);
}

END_TEST

START_TEST(an_override_comes_back_as_it_was)
{
	char name_buf[OVERRIDE_NAME_MAX + 32], text_buf[256];
	struct text name = TEXT(name_buf), text = TEXT(text_buf);
	struct override override = make(OVERRIDE_LIMIT, "acme"), got;
	struct text by = TEXT(override.by);
	override.limit = 7;
	text_puts(&by, "a b");
	override_print_name(&override, &name);
	override_print_text(&override, &text);
	ck_slice_eq("name", text_slice(&name), "limit acme");
	ck_assert(override_parse(text_slice(&name), text_slice(&text), &got));
	ck_assert_int_eq(got.kind, OVERRIDE_LIMIT);
	ck_assert_str_eq(got.name, "acme");
	ck_assert_int_eq(got.limit, 7);
	ck_assert_int_eq(got.made_s, NOW - 60);
	ck_assert_int_eq(got.until_s, NOW + 60);
	ck_assert(!got.no_limits);
	ck_assert_str_eq(got.by, "a\\x20b");
}

END_TEST

/* clang-format off */
static const struct limit_row {
	enum limit_scope scope;
	enum limit_kind bound;
	const char *value;
	const char *word; /* of its kind */
	const char *want; /* NULL: refused */
} limit_rows[] = {
	{SCOPE_DESTINATION, LIMIT_CONCURRENCY, "20", "limit", "20"},
	{SCOPE_DESTINATION, LIMIT_CONCURRENCY, "1000000", "limit", "1000000"},
	{SCOPE_DESTINATION, LIMIT_CONCURRENCY, "1000001", "limit", NULL},
	{SCOPE_DESTINATION, LIMIT_CONCURRENCY, "20/1m", "limit", NULL},
	{SCOPE_DESTINATION, LIMIT_MESSAGES, "600/1m", "limit-messages", "600/1m"},
	{SCOPE_CLIENT, LIMIT_CONCURRENCY, " 0 ", "limit-client", "0"},
	{SCOPE_CLIENT, LIMIT_RECIPIENTS, "0", "limit-client-recipients", "0"},
	{SCOPE_SENDER, LIMIT_MESSAGES, "20/1m,500/1d", "limit-sender-messages", "500/1d, 20/1m"},
	{SCOPE_USER, LIMIT_RECIPIENTS, "600/1m burst 20", "limit-user-recipients", "600/1m burst 20"},
	{SCOPE_USER, LIMIT_MESSAGES, "20", "limit-user-messages", NULL},
	{SCOPE_USER, LIMIT_MESSAGES, "20/5w", "limit-user-messages", NULL},
	{SCOPE_MAILBOX, LIMIT_MESSAGES, "4000/4w,1000/1d burst 500,100/1h,9/1m", "limit-mailbox-messages",
		"4000/4w, 1000/1d burst 500, 100/1h, 9/1m"},
};

/* clang-format on */

START_TEST(limits_come_back_as_they_were)
{
	const struct limit_row *r = &limit_rows[_i];
	char name_buf[OVERRIDE_NAME_MAX + 32], text_buf[512], limit_buf[RATES_TEXT_MAX];
	struct text name = TEXT(name_buf), text = TEXT(text_buf), limit = TEXT(limit_buf);
	struct override override =
				make(override_limit_kind(r->scope, r->bound), "a@b.test"),
			got;
	struct err err;
	ck_assert_str_eq(override_kind_word(override.kind), r->word);
	ck_assert(override_is_limit(override.kind));
	ck_assert_int_eq(override_scope(override.kind), r->scope);
	ck_assert_int_eq(override_bound(override.kind), r->bound);
	bool set = override_set_limit(&override, slice_of(r->value), &err);
	ck_assert_msg(set == (r->want != NULL), "%s", r->value);
	if (!set)
		return;
	override_print_name(&override, &name);
	override_print_text(&override, &text);
	ck_assert(override_parse(text_slice(&name), text_slice(&text), &got));
	override_print_limit(&got, &limit);
	ck_slice_eq(r->value, text_slice(&limit), r->want);
	ck_assert_int_eq(got.kind, override.kind);
	ck_assert_int_eq(got.until_s, override.until_s);
	ck_assert_str_eq(got.by, override.by);
}

END_TEST

static const char *const no_overrides[][2] = {
	{"", "1 2 0 0 root"},
	{"pardon x@y", "1 2 0 0 root"},
	{"drain", "1 2 0 0 root"},
	{"drain acme", ""},
	{"drain acme", "1 2 0"},
	{"drain acme", "1 x 0 0 root"},
	{"allow-client a@b", "1 2 0 0 root"},
	{"limit acme", "1 2 20/1m 0 root"},
	{"limit-messages acme", "1 2 20 0 root"},
	{"limit-messages acme", "1 2  0 root"},
	{"limit-everything acme", "1 2 20 0 root"},
};

START_TEST(what_is_no_override_is_refused)
{
	struct override got;
	ck_assert(!override_parse(slice_of(no_overrides[_i][0]),
	                          slice_of(no_overrides[_i][1]), &got));
}

END_TEST

static const struct override *
find_client(const struct overrides *overrides, const char *address, const char *name,
            int64_t now_s, bool no_limits)
{
	struct addr addr;
	ck_assert(addr_parse(slice_of(address), &addr));
	return overrides_client(overrides, &addr, slice_of(name), now_s, no_limits);
}

START_TEST(exemptions_apply_until_they_run_out)
{
	struct overrides *overrides = overrides_new();
	struct override client = make(OVERRIDE_ALLOW_CLIENT, "192.0.2.0/24");
	struct override sender = make(OVERRIDE_ALLOW_SENDER, "example.org");
	struct override recipient = make(OVERRIDE_ALLOW_RECIPIENT, "bob@acme.test");
	sender.no_limits = true;
	overrides_add(overrides, &client);
	overrides_add(overrides, &sender);
	overrides_add(overrides, &recipient);
	ck_assert_ptr_eq(find_client(overrides, "192.0.2.7", "", NOW, false),
	                 overrides_at(overrides, 0));
	ck_assert_ptr_null(find_client(overrides, "192.0.2.7", "", NOW + 60, false));
	ck_assert_ptr_null(find_client(overrides, "192.0.3.7", "", NOW, false));
	ck_assert_ptr_null(find_client(overrides, "192.0.2.7", "", NOW, true));
	ck_assert_ptr_eq(overrides_mail(overrides, OVERRIDE_ALLOW_SENDER,
	                                SLICE("A@Example.org"), NOW, true),
	                 overrides_at(overrides, 1));
	ck_assert_ptr_null(overrides_mail(overrides, OVERRIDE_ALLOW_RECIPIENT,
	                                  SLICE("A@Example.org"), NOW, false));
	ck_assert_ptr_eq(overrides_mail(overrides, OVERRIDE_ALLOW_RECIPIENT,
	                                SLICE("bob@acme.test"), NOW, false),
	                 overrides_at(overrides, 2));
	overrides_unref(&overrides);
}

END_TEST

/* Of destinations as weir.conf has them; the caller owns a reference. */
static struct conf *
settings(const char *destinations)
{
	char path[] = "/tmp/test_orders.XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	struct err err;
	ck_assert_ptr_nonnull(file);
	fprintf(file, "limits: { destinations = ( %s ); };\n", destinations);
	fclose(file);
	struct conf *conf = conf_load(path, NULL, &err);
	unlink(path);
	ck_assert_msg(conf != NULL, "%s", err.text);
	return conf;
}

/* As plan_make() asks: by the recipient's domain. */
static bool
applies(const struct conf *conf, const struct overrides *overrides,
        enum override_kind kind, const char *domain, int64_t now_s)
{
	const struct conf_destination *known = destination_find(conf, slice_of(domain));
	struct slice name = slice_of(known ? known->name : domain);
	return overrides_destination(overrides, conf, kind, known, name, now_s);
}

START_TEST(destinations_are_found_by_kind)
{
	struct overrides *overrides = overrides_new();
	struct override drain = make(OVERRIDE_DRAIN, "acme"),
			limit = make(OVERRIDE_LIMIT, "b");
	struct conf *conf = settings(
		"{ name = \"Acme\"; domains = [\"acme.example\"]; concurrency = 1; }, "
		"{ name = \"b\"; domains = [\"b.example\"]; concurrency = 1; }");
	overrides_add(overrides, &drain);
	overrides_add(overrides, &limit);
	ck_assert(applies(conf, overrides, OVERRIDE_DRAIN, "acme.example", NOW));
	ck_assert(!applies(conf, overrides, OVERRIDE_DRAIN, "b.example", NOW));
	ck_assert(!applies(conf, overrides, OVERRIDE_DRAIN, "acme.example", NOW + 60));
	ck_assert(applies(conf, overrides, OVERRIDE_LIMIT, "b.example", NOW));
	overrides_unref(&overrides);
	conf_unref(&conf);
}

END_TEST

#define DEST(name, domains) \
 "{ name = \"" name "\"; domains = [" domains "]; concurrency = 1; }"

/* clang-format off */
static const struct follow_row {
	const char *row;
	const char *override; /* given once, whatever the settings were then */
	const char *destinations;
	const char *domain; /* of mail */
	bool applies;
	const char *meant; /* "": nothing any more */
} follow_rows[] = {
	{"a domain nobody configured", "acme.example", "", "acme.example", true, "acme.example"},
	{"another domain", "acme.example", "", "other.example", false, "acme.example"},
	{"the domain gets a name", "acme.example", DEST("acme", "\"acme.example\""), "acme.example", true, "acme"},
	{"and is one of several then", "acme.example", DEST("acme", "\"acme.example\", \"more.example\""), "more.example", true, "acme"},
	{"the name goes to another", "acme.example", DEST("acme", "\"more.example\""), "acme.example", true, "acme.example"},
	{"who has the name is not meant", "acme.example", DEST("acme", "\"more.example\""), "more.example", false, "acme.example"},
	{"the domain moves", "acme.example", DEST("a", "\"x.example\"") "," DEST("b", "\"acme.example\""), "acme.example", true, "b"},
	{"it has moved away", "acme.example", DEST("a", "\"x.example\"") "," DEST("b", "\"acme.example\""), "x.example", false, "b"},
	{"below a suffix", "mx.acme.example", DEST("acme", "\".acme.example\""), "z.acme.example", true, "acme"},
	{"in all the rest", "acme.example", DEST("rest", "\"*\""), "acme.example", true, "rest"},
	{"a name", "acme", DEST("acme", "\"acme.example\""), "acme.example", true, "acme"},
	{"a name, its domains are others now", "acme", DEST("acme", "\"new.example\""), "new.example", true, "acme"},
	{"a name that is gone", "acme", "", "acme.example", false, ""},
	{"a name that is changed", "acme", DEST("acme2", "\"acme.example\""), "acme.example", false, ""},
	{"a name that is gone is no domain of the rest", "acme", DEST("rest", "\"*\""), "acme.example", false, ""},
	{"a name like a domain", "acme.example", DEST("acme.example", "\"x.example\"") "," DEST("b", "\"acme.example\""), "x.example", true, "acme.example"},
	{"it is not the domain", "acme.example", DEST("acme.example", "\"x.example\"") "," DEST("b", "\"acme.example\""), "acme.example", false, "acme.example"},
	{"case", "ACME.example", DEST("Acme", "\"Acme.Example\""), "acme.EXAMPLE", true, "Acme"},
};

/* clang-format on */

START_TEST(overrides_follow_what_they_were_given)
{
	const struct follow_row *r = &follow_rows[_i];
	struct overrides *overrides = overrides_new();
	struct override drain = make(OVERRIDE_DRAIN, r->override);
	struct conf *conf = settings(r->destinations);
	struct slice meant;
	overrides_add(overrides, &drain);
	ck_assert_msg(applies(conf, overrides, OVERRIDE_DRAIN, r->domain, NOW) ==
	                      r->applies,
	              "%s", r->row);
	override_meant(&drain, conf, &meant);
	ck_slice_eq(r->row, meant, r->meant);
	overrides_unref(&overrides);
	conf_unref(&conf);
}

END_TEST

START_TEST(snapshots_are_compared_and_bounded)
{
	struct overrides *a = overrides_new(), *b = overrides_new();
	struct override override = make(OVERRIDE_DRAIN, "acme");
	overrides_add(a, &override);
	ck_assert(!overrides_equal(a, b));
	ck_assert(overrides_has(a, &override) && !overrides_has(b, &override));
	overrides_add(b, &override);
	ck_assert(overrides_equal(a, b));
	override.until_s++;
	ck_assert(!overrides_has(a, &override));
	override = make(override_limit_kind(SCOPE_USER, LIMIT_MESSAGES), "u");
	override.rates = (struct conf_rates){.n = 1, .v = {{5, 60000, 0}}};
	ck_assert(!overrides_limit(a, SCOPE_USER));
	overrides_add(a, &override);
	ck_assert(overrides_has(a, &override) && overrides_limit(a, SCOPE_USER));
	override.rates.v[0].count++;
	ck_assert(!overrides_has(a, &override));
	ck_assert_ptr_eq(overrides_named(a, override.kind, SLICE("U"), NOW),
	                 overrides_at(a, 1));
	ck_assert_ptr_null(overrides_named(a, override.kind, SLICE("U"), NOW + 60));
	ck_assert_ptr_null(overrides_named(a, OVERRIDE_DRAIN_USER, SLICE("U"), NOW));
	for (int i = 0; i < OVERRIDES_MAX + 5; i++)
		overrides_add(a, &override);
	ck_assert_uint_eq(overrides_count(a), OVERRIDES_MAX);
	struct overrides *again = overrides_ref(a);
	overrides_unref(&a);
	ck_assert_ptr_null(a);
	overrides_unref(&again);
	overrides_unref(&b);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, names_are_checked_and_folded, 0, COUNT_OF(names));
	tcase_add_test(tcase, an_override_comes_back_as_it_was);
	tcase_add_loop_test(tcase, limits_come_back_as_they_were, 0,
	                    COUNT_OF(limit_rows));
	tcase_add_loop_test(tcase, what_is_no_override_is_refused, 0,
	                    COUNT_OF(no_overrides));
	tcase_add_test(tcase, exemptions_apply_until_they_run_out);
	tcase_add_test(tcase, destinations_are_found_by_kind);
	tcase_add_loop_test(tcase, overrides_follow_what_they_were_given, 0,
	                    COUNT_OF(follow_rows));
	tcase_add_test(tcase, snapshots_are_compared_and_bounded);
}

int
main(void)
{
	return harness_run("overrides", fill);
}
