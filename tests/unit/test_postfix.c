/* test_postfix.c - what postconf prints is understood: values, services, lists, endpoints. */
#include "postfix.h"

#include <stdio.h>

#include "harness.h"
#include "postfix_texts.h"

static struct postfix
parsed(const char *values, const char *overrides, const char *services)
{
	struct postfix postfix = {0};
	postfix_parse(&postfix, slice_of(values), slice_of(overrides),
	              slice_of(services));
	return postfix;
}

START_TEST(values_of_services)
{
	struct postfix postfix =
		parsed("soft_bounce = no\nsmtpd_milters = inet:127.0.0.1:1\nempty =\n"
	               "not a setting\n = nameless\n",
	               "submission/inet/smtpd_milters =\n"
	               "submission/inet/soft_bounce = yes\n",
	               DEBIAN_SMTP SUBMISSION "cut short\n");
	ck_assert_uint_eq(postfix.n_services, 4);
	ck_assert_uint_eq(postfix.n_values, 3);
	const struct postfix_service *smtp = &postfix.services[0];
	const struct postfix_service *submission = &postfix.services[3];
	ck_slice_eq("name", submission->name, "submission");
	ck_slice_eq("type", submission->type, "inet");
	ck_slice_eq("command", submission->command, "smtpd");
	ck_assert(submission->chrooted);
	ck_slice_eq("main.cf", postfix_value(&postfix, NULL, "smtpd_milters"),
	            "inet:127.0.0.1:1");
	ck_slice_eq("inherited", postfix_value(&postfix, smtp, "smtpd_milters"),
	            "inet:127.0.0.1:1");
	ck_slice_eq("overridden", postfix_value(&postfix, submission, "smtpd_milters"),
	            "");
	ck_slice_eq("unknown", postfix_value(&postfix, smtp, "nothing"), "");
	ck_assert(postfix_overrides(&postfix, submission, "smtpd_milters"));
	ck_assert(!postfix_overrides(&postfix, smtp, "smtpd_milters"));
	ck_assert(!postfix_overrides(&postfix, NULL, "smtpd_milters"));
	ck_assert(postfix_yes(&postfix, submission, "soft_bounce"));
	ck_assert(!postfix_yes(&postfix, smtp, "soft_bounce"));
	postfix_free(&postfix);
}

END_TEST

/* clang-format off */
static const struct chroot_row {
	const char *row;
	const char *values;
	const char *column;
	bool want;
} chroot_rows[] = {
	{"yes", "compatibility_level = 3.6\n", "y", true},
	{"no", "compatibility_level = 3.6\n", "n", false},
	{"the default of today", "compatibility_level = 3.6\n", "-", false},
	{"the default of old", "compatibility_level = 0\n", "-", true},
	{"the default of Postfix 2", "", "-", true},
};

static const struct version_row {
	const char *text;
	unsigned want;
} version_rows[] = {
	{"3.7.11", 307}, {"2.11.3", 211}, {"3.10.0", 310}, {"3.9-20231112", 309}, {"", 0}, {"x", 0},
};

/* clang-format on */

START_TEST(chroots)
{
	const struct chroot_row *r = &chroot_rows[_i];
	char line[100];
	snprintf(line, sizeof(line), "smtp inet n - %s - - smtpd\n", r->column);
	struct postfix postfix = parsed(r->values, "", line);
	ck_assert_uint_eq(postfix.n_services, 1);
	ck_assert_msg(postfix.services[0].chrooted == r->want, "%s", r->row);
	postfix_free(&postfix);
}

END_TEST

START_TEST(versions)
{
	char line[100];
	snprintf(line, sizeof(line), "mail_version = %s\n", version_rows[_i].text);
	struct postfix postfix = parsed(line, "", "");
	ck_assert_uint_eq(postfix_version(&postfix), version_rows[_i].want);
	postfix_free(&postfix);
}

END_TEST

