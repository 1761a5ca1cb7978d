/* test_mailaddr.c - which envelope addresses are the same one. */
#include "rules/mailaddr.h"

#include "harness.h"

/* clang-format off */
static const struct fold_row {
	const char *row;
	const char *address;
	const char *want;
} sender_rows[] = {
	{"the null sender", "", ""},
	{"the null sender in brackets", "<>", ""},
	{"blanks only", " \t", ""},
	{"a plain address", "user@example.com", "user@example.com"},
	{"brackets", "<user@example.com>", "user@example.com"},
	{"blanks around", " user@example.com\r\n", "user@example.com"},
	{"case of all", "User@EXAMPLE.Com", "user@example.com"},
	{"an extension", "user+list@example.com", "user@example.com"},
	{"cut at the first '+'", "user+a+b@example.com", "user@example.com"},
	{"an empty extension", "user+@example.com", "user@example.com"},
	{"a leading '+' stays", "+user@example.com", "+user@example.com"},
	{"a leading '+' and an extension", "+user+x@example.com", "+user+x@example.com"},
	{"numbers", "list-1234-5@example.com", "list-#-#@example.com"},
	{"numbers within words", "user42x7@example.com", "user#x#@example.com"},
	{"the domain keeps its digits", "a1@mx2.example.com", "a#@mx2.example.com"},

	{"SRS0", "SRS0=x2y3=TT=example.org=User+list-1234@forwarder.example", "user@example.org"},
	{"SRS0 with '-'", "SRS0-x2y3=TT=example.org=user@forwarder.example", "user@example.org"},
	{"SRS0 with '+'", "srs0+x2y3=TT=example.org=user@forwarder.example", "user@example.org"},
	{"a '+' in the hash of SRS0", "SRS0=x+/3=TT=example.org=user@f.example",
	 "user@example.org"},
	{"a '=' in the local part", "SRS0=x2y3=TT=example.org=a=b@f.example", "a=b@example.org"},
	{"numbers behind SRS0", "SRS0=x2y3=TT=example.org=n-12@f.example", "n-#@example.org"},
	{"SRS1", "SRS1=ab1c=first.example==x2y3=TT=example.org=user@f.example",
	 "user@example.org"},
	{"SRS1 over SRS0 with '-'", "SRS1-ab1c=first.example=-x2y3=TT=example.org=user@f.example",
	 "user@example.org"},
	{"SRS1 over SRS0 with '+'", "SRS1+ab1c=first.example=+x2y3=TT=example.org=user@f.example",
	 "user@example.org"},
	{"SRS0 within SRS0", "SRS0=aa=TT=b.example=SRS0=cc=TT=example.org=user@f.example",
	 "user@example.org"},
	{"SRS0 without separator", "srs0user@example.com", "srs#user@example.com"},
	{"SRS0 without local part", "srs0=a=b=example.org=@f.example",
	 "srs#=a=b=example.org=@f.example"},
	{"SRS0 with an empty hash", "srs0==b=example.org=user@f.example",
	 "srs#==b=example.org=user@f.example"},
	{"SRS0 with too few fields", "srs0=a=b=user@f.example", "srs#=a=b=user@f.example"},
	{"SRS0 alone", "srs0=@f.example", "srs#=@f.example"},
	{"SRS1 without its host", "srs1=a@f.example", "srs#=a@f.example"},
	{"SRS1 that carries no SRS0", "srs1=a=b=c@f.example", "srs#=a=b=c@f.example"},
	{"SRS1 alone", "srs1@f.example", "srs#@f.example"},

	{"BATV", "prvs=1234abcdef=bounce-778-90@lists.example", "bounce-#-#@lists.example"},
	{"BATV in capitals", "PRVS=1234ABCDEF=User@example.com", "user@example.com"},
	{"BATV, swapped", "prvs=user=1234abcdef@example.com", "user@example.com"},
	{"BATV, the first draft", "prvs=user/1234abcdef@example.com", "user@example.com"},
	{"BATV with a short tag", "prvs=12345abcd=user@example.com", "user@example.com"},
	{"BATV with another tag", "prvs=xyz=user@example.com", "user@example.com"},
	{"BATV and an extension", "prvs=1234abcdef=user+x@example.com", "user@example.com"},
	{"Barracuda's form", "btv1==0447f0b4aee==user@example.com", "user@example.com"},
	{"SparkPost's form", "msprvs1=18000abcde=bounces-123-4@example.com",
	 "bounces-#-#@example.com"},
	{"BATV within SRS0", "SRS0=aa=TT=example.org=prvs=1234abcdef=user@f.example",
	 "user@example.org"},
	{"SRS0 within BATV", "prvs=1234abcdef=SRS0=aa=TT=example.org=user@f.example",
	 "user@example.org"},
	{"only so many wrappings", "prvs=a=prvs=b=prvs=c=prvs=d=prvs=e=user@example.com",
	 "prvs=e=user@example.com"},
	{"BATV without local part", "prvs=1234abcdef=@example.com", "prvs=#=@example.com"},
	{"BATV without tag", "prvs==user@example.com", "prvs==user@example.com"},
	{"BATV, a slash but no tag", "prvs=a/user@example.com", "prvs=a/user@example.com"},
	{"BATV, a short word is no tag", "prvs=user=1234@example.com", "#@example.com"},
	{"BATV alone", "prvs=@example.com", "prvs=@example.com"},
	{"Barracuda's form without end", "btv1==0447f0b4aee=user@example.com",
	 "btv#==#=user@example.com"},
	{"Barracuda's form without user", "btv1==0447f0b4aee==@example.com",
	 "btv#==#==@example.com"},
	{"SparkPost's form without tag", "msprvs1==user@example.com",
	 "msprvs#==user@example.com"},

	{"Mailgun", "bounce+abc.1234-user=example.com@mg.example.org", "bounce@mg.example.org"},
	{"SendGrid", "bounces+12345-ab12-user=example.com@em1.example.org",
	 "bounces@em1.example.org"},
	{"VERP with the recipient", "bounces-12345-xyz-user=example.com@lists.example",
	 "bounces-#-xyz-user=example.com@lists.example"},
	{"Amazon SES", "0100018f1234abcd-1234abcd-12ab-cdef-9876-123456789abc-000000@amazonses.com",
	 "#-#-#@amazonses.com"},
	{"a UUID without a digit in a group", "deadbeef-dead-beef-cafe-abcdefabcdef@example.com",
	 "#@example.com"},
	{"no UUID within a word", "xdeadbeef-dead-beef-cafe-abcdefabcdef@example.com",
	 "xdeadbeef-dead-beef-cafe-abcdefabcdef@example.com"},
	{"no UUID with a wrong dash", "deadbeef-dead-beef-cafea-bcdefabcdef@example.com",
	 "deadbeef-dead-beef-cafea-bcdefabcdef@example.com"},
	{"no UUID with another letter", "deadbeef-dead-beef-cafe-abcdefabcdeg@example.com",
	 "deadbeef-dead-beef-cafe-abcdefabcdeg@example.com"},
	{"eight hexadecimal digits", "b-12ab34cd-x@example.com", "b-#-x@example.com"},
	{"seven are a word", "b-12ab34c-x@example.com", "b-#ab#c-x@example.com"},
	{"without a digit, a word", "b-deadbeef-x@example.com", "b-deadbeef-x@example.com"},
	{"hexadecimal up to another letter", "b-1234567890xyz@example.com", "b-#xyz@example.com"},
	{"hexadecimal behind another letter", "bz12ab34cd@example.com", "bz#ab#cd@example.com"},
	{"hexadecimal at the end", "b.00ffaa99@example.com", "b.#@example.com"},

	{"no '@'", "Root1", "root#@mx1.test"},
	{"nothing before '@'", "@Example.com", "@example.com"},
	{"nothing behind '@'", "User1+x@", "user1+x@"},
	{"only '@'", "@", "@"},
	{"the last '@' splits", "a@b+c1@example.com", "a@b@example.com"},
	{"a quoted local part", "\"John Doe+1\"@Example.com", "john doe@example.com"},
	{"a quoted '@'", "\"a@b\"@example.com", "a@b@example.com"},
	{"quoted within SRS0", "SRS0=aa=TT=example.org=\"a+1\"@f.example", "a@example.org"},
	{"one bracket", "<user@example.com", "<user@example.com"},
	{"other bytes", "\303\234ser1@example.com", "\303\274ser#@example.com"},
};
/* clang-format on */

