/* test_decision_line.c - decisions as lines of text, and finding some of them. */
#include "rules/decision_line.h"

#include "harness.h"

static const struct decision_line whole = {
	.id = SLICE_INIT("7Q2K9F"),
	.at_s = 1795342272,
	.daemon = SLICE_INIT("policyd"),
	.node = SLICE_INIT("mx1"),
	.action = SLICE_INIT("defer"),
	.why = SLICE_INIT("greylist-new"),
	.client = SLICE_INIT("192.0.2.9"),
	.name = SLICE_INIT("mail.example.com"),
	.identity = SLICE_INIT("example.com"),
	.identity_by = SLICE_INIT("domain"),
	.sender = SLICE_INIT("alice@example.org"),
	.recipient = SLICE_INIT("bob@acme.test"),
	.destination = SLICE_INIT("acme"),
	.entry = SLICE_INIT(""),
	.wait_s = 180,
	.delayed_s = 0,
	.held = 3,
	.store = SLICE_INIT("ok"),
	.triplet = SLICE_INIT("AAAAAAAAAAAAAAAAAAAAAA"),
	.user = SLICE_INIT("alice"),
	.queue = SLICE_INIT("4RbNvG2bsVz6Dm"),
	.limit = SLICE_INIT("500/1d"),
};

#define OLD_LINE                                                             \
 "7Q2K9F\t1795342272\tpolicyd\tmx1\tdefer\tgreylist-new\t192.0.2.9\t"        \
 "mail.example.com\texample.com\tdomain\talice@example.org\tbob@acme.test\t" \
 "acme\t\t180\t0\t3\tok\tAAAAAAAAAAAAAAAAAAAAAA"

#define WHOLE_LINE OLD_LINE "\talice\t500/1d\t4RbNvG2bsVz6Dm\n"

static struct arena arena;

static struct slice
print(const struct decision_line *decided, enum decision_line_addresses addresses)
{
	static char buf[DECISION_LINE_MAX + 1];
	struct text line = TEXT(buf);
	decision_line_print(decided, addresses, &line);
	ck_assert(!line.cut);
	return text_slice(&line);
}

/* What the store has is not to change its meaning from one version to the next. */
START_TEST(the_line_is_literally_this)
{
	ck_slice_eq("whole", print(&whole, ADDRESSES_FULL), WHOLE_LINE);
}

END_TEST

/* As versions before wrote it. */
START_TEST(an_older_line_is_understood)
{
	struct decision_line got;
	ck_assert(decision_line_parse(SLICE(OLD_LINE "\n"), &arena, &got));
	ck_slice_eq("triplet", got.triplet, "AAAAAAAAAAAAAAAAAAAAAA");
	ck_slice_eq("user", got.user, "");
	ck_slice_eq("limit", got.limit, "");
	ck_slice_eq("queue", got.queue, "");
}

END_TEST

START_TEST(a_line_comes_back_as_it_was)
{
	struct decision_line got;
	ck_assert(decision_line_parse(print(&whole, ADDRESSES_FULL), &arena, &got));
	ck_slice_eq("id", got.id, "7Q2K9F");
	ck_assert_int_eq(got.at_s, whole.at_s);
	ck_slice_eq("daemon", got.daemon, "policyd");
	ck_slice_eq("node", got.node, "mx1");
	ck_slice_eq("action", got.action, "defer");
	ck_assert(!got.observed);
	ck_slice_eq("why", got.why, "greylist-new");
	ck_slice_eq("client", got.client, "192.0.2.9");
	ck_slice_eq("name", got.name, "mail.example.com");
	ck_slice_eq("identity", got.identity, "example.com");
	ck_slice_eq("identity_by", got.identity_by, "domain");
	ck_slice_eq("sender", got.sender, "alice@example.org");
	ck_slice_eq("recipient", got.recipient, "bob@acme.test");
	ck_slice_eq("destination", got.destination, "acme");
	ck_assert_int_eq(got.wait_s, 180);
	ck_assert_int_eq(got.delayed_s, 0);
	ck_assert_int_eq(got.held, 3);
	ck_slice_eq("store", got.store, "ok");
	ck_slice_eq("triplet", got.triplet, "AAAAAAAAAAAAAAAAAAAAAA");
	ck_slice_eq("user", got.user, "alice");
	ck_slice_eq("limit", got.limit, "500/1d");
}

