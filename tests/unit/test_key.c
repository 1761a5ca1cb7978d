/* test_key.c - keys of the store.  These bytes are in people's stores. */
#include "rules/key.h"

#include "harness.h"

static const struct key_secret secret = {{
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
	0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15,
	0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
}};

#define SECRET_TEXT "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const char *
print_key(struct key key)
{
	static char buf[KEY_TEXT_LEN + 1];
	key_print(&key, buf);
	return buf;
}

/* clang-format off */
static const struct golden_row {
	const char *identity;
	const char *want;
} identity_rows[] = {
	{"", "Zn0lfAPRyBLQIE8892Nhzg"},
	{"example.com", "45wcljdirIozHq1_4d85XA"},
	{"192.0.2.0/24", "3L7TAxdkewPbGBRi66NLNA"},
	{"2001:db8::/64", "jtf8rMJ1uwv4U-fo9jGoEg"},
	{"google", "kv0iraM63FT2hDiioScApw"},
};

static const struct triplet_row {
	const char *parts[3];
	const char *want;
} triplet_rows[] = {
	{{"example.com", "user@a.example", "me@b.example"}, "YVopIVbxcdJ8bx6lsp3cdQ"},
	{{"192.0.2.0/24", "", "me@b.example"}, "SXjDX5iARFLmy60Bgyfcwg"},
	{{"2001:db8::/64", "bounce-#@lists.example", ""}, "bld2lEv7UhkhzFZBVwlM7w"},
	{{"", "", ""}, "KHf5gYyzKGL1KSfLoOq4-A"},
};

static const struct limit_row {
	const char *what, *name;
	const char *want;
} limit_rows[] = {
	{"00", "acme", "1OmCkaq9DwuSEx3uRBg6Hg"},
	{"01", "acme", "DYORkALXzo4yQ1e0r4PFvw"},
	{"02", "acme", "faub9dphfAv6-PnfduvKPA"},
	{"10", "192.0.2.0/24", "AIvVertCf99JuW-7cp2g3Q"},
	{"21", "user@a.example", "NraO83PMbLeOXyLSP3HvIg"},
	{"32", "alice", "RJQv7YB0pq7laUotyV3Cnw"},
	{"", "", "DUWKChvOx6qp2F2z8VHRbg"},
};

static const struct triplet_row note_rows[] = {
	{{"p/mx1/192.0.2.1:2525", "user@a.example", "me@b.example"}, "GiqVYOlfM27g4R1ZPVRLEQ"},
	{{"p/mx1/-:7", "", "me@b.example"}, "YyvLxWiOSAeJYSlG1ciPNw"},
	{{"", "", ""}, "L1K7O9-Mt_CV5ccEd50RcQ"},
};

/* clang-format on */

START_TEST(identities_have_the_keys_they_had)
{
	const struct golden_row *r = &identity_rows[_i];
	ck_assert_str_eq(print_key(key_identity(&secret, slice_of(r->identity))),
	                 r->want);
}

END_TEST

START_TEST(triplets_have_the_keys_they_had)
{
	const struct triplet_row *r = &triplet_rows[_i];
	struct key key = key_triplet(&secret, slice_of(r->parts[0]),
	                             slice_of(r->parts[1]), slice_of(r->parts[2]));
	ck_assert_str_eq(print_key(key), r->want);
}

END_TEST

START_TEST(limits_have_the_keys_they_had)
{
	const struct limit_row *r = &limit_rows[_i];
	struct key key = key_limit(&secret, slice_of(r->what), slice_of(r->name));
	ck_assert_str_eq(print_key(key), r->want);
}

END_TEST

START_TEST(notes_have_the_keys_they_had)
{
	const struct triplet_row *r = &note_rows[_i];
	struct key key = key_note(&secret, slice_of(r->parts[0]), slice_of(r->parts[1]),
	                          slice_of(r->parts[2]));
	ck_assert_str_eq(print_key(key), r->want);
}

END_TEST

/* clang-format off */
static const char *const others[][3] = {
	{"ab", "c", "d"},
	{"a", "bc", "d"},
	{"a", "b", "cd"},
	{"abcd", "", ""},
	{"", "abcd", ""},
	{"", "", "abcd"},
	{"", "", ""},
	{"ab", "cd", ""},
	{"ab", "", "cd"},
	{"b", "a", "d"},
	{"AB", "c", "d"},
	{"ab", "c", "d "},
	{"\1", "", ""},
	{"", "\1", ""},
};

/* clang-format on */

START_TEST(other_parts_give_other_keys)
{
	for (size_t i = 0; i < COUNT_OF(others); i++)
		for (size_t j = 0; j < i; j++) {
			struct key a = key_triplet(&secret, slice_of(others[i][0]),
			                           slice_of(others[i][1]),
			                           slice_of(others[i][2]));
			struct key b = key_triplet(&secret, slice_of(others[j][0]),
			                           slice_of(others[j][1]),
			                           slice_of(others[j][2]));
			ck_assert_msg(memcmp(&a, &b, sizeof(a)) != 0, "rows %zu and %zu",
			              i, j);
		}
}

