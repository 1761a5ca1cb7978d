/* test_list.c - what list entries mean, and which are refused. */
#include "base/hostname.h"
#include "conf/list.h"

#include "base/clock.h"
#include "harness.h"

#define NOW 1800000000 /* 2027-01-15 08:00 UTC */

static struct addr
addr_of(const char *text)
{
	struct addr addr = {0};
	if (*text)
		ck_assert_msg(addr_parse(slice_of(text), &addr), "%s", text);
	return addr;
}

/* Adds what stands between the blanks; lines are numbered from 1. */
static struct list *
list_with(enum list_kind kind, const char *entries)
{
	struct list *list = list_new(kind);
	struct slice rest = slice_of(entries), entry;
	struct err err;
	for (unsigned line = 1; slice_word(&rest, &entry); line++)
		ck_assert_msg(list_add(list, entry, 0, "test", line, &err), "%s",
		              err.text);
	return list;
}

/* clang-format off */
static const struct client_row {
	const char *row;
	const char *entries;
	const char *addr;
	const char *name;
	unsigned want; /* number of the entry that matches, 0: none */
} client_rows[] = {
	{"an empty list has nobody", "", "192.0.2.1", "mail.example.com", 0},
	{"an address", "192.0.2.1", "192.0.2.1", "", 1},
	{"not the next address", "192.0.2.1", "192.0.2.2", "", 0},
	{"a network", "192.0.2.0/24", "192.0.2.255", "unknown", 1},
	{"not beyond the network", "192.0.2.0/24", "192.0.3.0", "unknown", 0},
	{"an odd prefix length", "192.0.2.128/27", "192.0.2.159", "", 1},
	{"beyond an odd prefix length", "192.0.2.128/27", "192.0.2.160", "", 0},
	{"bits behind the prefix", "192.0.2.77/24", "192.0.2.1", "", 1},
	{"and not beyond it", "192.0.2.77/24", "192.0.3.77", "", 0},
	{"IPv6 bits behind the prefix", "2001:db8::25/64", "2001:db8::1", "", 1},
	{"all of IPv4", "0.0.0.0/0", "203.0.113.9", "", 1},
	{"all of IPv4 is not all of IPv6", "0.0.0.0/0", "2001:db8::1", "", 0},
	{"the longest prefix is named", "192.0.0.0/16 192.0.2.0/24", "192.0.2.1", "", 2},
	{"the shorter one holds elsewhere", "192.0.0.0/16 192.0.2.0/24", "192.0.3.1", "", 1},
	{"an IPv6 address", "2001:db8::25", "2001:0db8:0:0::0025", "", 1},
	{"an IPv6 network", "2001:db8::/32", "2001:db8:ffff::1", "", 1},
	{"a network in brackets", "[2001:db8::]/32", "2001:db8:ffff::1", "", 1},
	{"an address in brackets", "[192.0.2.1]", "192.0.2.1", "", 1},
	{"an IPv4-mapped network", "[::ffff:127.0.0.0]/104", "127.9.9.9", "", 1},
	{"an IPv4-mapped client", "127.0.0.0/8", "::ffff:127.9.9.9", "", 1},
	{"not beyond an IPv4-mapped network", "::ffff:127.0.0.0/104", "128.0.0.0", "", 0},
	{"a client with a zone", "fe80::/64", "fe80::1%eth0", "", 1},
	{"an entry with a zone", "fe80::1%eth0", "fe80::1%eth1", "", 1},
	{"not beyond an IPv6 network", "2001:db8::/33", "2001:db8:8000::1", "", 0},
	{"an IPv4-mapped address is IPv4", "192.0.2.0/24", "::ffff:192.0.2.9", "", 1},
	{"::/96 is not IPv4", "::/96", "192.0.2.1", "", 0},
	{"three octets are a /24", "192.0.2", "192.0.2.77", "", 1},
	{"and not more", "192.0.2", "192.0.3.77", "", 0},
	{"two octets are a /16", "192.0", "192.0.77.1", "", 1},
	{"and not more either", "192.0", "192.1.77.1", "", 0},
	{"no address, no network", "0.0.0.0/0 ::/0", "", "", 0},
	{"a name serves without an address", "example.com", "", "example.com", 1},
	{"a domain is itself", "example.com", "192.0.2.1", "example.com", 1},
	{"and what is below", "example.com", "192.0.2.1", "a.b.example.com", 1},
	{"compared by labels", "example.com", "192.0.2.1", "badexample.com", 0},
	{"not above", "mail.example.com", "192.0.2.1", "example.com", 0},
	{"a suffix is what is below", ".example.com", "192.0.2.1", "a.example.com", 1},
	{"and not itself", ".example.com", "192.0.2.1", "example.com", 0},
	{"a name may not begin with a dot", ".example.com", "192.0.2.1", ".example.com", 0},
	{"case of the entry", "EXAMPLE.com", "192.0.2.1", "mail.example.com", 1},
	{"case of the name", "example.com", "192.0.2.1", "Mail.EXAMPLE.Com", 1},
	{"the dot of an absolute name", "example.com", "192.0.2.1", "mail.example.com.", 1},
	{"a star for what is below", "*.example.com", "192.0.2.1", "a.example.com", 1},
	{"is not the domain itself", "*.example.com", "192.0.2.1", "example.com", 0},
	{"a top-level domain", "example", "192.0.2.1", "mail.example", 1},
	{"an underscore", "a_b.example", "192.0.2.1", "a_b.example", 1},
	{"unknown is no name", "unknown", "192.0.2.1", "unknown", 0},
	{"nor for a regex", "/./", "192.0.2.1", "Unknown", 0},
	{"no name, no regex", "/^$/", "192.0.2.1", "", 0},
	{"a regex is searched for", "/mail\\d+/", "192.0.2.1", "x-mail12.example.com", 1},
	{"anchors hold", "/^mail\\d+\\.example$/", "192.0.2.1", "xmail1.example", 0},
	{"a regex ignores case", "/^MAIL/", "192.0.2.1", "mail.example.com", 1},
	{"even with a class", "/^[A-D]x/", "192.0.2.1", "bx.example.com", 1},
	{"the second regex", "/^a/ /^b/", "192.0.2.1", "b.example", 2},
	{"a '#' in a regex", "/^(?:a#|mx)\\./", "192.0.2.1", "mx.example.com", 1},
	{"a regex is not the address", "/^192/", "192.0.2.1", "mail.example.com", 0},
	{"an absolute entry", "example.com.", "192.0.2.1", "mail.example.com", 1},
	{"an IDN", "b\303\274cher.example", "192.0.2.1", "mail.xn--bcher-kva.example", 1},
	{"an IDN in capitals", "B\303\234CHER.example", "192.0.2.1", "xn--bcher-kva.example", 1},
	{"its A-label for a name that is one", "XN--BCHER-KVA.example", "192.0.2.1", "b\303\274cher.example", 1},
	{"below an IDN", ".b\303\274cher.example", "192.0.2.1", "a.xn--bcher-kva.example", 1},
	{"a network comes before a name", "example.com 192.0.2.1", "192.0.2.1", "example.com", 2},
};

