/* test_postgrey_row.c - keys and values as postgrey writes them, and what it never writes. */
#include "postgrey_row.h"

#include "harness.h"

/* clang-format off */
static const struct key_row {
	const char *row;
	const char *key;
	const char *client; /* NULL: malformed */
	const char *sender, *recipient;
	unsigned bits; /* 0: the key does not say */
} key_rows[] = {
	{"a network", "192.0.2.0/a@x.test/b@y.test", "192.0.2.0", "a@x.test", "b@y.test", 0},
	{"--lookup-by-host", "192.0.2.7/32/a@x.test/b@y.test", "192.0.2.7", "a@x.test", "b@y.test", 32},
	{"IPv6", "2001:db8:0:0:0:0:0:0/a@x.test/b@y.test", "2001:db8::", "a@x.test", "b@y.test", 0},
	{"IPv6 by host", "2001:db8:0:0:0:0:0:7/128/a@x.test/b@y.test", "2001:db8::7", "a@x.test", "b@y.test", 128},
	{"1.36: a network and its length", "192.0.2.0/24/a@s.test/b@here.test", "192.0.2.0", "a@s.test", "b@here.test", 24},
	{"1.36: --ipv4cidr=27", "192.0.2.96/27/a@x.test/b@y.test", "192.0.2.96", "a@x.test", "b@y.test", 27},
	{"1.36: the null sender", "192.0.2.0/24//b@y.test", "192.0.2.0", "", "b@y.test", 24},
	{"1.36: IPv6", "2001:db8:0:1:0:0:0:0/64/a@x.test/b@y.test", "2001:db8:0:1::", "a@x.test", "b@y.test", 64},
	{"1.36: host bits are set", "192.0.2.7/24/a@x.test/b@y.test", "192.0.2.7", "a@x.test", "b@y.test", 24},
	{"1.36: '/' in the sender", "192.0.2.0/24/a/b@x.test/c@y.test", "192.0.2.0", "a/b@x.test", "c@y.test", 24},
	{"1.34: a client of a pool", "192.0.2.7/a@x.test/b@y.test", "192.0.2.7", "a@x.test", "b@y.test", 0},
	{"1.34: IPv6 as Postfix writes it", "2001:db8::7/a@x.test/b@y.test", "2001:db8::7", "a@x.test", "b@y.test", 0},
	{"no network has so many bits", "192.0.2.0/33/a@x.test/b@y.test", "192.0.2.0", "33/a@x.test", "b@y.test", 0},
	{"nor none", "192.0.2.0/0/a@x.test/b@y.test", "192.0.2.0", "0/a@x.test", "b@y.test", 0},
	{"digits before the sender's '@'", "192.0.2.0/24a/b@x.test/b@y.test", "192.0.2.0", "24a/b@x.test", "b@y.test", 0},
	{"the null sender", "192.0.2.0//b@y.test", "192.0.2.0", "", "b@y.test", 0},
	{"the null sender by host", "192.0.2.7/32//b@y.test", "192.0.2.7", "", "b@y.test", 32},
	{"'/' in the sender", "192.0.2.0/a/b/c@x.test/b@y.test", "192.0.2.0", "a/b/c@x.test", "b@y.test", 0},
	{"'/' in the recipient", "192.0.2.0/a@x.test/b/c@y.test", "192.0.2.0", "a@x.test", "b/c@y.test", 0},
	{"'/' in both", "192.0.2.0/a/b@x.test/c/d@y.test", "192.0.2.0", "a/b@x.test", "c/d@y.test", 0},
	{"'/' first in the sender", "192.0.2.0//c=de/@gw.test/b@y.test", "192.0.2.0", "/c=de/@gw.test", "b@y.test", 0},
	{"a sender without a domain", "192.0.2.0/root/b@y.test", "192.0.2.0", "root", "b@y.test", 0},
	{"a sender that is a number", "192.0.2.0/32/b@y.test", "192.0.2.0", "32", "b@y.test", 0},
	{"a recipient without a domain", "192.0.2.0/a@x.test/postmaster", "192.0.2.0", "a@x.test", "postmaster", 0},
	{"no domains at all", "192.0.2.0/root/postmaster", "192.0.2.0", "root", "postmaster", 0},
	{"digits were folded", "192.0.2.0/bounce-#-#@x.test/b@y.test", "192.0.2.0", "bounce-#-#@x.test", "b@y.test", 0},

	{"nothing", "", NULL, NULL, NULL, 0},
	{"an address alone", "192.0.2.0", NULL, NULL, NULL, 0},
	{"no recipient", "192.0.2.0/a@x.test", NULL, NULL, NULL, 0},
	{"an empty recipient", "192.0.2.0/a@x.test/", NULL, NULL, NULL, 0},
	{"nothing behind the length", "192.0.2.0/32/", NULL, NULL, NULL, 0},
	{"no address", "mail.x.test/a@x.test/b@y.test", NULL, NULL, NULL, 0},
	{"an address too long", "192.0.2.0.1/a@x.test/b@y.test", NULL, NULL, NULL, 0},
	{"a number too large", "192.0.2.256/a@x.test/b@y.test", NULL, NULL, NULL, 0},
	{"no client", "/a@x.test/b@y.test", NULL, NULL, NULL, 0},
	{"hashed", "da39a3ee5e6b4b0d3255bfef95601890afd80709", NULL, NULL, NULL, 0},
	{"slashes", "////", NULL, NULL, NULL, 0},
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
	ck_assert_msg(got.bits == r->bits, "%s", r->row);
}

END_TEST

/* clang-format off */
static const struct client_row {
	const char *row;
	const char *key;
	const char *client; /* NULL: malformed */
	unsigned bits;
} client_rows[] = {
	{"an address", "192.0.2.7", "192.0.2.7", 0},
	{"with its length", "192.0.2.7/32", "192.0.2.7", 32},
	{"a network", "192.0.2.0/24", "192.0.2.0", 24},
	{"IPv6", "2001:db8:0:0:0:0:0:7", "2001:db8::7", 0},
	{"IPv6 with its length", "2001:db8:0:0:0:0:0:7/128", "2001:db8::7", 128},
	{"a name", "mail.x.test", NULL, 0},
	{"a length of nothing", "192.0.2.7/", NULL, 0},
	{"a length too large", "192.0.2.7/33", NULL, 0},
	{"more behind it", "192.0.2.7/32/a@x.test", NULL, 0},
	{"nothing", "", NULL, 0},
};

/* clang-format on */

START_TEST(keys_of_clients_are_taken_apart)
{
	const struct client_row *r = &client_rows[_i];
	struct addr client, got;
	unsigned bits;
	bool ok = postgrey_parse_client(slice_of(r->key), &got, &bits);
	ck_assert_msg(ok == (r->client != NULL), "%s", r->row);
	if (!ok)
		return;
	ck_assert(addr_parse(slice_of(r->client), &client));
	ck_assert_msg(addr_eq(&client, &got) && bits == r->bits, "%s", r->row);
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
	tcase_add_loop_test(tcase, keys_of_clients_are_taken_apart, 0,
	                    COUNT_OF(client_rows));
	tcase_add_loop_test(tcase, values_are_two_times, 0, COUNT_OF(value_rows));
	tcase_add_test(tcase, hashes_are_known);
}

int
main(void)
{
	return harness_run("postgrey_row", fill);
}
