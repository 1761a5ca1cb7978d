/* test_identity.c - the three rungs, and which names look dynamic. */
#include "rules/identity.h"

#include "conf/list.h"
#include "harness.h"

#define NOW 1800000000

static struct addr
addr_of(const char *text)
{
	struct addr addr = {0};
	if (*text)
		ck_assert_msg(addr_parse(slice_of(text), &addr), "%s", text);
	return addr;
}

/* clang-format off */
static const struct dynamic_row {
	const char *addr;
	const char *name;
	bool want;
} dynamic_rows[] = {
	/* mail servers */
	{"209.85.214.170", "mail-pl1-f170.google.com", false},
	{"40.107.8.125", "mail-eopbgr80125.outbound.protection.outlook.com", false},
	{"52.101.65.41", "mail-am6eur05on2041.outbound.protection.outlook.com", false},
	{"149.72.12.3", "o1.ptr2345.sendgrid.net", false},
	{"54.240.8.55", "a8-55.smtp-out.amazonses.com", false},
	{"198.2.186.10", "mail186-10.suw21.mandrillapp.com", false},
	{"69.72.43.15", "m43-15.mailgun.net", false},
	{"148.163.1.2", "mx0b-001b2d01.pphosted.com", false},
	{"212.227.17.20", "mout.gmx.net", false},
	{"192.0.2.1", "userhost.example.com", false},
	{"192.0.2.1", "mx1.example.com", false},
	{"192.0.2.1", "static.example.com", false},
	{"192.0.2.1", "host.example.com", false},
	{"192.0.2.1", "mail.dyn.com", false},
	{"192.0.2.1", "cable.co.uk", false},
	{"192.0.2.1", "1.2.example.com", false},
	{"192.0.2.1", "smtp-2-1.example.com", false},
	{"192.0.2.1", "host-2.example.com", false},
	{"192.0.2.1", "host-1-1.example.com", false},
	{"192.0.2.1", "mail", false},
	{"2001:db8:1::25", "mx-2001.example.com", false},
	{"2001:db8::25", "db8-25.example.com", false},
	{"::1", "0-0-0-1.example.com", false},

	/* words */
	{"192.0.2.1", "mx1.pool.example.org", true},
	{"192.0.2.1", "abc.dyn.example.net", true},
	{"192.0.2.1", "abc.Dynamic.example.net", true},
	{"192.0.2.1", "adsl-12.pool7.example.net", true},
	{"192.0.2.1", "p5b0a.dip0.t-ipconnect.de", true},
	{"192.0.2.1", "c-x.hsd1.ca.comcast.net", true},
	{"192.0.2.1", "cpc1-abc.cable.virginm.net", true},
	{"192.0.2.1", "user7.example.net", true},
	{"192.0.2.1", "dhcp_7.example.net", true},
	{"2001:db8::1", "x.dsl.example.net", true},
	{"", "x.dsl.example.net", true},
	{"192.0.2.1", "dyn.github.io", false},
	{"192.0.2.1", "dyn.x.github.io", true},
	{"192.0.2.1", "dyn", true},

	/* octets */
	{"192.0.2.1", "192-0-2-1.example.net", true},
	{"192.0.2.1", "192.0.2.1.example.net", true},
	{"192.0.2.1", "1.2.0.192.example.net", true},
	{"192.0.2.1", "host1-2-0-192.example.net", true},
	{"192.0.2.1", "ip192x0x2x1.example.net", true},
	{"192.0.2.1", "h192000002001.example.net", true},
	{"192.0.2.1", "h001002000192.example.net", true},
	{"192.0.2.1", "192-000-002-001.example.net", true},
	{"192.0.2.1", "0-2-1.example.net", true},
	{"192.0.2.1", "net-192-0-2.example.net", true},
	{"192.0.2.1", "192-0-2-9.example.net", true},
	{"192.0.2.1", "192-0-1-2.example.net", true}, /* all four, in some order */
	{"192.0.2.1", "192-0-1-1.example.net", false},
	{"192.0.2.2", "192-0-2-1.example.net", true},
	{"64.53.171.35", "d53-64-35-171.nap.example.net", true},
	{"64.53.64.35", "d53-64-35-64.nap.example.net", true},

	/* octets beside words of mail servers */
	{"192.0.2.1", "192-0-2-1.mail.example.net", false},
	{"192.0.2.1", "mx-192-0-2-1.example.net", false},
	{"192.0.2.1", "mta-0-2-1.customer-brand.example.net", true},
	{"192.0.2.1", "out192000002001.example.net", false},
	{"192.0.2.1", "resqmta-192-0-2-1.example.net", false},
	{"192.0.2.1", "192-0-2-1.mail.net", true}, /* the organisation's own label is none */
	{"192.0.2.1", "mail-192-0-2-1.static.example.net", true},
	{"192.0.2.1", "mail-192-0-2-1.dsl.example.net", true},
	{"192.0.2.1", "mx1.pools.example.net", true},
	{"192.0.2.1", "mail.static.example.net", false},
	{"192.0.2.1", "vps12.example.net", false},
	{"192.0.2.1", "vps-0-2-1.example.net", true},
	{"51.38.123.51", "ip51.ip-51-38-123.eu", true},
	{"203.0.113.9", "ec2-203-0-113-9.compute-1.amazonaws.com", true},
	{"192.0.2.1", "host-2-1.example.net", true},
	{"192.0.2.1", "static-1-2.example.net", true},
	{"192.0.2.1", "h192256002001.example.net", false},
	{"192.0.2.1", "0192-0000-0002-0001.example.net", false},

	/* hexadecimal */
	{"192.0.2.1", "xC0000201.example.net", true},
	{"192.0.2.1", "010200c0.example.net", true},
	{"192.0.2.1", "c0000202.example.net", false},

	/* IPv6 */
	{"2001:db8:7c61:4e00::25", "2001-db8-7c61-4e00--25.example.net", true},
	{"2001:db8:7c61:4e00::25", "2001-0db8-7c61-4e00-0-0-0-25.example.net", true},
	{"2001:db8:7c61:4e00::25", "cust.7c61.4e00.25.example.net", true},
	{"2001:db8:7c61:4e00::25", "a-db8-7c61-4e00.example.net", true},
	{"2001:db8:7c61:4e00::25", "a-db8-x-4e00.example.net", false},
	{"2001:db8:7c61:4e00::25", "a-db8-17c61-4e00.example.net", false},
	{"2001:db8:7c61:4e00::25", "a-db8-07c61-4e00.example.net", false},
	{"2001:db8::25", "2001-db8--25.example.net", true},
	{"2001:db8:7c61:4e00::25", "p20010db87c614e000000000000000025.example.net", true},
	{"2001:db8:7c61:4e00::25", "p20010db87c614e00.example.net", true},
	{"2001:db8:7c61:4e00:1:2:3:25", "h0001000200030025.example.net", true},
	{"2001:db8:7c61:4e00:1:2:3:25", "5.2.0.0.3.0.0.0.2.0.0.0.1.0.0.0.example.net", true},
	{"2001:db8:7c61:4e00:1:2:3:25", "0.0.e.4.1.6.c.7.8.b.d.0.1.0.0.2.example.net", true},

	/* no names */
	{"192.0.2.1", "", false},
	{"192.0.2.1", "unknown", false},
	{"192.0.2.1", "192.0.2.1", false},
	{"192.0.2.1", "dyn..example.net", false},
	{"192.0.2.1", "dyn/x.example.net", false},
};

