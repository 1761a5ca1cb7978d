/* test_pools.c - etc/pools.conf as it is shipped: sources, dates, and no entry that takes in too much. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hostname.h"
#include "conf/conf.h"
#include "conf/list.h"
#include "harness.h"
#include "rules/identity.h"

#define SHIPPED_MIN 30 /* pools */
#define WIDEST_V4   14
#define WIDEST_V6   32

static const char *
shipped_path(void)
{
	static char path[4096];
	const char *srcdir = getenv("srcdir");
	snprintf(path, sizeof(path), "%s/etc/pools.conf", srcdir ? srcdir : "..");
	return path;
}

static char *
shipped_text(void)
{
	char *text = calloc(1, 1 << 16);
	FILE *file = fopen(shipped_path(), "r");
	ck_assert_msg(text && file, "%s", shipped_path());
	ck_assert_uint_lt(fread(text, 1, (1 << 16) - 1, file), (1 << 16) - 1);
	fclose(file);
	return text;
}

static struct conf *
load(const char *path, struct err *err)
{
	char setting[4200];
	char *v[] = {setting};
	struct conf_texts overrides = {.v = v, .n = 1};
	snprintf(setting, sizeof(setting), "greylist.pool_files=%s", path);
	return conf_load(NULL, &overrides, err);
}

START_TEST(it_loads)
{
	struct err err;
	struct conf *conf = load(shipped_path(), &err);
	ck_assert_msg(conf, "%s", err.text);
	ck_assert_uint_ge(conf->greylist.n_pools, SHIPPED_MIN);
	ck_assert_int_gt(conf->greylist.pools_date_s, 1700000000);
	for (size_t i = 0; i < conf->greylist.n_pools; i++)
		ck_assert_msg(list_count(conf->greylist.pools[i].clients) > 0, "%s",
		              conf->greylist.pools[i].name);
	conf_unref(&conf);
}

END_TEST

/* What stands between `open` and `close` after `at`; moves `at` behind it. */
static struct slice
between(const char **at, const char *open, const char *close)
{
	const char *from = strstr(*at, open);
	const char *to = from ? strstr(from + strlen(open), close) : NULL;
	if (!to)
		return (struct slice){0};
	*at = to + strlen(close);
	return (struct slice){.p = from + strlen(open),
	                      .n = (size_t)(to - from) - strlen(open)};
}

START_TEST(each_entry_has_a_source_and_a_date)
{
	char *text = shipped_text();
	const char *at = strstr(text, "pools = (");
	struct slice entry;
	size_t n = 0;
	ck_assert_ptr_nonnull(at);
	while ((entry = between(&at, "{ name = \"", "; }")).p) {
		char buf[1024] = "";
		struct text copy = TEXT(buf);
		int64_t date_s;
		text_put(&copy, entry);
		const char *in = buf;
		ck_assert_msg(between(&in, "source = \"", "\"").n > 5, "%s", buf);
		in = buf;
		struct slice date = between(&in, "date = \"", "\"");
		ck_assert_msg(clock_parse_date(date, &date_s), "%s", buf);
		ck_assert_msg(date_s <= clock_wall_s(), "%s", buf);
		n++;
	}
	ck_assert_uint_ge(n, SHIPPED_MIN);
	free(text);
}

END_TEST

/* A name below the entry has an organisation: the entry is no public suffix. */
static void
check_domain(struct slice entry)
{
	struct conf conf = {.greylist = {.ipv4_prefix = 24, .ipv6_prefix = 64}};
	struct addr addr = {.family = ADDR_V4, .bytes = {192, 0, 2, 1}};
	struct slice domain = entry.p[0] == '.' ? slice_from(entry, 1) : entry;
	struct arena arena;
	arena_init(&arena);
	struct identity got = identity_find(&conf, &addr, domain, 0, &arena);
	ck_assert_msg(got.by == IDENTITY_BY_DOMAIN, "%.*s", (int)entry.n, entry.p);
	arena_free(&arena);
}

static void
check_entry(struct slice entry)
{
	struct cidr net;
	if (cidr_parse(entry, &net)) {
		unsigned widest = net.addr.family == ADDR_V4 ? WIDEST_V4 : WIDEST_V6;
		ck_assert_msg(net.bits >= widest && !addr_is_private(&net.addr), "%.*s",
		              (int)entry.n, entry.p);
		return;
	}
	if (entry.p[0] != '/') {
		check_domain(entry);
		return;
	}
	/* Bound to both ends, so that it cannot match below another's domain. */
	ck_assert_msg(slice_starts_nocase(entry, SLICE("/^")) &&
	                      slice_ends_nocase(entry, SLICE("$/")),
	              "%.*s", (int)entry.n, entry.p);
}

START_TEST(no_entry_takes_in_too_much)
{
	char *text = shipped_text();
	const char *at = text;
	struct slice clients;
	size_t n = 0;
	while ((clients = between(&at, "clients = [", "];")).p) {
		char buf[1024] = "";
		struct text copy = TEXT(buf);
		text_put(&copy, clients);
		const char *in = buf;
		struct slice entry;
		while ((entry = between(&in, "\"", "\"")).p) {
			check_entry(entry);
			n++;
		}
	}
	ck_assert_uint_ge(n, SHIPPED_MIN);
	identity_forget_suffixes();
	free(text);
}

END_TEST

