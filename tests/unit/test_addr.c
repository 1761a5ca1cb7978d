/* test_addr.c - addresses, networks, and where to listen or to connect. */
#include "base/addr.h"

#include "base/endpoint.h"
#include "harness.h"

static const char *
print_addr(const struct addr *addr)
{
	static char buf[ADDR_TEXT_MAX];
	struct text text = TEXT(buf);
	addr_print(addr, &text);
	return buf;
}

/* clang-format off */
static const struct addr_row {
	const char *in;
	const char *want; /* as printed; NULL: refused */
	enum addr_family family;
} addr_rows[] = {
	{"192.0.2.1", "192.0.2.1", ADDR_V4},
	{"0.0.0.0", "0.0.0.0", ADDR_V4},
	{"255.255.255.255", "255.255.255.255", ADDR_V4},
	{"2001:DB8::1", "2001:db8::1", ADDR_V6},
	{"2001:db8:0:0:0:0:0:1", "2001:db8::1", ADDR_V6},
	{"[2001:db8::1]", "2001:db8::1", ADDR_V6},
	{"[192.0.2.1]", "192.0.2.1", ADDR_V4},
	{"IPv6:2001:db8::1", "2001:db8::1", ADDR_V6},
	{"ipv6:2001:db8::1", "2001:db8::1", ADDR_V6},
	{"::", "::", ADDR_V6},
	{"::1", "::1", ADDR_V6},
	{"::ffff:192.0.2.1", "192.0.2.1", ADDR_V4},
	{"::FFFF:c000:0201", "192.0.2.1", ADDR_V4},
	{"::192.0.2.1", "::192.0.2.1", ADDR_V6}, /* deprecated, and another address */
	{"64:ff9b::192.0.2.1", "64:ff9b::c000:201", ADDR_V6},
	{"", NULL, ADDR_NONE},
	{"unknown", NULL, ADDR_NONE},
	{"192.0.2", NULL, ADDR_NONE},
	{"192.0.2.256", NULL, ADDR_NONE},
	{"192.0.2.1.1", NULL, ADDR_NONE},
	{"192.0.2.1 ", NULL, ADDR_NONE},
	{" 192.0.2.1", NULL, ADDR_NONE},
	{"192.0.2.1/32", NULL, ADDR_NONE},
	{"0x7f.0.0.1", NULL, ADDR_NONE},
	{"3232235777", NULL, ADDR_NONE},
	{"2001:db8::1::", NULL, ADDR_NONE},
	{"2001:db8:::1", NULL, ADDR_NONE},
	{"1:2:3:4:5:6:7", NULL, ADDR_NONE},
	{"12345::", NULL, ADDR_NONE},
	{"fe80::1%eth0", "fe80::1", ADDR_V6},
	{"fe80::1%2", "fe80::1", ADDR_V6},
	{"febf::1%br-0a1b2c3d4e5f", "febf::1", ADDR_V6},
	{"[fe80::1%eth0]", "fe80::1", ADDR_V6},
	{"IPv6:fe80::1%eth0.7", "fe80::1", ADDR_V6},
	{"[IPv6:2001:db8::1]", "2001:db8::1", ADDR_V6},
	{"[::ffff:192.0.2.1]", "192.0.2.1", ADDR_V4},
	{"fe80::1%", NULL, ADDR_NONE},
	{"fe80::1%eth0%eth1", NULL, ADDR_NONE},
	{"fe80::1%e 0", NULL, ADDR_NONE},
	{"2001:db8::1%eth0", NULL, ADDR_NONE}, /* a zone is of link-local addresses */
	{"fec0::1%eth0", NULL, ADDR_NONE},
	{"192.0.2.1%eth0", NULL, ADDR_NONE},
	{"169.254.0.1%eth0", NULL, ADDR_NONE},
	{"%eth0", NULL, ADDR_NONE},
	{"[2001:db8::1", NULL, ADDR_NONE},
	{"[]", NULL, ADDR_NONE},
	{"[", NULL, ADDR_NONE},
	{"IPv6:", NULL, ADDR_NONE},
	{"2001:0db8:0000:0000:0000:0000:0000:0001:0000:0000:0000:0000:0000:0000:0000:0000", NULL,
		ADDR_NONE},
};

/* clang-format on */