/* clang-format on */

START_TEST(dynamic_names_are_known)
{
	const struct dynamic_row *r = &dynamic_rows[_i];
	struct addr addr = addr_of(r->addr);
	bool got = identity_name_looks_dynamic(slice_of(r->name), &addr);
	ck_assert_msg(got == r->want, "%s (%s): got %d", r->name, r->addr, got);
	identity_forget_suffixes();
}

END_TEST

/* clang-format off */
static const struct find_row {
	const char *row;
	const char *addr;
	const char *name;
	enum identity_by identity_by;
	const char *want;
} find_rows[] = {
	{"a pool by its network", "198.51.100.7", "mail.example.com", IDENTITY_BY_POOL, "one"},
	{"a pool by its name", "192.0.2.1", "a.pool-two.example", IDENTITY_BY_POOL, "two"},
	{"a pool without a name", "198.51.100.7", "unknown", IDENTITY_BY_POOL, "one"},
	{"the first pool wins", "198.51.100.7", "a.pool-two.example", IDENTITY_BY_POOL, "one"},
	{"a domain", "192.0.2.1", "mail.example.com", IDENTITY_BY_DOMAIN, "example.com"},
	{"in lower case", "192.0.2.1", "MAIL.Example.COM", IDENTITY_BY_DOMAIN, "example.com"},
	{"without the last dot", "192.0.2.1", "mail.example.com.", IDENTITY_BY_DOMAIN, "example.com"},
	{"the domain itself", "192.0.2.1", "example.com", IDENTITY_BY_DOMAIN, "example.com"},
	{"below a suffix of two", "192.0.2.1", "a.b.example.co.uk", IDENTITY_BY_DOMAIN, "example.co.uk"},
	{"below a private suffix", "192.0.2.1", "mx.someone.github.io", IDENTITY_BY_DOMAIN,
	 "someone.github.io"},
	{"a provider", "209.85.214.170", "mail-pl1-f170.google.com", IDENTITY_BY_DOMAIN, "google.com"},
	{"of an IPv6 client", "2001:db8::25", "mx.example.com", IDENTITY_BY_DOMAIN, "example.com"},
	{"a suffix alone", "192.0.2.1", "co.uk", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"a private suffix alone", "192.0.2.1", "github.io", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"one label", "192.0.2.1", "mail", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"no name", "192.0.2.1", "", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"only a dot", "192.0.2.1", ".", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"an unknown name", "192.0.2.1", "unknown", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"unknown in capitals", "192.0.2.1", "Unknown", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"an address as name", "192.0.2.1", "192.0.2.1", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"an empty label", "192.0.2.1", "mail..example.com", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"a blank", "192.0.2.1", "mail .example.com", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"other bytes", "192.0.2.1", "m\303\274.example.com", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"a dynamic name", "192.0.2.77", "192-0-2-77.example.com", IDENTITY_BY_PREFIX, "192.0.2.0/24"},
	{"an IPv6 client", "2001:db8:1:2:3::25", "", IDENTITY_BY_PREFIX, "2001:db8:1::/48"},
	{"no address", "", "", IDENTITY_BY_PREFIX, "unknown"},
};