/* clang-format off */
static const struct named_row {
	const char *name;
	const char *addr;
	enum identity_by identity_by;
	const char *want;
} named_rows[] = {
	{"mail-pl1-f174.google.com", "209.85.214.174", IDENTITY_BY_POOL, "google"},
	{"mail-oln040092067040.outbound.protection.outlook.com", "40.92.67.40", IDENTITY_BY_POOL, "microsoft"},
	{"", "40.107.69.81", IDENTITY_BY_POOL, "microsoft"},
	{"", "2a01:111:f403:2414::600", IDENTITY_BY_POOL, "microsoft"},
	{"", "2a01:111:f403:e000::600", IDENTITY_BY_PREFIX, "2a01:111:f403:e000::/64"},
	{"69-171-232-143.mail-mail.facebook.com", "69.171.232.143", IDENTITY_BY_POOL, "facebook"},
	{"www62.your-server.de", "213.133.104.62", IDENTITY_BY_POOL, "hetzner"},
	{"static.219.156.76.144.clients.your-server.de", "144.76.156.219", IDENTITY_BY_PREFIX, "144.76.156.0/24"},
	{"mailout01.t-online.de", "194.25.134.80", IDENTITY_BY_POOL, "t-online"},
	{"maile-db.linkedin.com", "192.0.2.1", IDENTITY_BY_POOL, "linkedin"},
	{"imr-ma03.mx.aol.com", "64.12.206.41", IDENTITY_BY_POOL, "yahoo"},
	{"ip-72-167-33-213.ip.secureserver.net", "72.167.33.213", IDENTITY_BY_PREFIX, "72.167.33.0/24"},
	{"mx.example.com", "192.0.2.1", IDENTITY_BY_DOMAIN, "example.com"},
};

/* clang-format on */

START_TEST(providers_are_known)
{
	const struct named_row *r = &named_rows[_i];
	struct err err;
	struct addr addr;
	struct arena arena;
	struct conf *conf = load(shipped_path(), &err);
	ck_assert_msg(conf, "%s", err.text);
	ck_assert(addr_parse(slice_of(r->addr), &addr));
	arena_init(&arena);
	struct identity got =
		identity_find(conf, &addr, slice_of(r->name), 1800000000, &arena);
	ck_assert_msg(got.by == r->identity_by, "%s %s: %s", r->name, r->addr,
	              identity_by_word(got.by));
	ck_slice_eq(r->name, got.text, r->want);
	arena_free(&arena);
	conf_unref(&conf);
	identity_forget_suffixes();
}

END_TEST

/* clang-format off */
static const struct file_row {
	const char *row;
	const char *text;
	const char *why; /* behind the file's name; NULL: it is taken */
} file_rows[] = {
	{"empty", "", NULL},
	{"a date alone", "date = \"2026-11-30\";\n", NULL},
	{"no notes", "pools = ( { name = \"a\"; clients = [ \"a.example\" ]; } );\n", NULL},
	{"a wrong date", "\ndate = \"yesterday\";\n", ":2: date wants a date such as \"2026-11-30\""},
	{"another setting", "node = \"x\";\n",
		":1: node is not allowed: a file of pools has only date and pools"},
	{"a source that is no text", "pools = ( { name = \"a\"; clients = [ \"a.example\" ]; source = 1; } );\n",
		":1: greylist.pools wants groups of a name and clients: "
		"{ name = \"x\"; clients = [ \"example.com\" ]; }"},
	{"a wrong entry", "pools = (\n{ name = \"a\"; clients = [ \"a..b\" ]; } );\n",
		":2: greylist.pools \"a..b\" is not an address, a network, a domain or a /regex/"},
	{"broken", "pools = (\n", ":2: syntax error"},
};

/* clang-format on */

START_TEST(files_are_checked)
{
	const struct file_row *r = &file_rows[_i];
	struct err err;
	char want[4300] = "";
	const char *path = harness_file("pools", r->text);
	struct conf *conf = load(path, &err);
	if (r->why)
		snprintf(want, sizeof(want), "%s%s", path, r->why);
	ck_assert_msg((conf == NULL) == (r->why != NULL), "%s: %s", r->row,
	              conf ? "taken" : err.text);
	if (r->why)
		ck_assert_str_eq(err.text, want);
	conf_unref(&conf);
}

END_TEST

START_TEST(own_pools_come_first_and_files_lie_beside_the_settings)
{
	struct err err;
	harness_file("more.pools",
	             "date = \"2025-01-31\";\n"
	             "pools = ( { name = \"a\"; clients = [ \"a.example\" ]; } );\n");
	const char *path = harness_file(
		"weir.conf",
		"greylist: { pools = ( { name = \"own\"; clients = [ "
		"\"b.example\" ]; } );\npool_files = [ \"more.pools\" ]; };\n");
	struct conf *conf = conf_load(path, NULL, &err);
	ck_assert_msg(conf, "%s", err.text);
	ck_assert_uint_eq(conf->greylist.n_pools, 2);
	ck_assert_str_eq(conf->greylist.pools[0].name, "own");
	ck_assert_str_eq(conf->greylist.pools[1].name, "a");
	ck_assert_int_eq(conf->greylist.pools_date_s, 1738281600);
	conf_unref(&conf);
}

END_TEST

START_TEST(a_file_that_is_not_there_is_refused)
{
	struct err err;
	ck_assert_ptr_null(load("/nowhere/pools.conf", &err));
	ck_assert_msg(strstr(err.text, "/nowhere/pools.conf") != NULL, "%s", err.text);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, it_loads);
	tcase_add_test(tcase, each_entry_has_a_source_and_a_date);
	tcase_add_test(tcase, no_entry_takes_in_too_much);
	tcase_add_loop_test(tcase, providers_are_known, 0, COUNT_OF(named_rows));
	tcase_add_loop_test(tcase, files_are_checked, 0, COUNT_OF(file_rows));
	tcase_add_test(tcase, own_pools_come_first_and_files_lie_beside_the_settings);
	tcase_add_test(tcase, a_file_that_is_not_there_is_refused);
}

int
main(void)
{
	return harness_run("pools", fill);
}