START_TEST(addresses_are_read)
{
	const struct addr_row *r = &addr_rows[_i];
	struct addr addr = {0};
	ck_assert_msg(addr_parse(slice_of(r->in), &addr) == (r->want != NULL), "%s",
	              r->in);
	ck_assert_msg(addr.family == r->family, "%s: family %d", r->in, addr.family);
	if (r->want)
		ck_assert_msg(strcmp(print_addr(&addr), r->want) == 0, "%s: %s", r->in,
		              print_addr(&addr));
}

END_TEST

START_TEST(a_nul_is_no_address)
{
	struct addr addr = {0};
	ck_assert(!addr_parse(SLICE("192.0.2.1\0"), &addr));
	ck_assert(!addr_parse(SLICE("192.0.2.1\0.5"), &addr));
	ck_assert_str_eq(print_addr(&addr), "unknown");
}

END_TEST

/* clang-format off */
static const struct mask_row {
	const char *addr;
	unsigned bits;
	const char *want;
} mask_rows[] = {
	{"192.0.2.255", 32, "192.0.2.255"},
	{"192.0.2.255", 31, "192.0.2.254"},
	{"192.0.2.255", 25, "192.0.2.128"},
	{"192.0.2.255", 24, "192.0.2.0"},
	{"192.0.2.255", 23, "192.0.2.0"},
	{"192.0.3.255", 23, "192.0.2.0"},
	{"192.0.2.255", 1, "128.0.0.0"},
	{"192.0.2.255", 0, "0.0.0.0"},
	{"2001:db8:ffff:ffff:ffff::1", 128, "2001:db8:ffff:ffff:ffff::1"},
	{"2001:db8:ffff:ffff:ffff::1", 64, "2001:db8:ffff:ffff::"},
	{"2001:db8:ffff:ffff:ffff::1", 49, "2001:db8:ffff:8000::"},
	{"2001:db8::1", 0, "::"},
};

/* clang-format on */

START_TEST(addresses_are_masked)
{
	const struct mask_row *r = &mask_rows[_i];
	struct addr addr;
	ck_assert(addr_parse(slice_of(r->addr), &addr));
	struct addr got = addr_mask(&addr, r->bits);
	ck_assert_msg(strcmp(print_addr(&got), r->want) == 0, "%s/%u: %s", r->addr,
	              r->bits, print_addr(&got));
	ck_assert_uint_eq(addr_max_bits(addr.family), addr.family == ADDR_V4 ? 32 : 128);
}

END_TEST

/* clang-format off */
static const struct cidr_row {
	const char *cidr;
	const char *addr; /* NULL: the network is refused */
	bool want;
} cidr_rows[] = {
	{"192.0.2.0/24", "192.0.2.0", true},
	{"192.0.2.0/24", "192.0.2.255", true},
	{"192.0.2.0/24", "::ffff:192.0.2.9", true},
	{"192.0.2.0/24", "192.0.3.0", false},
	{"192.0.2.0/24", "192.0.1.255", false},
	{"192.0.2.1", "192.0.2.1", true},
	{"192.0.2.1", "192.0.2.0", false},
	{"192.0.2.1/32", "192.0.2.1", true},
	{"0.0.0.0/0", "255.255.255.255", true},
	{"0.0.0.0/0", "::1", false},
	{"::/0", "::1", true},
	{"::/0", "0.0.0.0", false},
	{"2001:db8::/32", "2001:db8:ffff::1", true},
	{"2001:db8::/32", "2001:db9::1", false},
	{"2001:db8::1", "2001:db8::1", true},
	{"2001:db8::1/128", "2001:db8::2", false},
	{"[2001:db8::]/32", "2001:db8::2", true},
	{"[::ffff:127.0.0.0]/104", "127.255.255.255", true},
	{"[::ffff:127.0.0.0]/104", "::ffff:127.0.0.1", true},
	{"[::ffff:127.0.0.0]/104", "126.255.255.255", false},
	{"::ffff:192.0.2.0/120", "192.0.2.255", true},
	{"::ffff:192.0.2.0/120", "192.0.3.0", false},
	{"::ffff:c000:200/120", "192.0.2.9", true},
	{"::ffff:192.0.2.1/128", "192.0.2.1", true},
	{"::ffff:0.0.0.0/96", "255.255.255.255", true},
	{"::ffff:192.0.2.0/24", "192.0.2.9", true}, /* as IPv4 */
	{"fe80::%eth0/64", "fe80::1%eth1", true},
	{"[fe80::%eth0]/64", "fe80::1", true},
	{"fe80::%eth0/64", "fe80:0:0:1::1", false},
	{"::ffff:127.0.0.1/104", NULL, false},
	{"::ffff:127.0.0.0/129", NULL, false},
	{"::ffff:127.0.0.0/95", NULL, false},
	{"::ffff:0.0.0.0/80", NULL, false},
	{"127.0.0.0/104", NULL, false},
	{"192.0.2.1/24", NULL, false},
	{"2001:db8::1/64", NULL, false},
	{"192.0.2.0/33", NULL, false},
	{"2001:db8::/129", NULL, false},
	{"192.0.2.0/", NULL, false},
	{"192.0.2.0/-1", NULL, false},
	{"192.0.2.0/ 24", NULL, false},
	{"192.0.2.0/24/24", NULL, false},
	{"192.0.2.0/255.255.255.0", NULL, false},
	{"192.0.2/24", NULL, false},
	{"/24", NULL, false},
	{"", NULL, false},
	{"example.com/24", NULL, false},
};