/* clang-format on */

/* clang-format off */
static const struct network_row {
	const char *entries;
	const char *net;
	bool want;
} network_rows[] = {
	{"192.0.2.0/24", "192.0.2.0/24", true},
	{"192.0.2.0/24", "192.0.2.128/25", true},
	{"192.0.2.0/24", "192.0.2.0/23", false},
	{"192.0.2.1", "192.0.2.0/24", false},
	{"192.0.2.0 192.0.0.0/16", "192.0.2.0/24", true},
	{"2001:db8::/32", "2001:db8:1::/48", true},
	{"::/0", "192.0.2.0/24", false},
	{"/./ .example", "192.0.2.0/24", false},
};

/* clang-format on */

START_TEST(whole_networks_match)
{
	const struct network_row *r = &network_rows[_i];
	struct list *list = list_with(LIST_CLIENTS, r->entries);
	struct cidr net;
	ck_assert(cidr_parse(slice_of(r->net), &net));
	ck_assert_msg(list_has_network(list, &net, NOW) == r->want, "%s in %s", r->net,
	              r->entries);
	list_free(&list);
}

END_TEST

START_TEST(clients_match)
{
	const struct client_row *r = &client_rows[_i];
	struct list *list = list_with(LIST_CLIENTS, r->entries);
	struct addr addr = addr_of(r->addr);
	struct list_hit hit = {.source = "none", .line = 0};
	bool got = list_has_client(list, &addr, slice_of(r->name), NOW, &hit);
	ck_assert_msg(got == (r->want > 0), "%s: got %d", r->row, got);
	ck_assert_msg(hit.line == r->want, "%s: entry %u", r->row, hit.line);
	ck_assert_msg(strcmp(hit.source, got ? "test" : "none") == 0, "%s: %s", r->row,
	              hit.source);
	ck_assert(list_has_client(list, &addr, slice_of(r->name), NOW, NULL) == got);
	list_free(&list);
	ck_assert_ptr_null(list);
}