/* clang-format on */

static struct list *
clients_of(const char *entry)
{
	struct list *list = list_new(LIST_CLIENTS);
	struct err err;
	ck_assert_msg(list_add(list, slice_of(entry), 0, "test", 1, &err), "%s",
	              err.text);
	return list;
}

START_TEST(the_first_identity_by_that_fits)
{
	const struct find_row *r = &find_rows[_i];
	char one[] = "one", two[] = "two";
	struct conf_pool pools[] = {{one, clients_of("198.51.100.0/24")},
	                            {two, clients_of("pool-two.example")}};
	struct conf conf = {0};
	conf.greylist.ipv4_prefix = 24;
	conf.greylist.ipv6_prefix = 48;
	conf.greylist.pools = pools;
	conf.greylist.n_pools = COUNT_OF(pools);
	struct addr addr = addr_of(r->addr);
	struct arena arena;
	arena_init(&arena);
	struct identity got = identity_find(&conf, &addr, slice_of(r->name), NOW, &arena);
	ck_assert_msg(got.by == r->identity_by, "%s: %s", r->row,
	              identity_by_word(got.by));
	ck_slice_eq(r->row, got.text, r->want);
	arena_free(&arena);
	list_free(&pools[0].clients);
	list_free(&pools[1].clients);
	identity_forget_suffixes();
}

END_TEST

START_TEST(prefixes_follow_the_settings)
{
	struct conf conf = {0};
	conf.greylist.ipv4_prefix = 32;
	conf.greylist.ipv6_prefix = 128;
	struct arena arena;
	arena_init(&arena);
	struct addr addr = addr_of("192.0.2.77");
	struct identity got = identity_find(&conf, &addr, SLICE(""), NOW, &arena);
	ck_slice_eq("a host", got.text, "192.0.2.77/32");
	addr = addr_of("2001:db8::25");
	got = identity_find(&conf, &addr, SLICE(""), NOW, &arena);
	ck_slice_eq("an IPv6 host", got.text, "2001:db8::25/128");
	arena_free(&arena);
}

END_TEST

START_TEST(long_names_are_no_names)
{
	static char name[300];
	struct conf conf = {0};
	conf.greylist.ipv4_prefix = 24;
	struct addr addr = addr_of("192.0.2.1");
	struct arena arena;
	arena_init(&arena);
	memset(name, 'x', sizeof(name));
	for (size_t i = 60; i < sizeof(name); i += 61)
		name[i] = '.';
	struct slice all = {.p = name, .n = 254};
	struct identity got = identity_find(&conf, &addr, all, NOW, &arena);
	ck_assert_int_eq(got.by, IDENTITY_BY_PREFIX);
	all.n = 253;
	got = identity_find(&conf, &addr, all, NOW, &arena);
	ck_assert_int_eq(got.by, IDENTITY_BY_DOMAIN);
	memset(name, 'x', 64); /* a label too long */
	got = identity_find(&conf, &addr, all, NOW, &arena);
	ck_assert_int_eq(got.by, IDENTITY_BY_PREFIX);
	arena_free(&arena);
	identity_forget_suffixes();
}

END_TEST

START_TEST(many_numbers_are_harmless)
{
	char name[254];
	struct text text = TEXT(name);
	struct addr addr = addr_of("192.0.2.1");
	while (text.n < 240)
		text_puts(&text, "7.");
	text_puts(&text, "example.com");
	ck_assert(!identity_name_looks_dynamic(text_slice(&text), &addr));
	addr = addr_of("2001:db8:1:2:3:4:5:6");
	ck_assert(!identity_name_looks_dynamic(text_slice(&text), &addr));
	identity_forget_suffixes();
}

END_TEST

START_TEST(rungs_have_words)
{
	ck_assert_str_eq(identity_by_word(IDENTITY_BY_POOL), "pool");
	ck_assert_str_eq(identity_by_word(IDENTITY_BY_DOMAIN), "domain");
	ck_assert_str_eq(identity_by_word(IDENTITY_BY_PREFIX), "prefix");
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, dynamic_names_are_known, 0, COUNT_OF(dynamic_rows));
	tcase_add_loop_test(tcase, the_first_identity_by_that_fits, 0,
	                    COUNT_OF(find_rows));
	tcase_add_test(tcase, prefixes_follow_the_settings);
	tcase_add_test(tcase, long_names_are_no_names);
	tcase_add_test(tcase, many_numbers_are_harmless);
	tcase_add_test(tcase, rungs_have_words);
}

int
main(void)
{
	return harness_run("identity", fill);
}
