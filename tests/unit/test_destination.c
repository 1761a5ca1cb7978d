/* test_destination.c - which destination a domain belongs to. */
#include "conf/member.h"

#include "harness.h"

static const char settings[] =
	"limits: { destinations: (\n"
	"{ name = \"exact\"; concurrency = 1; domains = [ \"Example.com\", \"mx\" ]; },\n"
	"{ name = \"below\"; concurrency = 1; domains = [ \".example.com\" ]; },\n"
	"{ name = \"deep\"; concurrency = 1; domains = [ \".a.example.com\" ]; },\n"
	"{ name = \"host\"; concurrency = 1; domains = [ \"x.a.example.com\", \"b.a.example.com\" ]; },\n"
	"{ name = \"hop\"; concurrency = 1; domains = [ \"[192.0.2.1]\", \"[Hop.example]:25\","
	" \"unix:Private/lmtp\", \"[2001:db8::1]\" ]; }";

/* clang-format off */
static const struct find_row {
	const char *row;
	const char *domain;
	const char *want; /* NULL: none, or "*" where there is one */
} rows[] = {
	{"the domain itself", "example.com", "exact"},
	{"in upper case", "EXAMPLE.COM", "exact"},
	{"with the dot of an absolute name", "example.com.", "exact"},
	{"with two dots", "example.com..", "exact"},
	{"a name of one label", "mx", "exact"},
	{"that as a suffix", "a.mx", NULL},
	{"below it", "b.example.com", "below"},
	{"below it, absolute, in upper case", "B.Example.com.", "below"},
	{"far below it", "c.b.example.com", "below"},
	{"the longest suffix is not its own", "a.example.com", "below"},
	{"below the longest suffix", "c.a.example.com", "deep"},
	{"far below the longest suffix", "d.c.a.example.com", "deep"},
	{"an exact name below a suffix", "x.a.example.com", "host"},
	{"below an exact name", "y.x.a.example.com", "deep"},
	{"a name that ends like it", "badexample.com", NULL},
	{"a name that begins like it", "example.com.org", NULL},
	{"another name", "example.org", NULL},
	{"what is above it", "com", NULL},
	{"nothing", "", NULL},
	{"only a dot", ".", NULL},
	{"a suffix as a domain", ".example.com", NULL},
	{"a star as a domain", "*", NULL},
	{"an address", "[192.0.2.1]", "hop"},
	{"another address", "[192.0.2.10]", NULL},
	{"an address without brackets", "192.0.2.1", NULL},
	{"an address with a port", "[192.0.2.1]:25", NULL},
	{"an IPv6 address", "[2001:DB8::1]", "hop"},
	{"a host with a port", "[hop.example]:25", "hop"},
	{"the host without the port", "[hop.example]", NULL},
	{"a socket", "unix:private/lmtp", "hop"},
};

/* clang-format on */

/* The settings above, with `more` destinations. */
static struct conf *
load(const char *more)
{
	char content[2000];
	struct text text = TEXT(content);
	struct err err = {0};
	text_printf(&text, "%s%s ); };\n", settings, more);
	ck_assert(!text.cut);
	struct conf *conf = conf_load(harness_file("weir.conf", content), NULL, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	return conf;
}

static void
check_found(const char *row, const struct conf *conf, struct slice domain,
            const char *want)
{
	const struct conf_destination *found = destination_find(conf, domain);
	const char *got = found ? found->name : "none";
	ck_assert_msg(strcmp(got, want ? want : "none") == 0, "%s: %s, not %s", row, got,
	              want ? want : "none");
}

START_TEST(the_most_exact_name_wins)
{
	const struct find_row *r = &rows[_i];
	struct conf *conf = load("");
	check_found(r->row, conf, slice_of(r->domain), r->want);
	conf_unref(&conf);
}

END_TEST

START_TEST(a_star_has_the_rest)
{
	const struct find_row *r = &rows[_i];
	struct conf *conf =
		load(", { name = \"all\"; concurrency = 1; domains = [ \"*\" ]; }");
	check_found(r->row, conf, slice_of(r->domain), r->want ? r->want : "all");
	conf_unref(&conf);
}

END_TEST

START_TEST(without_destinations_none_is_found)
{
	struct err err;
	struct conf *conf = conf_load(NULL, NULL, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	check_found("a domain", conf, SLICE("example.com"), NULL);
	check_found("nothing", conf, (struct slice){0}, NULL);
	conf_unref(&conf);
}

END_TEST

/* A name in the table is at most 253 bytes long; a longer one can only be a stranger. */
START_TEST(names_have_an_end)
{
	struct conf *conf = load("");
	char name[600];
	struct text text = TEXT(name);
	while (text.n < 240)
		text_puts(&text, "abcdefg.");
	text_puts(&text, "x.example.com"); /* 253 bytes */
	check_found("the longest", conf, text_slice(&text), "below");
	text_putc(&text, '.');
	check_found("with its dot", conf, text_slice(&text), "below");
	text_putc(&text, 'm');
	check_found("a longer stranger", conf, text_slice(&text), NULL);
	while (!text.cut)
		text_puts(&text, ".example.com");
	check_found("much longer", conf, text_slice(&text), NULL);
	conf_unref(&conf);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, the_most_exact_name_wins, 0, COUNT_OF(rows));
	tcase_add_loop_test(tcase, a_star_has_the_rest, 0, COUNT_OF(rows));
	tcase_add_test(tcase, without_destinations_none_is_found);
	tcase_add_test(tcase, names_have_an_end);
}

int
main(void)
{
	return harness_run("destination", fill);
}