END_TEST

/* clang-format off */
static const struct mail_row {
	const char *row;
	const char *entries;
	const char *address;
	unsigned want;
} mail_rows[] = {
	{"an empty list has nobody", "", "user@example.com", 0},
	{"an address", "user@example.com", "user@example.com", 1},
	{"case of the address", "user@example.com", "USER@Example.COM", 1},
	{"case of the entry", "User@EXAMPLE.com", "user@example.com", 1},
	{"with an extension", "user@example.com", "user+list@example.com", 1},
	{"with two extensions", "user@example.com", "user+a+b@example.com", 1},
	{"an entry with one", "user+a@example.com", "user+a@example.com", 1},
	{"and another behind it", "user+a@example.com", "user+a+b@example.com", 1},
	{"but not without it", "user+a@example.com", "user@example.com", 0},
	{"another user", "user@example.com", "xuser@example.com", 0},
	{"another domain", "user@example.com", "user@example.org", 0},
	{"not below the domain", "user@example.com", "user@a.example.com", 0},
	{"anywhere", "postmaster@", "Postmaster@example.net", 1},
	{"anywhere with an extension", "abuse@", "abuse+x@example.net", 1},
	{"without a domain", "postmaster@", "postmaster", 1},
	{"with an empty domain", "postmaster@", "postmaster@", 1},
	{"not another user anywhere", "abuse@", "noabuse@example.net", 0},
	{"a domain", "example.com", "user@example.com", 1},
	{"and below", "example.com", "user@a.example.com", 1},
	{"by labels", "example.com", "user@badexample.com", 0},
	{"a suffix", ".example.com", "user@a.example.com", 1},
	{"not the suffix itself", ".example.com", "user@example.com", 0},
	{"a star for what is below", "*.example.com", "user@a.example.com", 1},
	{"is not the domain itself", "*.example.com", "user@example.com", 0},
	{"a domain is no local part", "example.com", "example.com", 0},
	{"nor one with an '@'", "example.com", "example.com@example.net", 0},
	{"the last '@' splits", "example.com", "a@b@example.com", 1},
	{"and not the first", "example.com", "a@example.com@b", 0},
	{"an absolute domain", "example.com", "user@example.com.", 1},
	{"the null sender", "example.com user@", "", 0},
	{"a regex sees the whole address", "/^u.*@example\\.com$/", "user@example.com", 1},
	{"a regex ignores case", "/@EXAMPLE/", "user@example.com", 1},
	{"a regex for the null sender", "/^$/", "", 1},
	{"an empty local part", "user@ example.org", "@example.com", 0},
	{"only an extension", "user@", "+user@example.com", 0},
	{"numbers are no network here", "/x/ example.com", "user@192.0.2.1", 0},
	{"an IDN", "user@b\303\274cher.example", "user@xn--bcher-kva.example", 1},
	{"its A-label", "user@xn--bcher-kva.example", "User@B\303\234CHER.example.", 1},
	{"the domain of an IDN", "b\303\274cher.example", "user@xn--bcher-kva.example", 1},
	{"a local part beyond ASCII", "M\303\234ller@example.com", "m\303\274ller@example.com", 1},
	{"anywhere", "m\303\274ller@", "M\303\234LLER@example.com", 1},
	{"an odd local part", "o'neil/x=y@example.com", "O'Neil/x=y@example.com", 1},
};

/* clang-format on */

START_TEST(mail_matches)
{
	const struct mail_row *r = &mail_rows[_i];
	struct list *list = list_with(LIST_MAIL, r->entries);
	struct list_hit hit = {0};
	bool got = list_has_mail(list, slice_of(r->address), NOW, &hit);
	ck_assert_msg(got == (r->want > 0), "%s: got %d", r->row, got);
	ck_assert_msg(hit.line == r->want, "%s: entry %u", r->row, hit.line);
	list_free(&list);
}

END_TEST