/* clang-format off */
static const struct fold_row recipient_rows[] = {
	{"empty", "", ""},
	{"case", "<User@EXAMPLE.com>", "user@example.com"},
	{"an extension", "user+list@example.com", "user@example.com"},
	{"a leading '+'", "+user@example.com", "+user@example.com"},
	{"digits stay", "user42-12ab34cd@example.com", "user42-12ab34cd@example.com"},
	{"SRS stays", "SRS0=aa=TT=example.org=user@f.example",
	 "srs0=aa=tt=example.org=user@f.example"},
	{"BATV stays", "prvs=1234abcdef=user@example.com", "prvs=1234abcdef=user@example.com"},
	{"no '@'", "Postmaster", "postmaster@mx1.test"},
	{"quoted", "\"A+b\"@example.com", "a@example.com"},
};

/* clang-format on */

static char origin[] = "mx1.test", nothing[] = "", append[] = "host.test";
static const struct conf_rewrite as_postfix = {origin, nothing, true, true};

/* clang-format off */
/* What Postfix 3.7 said of the same address to a policy service and, in {rcpt_addr} or {mail_addr}, to a milter. */
static const struct spelling_row {
	const char *policy;
	const char *milter;
	const char *want;
} postfix_rows[] = {
	{"X@Local.Test", "x@local.test", "x@local.test"},
	{"x@local.test.", "x@local.test", "x@local.test"},
	{"bob%acme.test", "bob@acme.test", "bob@acme.test"},
	{"acme.test!bob", "bob@acme.test", "bob@acme.test"},
	{"bob", "bob@mx1.test", "bob@mx1.test"},
	{"bo b@local.test", "\"bo b\"@local.test", "bo b@local.test"},
	{"bob\"x@local.test", "\"bob\\\"x\"@local.test", "bobx@local.test"},
	{"@local.test", "\"\"@local.test", "@local.test"},
	{"b..ob@local.test", "\"b..ob\"@local.test", "b..ob@local.test"},
	{".bob@local.test", "\".bob\"@local.test", ".bob@local.test"},
	{"bob@[127.0.0.1]", "bob@[127.0.0.1]", "bob@[127.0.0.1]"},
	{"x@F\xc3\x96TZ.test", "x@f\xc3\xb6tz.test", "x@xn--ftz-sna.test"},
	{"x@XN--FTZ-SNA.test", "x@xn--ftz-sna.test", "x@xn--ftz-sna.test"},
	{"M\xc3\x9cLLER@local.test", "m\xc3\xbcller@local.test", "m\xc3\xbcller@local.test"},
	{"SRS0=x2y3=TT=example.org=User@forwarder.example", "srs0=x2y3=tt=example.org=user@forwarder.example",
	 "srs0=x2y3=tt=example.org=user@forwarder.example"},
	{"", "", ""},
};