END_TEST

/* It ends with its '\n' whatever is in it; our own words have room whole. */
START_TEST(the_longest_line_is_whole)
{
	char bytes[1000];
	memset(bytes, 'x', sizeof(bytes));
	struct slice most = {.p = bytes, .n = sizeof(bytes)};
	struct decision_line decided = {most,      INT64_MIN, most,      most, most,
	                                false,     most,      most,      most, most,
	                                most,      most,      most,      most, most,
	                                INT64_MIN, INT64_MIN, INT64_MIN, most, most,
	                                most,      most,      most};
	struct slice line = print(&decided, ADDRESSES_FULL);
	ck_assert_int_eq(line.p[line.n - 1], '\n');
	decided = whole;
	decided.store = SLICE("overloaded");
	decided.why = SLICE("destination-concurrency");
	line = print(&decided, ADDRESSES_FULL);
	ck_assert_int_ge(slice_find(line, '\n'), 0);
	ck_assert(decision_line_parse(line, &arena, &decided));
	ck_slice_eq("store", decided.store, "overloaded");
	ck_slice_eq("why", decided.why, "destination-concurrency");
}

END_TEST

START_TEST(an_observed_one_comes_back_as_such)
{
	struct decision_line decided = whole, got;
	decided.observed = true;
	decided.action = SLICE("accept");
	ck_assert(decision_line_parse(print(&decided, ADDRESSES_FULL), &arena, &got));
	ck_assert(got.observed);
	ck_slice_eq("action", got.action, "accept");
}

END_TEST

/* clang-format off */
static const struct hostile_row {
	const char *sender;
	const char *want;
} hostile[] = {
	{"a\tb@evil.test", "a\tb@evil.test"},
	{"a\nb@evil.test", "a\nb@evil.test"},
	{"A\\x41@Evil.Test", "a\\x41@evil.test"},
	{"\"<img src=x>\"@evil.test", "\"<img src=x>\"@evil.test"},
	{"\xc3\xbc@evil.test", "\xc3\xbc@evil.test"},
	{"\x1b[2J@evil.test", "\x1b[2j@evil.test"},
};

/* clang-format on */

START_TEST(hostile_addresses_stay_in_their_field)
{
	struct decision_line decided = whole, got;
	decided.sender = slice_of(hostile[_i].sender);
	struct slice line = print(&decided, ADDRESSES_FULL);
	ck_assert_int_eq(slice_find(line, '\n'), (ptrdiff_t)line.n - 1);
	ck_assert(decision_line_parse(line, &arena, &got));
	ck_slice_eq(hostile[_i].sender, got.sender, hostile[_i].want);
	ck_slice_eq(hostile[_i].sender, got.recipient, "bob@acme.test");
}

END_TEST

START_TEST(the_longest_fits)
{
	char long_text[2000];
	memset(long_text, 0xff, sizeof(long_text));
	struct slice s = {.p = long_text, .n = sizeof(long_text)};
	struct decision_line decided = whole, got;
	decided.node = decided.client = decided.name = decided.identity = s;
	decided.sender = decided.recipient = decided.destination = decided.entry = s;
	decided.user = decided.limit = decided.queue = s;
	decided.at_s = decided.wait_s = decided.delayed_s = decided.held = INT32_MAX;
	decided.why = SLICE("destination-concurrency");
	ck_assert(decision_line_parse(print(&decided, ADDRESSES_FULL), &arena, &got));
	ck_slice_eq("triplet", got.triplet, "AAAAAAAAAAAAAAAAAAAAAA");
}

END_TEST