/* clang-format off */
static const struct bad_row {
	enum list_kind kind;
	const char *entry;
	const char *want; /* part of the text */
} bad_rows[] = {
	{LIST_CLIENTS, "", "empty entry"},
	{LIST_CLIENTS, "192.0.2.1/24", NULL},
	{LIST_CLIENTS, "2001:db8::1/64", NULL},
	{LIST_CLIENTS, "192.0.2.0/33", "bad prefix length"},
	{LIST_CLIENTS, "::ffff:127.0.0.1/104", NULL},
	{LIST_CLIENTS, "::ffff:127.0.0.0/95", "bad prefix length"},
	{LIST_CLIENTS, "::ffff:127.0.0.0/129", "bad prefix length"},
	{LIST_CLIENTS, "2001:db8::1%eth0", "not an address or network"},
	{LIST_CLIENTS, "[192.0.2]", "not an address or network"},
	{LIST_CLIENTS, "192.0.2.0/", "bad prefix length"},
	{LIST_CLIENTS, "192.0.2.0/-1", "bad prefix length"},
	{LIST_CLIENTS, "192.0.2.0/255.255.255.0", "bad prefix length"},
	{LIST_CLIENTS, "2001:db8::/129", "bad prefix length"},
	{LIST_CLIENTS, "192.0.2.256", "not an address or network"},
	{LIST_CLIENTS, "192.0.2.1.5", "not an address or network"},
	{LIST_CLIENTS, "192", "not an address or network"},
	{LIST_CLIENTS, "192.256", "not an address or network"},
	{LIST_CLIENTS, "192.0/16", "not an address or network"},
	{LIST_CLIENTS, "...", "not an address or network"},
	{LIST_CLIENTS, "2001:db8:::1", "not an address or network"},
	{LIST_CLIENTS, "example.com/24", "not an address or network"},
	{LIST_CLIENTS, "a..example.com", "not an address, a network, a domain"},
	{LIST_CLIENTS, "..example.com", "not an address, a network, a domain"},
	{LIST_CLIENTS, ".a", NULL},
	{LIST_CLIENTS, "192.0.2.x.1", "not an address, a network, a domain"},
	{LIST_CLIENTS, "*.example.com", NULL},
	{LIST_CLIENTS, "*.*.example.com", "'*' is not allowed here: give a domain, a network or a /REGEX/"},
	{LIST_CLIENTS, "mx*.example.com", "'*' is not allowed here: give a domain, a network or a /REGEX/"},
	{LIST_CLIENTS, "*", "'*' is not allowed here: give a domain, a network or a /REGEX/"},
	{LIST_MAIL, "*@here.example", "'*' is not allowed here: for a whole domain write \"here.example\""},
	{LIST_MAIL, "*@*.here.example", "'*' is not allowed here: give a domain, \"user@\" or a /REGEX/"},
	{LIST_MAIL, "bounce-*@here.example", "'*' is not allowed here: give a domain, \"user@\" or a /REGEX/"},
	{LIST_CLIENTS, "user@example.com", "not an address, a network, a domain"},
	{LIST_CLIENTS, "example.com#note", "not an address, a network, a domain"},
	{LIST_CLIENTS, "a b", "blank, control or non-ASCII"},
	{LIST_CLIENTS, " a", "blank, control or non-ASCII"},
	{LIST_CLIENTS, "a\177", "blank, control or non-ASCII"},
	{LIST_CLIENTS, "b\374cher.example", "blank, control or non-ASCII"},
	{LIST_MAIL, "user@b\374cher.example", "blank, control or non-ASCII"},
	{LIST_CLIENTS, "/caf\303\251/", "blank, control or non-ASCII"},
	{LIST_CLIENTS, "/", "lacks the '/'"},
	{LIST_CLIENTS, "/etc/weir/clients", "lacks the '/'"},
	{LIST_CLIENTS, "//", "empty regular expression"},
	{LIST_CLIENTS, "/a(b/", "does not compile: missing closing parenthesis at offset 3"},
	{LIST_CLIENTS, "/*x/", "quantifier does not follow a repeatable item at offset 0"},
	{LIST_MAIL, "@", "nothing before its '@'"},
	{LIST_MAIL, "@example.com", "nothing before its '@': for a whole domain write the domain alone"},
	{LIST_MAIL, "user@a..b", "no valid domain"},
	{LIST_MAIL, "user@-", NULL},
	{LIST_MAIL, "user@b@example.com", "no valid domain"},
	{LIST_MAIL, "user@192.0.2.1", "no valid domain"},
	{LIST_MAIL, "user@[192.0.2.1]", "no valid domain"},
	{LIST_MAIL, "192.0.2.1", "not a mail address, a domain"},
	{LIST_MAIL, "192.0.2.0/24", "not a mail address, a domain"},
	{LIST_MAIL, "<user>", "not a mail address, a domain"},
	{LIST_MAIL, "/a[/", "missing terminating ]"},
};