END_TEST

START_TEST(other_parts_give_other_notes)
{
	for (size_t i = 0; i < COUNT_OF(others); i++)
		for (size_t j = 0; j < i; j++) {
			struct key a =
				key_note(&secret, slice_of(others[i][0]),
			                 slice_of(others[i][1]), slice_of(others[i][2]));
			struct key b =
				key_note(&secret, slice_of(others[j][0]),
			                 slice_of(others[j][1]), slice_of(others[j][2]));
			ck_assert_msg(memcmp(&a, &b, sizeof(a)) != 0, "rows %zu and %zu",
			              i, j);
		}
}

END_TEST

START_TEST(a_limit_is_a_bound_and_a_name)
{
	struct key key = key_limit(&secret, SLICE("00"), SLICE("a"));
	struct key bound = key_limit(&secret, SLICE("01"), SLICE("a"));
	struct key name = key_limit(&secret, SLICE("00"), SLICE("b"));
	struct key shifted = key_limit(&secret, SLICE("0"), SLICE("0a"));
	ck_assert_mem_ne(&key, &bound, sizeof(key));
	ck_assert_mem_ne(&key, &name, sizeof(key));
	ck_assert_mem_ne(&key, &shifted, sizeof(key));
}

END_TEST

START_TEST(a_note_is_no_triplet)
{
	struct key note = key_note(&secret, SLICE("a"), SLICE("b"), SLICE("c"));
	struct key triplet = key_triplet(&secret, SLICE("a"), SLICE("b"), SLICE("c"));
	ck_assert_mem_ne(&note, &triplet, sizeof(note));
}

END_TEST

START_TEST(an_identity_is_no_triplet)
{
	struct key identity = key_identity(&secret, SLICE("a"));
	struct key triplet = key_triplet(&secret, SLICE("a"), SLICE(""), SLICE(""));
	ck_assert_mem_ne(&identity, &triplet, sizeof(identity));
	/* not even when its text spells what a triplet's message is made of */
	identity = key_identity(&secret, SLICE("a\0\0\0\0"));
	ck_assert_mem_ne(&identity, &triplet, sizeof(identity));
}

END_TEST

START_TEST(another_site_has_other_keys)
{
	for (size_t i = 0; i < KEY_SECRET_BYTES; i++) {
		struct key_secret other = secret;
		other.bytes[i] ^= 0x80;
		struct key a = key_identity(&secret, SLICE("example.com"));
		struct key b = key_identity(&other, SLICE("example.com"));
		ck_assert_msg(memcmp(&a, &b, sizeof(a)) != 0, "byte %zu does not count",
		              i);
	}
}

END_TEST

START_TEST(a_long_part_has_the_key_it_had)
{
	char buf[300];
	memset(buf, 'x', sizeof(buf));
	struct slice part = {.p = buf, .n = sizeof(buf)};
	ck_assert_str_eq(print_key(key_identity(&secret, part)),
	                 "GyarzLZZTEKusZHsC_xBPQ");
	ck_assert_str_eq(print_key(key_triplet(&secret, SLICE("a"), part, SLICE("b"))),
	                 "Y3p0Byro4F5U1eHb5qve7w");
}

END_TEST

/* Folded addresses have 512 bytes at most: up to there every byte counts. */
START_TEST(long_parts_count_to_their_end)
{
	char a[600], b[600];
	memset(a, 'x', sizeof(a));
	memset(b, 'x', sizeof(b));
	b[511] = 'y';
	struct slice x = {.p = a, .n = 512}, y = {.p = b, .n = 512};
	struct slice longer = {.p = a, .n = 600};
	for (int part = 0; part < 3; part++) {
		struct key k1 =
			key_triplet(&secret, part == 0 ? x : SLICE(""),
		                    part == 1 ? x : SLICE(""), part == 2 ? x : SLICE(""));
		struct key k2 =
			key_triplet(&secret, part == 0 ? y : SLICE(""),
		                    part == 1 ? y : SLICE(""), part == 2 ? y : SLICE(""));
		ck_assert_mem_ne(&k1, &k2, sizeof(k1));
	}
	struct key all = key_triplet(&secret, longer, longer, longer);
	struct key most = key_triplet(&secret, x, x, x);
	ck_assert_mem_eq(&all, &most, sizeof(all));
}

END_TEST