/* clang-format off */
static const struct words_row {
	const char *row;
	const char *list;
	const char *want; /* "word|word|{in braces}" */
} words_rows[] = {
	{"nothing", "", ""},
	{"separators only", " , ,\t", ""},
	{"blanks", "a b\tc", "a|b|c"},
	{"commas", "a,b, c ,d", "a|b|c|d"},
	{"braces", "a { b, c=d } e", "a|{b, c=d}|e"},
	{"braces in braces", "{ b, { c = d e } } f", "{b, { c = d e }}|f"},
	{"a brace that stays open", "a { b, c", "a|{b, c}"},
	{"an expression", "static:{a}b c", "static:{a}b|c"},
};

static const struct option_row {
	const char *row;
	const char *client;
	const char *endpoint;
	const char *timeout; /* NULL: none */
} option_rows[] = {
	{"bare", "inet:127.0.0.1:10040", "inet:127.0.0.1:10040", NULL},
	{"braces", "{ inet:127.0.0.1:10040, timeout=5s, default_action=DUNNO }", "inet:127.0.0.1:10040", "5s"},
	{"blanks for commas", "{inet:127.0.0.1:10040 timeout=5s}", "inet:127.0.0.1:10040", "5s"},
	{"in braces of its own", "{ unix:weir/policy.sock, { timeout = 7s } }", "unix:weir/policy.sock", "7s"},
	{"another option", "{ unix:weir/policy.sock, my_timeout=5s }", "unix:weir/policy.sock", NULL},
	{"empty braces", "{ }", "", NULL},
};

static const struct time_row {
	const char *text;
	int64_t want_ms;
} time_rows[] = {
	{"100", 100000}, {"5s", 5000}, {"2m", 120000}, {"1h", 3600000}, {"1d", 86400000},
	{"1w", 604800000}, {"0", 0}, {"", -1}, {"s", -1}, {"5x", -1}, {"-5s", -1}, {"99999999999999999999s", -1},
};

/* clang-format on */

START_TEST(words)
{
	const struct words_row *r = &words_rows[_i];
	char got[200] = "";
	struct text text = TEXT(got);
	struct slice rest = slice_of(r->list);
	struct postfix_word word;
	while (postfix_word(&rest, &word)) {
		text_puts(&text, text.n > 0 ? "|" : "");
		text_puts(&text, word.braced ? "{" : "");
		text_put(&text, word.text);
		text_puts(&text, word.braced ? "}" : "");
	}
	ck_assert_msg(strcmp(got, r->want) == 0, "%s: %s", r->row, got);
}

END_TEST

START_TEST(clients)
{
	const struct option_row *r = &option_rows[_i];
	struct slice rest = slice_of(r->client), value = {0};
	struct postfix_word word;
	ck_assert(postfix_word(&rest, &word));
	struct postfix_client client = postfix_client(&word);
	ck_slice_eq(r->row, client.endpoint, r->endpoint);
	bool found = postfix_client_option(&client, "timeout", &value);
	ck_assert_msg(found == (r->timeout != NULL), "%s", r->row);
	if (r->timeout)
		ck_slice_eq(r->row, value, r->timeout);
}

END_TEST

START_TEST(times)
{
	ck_assert_msg(postfix_time_ms(slice_of(time_rows[_i].text)) ==
	                      time_rows[_i].want_ms,
	              "%s", time_rows[_i].text);
}

END_TEST