/* As a client may write it, and as Postfix understands it. */
static const struct fold_row normal_rows[] = {
	{"the null sender", "<>", ""},
	{"brackets and blanks", " < Bob@acme.test > ", "bob@acme.test"},
	{"needless quotes", "<\"bob\"@acme.test>", "bob@acme.test"},
	{"a source route", "<@a.test,@b.test:bob@acme.test>", "bob@acme.test"},
	{"a short source route", "@a.test:Bob@acme.test", "bob@acme.test"},
	{"a source route that leads nowhere", "@a.test:", ""},
	{"the first '!'", "a.test!acme.test!bob", "acme.test!bob@a.test"},
	{"the last '%'", "bob%a.test%acme.test", "bob%a.test@acme.test"},
	{"'!' before '%'", "x.test!y%acme.test", "y%acme.test@x.test"},
	{"'@' before all", "acme.test!bob%b.test@c.test", "acme.test!bob%b.test@c.test"},
	{"the last '@'", "bob@a.test@acme.test", "bob@a.test@acme.test"},
	{"a domain without a dot", "bob@host", "bob@host"},
	{"nothing behind '@'", "bob@", "bob@"},
	{"an extension stays", "Bob+Lists@acme.test", "bob+lists@acme.test"},
	{"digits stay", "s1001@uni.example", "s1001@uni.example"},
	{"BATV stays", "prvs=1234abcdef=bob@acme.test", "prvs=1234abcdef=bob@acme.test"},
}, mailbox_rows[] = {
	{"the null sender", "", ""},
	{"a plain address", "s1001@uni.example", "s1001@uni.example"},
	{"an extension", "bob+lists@acme.test", "bob@acme.test"},
	{"BATV", "prvs=1234abcdef=Bob-7@acme.test", "bob-7@acme.test"},
	{"SRS", "SRS0=x2y3=TT=example.org=User1@forwarder.example", "user1@example.org"},
	{"no domain", "bob@", "bob@"},
};

/* clang-format on */

static struct slice
normal(const char *address, struct arena *arena)
{
	return mailaddr_normal(slice_of(address), &as_postfix, arena);
}

static void
check_row(const struct fold_row *r, struct slice (*fold)(struct slice, struct arena *))
{
	struct arena arena;
	arena_init(&arena);
	ck_slice_eq(r->row, fold(normal(r->address, &arena), &arena), r->want);
	arena_free(&arena);
}

static struct slice
as_it_is(struct slice address, struct arena *arena)
{
	return mailaddr_normal(address, &as_postfix, arena);
}

START_TEST(both_front_ends_mean_one_address)
{
	const struct spelling_row *r = &postfix_rows[_i];
	struct arena arena;
	arena_init(&arena);
	ck_slice_eq(r->policy, normal(r->policy, &arena), r->want);
	ck_slice_eq(r->milter, normal(r->milter, &arena), r->want);
	ck_slice_eq(r->want, normal(r->want, &arena), r->want);
	arena_free(&arena);
}

END_TEST