/* clang-format off */
static const struct print_row {
	struct key key;
	const char *want;
} print_rows[] = {
	{{{0}}, "AAAAAAAAAAAAAAAAAAAAAA"},
	{{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}},
		"_____________________w"},
	{{{0x00, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20, 0x92, 0x8b, 0x30, 0xd3, 0x8f, 0x41, 0x14, 0x93, 0x51}},
		"ABCDEFGHIJKLMNOPQRSTUQ"},
	{{{0xfb, 0xff, 0xbf, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, "-_-_AAAAAAAAAAAAAAAAAQ"},
};

/* clang-format on */

START_TEST(keys_are_printed)
{
	const struct print_row *r = &print_rows[_i];
	ck_assert_str_eq(print_key(r->key), r->want);
}

END_TEST

START_TEST(what_was_printed_is_read)
{
	struct key got,
		want = key_identity(&secret, slice_of(identity_rows[_i].identity));
	ck_assert(key_parse(slice_of(identity_rows[_i].want), &got));
	ck_assert_mem_eq(got.bytes, want.bytes, KEY_BYTES);
}

END_TEST

/* clang-format off */
static const struct no_key_row {
	const char *row;
	const char *text;
} no_key_rows[] = {
	{"nothing", ""},
	{"a digit short", "Zn0lfAPRyBLQIE8892Nhz"},
	{"a digit long", "Zn0lfAPRyBLQIE8892Nhzgg"},
	{"padded", "Zn0lfAPRyBLQIE8892Nhz="},
	{"the other alphabet", "Zn0lfAPRyBLQIE8892Nh+g"},
	{"a blank", "Zn0lfAPRyBLQIE8892Nh g"},
	{"bits behind the last byte", "Zn0lfAPRyBLQIE8892Nhzh"},
	{"bits behind the last byte, the highest", "Zn0lfAPRyBLQIE8892Nhzo"},
};

/* clang-format on */

START_TEST(only_what_is_printed_is_read)
{
	struct key key;
	ck_assert_msg(!key_parse(slice_of(no_key_rows[_i].text), &key), "%s",
	              no_key_rows[_i].row);
}

END_TEST

START_TEST(a_secret_is_printed_and_read)
{
	char buf[KEY_SECRET_TEXT_LEN + 1];
	struct key_secret again;
	key_secret_print(&secret, buf);
	ck_assert_str_eq(buf, SECRET_TEXT);
	ck_assert(key_secret_parse(slice_of(buf), &again));
	ck_assert_mem_eq(&again, &secret, sizeof(again));
}

END_TEST

/* clang-format off */
static const struct secret_row {
	const char *row;
	struct slice text;
	bool want;
} secret_rows[] = {
	{"as printed", SLICE_INIT(SECRET_TEXT), true},
	{"in capitals", SLICE_INIT("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"), true},
	{"nothing", SLICE_INIT(""), false},
	{"a digit less", SLICE_INIT("00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), false},
	{"a digit more", SLICE_INIT(SECRET_TEXT "0"), false},
	{"a newline", SLICE_INIT(SECRET_TEXT "\n"), false},
	{"no digit", SLICE_INIT("g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), false},
	{"a blank", SLICE_INIT("00 102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), false},
	{"a NUL", SLICE_INIT("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1\0"), false},
};

/* clang-format on */

START_TEST(only_whole_secrets_are_read)
{
	const struct secret_row *r = &secret_rows[_i];
	struct key_secret got;
	ck_assert_msg(key_secret_parse(r->text, &got) == r->want, "%s", r->row);
}

END_TEST

START_TEST(new_secrets_differ)
{
	struct key_secret a, b;
	key_secret_make(&a);
	key_secret_make(&b);
	ck_assert_mem_ne(&a, &b, sizeof(a));
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, identities_have_the_keys_they_had, 0,
	                    COUNT_OF(identity_rows));
	tcase_add_loop_test(tcase, triplets_have_the_keys_they_had, 0,
	                    COUNT_OF(triplet_rows));
	tcase_add_loop_test(tcase, limits_have_the_keys_they_had, 0,
	                    COUNT_OF(limit_rows));
	tcase_add_loop_test(tcase, notes_have_the_keys_they_had, 0, COUNT_OF(note_rows));
	tcase_add_test(tcase, other_parts_give_other_keys);
	tcase_add_test(tcase, other_parts_give_other_notes);
	tcase_add_test(tcase, a_limit_is_a_bound_and_a_name);
	tcase_add_test(tcase, a_note_is_no_triplet);
	tcase_add_test(tcase, an_identity_is_no_triplet);
	tcase_add_test(tcase, another_site_has_other_keys);
	tcase_add_test(tcase, a_long_part_has_the_key_it_had);
	tcase_add_test(tcase, long_parts_count_to_their_end);
	tcase_add_loop_test(tcase, keys_are_printed, 0, COUNT_OF(print_rows));
	tcase_add_loop_test(tcase, what_was_printed_is_read, 0, COUNT_OF(identity_rows));
	tcase_add_loop_test(tcase, only_what_is_printed_is_read, 0,
	                    COUNT_OF(no_key_rows));
	tcase_add_test(tcase, a_secret_is_printed_and_read);
	tcase_add_loop_test(tcase, only_whole_secrets_are_read, 0, COUNT_OF(secret_rows));
	tcase_add_test(tcase, new_secrets_differ);
}

int
main(void)
{
	return harness_run("key", fill);
}