/* clang-format on */

START_TEST(malformed_entries_are_refused)
{
	const struct bad_row *r = &bad_rows[_i];
	struct list *list = list_new(r->kind);
	struct err err = {0};
	bool ok = list_add(list, slice_of(r->entry), 0, "test", 1, &err);
	ck_assert_msg(ok == (r->want == NULL), "\"%s\": %d", r->entry, ok);
	if (r->want)
		ck_assert_msg(strstr(err.text, r->want) != NULL, "\"%s\": %s", r->entry,
		              err.text);
	ck_assert_uint_eq(list_count(list), ok ? 1 : 0);
	list_free(&list);
}

END_TEST

static void
add_filled(enum list_kind kind, const char *head, size_t n, const char *tail, bool want)
{
	char buf[2000];
	struct text text = TEXT(buf);
	text_puts(&text, head);
	for (size_t i = 0; i < n; i++)
		text_putc(&text, 'x');
	text_puts(&text, tail);
	struct list *list = list_new(kind);
	struct err err = {0};
	bool ok = list_add(list, text_slice(&text), 0, "test", 1, &err);
	ck_assert_msg(ok == want, "%s, %zu, %s: %s", head, n, tail, err.text);
	list_free(&list);
}

START_TEST(lengths_are_bounded)
{
	add_filled(LIST_CLIENTS, "", 63, ".example", true);
	add_filled(LIST_CLIENTS, "", 64, ".example", false);
	add_filled(LIST_CLIENTS, "/", 1022, "/", true);
	add_filled(LIST_CLIENTS, "/", 1023, "/", false);
	add_filled(LIST_MAIL, "", 500, "@example.com", true);
	add_filled(LIST_MAIL, "", 501, "@example.com", false);
}

END_TEST

START_TEST(overlong_subjects_match_nothing)
{
	char name[HOSTNAME_MAX + 1];
	char address[513 + 1];
	memset(name, 'x', sizeof(name));
	memset(address, 'x', sizeof(address));
	struct addr none = {0};
	struct list *clients = list_with(LIST_CLIENTS, "/x/");
	struct list *mail = list_with(LIST_MAIL, "/x/");
	struct slice at_limit = {.p = name, .n = HOSTNAME_MAX};
	ck_assert(list_has_client(clients, &none, at_limit, NOW, NULL));
	at_limit.n++;
	ck_assert(!list_has_client(clients, &none, at_limit, NOW, NULL));
	at_limit = (struct slice){.p = address, .n = 512};
	ck_assert(list_has_mail(mail, at_limit, NOW, NULL));
	at_limit.n++;
	ck_assert(!list_has_mail(mail, at_limit, NOW, NULL));
	list_free(&clients);
	list_free(&mail);
}

END_TEST

START_TEST(entries_expire)
{
	struct list *list = list_new(LIST_CLIENTS);
	struct addr addr = addr_of("192.0.2.1");
	struct slice name = SLICE("mail.example.com");
	struct list_hit hit;
	struct err err;
	ck_assert(list_add(list, SLICE("192.0.2.0/24"), 100, "test", 1, &err));
	ck_assert(list_add(list, SLICE("example.com"), 200, "test", 2, &err));
	ck_assert(list_add(list, SLICE("/^mail/"), 300, "test", 3, &err));
	ck_assert(list_has_client(list, &addr, name, 99, &hit));
	ck_assert_uint_eq(hit.line, 1);
	ck_assert(list_has_client(list, &addr, name, 100, &hit));
	ck_assert_uint_eq(hit.line, 2);
	ck_assert(list_has_client(list, &addr, name, 200, &hit));
	ck_assert_uint_eq(hit.line, 3);
	ck_assert(!list_has_client(list, &addr, name, 300, &hit));
	list_free(&list);
}

END_TEST

START_TEST(an_expired_network_hides_no_wider_one)
{
	struct list *list = list_new(LIST_CLIENTS);
	struct addr addr = addr_of("192.0.2.1");
	struct list_hit hit;
	struct err err;
	ck_assert(list_add(list, SLICE("192.0.2.1"), 100, "test", 1, &err));
	ck_assert(list_add(list, SLICE("192.0.0.0/16"), 0, "test", 2, &err));
	ck_assert(list_has_client(list, &addr, SLICE(""), 100, &hit));
	ck_assert_uint_eq(hit.line, 2);
	list_free(&list);
}

END_TEST