/* clang-format off */
static const struct match_row {
	const char *row;
	const char *theirs;
	const char *ours;
	bool chrooted;
	enum postfix_match want;
} match_rows[] = {
	{"the same", "inet:127.0.0.1:10040", "inet:127.0.0.1:10040", true, MATCH_OURS},
	{"without inet: here", "inet:127.0.0.1:10040", "127.0.0.1:10040", true, MATCH_OURS},
	{"localhost", "inet:localhost:10040", "inet:127.0.0.1:10040", true, MATCH_OURS},
	{"IPv6 loopback", "inet:[::1]:10040", "inet:localhost:10040", true, MATCH_OURS},
	{"another port", "inet:127.0.0.1:10041", "inet:127.0.0.1:10040", true, MATCH_NONE},
	{"another host", "inet:192.0.2.7:10040", "inet:127.0.0.1:10040", true, MATCH_NONE},
	{"any address", "inet:192.0.2.7:10040", "inet:0.0.0.0:10040", true, MATCH_OURS},
	{"another spelling", "inet:[2001:db8:0::7]:10040", "inet:[2001:db8::7]:10040", true, MATCH_OURS},
	{"case", "inet:MX1.Example:10040", "inet:mx1.example:10040", true, MATCH_OURS},
	{"no type", "127.0.0.1:10040", "inet:127.0.0.1:10040", true, MATCH_NONE},
	{"no port", "inet:127.0.0.1", "inet:127.0.0.1:10040", true, MATCH_NONE},
	{"nothing", "", "inet:127.0.0.1:10040", true, MATCH_NONE},
	{"unix against inet", "unix:weir/policy.sock", "inet:127.0.0.1:10040", true, MATCH_NONE},
	{"below the queue, chroot", "unix:weir/p.sock", "unix:/var/spool/postfix/weir/p.sock", true, MATCH_OURS},
	{"below the queue, no chroot", "unix:weir/p.sock", "unix:/var/spool/postfix/weir/p.sock", false, MATCH_OURS},
	{"absolute in the chroot", "unix:/weir/p.sock", "unix:/var/spool/postfix/weir/p.sock", true, MATCH_OURS},
	{"absolute without", "unix:/run/weir/p.sock", "unix:/run/weir/p.sock", false, MATCH_OURS},
	{"absolute, hidden by the chroot", "unix:/run/weir/p.sock", "unix:/run/weir/p.sock", true, MATCH_HIDDEN},
	{"twice the queue, hidden", "unix:/var/spool/postfix/weir/p.sock", "unix:/var/spool/postfix/weir/p.sock", true, MATCH_HIDDEN},
	{"local: is unix:", "local:weir/p.sock", "unix:/var/spool/postfix/weir/p.sock", true, MATCH_OURS},
	{"another path", "unix:weir/q.sock", "unix:/var/spool/postfix/weir/p.sock", true, MATCH_NONE},
	{"inet against unix", "inet:127.0.0.1:10040", "unix:/run/weir/p.sock", true, MATCH_NONE},
};

/* clang-format on */

START_TEST(endpoints)
{
	const struct match_row *r = &match_rows[_i];
	struct postfix postfix = parsed(DEBIAN_VALUES, "", "");
	struct postfix_service service = {.chrooted = r->chrooted};
	enum postfix_match got =
		postfix_match(&postfix, &service, slice_of(r->theirs), r->ours);
	ck_assert_msg(got == r->want, "%s: got %d", r->row, (int)got);
	postfix_free(&postfix);
}

END_TEST

START_TEST(our_name_for_postfix)
{
	struct postfix postfix = parsed(DEBIAN_VALUES, "", "");
	char buf[200];
	struct text text = TEXT(buf);
	postfix_print_ours(&postfix, "unix:/var/spool/postfix/weir/p.sock", &text);
	text_putc(&text, ' ');
	postfix_print_ours(&postfix, "127.0.0.1:10040", &text);
	text_putc(&text, ' ');
	postfix_print_ours(&postfix, "unix:/run/weir/p.sock", &text);
	ck_assert_str_eq(buf,
	                 "unix:weir/p.sock inet:127.0.0.1:10040 unix:/run/weir/p.sock");
	postfix_free(&postfix);
}

END_TEST

static void
fill(TCase *tc)
{
	tcase_add_test(tc, values_of_services);
	tcase_add_loop_test(tc, chroots, 0, COUNT_OF(chroot_rows));
	tcase_add_loop_test(tc, versions, 0, COUNT_OF(version_rows));
	tcase_add_loop_test(tc, words, 0, COUNT_OF(words_rows));
	tcase_add_loop_test(tc, clients, 0, COUNT_OF(option_rows));
	tcase_add_loop_test(tc, times, 0, COUNT_OF(time_rows));
	tcase_add_loop_test(tc, endpoints, 0, COUNT_OF(match_rows));
	tcase_add_test(tc, our_name_for_postfix);
}

int
main(void)
{
	return harness_run("postfix", fill);
}
