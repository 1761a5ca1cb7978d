/* test_postgrey_row.c - keys and values as postgrey writes them, and what it never writes. */
#include "postgrey_row.h"

#include "harness.h"

/* clang-format off */
static const struct key_row {
	const char *row;
	const char *key;
	const char *client; /* NULL: malformed */
	const char *sender, *recipient;
	bool whole;
} key_rows[] = {
	{"a network", "192.0.2.0/a@x.test/b@y.test", "192.0.2.0", "a@x.test", "b@y.test", false},
	{"--lookup-by-host", "192.0.2.7/32/a@x.test/b@y.test", "192.0.2.7", "a@x.test", "b@y.test", true},
	{"IPv6", "2001:db8:0:0:0:0:0:0/a@x.test/b@y.test", "2001:db8::", "a@x.test", "b@y.test", false},
	{"IPv6 by host", "2001:db8:0:0:0:0:0:7/128/a@x.test/b@y.test", "2001:db8::7", "a@x.test", "b@y.test", true},
	{"the null sender", "192.0.2.0//b@y.test", "192.0.2.0", "", "b@y.test", false},
	{"the null sender by host", "192.0.2.7/32//b@y.test", "192.0.2.7", "", "b@y.test", true},
	{"'/' in the sender", "192.0.2.0/a/b/c@x.test/b@y.test", "192.0.2.0", "a/b/c@x.test", "b@y.test", false},
	{"'/' in the recipient", "192.0.2.0/a@x.test/b/c@y.test", "192.0.2.0", "a@x.test", "b/c@y.test", false},
	{"'/' in both", "192.0.2.0/a/b@x.test/c/d@y.test", "192.0.2.0", "a/b@x.test", "c/d@y.test", false},
	{"'/' first in the sender", "192.0.2.0//c=de/@gw.test/b@y.test", "192.0.2.0", "/c=de/@gw.test", "b@y.test", false},
	{"a sender without a domain", "192.0.2.0/root/b@y.test", "192.0.2.0", "root", "b@y.test", false},
	{"a sender that is a number", "192.0.2.0/32/b@y.test", "192.0.2.0", "32", "b@y.test", false},
	{"a recipient without a domain", "192.0.2.0/a@x.test/postmaster", "192.0.2.0", "a@x.test", "postmaster", false},
	{"no domains at all", "192.0.2.0/root/postmaster", "192.0.2.0", "root", "postmaster", false},
	{"digits were folded", "192.0.2.0/bounce-#-#@x.test/b@y.test", "192.0.2.0", "bounce-#-#@x.test", "b@y.test", false},

	{"nothing", "", NULL, NULL, NULL, false},
	{"an address alone", "192.0.2.0", NULL, NULL, NULL, false},
	{"no recipient", "192.0.2.0/a@x.test", NULL, NULL, NULL, false},
	{"an empty recipient", "192.0.2.0/a@x.test/", NULL, NULL, NULL, false},
	{"nothing behind the length", "192.0.2.0/32/", NULL, NULL, NULL, false},
	{"no address", "mail.x.test/a@x.test/b@y.test", NULL, NULL, NULL, false},
	{"an address too long", "192.0.2.0.1/a@x.test/b@y.test", NULL, NULL, NULL, false},
	{"a number too large", "192.0.2.256/a@x.test/b@y.test", NULL, NULL, NULL, false},
	{"no client", "/a@x.test/b@y.test", NULL, NULL, NULL, false},
	{"hashed", "da39a3ee5e6b4b0d3255bfef95601890afd80709", NULL, NULL, NULL, false},
	{"slashes", "////", NULL, NULL, NULL, false},
};

/* clang-format on */

START_TEST(keys_are_taken_apart)
{
	const struct key_row *r = &key_rows[_i];
	struct postgrey_triplet got;
	struct addr client;
	bool ok = postgrey_parse_triplet(slice_of(r->key), &got);
	ck_assert_msg(ok == (r->client != NULL), "%s", r->row);
	if (!ok)
		return;
	ck_assert(addr_parse(slice_of(r->client), &client));
	ck_assert_msg(addr_eq(&client, &got.client), "%s", r->row);
	ck_slice_eq(r->row, got.sender, r->sender);
	ck_slice_eq(r->row, got.recipient, r->recipient);
	ck_assert_msg(got.whole == r->whole, "%s", r->row);
}

END_TEST

/* clang-format off */
static const struct value_row {
	const char *row;
	const char *value;
	int64_t first, last; /* -1: malformed */
} value_rows[] = {
	{"usual", "1700000000,1700000300", 1700000000, 1700000300},
	{"with a host behind", "1700000000,1700000300,mail.x.test", 1700000000, 1700000300},
	{"with nothing behind", "1,2,", 1, 2},
	{"the last second", "0,17179869183", 0, 17179869183},
	{"a second later", "0,17179869184", -1, 0},
	{"one number", "1700000000", -1, 0},
	{"nothing", "", -1, 0},
	{"a comma", ",", -1, 0},
	{"no first", ",1700000300", -1, 0},
	{"no last", "1700000000,", -1, 0},
	{"negative", "-1,5", -1, 0},
	{"a blank", "1, 5", -1, 0},
	{"a fraction", "1.5,2", -1, 0},
	{"an exponent", "1e9,2e9", -1, 0},
	{"larger than any number", "1,99999999999999999999999999", -1, 0},
};

/* clang-format on */

START_TEST(values_are_two_times)
{
	const struct value_row *r = &value_rows[_i];
	int64_t first, last;
	bool ok = postgrey_parse_value(slice_of(r->value), &first, &last);
	ck_assert_msg(ok == (r->first >= 0), "%s", r->row);
	if (ok)
		ck_assert_msg(first == r->first && last == r->last, "%s", r->row);
}

END_TEST

START_TEST(hashes_are_known)
{
	ck_assert(postgrey_is_hashed(SLICE("da39a3ee5e6b4b0d3255bfef95601890afd80709")));
	ck_assert(!postgrey_is_hashed(SLICE("da39a3ee5e6b4b0d3255bfef95601890afd8070")));
	ck_assert(
		!postgrey_is_hashed(SLICE("da39a3ee5e6b4b0d3255bfef95601890afd807090")));
	ck_assert(!postgrey_is_hashed(SLICE("da39a3ee5e6b4b0d3255bfef95601890afd8070/")));
	ck_assert(!postgrey_is_hashed(SLICE("")));
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, keys_are_taken_apart, 0, COUNT_OF(key_rows));
	tcase_add_loop_test(tcase, values_are_two_times, 0, COUNT_OF(value_rows));
	tcase_add_test(tcase, hashes_are_known);
}

int
main(void)
{
	return harness_run("postgrey_row", fill);
}