/* clang-format on */

START_TEST(networks_hold_addresses)
{
	const struct cidr_row *r = &cidr_rows[_i];
	struct cidr cidr;
	struct addr addr;
	ck_assert_msg(cidr_parse(slice_of(r->cidr), &cidr) == (r->addr != NULL), "%s",
	              r->cidr);
	if (!r->addr)
		return;
	ck_assert(addr_parse(slice_of(r->addr), &addr));
	ck_assert_msg(cidr_contains(&cidr, &addr) == r->want, "%s in %s", r->addr,
	              r->cidr);
}

END_TEST

/* clang-format off */
static const struct private_row {
	const char *addr;
	bool want;
} private_rows[] = {
	{"10.0.0.0", true}, {"10.255.255.255", true}, {"9.255.255.255", false}, {"11.0.0.0", false},
	{"172.16.0.0", true}, {"172.31.255.255", true}, {"172.15.255.255", false}, {"172.32.0.0", false},
	{"192.168.0.0", true}, {"192.168.255.255", true}, {"192.167.255.255", false}, {"192.169.0.0", false},
	{"169.254.0.1", true}, {"169.253.255.255", false},
	{"127.0.0.1", true}, {"127.255.255.255", true}, {"128.0.0.0", false},
	{"100.64.0.1", false}, /* shared by a provider and its customers */
	{"0.0.0.0", false}, {"192.0.2.1", false},
	{"::ffff:10.0.0.1", true}, {"::ffff:192.0.2.1", false},
	{"::1", true}, {"::", false}, {"::2", false},
	{"fc00::1", true}, {"fdff:ffff::1", true}, {"fbff::1", false}, {"fe00::1", false},
	{"fe80::1%eth0", true}, {"febf::1", true}, {"fec0::1", false}, {"fe7f::1", false},
	{"2001:db8::1", false},
};

/* clang-format on */

START_TEST(private_ones_are_known)
{
	const struct private_row *r = &private_rows[_i];
	struct addr addr;
	ck_assert(addr_parse(slice_of(r->addr), &addr));
	ck_assert_msg(addr_is_private(&addr) == r->want, "%s", r->addr);
}

END_TEST

START_TEST(no_address_is_not_private)
{
	struct addr none = {0};
	ck_assert(!addr_is_private(&none));
}

END_TEST

START_TEST(families_differ)
{
	struct addr v4 = {.family = ADDR_V4}, v6 = {.family = ADDR_V6};
	ck_assert(!addr_eq(&v4, &v6));
	ck_assert(addr_eq(&v4, &v4));
}

END_TEST

