/* test_normal.c - the one form in which names are compared. */
#include "conf/normal.h"

#include "harness.h"

/* clang-format off */
static const struct row {
	const char *row;
	const char *name;
	const char *want;
} domain_rows[] = {
	{"as it is", "acme.example", "acme.example"},
	{"case", "Acme.EXAMPLE", "acme.example"},
	{"the dot of an absolute name", "acme.example.", "acme.example"},
	{"more dots than that", "acme.example..", "acme.example"},
	{"nothing", "", ""},
	{"only a dot", ".", "."},
	{"what lies below", ".Acme.Example.", ".acme.example"},
	{"what lies below, with a star", "*.Acme.Example", "*.acme.example"},
	{"everything", "*", "*"},
	{"an IDN as its A-label", "xn--ftz-sna.example", "xn--ftz-sna.example"},
	{"an A-label in capitals", "XN--FTZ-SNA.Example", "xn--ftz-sna.example"},
	{"an IDN", "f\xc3\xb6tz.example", "xn--ftz-sna.example"},
	{"an IDN in capitals", "F\xc3\x96TZ.Example.", "xn--ftz-sna.example"},
	{"an IDN with a combining mark", "fo\xcc\x88tz.example", "xn--ftz-sna.example"},
	{"an IDN with the ideographic full stop", "f\xc3\xb6tz\xe3\x80\x82" "example", "xn--ftz-sna.example"},
	{"an IDN that ends with it", "f\xc3\xb6tz.example\xe3\x80\x82", "xn--ftz-sna.example"},
	{"sharp s is a letter of its own", "stra\xc3\x9f" "e.example", "xn--strae-oqa.example"},
	{"full width letters", "\xef\xbd\x81" "cme.example", "acme.example"},
	{"below an IDN", ".f\xc3\xb6tz.example", ".xn--ftz-sna.example"},
	{"all below an IDN", "*.f\xc3\xb6tz.example", "*.xn--ftz-sna.example"},
	{"an underscore", "_a.f\xc3\xb6tz.example", "_a.xn--ftz-sna.example"},
	{"broken UTF-8 stays", "F\xc3.Example", "f\xc3.example"},
	{"Latin-1 stays", "F\xf6TZ.example", "f\xf6tz.example"},
	{"an address literal", "[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"},
	{"a next hop with a port", "[Mail.Example]:2525", "[mail.example]:2525"},
	{"a blank", "a b", "a b"},
}, local_rows[] = {
	{"as it is", "bob", "bob"},
	{"case", "Bob.Smith", "bob.smith"},
	{"nothing", "", ""},
	{"beyond ASCII", "m\xc3\xbcller", "m\xc3\xbcller"},
	{"capitals beyond ASCII", "M\xc3\x9cLLER", "m\xc3\xbcller"},
	{"a combining mark", "mu\xcc\x88ller", "m\xc3\xbcller"},
	{"sharp s folds, as in Postfix", "stra\xc3\x9f" "e", "strasse"},
	{"broken UTF-8 stays", "M\xc3LLER", "m\xc3ller"},
};

/* clang-format on */

typedef void put_fn(struct text *out, struct slice name);

static void
check(put_fn *put, const struct row *row)
{
	char once[300], twice[300];
	struct text first = TEXT(once), second = TEXT(twice);
	put(&first, slice_of(row->name));
	put(&second, text_slice(&first));
	ck_slice_eq(row->row, text_slice(&first), row->want);
	ck_slice_eq(row->row, text_slice(&second), row->want);
}

START_TEST(domains_have_one_form)
{
	check(text_put_domain, &domain_rows[_i]);
}

END_TEST

START_TEST(local_parts_have_one_form)
{
	check(text_put_local, &local_rows[_i]);
}

END_TEST

START_TEST(what_is_there_stays)
{
	char buf[40];
	struct text text = TEXT(buf);
	text_puts(&text, "X@");
	text_put_domain(&text, SLICE("."));
	ck_slice_eq("only a dot", text_slice(&text), "X@.");
}

END_TEST

START_TEST(what_is_too_long_is_cut)
{
	char name[2001], small[8];
	for (size_t i = 0; i < sizeof(name) - 1; i += 2)
		memcpy(name + i, "\xc3\x96", 2);
	name[2000] = '\0';
	struct text text = TEXT(small);
	text_put_domain(&text, slice_of(name));
	ck_assert(text.cut);
	text = TEXT(small);
	text_put_local(&text, slice_of(name));
	ck_assert(text.cut);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, domains_have_one_form, 0, COUNT_OF(domain_rows));
	tcase_add_loop_test(tcase, local_parts_have_one_form, 0, COUNT_OF(local_rows));
	tcase_add_test(tcase, what_is_there_stays);
	tcase_add_test(tcase, what_is_too_long_is_cut);
}

int
main(void)
{
	return harness_run("normal", fill);
}