/* clang-format off */
static const struct privacy_row {
	const char *name;
	enum decision_line_addresses addresses;
	const char *sender;
	const char *want_client, *want_name, *want_sender, *want_recipient;
} privacy[] = {
	{"full", ADDRESSES_FULL, "alice@example.org", "192.0.2.9", "mail.example.com", "alice@example.org", "bob@acme.test"},
	{"domain", ADDRESSES_DOMAIN, "alice@example.org", "192.0.2.9", "mail.example.com", "@example.org", "@acme.test"},
	{"domain without @", ADDRESSES_DOMAIN, "root", "192.0.2.9", "mail.example.com", "", "@acme.test"},
	{"none", ADDRESSES_NONE, "alice@example.org", "", "", "", ""},
	{"null sender", ADDRESSES_NONE, "<>", "", "", "<>", ""},
};

/* clang-format on */

START_TEST(addresses_are_kept_as_far_as_is_wanted)
{
	const struct privacy_row *r = &privacy[_i];
	struct decision_line decided = whole, got;
	decided.sender = slice_of(r->sender);
	ck_assert(decision_line_parse(print(&decided, r->addresses), &arena, &got));
	ck_slice_eq(r->name, got.client, r->want_client);
	ck_slice_eq(r->name, got.name, r->want_name);
	ck_slice_eq(r->name, got.sender, r->want_sender);
	ck_slice_eq(r->name, got.recipient, r->want_recipient);
	ck_slice_eq(r->name, got.identity, "example.com");
	ck_slice_eq(r->name, got.user, r->addresses == ADDRESSES_FULL ? "alice" : "");
	ck_slice_eq(r->name, got.limit, "500/1d");
	decided.entry = SLICE("allow-sender alice@example.org");
	ck_assert(decision_line_parse(print(&decided, r->addresses), &arena, &got));
	ck_assert(r->addresses == ADDRESSES_FULL || got.entry.n == 0);
}

END_TEST

static const char *const no_lines[] = {
	"",
	"\n",
	"7Q2K9F\n",
	"7Q2K9F\t1\tpolicyd\tmx1\tdefer\tnew\t\t\t\t\t\t\t\t\t1\t0\t3\tok\n",
	"7Q2K9F\t1\tpolicyd\tmx1\tdefer\tnew\t\t\t\t\t\t\t\t\tx\t0\t3\tok\t\n",
	"7Q2K9F\t-1\tpolicyd\tmx1\tdefer\tnew\t\t\t\t\t\t\t\t\t1\t0\t3\tok\t\n",
	"7Q2K9F\t1\tpolicyd\tmx1\tdefer\tnew\t\t\t\t\t\t\t\t\t1\t0\t3\tok\t\tmore\n",
};

START_TEST(what_is_no_line_is_refused)
{
	struct decision_line got;
	ck_assert_msg(!decision_line_parse(slice_of(no_lines[_i]), &arena, &got), "%s",
	              no_lines[_i]);
}

END_TEST