/* clang-format off */
static const struct twice_row {
	const char *row;
	int64_t first_s;
	int64_t second_s;
	unsigned want;
} twice_rows[] = {
	{"the later end stays", 100, 200, 2},
	{"in either override", 200, 100, 1},
	{"for ever outlives all", 200, 0, 2},
	{"and is not shortened", 0, 200, 1},
	{"the first of equals", 200, 200, 1},
	{"and of two for ever", 0, 0, 1},
};

/* clang-format on */

START_TEST(the_longer_living_of_two_stays)
{
	static const char *const entries[] = {"192.0.2.1", "Mail.Example.com",
	                                      "/^mail\\d/"};
	const struct twice_row *r = &twice_rows[_i];
	struct addr addr = addr_of("192.0.2.1");
	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		struct list *list = list_new(LIST_CLIENTS);
		struct slice name =
			i == 1 ? SLICE("mail.example.com") : SLICE("mail1.example");
		struct list_hit hit = {0};
		struct err err;
		ck_assert(list_add(list, slice_of(entries[i]), r->first_s, "a", 1, &err));
		ck_assert(
			list_add(list, slice_of(entries[i]), r->second_s, "b", 2, &err));
		ck_assert_uint_eq(list_count(list), 1);
		ck_assert(list_has_client(list, &addr, name, 50, &hit));
		ck_assert_msg(hit.line == r->want, "%s: %s", r->row, entries[i]);
		ck_assert_str_eq(hit.source, r->want == 1 ? "a" : "b");
		list_free(&list);
	}
}

END_TEST

START_TEST(a_costly_regex_is_given_up)
{
	struct list *list =
		list_with(LIST_CLIENTS, "/^(x+)+(x+)+(x+)+(x+)+$/ example.com");
	char name[200];
	struct text text = TEXT(name);
	struct addr none = {0};
	while (text.n < 180)
		text_putc(&text, 'x');
	text_puts(&text, ".y");
	int64_t began_ms = clock_mono_ms();
	ck_assert(!list_has_client(list, &none, text_slice(&text), NOW, NULL));
	ck_assert_int_lt(clock_mono_ms() - began_ms, 1000);
	list_free(&list);
}

END_TEST

START_TEST(many_entries_are_found)
{
	struct list *list = list_new(LIST_CLIENTS);
	char buf[64];
	struct err err;
	for (unsigned i = 0; i < 10000; i++) {
		struct text text = TEXT(buf);
		text_printf(&text, "10.%u.%u.0/24", i / 256, i % 256);
		ck_assert(list_add(list, text_slice(&text), 0, "test", i, &err));
		text = TEXT(buf);
		text_printf(&text, "h%u.example", i);
		ck_assert(list_add(list, text_slice(&text), 0, "test", i, &err));
	}
	ck_assert_uint_eq(list_count(list), 20000);
	struct addr addr = addr_of("10.39.15.200");
	struct list_hit hit;
	ck_assert(list_has_client(list, &addr, SLICE(""), NOW, &hit));
	ck_assert_uint_eq(hit.line, 39 * 256 + 15);
	addr = addr_of("192.0.2.1");
	ck_assert(list_has_client(list, &addr, SLICE("a.h9876.example"), NOW, &hit));
	ck_assert_uint_eq(hit.line, 9876);
	list_free(&list);
}

END_TEST

START_TEST(freeing_nothing_is_fine)
{
	struct list *list = NULL;
	list_free(&list);
	ck_assert_ptr_null(list);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, clients_match, 0, COUNT_OF(client_rows));
	tcase_add_loop_test(tcase, whole_networks_match, 0, COUNT_OF(network_rows));
	tcase_add_loop_test(tcase, mail_matches, 0, COUNT_OF(mail_rows));
	tcase_add_loop_test(tcase, malformed_entries_are_refused, 0, COUNT_OF(bad_rows));
	tcase_add_test(tcase, lengths_are_bounded);
	tcase_add_test(tcase, overlong_subjects_match_nothing);
	tcase_add_test(tcase, entries_expire);
	tcase_add_test(tcase, an_expired_network_hides_no_wider_one);
	tcase_add_loop_test(tcase, the_longer_living_of_two_stays, 0,
	                    COUNT_OF(twice_rows));
	tcase_add_test(tcase, a_costly_regex_is_given_up);
	tcase_add_test(tcase, many_entries_are_found);
	tcase_add_test(tcase, freeing_nothing_is_fine);
}

int
main(void)
{
	return harness_run("list", fill);
}
