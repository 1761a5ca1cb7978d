/*
 * test_mailer.c - what MTAs say of recipients.  The rows are what Postfix 3.7 and Sendmail 8.17 were
 * seen to send, but for those said to be made up.
 */
#include "mailer.h"

#include "harness.h"

#define ALIAS "5.1.1 User unknown in virtual alias table"

/* clang-format off */
static const struct row {
	const char *row;
	const char *written;
	const char *mailer, *host, *address;
	bool refused;
	const char *next_hop;
} rows[] = {
	/* accepted: each address class of Postfix */
	{"local", "known@here.test", "local", "mx1.test", "known@here.test", false, "mx1.test"},
	{"local, in capitals", "KNOWN@HERE.TEST", "local", "mx1.test", "known@here.test", false, "mx1.test"},
	{"virtual alias", "local@alias.test", "error", ALIAS, "local@alias.test", false, ""},
	{"virtual alias, in capitals", "Local@ALIAS.TEST", "error", ALIAS, "Local@alias.test", false, ""},
	{"virtual alias, written as a route", "@a.test:bob@alias.test", "error", ALIAS, "bob@alias.test", false, ""},
	{"virtual alias, as UUCP wrote it", "alias.test!bob", "error", ALIAS, "bob@alias.test", false, ""},
	{"virtual alias, quoted", "\"a b\"@alias.test", "error", ALIAS, "\"a b\"@alias.test", false, ""},
	{"virtual alias that nobody knows, let in", "nobody@alias.test", "error", ALIAS, "nobody@alias.test", false, ""},
	{"virtual mailbox", "bob@local.test", "virtual", "local.test", "bob@local.test", false, "local.test"},
	{"relay", "known@relay.test", "relay", "relay.test", "known@relay.test", false, "relay.test"},
	{"relay, by transport_maps", "a@map.test", "smtp", "[10.1.2.3]:2525", "a@map.test", false, "[10.1.2.3]:2525"},
	{"default", "a@far.test", "smtp", "far.test", "a@far.test", false, "far.test"},
	{"without a domain", "postmaster", "smtp", "mx1.test", "postmaster@mx1.test", false, "mx1.test"},
	{"rewritten by recipient_canonical_maps later", "canon@local.test", "virtual", "local.test", "canon@local.test", false, "local.test"},

	/* accepted: transports that deliver nothing */
	{"error:, in a virtual alias table", "x@moved.test", "error", "4.7.1 moved away", "x@moved.test", false, ""},
	{"error:, let in", "q@error.test", "error", "no mail here", "q@error.test", false, ""},
	{"error:, let in, one word", "q@error.test", "error", "5.1.1:bob", "q@error.test", false, ""},
	{"error: without a text, let in", "q@bare.test", "error", "Address is undeliverable", "q@bare.test", false, ""},
	{"error:, let in, a text with an address", "d@local.test", "error", "5.7.1 ask user@host", "d@local.test", false, ""},
	{"error: with a code alone, let in (made up)", "q@error.test", "error", "5.1.1", "q@error.test", false, ""},
	{"retry:, let in", "q@retry.test", "retry", "4.3.2 later", "q@retry.test", false, ""},
	{"discard:", "q@discard.test", "discard", "silently", "q@discard.test", false, ""},
	{"discard: without a text", "known@relay.test", "discard", "relay.test", "known@relay.test", false, ""},

	/* refused */
	{"unknown, local", "nobody@here.test", "error", "5.1.1",
		"Recipient address rejected: User unknown in local recipient table", true, ""},
	{"unknown, virtual alias", "nobody@alias.test", "error", "5.1.1",
		"Recipient address rejected: User unknown in virtual alias table", true, ""},
	{"relay denied", "a@far.test", "error", "5.7.1", "Relay access denied", true, ""},
	{"relay denied, deferred", "a@far.test", "error", "4.7.1", "Relay access denied", true, ""},
	{"a table that is away", "a@far.test", "error", "4.3.0", "Temporary lookup failure", true, ""},
	{"the same, written with a blank", "\"a b\"@local.test", "error", "4.3.0",
		"b@local.test>: Temporary lookup failure", true, ""},
	{"access map, 4xx", "map4@local.test", "error", "4.1.0", "Recipient address rejected: later", true, ""},
	{"access map, 5xx", "map5@local.test", "error", "5.7.1", "Recipient address rejected: Access denied", true, ""},
	{"access map, a text with an address", "m@local.test", "error", "5.7.1",
		"Recipient address rejected: abuse@local.test", true, ""},
	{"error: refused", "q@error.test", "error", "5.1.1", "Recipient address rejected: no mail here", true, ""},
	{"retry: refused", "q@retry.test", "error", "4.3.2", "Recipient address rejected: later", true, ""},
	{"a reply of one word has no text (made up)", "m@local.test", "error", "5.7.1", NULL, true, ""},
	{"a reply of two words, an address (made up)", "m@local.test", "error", "5.7.1", "abuse@local.test", true, ""},

	/* Sendmail */
	{"Sendmail, local", "bob@local.test", "local", "", "bob", false, ""},
	{"Sendmail, another mailer", "a@acme.test", "backend", "acme.test", "a", false, "acme.test"},
	{"Sendmail, smart host", "a@elsewhere.test", "backend", "away.test", "a", false, "away.test"},
	{"Sendmail, refused (made up)", "a@acme.test", "error", "5.1.1", "User unknown", true, ""},
	{"Sendmail, refused, no reason (made up)", "a@acme.test", "error", NULL, NULL, true, ""},

	/* made up */
	{"nothing said", "a@b.test", NULL, NULL, NULL, false, ""},
	{"nothing at all", NULL, NULL, NULL, NULL, false, ""},
	{"error alone", "", "error", "", "", true, ""},
	{"half a quote", "a@b.test", "error", "x", "\"a b@c.test", true, ""},
	{"a backslash at the end", "a@b.test", "error", "x", "\"a\\", true, ""},
	{"no domain", "a@b.test", "error", "x", "a@", true, ""},
	{"no local part", "a@b.test", "error", "x", "@b.test", true, ""},
	{"an at sign in quotes alone", "a@b.test", "error", "x", "\"a@b\"", true, ""},
};

/* clang-format on */

START_TEST(mailers_are_understood)
{
	const struct row *r = &rows[_i];
	const struct mailer mailer = {.name = slice_of(r->mailer),
	                              .host = slice_of(r->host),
	                              .address = slice_of(r->address),
	                              .written = slice_of(r->written)};
	ck_assert_msg(mailer_refuses(&mailer) == r->refused, "%s", r->row);
	if (!r->refused)
		ck_slice_eq(r->row, mailer_next_hop(&mailer), r->next_hop);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, mailers_are_understood, 0, COUNT_OF(rows));
}

int
main(void)
{
	return harness_run("mailer", fill);
}
