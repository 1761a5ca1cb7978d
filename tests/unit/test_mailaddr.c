/* test_mailaddr.c - which envelope addresses are the same one to greylisting. */
#include "mailaddr.h"

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

	{"no '@'", "Root1", "root1"},
	{"nothing before '@'", "@Example.com", "@example.com"},
	{"nothing behind '@'", "User1+x@", "user1+x@"},
	{"only '@'", "@", "@"},
	{"the last '@' splits", "a@b+c1@example.com", "a@b@example.com"},
	{"a quoted local part", "\"John Doe+1\"@Example.com", "\"john doe+1\"@example.com"},
	{"a quoted '@'", "\"a@b\"@example.com", "\"a@b\"@example.com"},
	{"quoted within SRS0", "SRS0=aa=TT=example.org=\"a+1\"@f.example", "\"a+1\"@example.org"},
	{"one bracket", "<user@example.com", "<user@example.com"},
	{"other bytes", "\303\234ser1@example.com", "\303\234ser#@example.com"},
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
	{"no '@'", "Postmaster", "postmaster"},
	{"quoted", "\"A+b\"@example.com", "\"a+b\"@example.com"},
};

/* clang-format on */

static void
check_row(const struct fold_row *r, struct slice (*fold)(struct slice, struct arena *))
{
	struct arena arena;
	arena_init(&arena);
	struct slice once = fold(slice_of(r->address), &arena);
	ck_slice_eq(r->row, once, r->want);
	arena_free(&arena);
}

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
static const struct fold_row quoted_rows[] = {
	{"nothing to do", "user@example.com", "user@example.com"},
	{"empty", "", ""},
	{"a blank", "\"first last\"@example.com", "first last@example.com"},
	{"needless quotes", "\"user\"@example.com", "user@example.com"},
	{"backslashes", "\"a\\\"b\\\\c\"@example.com", "a\"b\\c@example.com"},
	{"an @ in quotes", "\"a@b\"@example.com", "a@b@example.com"},
	{"half a pair", "\"user@example.com", "\"user@example.com"},
	{"one quote", "\"@example.com", "\"@example.com"},
	{"empty quotes", "\"\"@example.com", "@example.com"},
	{"no domain", "\"user\"", "\"user\""},
};

static const struct fold_row domain_rows[] = {
	{"a domain", "user@Example.com", "Example.com"},
	{"the last @", "a@b@c.example", "c.example"},
	{"a dot at the end", "user@example.com.", "example.com"},
	{"none", "user", ""},
	{"empty", "user@", ""},
};

/* clang-format on */

START_TEST(quotes_are_taken_off)
{
	check_row(&quoted_rows[_i], mailaddr_unquote);
}

END_TEST

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
	struct slice all = {.p = address, .n = sizeof(address)};
	ck_assert_uint_eq(mailaddr_fold_sender(all, &arena).n, 512);
	address[100] = '@';
	struct slice folded = mailaddr_fold_recipient(all, &arena);
	ck_assert_uint_eq(folded.n, 512);
	ck_assert_int_eq(folded.p[511], 'a');
	arena_free(&arena);
}

END_TEST

START_TEST(a_nul_is_a_byte_like_others)
{
	struct arena arena;
	arena_init(&arena);
	struct slice folded = mailaddr_fold_sender(SLICE("a\0B1@example.com"), &arena);
	ck_assert(slice_eq(folded, SLICE("a\0b#@example.com")));
	folded = mailaddr_fold_sender(SLICE("srs1\0@example.com"), &arena);
	ck_assert(slice_eq(folded, SLICE("srs#\0@example.com")));
	arena_free(&arena);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, senders_are_folded, 0, COUNT_OF(sender_rows));
	tcase_add_loop_test(tcase, recipients_are_folded, 0, COUNT_OF(recipient_rows));
	tcase_add_loop_test(tcase, quotes_are_taken_off, 0, COUNT_OF(quoted_rows));
	tcase_add_loop_test(tcase, domains_are_found, 0, COUNT_OF(domain_rows));
	tcase_add_test(tcase, long_addresses_are_cut);
	tcase_add_test(tcase, a_nul_is_a_byte_like_others);
}

int
main(void)
{
	return harness_run("mailaddr", fill);
}