#define TEN       "xxxxxxxxxx"
#define LONG_PATH "/xxxx" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* clang-format off */
static const struct endpoint_row {
	const char *in;
	const char *want; /* as printed; NULL: refused */
} endpoint_rows[] = {
	{"inet:127.0.0.1:10040", "inet:127.0.0.1:10040"},
	{"INET:127.0.0.1:10040", "inet:127.0.0.1:10040"},
	{"127.0.0.1:10040", "inet:127.0.0.1:10040"},
	{"localhost:0", "inet:localhost:0"},
	{"redis.example.com:65535", "inet:redis.example.com:65535"},
	{"[::1]:25", "inet:[::1]:25"},
	{"inet:[2001:db8::1]:25", "inet:[2001:db8::1]:25"},
	{"[localhost]:25", "inet:localhost:25"},
	{"unix:/run/weir/policy", "unix:/run/weir/policy"},
	{"Unix:/a:b", "unix:/a:b"},
	{"unix:" LONG_PATH "xx", "unix:" LONG_PATH "xx"}, /* 107 bytes and a NUL */
	{"unix:" LONG_PATH "xxx", NULL},
	{"", NULL},
	{":", NULL},
	{":25", NULL},
	{"[]:25", NULL},
	{"localhost", NULL},
	{"localhost:", NULL},
	{"localhost:65536", NULL},
	{"localhost:-1", NULL},
	{"localhost:smtp", NULL},
	{"localhost: 25", NULL},
	{"::1:25", NULL},
	{"2001:db8::1:25", NULL},
	{"inet:25", NULL},
	{"inet:", NULL},
	{"unix:", NULL},
	{"unix:run/x", NULL},
};

/* clang-format on */

START_TEST(endpoints_are_read)
{
	const struct endpoint_row *r = &endpoint_rows[_i];
	struct endpoint endpoint;
	ck_assert_msg(endpoint_parse(slice_of(r->in), &endpoint) == (r->want != NULL),
	              "\"%s\"", r->in);
	if (!r->want)
		return;
	char buf[300];
	struct text text = TEXT(buf);
	endpoint_print(&endpoint, &text);
	ck_slice_eq(r->in, text_slice(&text), r->want);
	struct endpoint again;
	ck_assert(endpoint_parse(text_slice(&text), &again));
	ck_assert_mem_eq(&again, &endpoint, sizeof(again));
}

END_TEST

START_TEST(local_ones_are_known)
{
	static const char *const local[] = {"unix:/run/x", "127.0.0.1:25", "127.9.9.9:25",
	                                    "[::1]:25", "LocalHost:25"};
	static const char *const beyond[] = {"0.0.0.0:25", "[::]:25", "192.0.2.127:25",
	                                     "localhost.example:25"};
	struct endpoint endpoint;
	for (size_t i = 0; i < COUNT_OF(local); i++)
		ck_assert_msg(endpoint_parse(slice_of(local[i]), &endpoint) &&
		                      endpoint_is_local(&endpoint),
		              "%s", local[i]);
	for (size_t i = 0; i < COUNT_OF(beyond); i++)
		ck_assert_msg(endpoint_parse(slice_of(beyond[i]), &endpoint) &&
		                      !endpoint_is_local(&endpoint),
		              "%s", beyond[i]);
}

END_TEST

START_TEST(a_host_is_bounded)
{
	char buf[300];
	struct text text = TEXT(buf);
	struct endpoint endpoint;
	while (text.n < 255)
		text_putc(&text, 'x');
	text_puts(&text, ":25");
	ck_assert(endpoint_parse(text_slice(&text), &endpoint));
	ck_assert_uint_eq(strlen(endpoint.host), 255);
	struct text longer = TEXT(buf);
	while (longer.n < 256)
		text_putc(&longer, 'x');
	text_puts(&longer, ":25");
	ck_assert(!endpoint_parse(text_slice(&longer), &endpoint));
	ck_assert(!endpoint_parse(SLICE("a\0b:25"), &endpoint));
	ck_assert(!endpoint_parse(SLICE("unix:/a\0b"), &endpoint));
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, addresses_are_read, 0, COUNT_OF(addr_rows));
	tcase_add_test(tcase, a_nul_is_no_address);
	tcase_add_loop_test(tcase, addresses_are_masked, 0, COUNT_OF(mask_rows));
	tcase_add_loop_test(tcase, networks_hold_addresses, 0, COUNT_OF(cidr_rows));
	tcase_add_loop_test(tcase, private_ones_are_known, 0, COUNT_OF(private_rows));
	tcase_add_test(tcase, no_address_is_not_private);
	tcase_add_test(tcase, families_differ);
	tcase_add_loop_test(tcase, endpoints_are_read, 0, COUNT_OF(endpoint_rows));
	tcase_add_test(tcase, local_ones_are_known);
	tcase_add_test(tcase, a_host_is_bounded);
}

int
main(void)
{
	return harness_run("addr", fill);
}
