/* test_milter_greylist_row.c - lines of milter-greylist's dump, of all its versions. */
#include "milter_greylist_row.h"

#include "harness.h"

#define GREY "192.0.2.7\t<a@x.test>\t<b@y.test>\t1800000000"
#define A    "<a@x.test>"
#define B    "<b@y.test>"
#define AT   1800000000

/* clang-format off */
static const struct line_row {
	const char *row;
	const char *line;
	enum dump_line kind;
	const char *client, *sender, *recipient; /* where it is a row */
	int64_t at_s;
} line_rows[] = {
	{"nothing", "", DUMP_NOTHING, NULL, NULL, NULL, 0},
	{"blanks", " \t \r", DUMP_NOTHING, NULL, NULL, NULL, 0},
	{"a comment", "# greylisted tuples", DUMP_NOTHING, NULL, NULL, NULL, 0},
	{"an empty comment", "#", DUMP_NOTHING, NULL, NULL, NULL, 0},
	{"the heading", "# milter-greylist databases, dumped by milter-greylist-4.6.4 on 2026-11-22 10:00:00.", DUMP_HEADING, NULL, NULL, NULL, 0},
	{"the heading of another", "# milter-something databases, dumped", DUMP_NOTHING, NULL, NULL, NULL, 0},
	{"the summary", "# Summary: 3 records, 1 greylisted, 1 whitelisted, 1 tarpitted", DUMP_SUMMARY, NULL, NULL, NULL, 0},
	{"the column names", "# Sender IP\tSender e-mail\tRecipient e-mail\tTime accepted", DUMP_NOTHING, NULL, NULL, NULL, 0},
	{"greylisted", GREY " # 2027-01-15 08:00:00", DUMP_GREYLISTED, "192.0.2.7", A, B, AT},
	{"without times for people", GREY " ", DUMP_GREYLISTED, "192.0.2.7", A, B, AT},
	{"without a comment", GREY, DUMP_GREYLISTED, "192.0.2.7", A, B, AT},
	{"of an old version", "192.0.2.7     " A "    " B "    1800000000 # x", DUMP_GREYLISTED, "192.0.2.7", A, B, AT},
	{"CR at the end", GREY "\r", DUMP_GREYLISTED, "192.0.2.7", A, B, AT},
	{"whitelisted", GREY " AUTO # 2027-01-15 08:00:00", DUMP_WHITELISTED, "192.0.2.7", A, B, AT},
	{"whitelisted, in lower case", GREY " auto", DUMP_WHITELISTED, "192.0.2.7", A, B, AT},
	{"the tarpit", GREY "\t30 TARPIT # x", DUMP_TARPIT, "192.0.2.7", A, B, AT},
	{"IPv6", "2001:db8::7\t" A "\t" B "\t1800000000 AUTO", DUMP_WHITELISTED, "2001:db8::7", A, B, AT},
	{"IPv6 with a scope", "fe80::7%eth0\t" A "\t" B "\t1800000000", DUMP_GREYLISTED, "fe80::7", A, B, AT},
	{"the null sender", "192.0.2.7\t<>\t" B "\t1800000000", DUMP_GREYLISTED, "192.0.2.7", "<>", B, AT},
	{"quotes", "192.0.2.7\t<\"john.doe\"@x.test>\t" B "\t1800000000", DUMP_GREYLISTED, "192.0.2.7", "<\"john.doe\"@x.test>", B, AT},
	{"quotes with a blank", "192.0.2.7\t<\"a b\"@x.test>\t" B "\t1800000000", DUMP_GREYLISTED, "192.0.2.7", "<\"a b\"@x.test>", B, AT},
	{"quotes with all there is", "192.0.2.7\t<\"a> b#\"@x.test>\t<\" # \"@y.test>\t1800000000 AUTO", DUMP_WHITELISTED, "192.0.2.7", "<\"a> b#\"@x.test>", "<\" # \"@y.test>", AT},
	{"1.0: no brackets", "192.0.2.7\ta@x.test\tb@y.test\t1800000000", DUMP_GREYLISTED, "192.0.2.7", "a@x.test", "b@y.test", AT},
	{"IPv4 as IPv6", "::ffff:192.0.2.7\t" A "\t" B "\t1800000000", DUMP_GREYLISTED, "192.0.2.7", A, B, AT},
	{"no domain", "192.0.2.7\t<root>\t<postmaster>\t1800000000", DUMP_GREYLISTED, "192.0.2.7", "<root>", "<postmaster>", AT},
	{"'#' in an address", "192.0.2.7\t<a#b@x.test>\t" B "\t1800000000", DUMP_GREYLISTED, "192.0.2.7", "<a#b@x.test>", B, AT},

	{"a word", "hello", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"three words", "192.0.2.7\t" A "\t" B, DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"the time in a comment", "192.0.2.7\t" A "\t" B "\t#1800000000", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"an address that begins a comment", "192.0.2.7\t#a@x.test\t" B "\t1800000000", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"a name for the client", "mail.x.test\t" A "\t" B "\t1800000000", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"a number too large", "192.0.2.777\t" A "\t" B "\t1800000000", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"a bracket that does not end", "192.0.2.7\t<a b@x.test\t" B "\t1800000000", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"blanks without end", "192.0.2.7\t<" "\t<" B "\t", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"no time", "192.0.2.7\t" A "\t" B "\tsoon", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"a negative time", "192.0.2.7\t" A "\t" B "\t-1", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"a time beyond all", "192.0.2.7\t" A "\t" B "\t99999999999999999999", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"another word behind", GREY " MANUAL", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"two words behind", GREY " AUTO AUTO", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"the tarpit without its time", GREY " TARPIT", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"the tarpit with a word for it", GREY " x TARPIT", DUMP_MALFORMED, NULL, NULL, NULL, 0},
	{"words without end", GREY " 1 2 3 4 5 6 7 8 9 10 11 12", DUMP_MALFORMED, NULL, NULL, NULL, 0},
};

/* clang-format on */

START_TEST(lines_are_read)
{
	const struct line_row *r = &line_rows[_i];
	struct dump_row got;
	struct addr client;
	enum dump_line kind = dump_parse(slice_of(r->line), &got);
	ck_assert_msg(kind == r->kind, "%s: %d", r->row, kind);
	if (!r->client)
		return;
	ck_assert(addr_parse(slice_of(r->client), &client));
	ck_assert_msg(addr_eq(&client, &got.client), "%s", r->row);
	ck_slice_eq(r->row, got.sender, r->sender);
	ck_slice_eq(r->row, got.recipient, r->recipient);
	ck_assert_msg(got.at_s == r->at_s, "%s", r->row);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, lines_are_read, 0, COUNT_OF(line_rows));
}

int
main(void)
{
	return harness_run("milter_greylist_row", fill);
}