START_TEST(addresses_have_a_normal_form)
{
	check_row(&normal_rows[_i], as_it_is);
}

END_TEST

START_TEST(senders_have_a_mailbox)
{
	check_row(&mailbox_rows[_i], mailaddr_mailbox);
}

END_TEST

/* clang-format off */
static const struct setting_row {
	const char *row;
	struct conf_rewrite rewrite;
	const char *address;
	const char *want;
} setting_rows[] = {
	{"without percent hack", {origin, nothing, false, true}, "bob%acme.test", "bob%acme.test@mx1.test"},
	{"without bang paths", {origin, nothing, true, false}, "acme.test!bob", "acme.test!bob@mx1.test"},
	{"a domain is appended", {origin, append, true, true}, "bob@mail", "bob@mail.host.test"},
	{"but not where there is a dot", {origin, append, true, true}, "bob@mail.test", "bob@mail.test"},
	{"nor to a literal", {origin, append, true, true}, "bob@[::1]", "bob@[::1]"},
	{"nor to nothing", {origin, append, true, true}, "bob@", "bob@"},
	{"the origin has a spelling, too", {append, nothing, true, true}, "bob", "bob@host.test"},
};

/* clang-format on */

START_TEST(settings_tell_how_addresses_are_rewritten)
{
	const struct setting_row *r = &setting_rows[_i];
	struct arena arena;
	arena_init(&arena);
	ck_slice_eq(r->row, mailaddr_normal(slice_of(r->address), &r->rewrite, &arena),
	            r->want);
	arena_free(&arena);
}

END_TEST

START_TEST(senders_are_folded)
{
	check_row(&sender_rows[_i], mailaddr_fold_sender);
}

END_TEST

START_TEST(recipients_are_folded)
{
	check_row(&recipient_rows[_i], mailaddr_fold_recipient);
}

END_TEST

/* clang-format off */
static const struct fold_row domain_rows[] = {
	{"a domain", "user@Example.com", "Example.com"},
	{"the last @", "a@b@c.example", "c.example"},
	{"a dot at the end", "user@example.com.", "example.com"},
	{"none", "user", ""},
	{"empty", "user@", ""},
};

/* clang-format on */

START_TEST(domains_are_found)
{
	const struct fold_row *r = &domain_rows[_i];
	ck_slice_eq(r->row, mailaddr_domain(slice_of(r->address)), r->want);
}

END_TEST

START_TEST(long_addresses_are_cut)
{
	static char address[2000];
	struct arena arena;
	arena_init(&arena);
	memset(address, 'A', sizeof(address));
	memcpy(address + 1990, "@acme.Test", 10);
	struct slice all = {.p = address, .n = sizeof(address)};
	struct slice cut = mailaddr_normal(all, &as_postfix, &arena);
	ck_assert_uint_eq(cut.n, 512);
	ck_slice_eq("the domain stays", mailaddr_domain(cut), "acme.test");
	address[100] = '@';
	ck_assert_uint_eq(mailaddr_normal(all, &as_postfix, &arena).n, 512);
	arena_free(&arena);
}

END_TEST

START_TEST(a_nul_is_a_byte_like_others)
{
	struct arena arena;
	arena_init(&arena);
	struct slice folded = mailaddr_fold_sender(SLICE("a\0b1@example.com"), &arena);
	ck_assert(slice_eq(folded, SLICE("a\0b#@example.com")));
	folded = mailaddr_fold_sender(SLICE("srs1\0@example.com"), &arena);
	ck_assert(slice_eq(folded, SLICE("srs#\0@example.com")));
	folded = mailaddr_normal(SLICE("A\0B1@Example.com"), &as_postfix, &arena);
	ck_assert(slice_eq(folded, SLICE("a\0b1@example.com")));
	arena_free(&arena);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, both_front_ends_mean_one_address, 0,
	                    COUNT_OF(postfix_rows));
	tcase_add_loop_test(tcase, addresses_have_a_normal_form, 0,
	                    COUNT_OF(normal_rows));
	tcase_add_loop_test(tcase, settings_tell_how_addresses_are_rewritten, 0,
	                    COUNT_OF(setting_rows));
	tcase_add_loop_test(tcase, senders_have_a_mailbox, 0, COUNT_OF(mailbox_rows));
	tcase_add_loop_test(tcase, senders_are_folded, 0, COUNT_OF(sender_rows));
	tcase_add_loop_test(tcase, recipients_are_folded, 0, COUNT_OF(recipient_rows));
	tcase_add_loop_test(tcase, domains_are_found, 0, COUNT_OF(domain_rows));
	tcase_add_test(tcase, long_addresses_are_cut);
	tcase_add_test(tcase, a_nul_is_a_byte_like_others);
}

int
main(void)
{
	return harness_run("mailaddr", fill);
}