/* clang-format off */
static const struct match_row {
	const char *name;
	struct decision_line_filter filter;
	bool want;
} matches[] = {
	{"nothing wanted", {.since_s = 0}, true},
	{"id", {.id = SLICE_INIT("7Q2K9F")}, true},
	{"other id", {.id = SLICE_INIT("7Q2K9G")}, false},
	{"client", {.address = SLICE_INIT("192.0.2.9")}, true},
	{"client's network", {.address = SLICE_INIT("192.0.2.0/24")}, true},
	{"a wider one", {.address = SLICE_INIT("192.0.0.0/16")}, true},
	{"another network", {.address = SLICE_INIT("192.0.3.0/24")}, false},
	{"a network of the other kind", {.address = SLICE_INIT("2001:db8::/32")}, false},
	{"client's network, and a cause", {.address = SLICE_INIT("192.0.2.0/24"), .why = SLICE_INIT("greylist-early")}, false},
	{"part of the client", {.address = SLICE_INIT("192.0.2")}, false},
	{"another client", {.address = SLICE_INIT("192.0.2.90")}, false},
	{"name", {.address = SLICE_INIT("Mail.Example.COM")}, true},
	{"name's domain", {.address = SLICE_INIT("example.com")}, true},
	{"half a domain", {.address = SLICE_INIT("ample.com")}, false},
	{"sender", {.address = SLICE_INIT("ALICE@example.org")}, true},
	{"sender's domain", {.address = SLICE_INIT("example.org")}, true},
	{"sender's domain with @", {.address = SLICE_INIT("@example.org")}, true},
	{"client's domain with @", {.address = SLICE_INIT("@example.com")}, false},
	{"part of the sender", {.address = SLICE_INIT("lice@example.org")}, false},
	{"recipient", {.address = SLICE_INIT("bob@acme.test")}, true},
	{"destination", {.destination = SLICE_INIT("Acme")}, true},
	{"queue id", {.queue = SLICE_INIT("4RbNvG2bsVz6Dm")}, true},
	{"queue id, in other letters", {.queue = SLICE_INIT("4rbnvg2bsvz6dm")}, false},
	{"destination, as an address", {.address = SLICE_INIT("Acme")}, true},
	{"user", {.address = SLICE_INIT("Alice")}, true},
	{"user, as such", {.user = SLICE_INIT("Alice")}, true},
	{"another user", {.user = SLICE_INIT("alic")}, false},
	{"a sender is no user", {.user = SLICE_INIT("alice@example.org")}, false},
	{"part of the user", {.address = SLICE_INIT("lice")}, false},
	{"what it allows is no address", {.address = SLICE_INIT("500/1d")}, false},
	{"part of it", {.address = SLICE_INIT("cme")}, false},
	{"other destination", {.destination = SLICE_INIT("bob@acme.test")}, false},
	{"cause", {.why = SLICE_INIT("greylist-new")}, true},
	{"other cause", {.why = SLICE_INIT("greylist")}, false},
	{"since", {.since_s = 1795342272}, true},
	{"later", {.since_s = 1795342273}, false},
	{"until", {.until_s = 1795342272}, true},
	{"earlier", {.until_s = 1795342271}, false},
	{"two that fit", {.address = SLICE_INIT("192.0.2.9"), .why = SLICE_INIT("greylist-new")}, true},
	{"one of two", {.address = SLICE_INIT("192.0.2.9"), .why = SLICE_INIT("greylist-early")}, false},
};

/* clang-format on */

START_TEST(the_filter_finds)
{
	struct decision_line_filter filter = matches[_i].filter;
	for (int again = 0; again < 2; again++)
		ck_assert_msg(decision_line_matches(SLICE(WHOLE_LINE), &filter) ==
		                      matches[_i].want,
		              "%s", matches[_i].name);
}

END_TEST

START_TEST(what_was_escaped_is_found)
{
	struct decision_line decided = whole;
	struct decision_line_filter filter = {.address = SLICE("\"<a b>\"@evil.test")};
	decided.sender = SLICE("\"<A b>\"@evil.test");
	ck_assert(decision_line_matches(print(&decided, ADDRESSES_FULL), &filter));
}

END_TEST

START_TEST(lines_are_taken_from_the_end)
{
	struct slice lines = SLICE("one\n\nthree\n"), line;
	ck_assert(decision_line_cut_last(&lines, &line));
	ck_slice_eq("last", line, "three");
	ck_assert(decision_line_cut_last(&lines, &line));
	ck_slice_eq("empty", line, "");
	ck_assert(decision_line_cut_last(&lines, &line));
	ck_slice_eq("first", line, "one");
	ck_assert(!decision_line_cut_last(&lines, &line));
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, lines_are_taken_from_the_end);
	tcase_add_test(tcase, the_line_is_literally_this);
	tcase_add_test(tcase, an_older_line_is_understood);
	tcase_add_test(tcase, a_line_comes_back_as_it_was);
	tcase_add_test(tcase, the_longest_line_is_whole);
	tcase_add_test(tcase, an_observed_one_comes_back_as_such);
	tcase_add_loop_test(tcase, hostile_addresses_stay_in_their_field, 0,
	                    COUNT_OF(hostile));
	tcase_add_test(tcase, the_longest_fits);
	tcase_add_loop_test(tcase, addresses_are_kept_as_far_as_is_wanted, 0,
	                    COUNT_OF(privacy));
	tcase_add_loop_test(tcase, what_is_no_line_is_refused, 0, COUNT_OF(no_lines));
	tcase_add_loop_test(tcase, the_filter_finds, 0, COUNT_OF(matches));
	tcase_add_test(tcase, what_was_escaped_is_found);
}

int
main(void)
{
	return harness_run("decided", fill);
}
