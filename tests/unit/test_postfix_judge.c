/* test_postfix_judge.c - which wirings of Postfix and Sendmail are found good, and what is said of others. */
#include "mta_sendmail.h"
#include "postfix_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cures.h"
#include "harness.h"
#include "postfix_texts.h"

#define RCPT(list) "smtpd_recipient_restrictions = " list "\n"
#define DATA       "smtpd_data_restrictions = " ASK "\n"
#define BARE_ASK   "check_policy_service inet:localhost:10040"
#define BACK       "127.0.0.1:10025 inet n - n - - smtpd -o content_filter=\n"
#define FILTERED   "content_filter = scan:[127.0.0.1]:10024\n"
#define NO_FILTER  "127.0.0.1:10025/inet/content_filter =\n"
#define REWRITER   "rewrite unix - - y - - trivial-rewrite\n"
#define SMTPS      "smtps inet n - y - - smtpd -o smtpd_tls_wrappermode=yes\n"

#define NO_POLICY_ACTION "W without weir-policyd Postfix does not accept mail"
#define NO_MILTER_ACTION "W without weir-milter Postfix does not accept mail"
#define LONG_POLICY      "W Postfix waits too long for weir-policyd"
#define LONG_MILTER      "N Postfix waits too long for weir-milter"
#define NEITHER          "P Postfix asks neither weir-policyd nor weir-milter"
#define RELAY            "P strangers' attempts to relay reach weir-policyd"
#define UNKNOWN          "N recipients that do not exist are greylisted first"
#define BEHIND           "N other restrictions come behind weir-policyd"
#define BOUNCES          "N bounces are not greylisted"
#define USERS            "W Postfix asks weir-policyd about mail of your own users"
#define HIDDEN           "P the chroot hides weir's socket from Postfix"
#define LATE             "W slots of limits are given back late"
#define NETWORKS         "W hosts of your own networks are greylisted"
#define REWRITES         "N Postfix and weir-policyd rewrite addresses differently"
#define AGAIN            "W Postfix asks weir again about mail that comes back from a filter"
#define POLICY_OK        "o Postfix asks weir-policyd"
#define MILTER_OK        "o Postfix asks weir-milter"

/* clang-format off */
static const struct judge_row {
	const char *row;
	const char *values;    /* behind Debian's */
	const char *overrides;
	const char *services;  /* behind Debian's */
	const char *settings;  /* -o, separated by '|' */
	const char *want;      /* titles with a letter for their level, separated by ';' */
} judge_rows[] = {
	{"as Debian comes", "", "", "", "", NEITHER},
	{"as our sample for the policy service", GOOD_POLICY, "", "", "", POLICY_OK},
	{"as our sample for the milter", GOOD_MILTER, "", "", MILTER_BELOW, MILTER_OK},
	{"both", GOOD_POLICY GOOD_MILTER, "", "", MILTER_BELOW, "o Postfix asks weir-policyd and weir-milter"},
	{"another's policy service", RCPT(BEFORE "check_policy_service inet:127.0.0.1:10023"), "", "", "", NEITHER},

	{"no options", RCPT(BEFORE BARE_ASK) "smtpd_data_restrictions = " BARE_ASK "\n", "", "", "",
	 NO_POLICY_ACTION ";" LONG_POLICY ";" NO_POLICY_ACTION ";" LONG_POLICY},
	{"options of all services", RCPT(BEFORE BARE_ASK) "smtpd_data_restrictions = " BARE_ASK "\n"
	 "smtpd_policy_service_default_action = dunno\nsmtpd_policy_service_timeout = 10s\n", "", "", "", POLICY_OK},
	{"too short a time-out", RCPT(BEFORE "check_policy_service { inet:127.0.0.1:10040, timeout=1s, default_action=DUNNO }") DATA, "", "",
	 "store.deadline=500ms", "W Postfix does not wait long enough for weir-policyd"},
	{"default_action=OK", RCPT(BEFORE "check_policy_service { inet:127.0.0.1:10040, timeout=5s, default_action=OK }") DATA, "", "", "", NO_POLICY_ACTION},

	{"first, with Debian's relay restrictions", RCPT(ASK) DATA, "", "", "", UNKNOWN ";" POLICY_OK},
	{"first, relay restrictions later", RCPT(ASK) DATA "smtpd_relay_before_recipient_restrictions = no\n", "", "", "", RELAY},
	{"behind reject_unauth_destination, relay later", RCPT(BEFORE ASK) DATA "smtpd_relay_before_recipient_restrictions = no\n", "", "", "", POLICY_OK},
	{"no relay restrictions", RCPT(ASK ", reject_unauth_destination") DATA "smtpd_relay_restrictions =\n", "", "", "", RELAY},
	{"in the relay restrictions, first", "smtpd_relay_restrictions = " ASK ", reject_unauth_destination\n" DATA, "", "", "", RELAY},
	{"in the client restrictions", "smtpd_client_restrictions = " ASK "\n" DATA, "", "", "", RELAY},
	{"in the sender restrictions, refused before", "smtpd_sender_restrictions = reject_unauth_destination, reject_unlisted_recipient, " ASK "\n" DATA, "", "", "", POLICY_OK},
	{"in the client restrictions, too early", "smtpd_client_restrictions = " ASK "\nsmtpd_delay_reject = no\n" DATA, "", "", "", "P Postfix asks weir-policyd too early"},
	{"at RCPT with smtpd_delay_reject off", GOOD_POLICY "smtpd_delay_reject = no\n", "", "", "", POLICY_OK},
	{"behind a reject", RCPT("permit_mynetworks, reject, " ASK) DATA, "", "", "", "P Postfix never asks weir-policyd"},
	{"behind a permit", RCPT(BEFORE "permit, " ASK) DATA, "", "", "", "P Postfix never asks weir-policyd"},
	{"a permit in another list", GOOD_POLICY "smtpd_client_restrictions = permit\n", "", "", "", POLICY_OK},
	{"others behind it", RCPT(BEFORE ASK ", reject_rbl_client zen.example, check_sender_access hash:/etc/postfix/x") DATA, "", "", "", BEHIND ";" POLICY_OK},
	{"a permit behind it", RCPT(BEFORE ASK ", permit") DATA, "", "", "", POLICY_OK},
	{"another policy service behind it", RCPT(BEFORE ASK ", check_policy_service inet:127.0.0.1:10023") DATA, "", "", "", POLICY_OK},
	{"not at DATA", RCPT(BEFORE ASK), "", "", "", BOUNCES ";" POLICY_OK},
	{"not at DATA, but the milter is", RCPT(BEFORE ASK) GOOD_MILTER, "", "", MILTER_BELOW, "o Postfix asks weir-policyd and weir-milter"},
	{"in a class that is named", RCPT(BEFORE "grey") DATA "smtpd_restriction_classes = grey, other\ngrey = " ASK "\n", "", "", "", POLICY_OK},
	{"in a class that comes first", RCPT("grey, reject_unauth_destination") DATA "smtpd_restriction_classes = grey\ngrey = " ASK "\nsmtpd_relay_restrictions =\n", "", "", "", RELAY},
	{"in a class for an access map", RCPT("check_recipient_access hash:/etc/postfix/grey") "smtpd_restriction_classes = grey\ngrey = " ASK "\n", "", "", "",
	 "o the restriction class grey asks weir-policyd, for clients that an access map gives it;" BOUNCES ";" POLICY_OK},
	{"such a class, and submission", RCPT("check_recipient_access hash:/etc/postfix/grey") DATA "smtpd_restriction_classes = grey\ngrey = " ASK "\n", "submission/inet/smtpd_recipient_restrictions = permit_sasl_authenticated, reject\nsubmission/inet/smtpd_data_restrictions =\n", SUBMISSION, "",
	 "o the restriction class grey asks weir-policyd, for clients that an access map gives it;" POLICY_OK},
	{"a class that names itself", RCPT(BEFORE "grey") DATA "smtpd_restriction_classes = grey\ngrey = grey, " ASK "\n", "", "", "", POLICY_OK},

	{"limits, without the end of data", GOOD_POLICY, "", "", "limits.default.concurrency=5", LATE},
	{"limits, with the end of data", GOOD_POLICY "smtpd_end_of_data_restrictions = " ASK "\n", "", "", "limits.default.concurrency=5", POLICY_OK},
	{"limits, with the milter", GOOD_POLICY GOOD_MILTER, "", "", "limits.default.concurrency=5|" MILTER_BELOW, "o Postfix asks weir-policyd and weir-milter"},

	{"the chroot hides the policy socket", RCPT(BEFORE "check_policy_service { unix:/run/weir/policy.sock, timeout=5s, default_action=DUNNO }") DATA, "", "",
	 "policyd.listen=unix:/run/weir/policy.sock", HIDDEN},
	{"the chroot hides the milter socket", "smtpd_milters = unix:/run/weir/milter.sock\n", "", "", "", HIDDEN},
	{"the same path without chroot", "smtpd_milters = { unix:/run/weir/milter.sock, connect_timeout=5s, command_timeout=5s, default_action=accept }\n", "", "smtp inet n - n - - smtpd\n", "", HIDDEN},

	{"submission inherits the policy service", RCPT("reject_unauth_destination, reject_unlisted_recipient, " ASK) DATA, "", SUBMISSION, "", USERS},
	{"submission has permit_sasl_authenticated first", GOOD_POLICY, "", SUBMISSION, "", POLICY_OK},
	{"submission refuses strangers before", RCPT("reject_unauth_destination, reject_unlisted_recipient, " ASK) DATA, "submission/inet/smtpd_client_restrictions = permit_sasl_authenticated, reject\n", SUBMISSION, "", POLICY_OK},
	{"submission has its own", GOOD_POLICY, "submission/inet/smtpd_recipient_restrictions = permit_sasl_authenticated, reject\n", SUBMISSION, "", POLICY_OK},
	{"smtps, by an address", RCPT("reject_unauth_destination, reject_unlisted_recipient, " ASK) DATA, "", "192.0.2.1:465 inet n - y - - smtpd\n", "", USERS},
	{"submission inherits the milter", GOOD_MILTER, "", SMTPS, MILTER_BELOW, MILTER_OK},
	{"submission inherits the milter, with limits", GOOD_MILTER, "", SMTPS, MILTER_BELOW "|limits.users.concurrency=2", "N limits apply to mail of your own users, too;" MILTER_OK},
	{"submission without milter", GOOD_MILTER, "smtps/inet/smtpd_milters =\n", SMTPS, MILTER_BELOW "|limits.users.concurrency=2", MILTER_OK},
	{"only submission asks", "", "smtps/inet/smtpd_milters = { unix:weir/milter.sock, connect_timeout=5s, command_timeout=5s, default_action=accept }\n", SMTPS, MILTER_BELOW, NEITHER},
	{"a second smtp service asks nobody", GOOD_MILTER, "192.0.2.1:25/inet/smtpd_milters =\n", "192.0.2.1:25 inet n - y - - smtpd\n", MILTER_BELOW, NEITHER},
	{"a content filter's way back asks nobody", GOOD_MILTER, "127.0.0.1:10025/inet/smtpd_milters =\n", "127.0.0.1:10025 inet n - y - - smtpd\n", MILTER_BELOW, MILTER_OK},
	{"a content filter's way back asks the milter", GOOD_MILTER FILTERED, NO_FILTER, BACK, MILTER_BELOW, AGAIN},
	{"a content filter's way back asks the policy service", GOOD_POLICY FILTERED, NO_FILTER, BACK, "", AGAIN},
	{"a content filter's way back asks nobody, both are asked before it", GOOD_POLICY GOOD_MILTER FILTERED,
	 NO_FILTER "127.0.0.1:10025/inet/smtpd_milters =\n127.0.0.1:10025/inet/smtpd_recipient_restrictions = permit_mynetworks,reject\n127.0.0.1:10025/inet/smtpd_data_restrictions =\n",
	 BACK, MILTER_BELOW, "o Postfix asks weir-policyd and weir-milter"},
	{"a content filter's way back has no_milters", GOOD_MILTER FILTERED, NO_FILTER "127.0.0.1:10025/inet/receive_override_options = no_milters\n", BACK, MILTER_BELOW, MILTER_OK},
	{"a proxy's way back", GOOD_MILTER, "smtp/inet/smtpd_proxy_filter = 127.0.0.1:10024\n", "127.0.0.1:10025 inet n - n - - smtpd\n", MILTER_BELOW, AGAIN},
	{"a proxy's way back without a host", GOOD_MILTER, "smtp/inet/smtpd_proxy_filter = 127.0.0.1:10024\n", "10025 inet n - n - - smtpd\n", MILTER_BELOW, AGAIN},
	{"mail of this host's own programs", GOOD_MILTER, "", "127.0.0.1:10025 inet n - n - - smtpd\n", MILTER_BELOW, MILTER_OK},

	{"a milter without options", "smtpd_milters = unix:weir/milter.sock\n", "", "", MILTER_BELOW, NO_MILTER_ACTION ";" LONG_MILTER},
	{"options of all milters", "smtpd_milters = unix:weir/milter.sock\nmilter_default_action = accept\nmilter_command_timeout = 10s\nmilter_connect_timeout = 10s\n", "", "", MILTER_BELOW, MILTER_OK},
	{"a milter that refuses", "smtpd_milters = { unix:weir/milter.sock, connect_timeout=5s, command_timeout=10s, default_action=reject }\n", "", "", MILTER_BELOW, "P without weir-milter Postfix rejects all mail permanently"},
	{"a milter with too little time", "smtpd_milters = { unix:weir/milter.sock, connect_timeout=5s, command_timeout=1s, default_action=accept }\n", "", "", MILTER_BELOW "|milter.deadline=2s", "P Postfix does not wait for weir-milter's deadline"},
	{"another milter behind", "smtpd_milters = { unix:weir/milter.sock, connect_timeout=5s, command_timeout=10s, default_action=accept }, inet:localhost:8891\n", "", "", MILTER_BELOW, "N other milters come behind weir-milter;" MILTER_OK},
	{"another milter before", "smtpd_milters = inet:localhost:8891 { unix:weir/milter.sock, connect_timeout=5s, command_timeout=10s, default_action=accept }\n", "", "", MILTER_BELOW, MILTER_OK},
	{"another milter before, with slots", "smtpd_milters = inet:localhost:8891, { unix:weir/milter.sock, connect_timeout=5s, command_timeout=10s, default_action=accept }\n", "", "", MILTER_BELOW "|limits.default.concurrency=5", "N other milters come before weir-milter;" MILTER_OK},
	{"another milter before, with slots whose ends policyd hears", GOOD_POLICY "smtpd_end_of_data_restrictions = " ASK "\nsmtpd_milters = inet:localhost:8891, { unix:weir/milter.sock, connect_timeout=5s, command_timeout=10s, default_action=accept }\n", "", "", MILTER_BELOW "|limits.default.concurrency=5", "o Postfix asks weir-policyd and weir-milter"},
	{"another milter behind, with slots", "smtpd_milters = { unix:weir/milter.sock, connect_timeout=5s, command_timeout=10s, default_action=accept }, inet:localhost:8891\n", "", "", MILTER_BELOW "|limits.default.concurrency=5", MILTER_OK},
	{"no_milters", GOOD_MILTER "receive_override_options = no_address_mappings, no_milters\n", "", "", MILTER_BELOW, "o service smtp leaves milters out (no_milters);" NEITHER},
	{"an old protocol", GOOD_MILTER "milter_protocol = 2\n", "", "", MILTER_BELOW, "W an old milter protocol is set"},
	{"local mail", GOOD_MILTER "non_smtpd_milters = unix:weir/milter.sock\n", "", "", MILTER_BELOW, "N Postfix asks weir-milter about local mail;" MILTER_OK},

	{"own networks, milter", GOOD_MILTER "mynetworks = 127.0.0.0/8 198.51.100.0/24 [2001:db8::]/32\n", "", "", MILTER_BELOW, NETWORKS},
	{"own networks, known to weir", GOOD_MILTER "mynetworks = 127.0.0.0/8 198.51.100.0/24\n", "", "", MILTER_BELOW "|lists.networks=127.0.0.0/8, 198.51.100.0/24", MILTER_OK},
	{"own networks, half of one known to weir", GOOD_MILTER "mynetworks = 198.51.100.0/23\n", "", "", MILTER_BELOW "|lists.networks=198.51.100.0/24", NETWORKS},
	{"own networks, in Debian's spelling", GOOD_MILTER "mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128 [::ffff:198.51.100.0]/120\n", "", "", MILTER_BELOW "|lists.networks=127.0.0.0/8, ::1, 198.51.100.0/24", MILTER_OK},
	{"own networks, private ones", GOOD_MILTER "mynetworks = 127.0.0.0/8 10.1.0.0/16 [fd00:1::]/48\n", "", "", MILTER_BELOW, MILTER_OK},
	{"own networks, private ones that are greylisted", GOOD_MILTER "mynetworks = 127.0.0.0/8 10.1.0.0/16\n", "", "", MILTER_BELOW "|greylist.exempt_private=false", NETWORKS},
	{"own networks, policy behind permit_mynetworks", GOOD_POLICY "mynetworks = 198.51.100.0/24\n", "", "", "", POLICY_OK},
	{"own networks, policy before it", RCPT("reject_unauth_destination, reject_unlisted_recipient, " ASK) DATA "mynetworks = 198.51.100.0/24\n", "", "", "", NETWORKS},
	{"tables and exceptions are no networks", GOOD_MILTER "mynetworks = !198.51.100.7 cidr:/etc/postfix/nets /etc/postfix/more 127.0.0.0/8\n", "", "", MILTER_BELOW, MILTER_OK},

	{"a slow store", RCPT(BEFORE "check_policy_service { inet:127.0.0.1:10040, timeout=5s, default_action=DUNNO }") DATA, "", "",
	 "store.deadline=5s", "W Postfix does not wait long enough for weir-policyd;W Postfix does not wait long enough for weir-policyd"},
	{"a socket of the policy service beyond the chroot", "", "", "", "policyd.listen=unix:/run/weir/policy.sock", NEITHER},
	{"the milter beside others", "smtpd_milters = inet:localhost:8891, { unix:opendkim/s, default_action=accept }\n", "", "", "", NEITHER},
	{"restrictions of one's own", RCPT("reject_non_fqdn_sender, permit_mynetworks, check_client_access hash:/etc/postfix/it's, reject_unauth_destination, permit"), "", "", "", NEITHER},
	{"submission has other milters too", GOOD_MILTER "smtpd_milters = inet:localhost:8891 { unix:weir/milter.sock, connect_timeout=5s, command_timeout=10s, default_action=accept }\n", "", SMTPS, MILTER_BELOW "|limits.users.concurrency=2", "N other milters come before weir-milter;N limits apply to mail of your own users, too;" MILTER_OK},
	{"submission asks in another list", "smtpd_sender_restrictions = reject_unauth_destination, reject_unlisted_recipient, " ASK "\n" DATA, "", SUBMISSION, "", USERS},
	{"two of postscreen's tests", GOOD_POLICY "postscreen_pipelining_enable = yes\npostscreen_bare_newline_enable = yes\n", "", "smtpd pass - - y - - smtpd\nsmtp inet n - y - 1 postscreen\n", "", "N postscreen holds up new clients, too;" POLICY_OK},
	{"an old protocol, of this milter", "smtpd_milters = { unix:weir/milter.sock, connect_timeout=5s, command_timeout=10s, default_action=accept, protocol=3 }\n", "", "", MILTER_BELOW, "W an old milter protocol is set"},
	{"the service has its own list", "", "smtp/inet/smtpd_milters = inet:localhost:8891\n", "", "", NEITHER},
	{"behind a reject, for one service", GOOD_POLICY, "smtp/inet/smtpd_recipient_restrictions = permit_mynetworks, reject, " ASK "\n", "", "", "P Postfix never asks weir-policyd"},

	{"another origin", GOOD_POLICY "myorigin = other.example\n", "", "", "", REWRITES ";" POLICY_OK},
	{"the same origin", GOOD_POLICY "myorigin = Other.example\n", "", "", "rewrite.origin=other.example", POLICY_OK},
	{"a file that is not there", GOOD_POLICY "myorigin = /nowhere/mailname\n", "", "", "", POLICY_OK},
	{"an origin that is no domain", GOOD_POLICY "myorigin = $unknown\n", "", "", "", POLICY_OK},
	{"a domain is appended", GOOD_POLICY "append_dot_mydomain = yes\nmydomain = m.example\n", "", "", "", REWRITES ";" POLICY_OK},
	{"the same one", GOOD_POLICY "append_dot_mydomain = yes\nmydomain = m.example\n", "", "", "rewrite.append_domain=m.example", POLICY_OK},
	{"none is", GOOD_POLICY "append_dot_mydomain = no\nmydomain = m.example\n", "", "", "rewrite.append_domain=m.example", REWRITES ";" POLICY_OK},
	{"no percent hack", GOOD_POLICY "allow_percent_hack = no\n", "", "", "", REWRITES ";" POLICY_OK},
	{"no bang paths", GOOD_POLICY "swap_bangpath = no\n", "", "", "", REWRITES ";" POLICY_OK},
	{"bang paths, but not to weir", GOOD_POLICY "swap_bangpath = yes\n", "", "", "rewrite.bangpath=false", REWRITES ";" POLICY_OK},
	{"neither, on both sides", GOOD_POLICY "swap_bangpath = no\nallow_percent_hack = no\n", "", "", "rewrite.bangpath=false|rewrite.percent_hack=false", POLICY_OK},
	{"none for the rewriter", GOOD_POLICY "swap_bangpath = yes\n", "rewrite/unix/swap_bangpath = no\n", REWRITER, "", REWRITES ";" POLICY_OK},
	{"no origin is appended", GOOD_POLICY "append_at_myorigin = no\n", "", "", "", REWRITES ";" POLICY_OK},
	{"none is by the rewriter", GOOD_POLICY, "rewrite/unix/append_at_myorigin = no\n", REWRITER, "", REWRITES ";" POLICY_OK},
	{"all of it at once", GOOD_POLICY "append_at_myorigin = no\nmyorigin = other.example\nappend_dot_mydomain = yes\nmydomain = m.example\nswap_bangpath = no\nallow_percent_hack = no\n", "", "", "", REWRITES ";" POLICY_OK},
	{"the milter alone does not mind", GOOD_MILTER "swap_bangpath = no\n", "", "", MILTER_BELOW, MILTER_OK},

	{"soft_bounce", GOOD_POLICY "soft_bounce = yes\n", "", "", "", "N soft_bounce is on;" POLICY_OK},
	{"postscreen's deep tests", GOOD_POLICY "postscreen_pipelining_enable = yes\n", "", "smtpd pass - - y - - smtpd\nsmtp inet n - y - 1 postscreen\n", "", "N postscreen holds up new clients, too;" POLICY_OK},
	{"they are on, but postscreen does not run", GOOD_POLICY "postscreen_pipelining_enable = yes\n", "", "", "", POLICY_OK},
	{"an old Postfix", GOOD_POLICY "mail_version = 2.11.3\n", "", "", "", "W this Postfix is too old"},
};

/* clang-format on */

static struct conf *
settings(const char *texts)
{
	char *v[8];
	struct conf_texts overrides = {.v = v};
	struct slice rest = slice_of(texts), one;
	struct err err;
	while (*texts && overrides.n < COUNT_OF(v) && slice_cut(&rest, '|', &one))
		v[overrides.n++] = mem_dup(one);
	struct conf *conf = conf_load(NULL, &overrides, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	for (size_t i = 0; i < overrides.n; i++)
		free(v[i]);
	return conf;
}

static void
print_titles(const struct findings *findings, struct text *out)
{
	for (size_t i = 0; i < findings->n; i++)
		text_printf(out, "%s%c %s", i > 0 ? ";" : "",
		            "oNWP"[findings->v[i].level], findings -> v[i].title);
}

/* Whoever is not told how to mend it is left alone with it. */
static void
check_complete(const char *row, const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->v[i];
		ck_assert_msg(f->level == FINDING_OK || (*f->seen && *f->mend),
		              "%s: %s: not all is said", row, f->title);
	}
}

/* What is found in a wiring. */
struct judged {
	struct postfix postfix;
	struct findings findings;
	struct conf *conf;
};

static void
judge(const struct judge_row *r, const struct cured *cured, struct judged *judged_out)
{
	char values[16384], services[2048], overrides[8192], options[2048];
	struct wiring wiring;
	*judged_out = (struct judged){.findings.topic = "mta"};
	snprintf(options, sizeof(options), "%s%s", r->settings,
	         cured->settings.p + (*r->settings == '\0'));
	snprintf(values, sizeof(values), "%s%s%s", DEBIAN_VALUES, r->values,
	         cured->values.p);
	snprintf(overrides, sizeof(overrides), "%s%s", r->overrides, cured->overrides.p);
	snprintf(services, sizeof(services), "%s%s", DEBIAN_SMTP, r->services);
	judged_out->conf = settings(options);
	postfix_parse(&judged_out->postfix, slice_of(values), slice_of(overrides),
	              slice_of(services));
	postfix_judge(&judged_out->postfix, judged_out->conf, &judged_out->findings,
	              &wiring);
}

static void
judged_free(struct judged *judged)
{
	findings_free(&judged->findings);
	postfix_free(&judged->postfix);
	conf_unref(&judged->conf);
}

START_TEST(wirings)
{
	const struct judge_row *r = &judge_rows[_i];
	char got[1024] = "", none[] = "";
	struct text titles = TEXT(got);
	struct judged judged;
	struct cured nothing = {.values.p = none,
	                        .overrides.p = none,
	                        .settings.p = (char[2]){0}};
	judge(r, &nothing, &judged);
	print_titles(&judged.findings, &titles);
	ck_assert_msg(strcmp(got, r->want) == 0, "%s:\n got %s\nwant %s", r->row, got,
	              r->want);
	check_complete(r->row, &judged.findings);
	judged_free(&judged);
}

END_TEST

/* ---- cures ---- */

static bool
has_finding(const struct findings *findings, const struct finding *like)
{
	for (size_t i = 0; i < findings->n; i++)
		if (findings->v[i].level == like->level &&
		    strcmp(findings->v[i].title, like->title) == 0 &&
		    strcmp(findings->v[i].seen, like->seen) == 0)
			return true;
	return false;
}

/* Whether a cure works that is applied as it stands there, and brings nothing bad. */
static void
check_cure(const struct judge_row *r, const struct judged *before,
           const struct finding *ill, int way, bool *applied_out)
{
	char values[8192] = "", overrides[8192] = "", changes[1024] = "\0";
	struct cured cured = {.values = TEXT(values),
	                      .overrides = TEXT(overrides),
	                      .settings = TEXT(changes)};
	struct judged after;
	*applied_out = cure_apply(ill->mend, way, &cured) && cured.n > 0;
	if (!*applied_out)
		return;
	judge(r, &cured, &after);
	ck_assert_msg(!has_finding(&after.findings, ill), "%s: is not mended by\n%s",
	              r->row, ill->mend);
	for (size_t i = 0; i < after.findings.n; i++) {
		const struct finding *new = &after.findings.v[i];
		ck_assert_msg(new->level < FINDING_WARNING ||
		                      has_finding(&before->findings, new),
		              "%s: is made worse (%s; %s) by\n%s", r->row, new->title,
		              new->seen, ill->mend);
	}
	judged_free(&after);
}

START_TEST(cures_work)
{
	const struct judge_row *r = &judge_rows[_i];
	char none[] = "";
	struct judged judged;
	struct cured nothing = {.values.p = none,
	                        .overrides.p = none,
	                        .settings.p = (char[2]){0}};
	judge(r, &nothing, &judged);
	for (size_t i = 0; i < judged.findings.n; i++) {
		bool applied = judged.findings.v[i].level != FINDING_OK;
		for (int way = 0; applied; way++)
			check_cure(r, &judged, &judged.findings.v[i], way, &applied);
	}
	judged_free(&judged);
}

END_TEST

/* The operator's other milters, and how he has written his list, stay. */
START_TEST(cures_leave_the_rest)
{
	static const struct {
		const char *values, *overrides, *services, *settings, *want;
	} rows[] = {
		{"smtpd_milters = inet:localhost:8891, { unix:opendkim/s, "
	         "default_action=accept }\n",
	         "", "", MILTER_BELOW,
	         "\npostconf 'smtpd_milters = inet:localhost:8891, { unix:opendkim/s, "
	         "default_action=accept }, { unix:weir/milter.sock, connect_timeout=5s, "
	         "command_timeout=10s, default_action=accept }'\npostfix reload\n"},
		{"smtpd_milters = inet:localhost:8891, { unix:opendkim/s, "
	         "default_action=accept }\n",
	         "", "", MILTER_BELOW "|limits.default.concurrency=5",
	         "\npostconf 'smtpd_milters = { unix:weir/milter.sock, connect_timeout=5s, "
	         "command_timeout=10s, default_action=accept }, inet:localhost:8891, "
	         "{ unix:opendkim/s, default_action=accept }'\npostfix reload\n"},
		{RCPT("reject_non_fqdn_sender, check_client_access "
	              "hash:/etc/postfix/it's, reject_unauth_destination permit"),
	         "", "", MILTER_BELOW,
	         "\npostconf 'smtpd_recipient_restrictions = reject_non_fqdn_sender, "
	         "check_client_access hash:/etc/postfix/it'\\''s, "
	         "reject_unauth_destination, reject_unlisted_recipient, " ASK
	         " permit'\npostfix reload"},
		{"", "smtp/inet/smtpd_milters =\n", "", MILTER_BELOW,
	         "\npostconf -P 'smtp/inet/smtpd_milters={unix:weir/milter.sock,connect_timeout=5s,"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct judge_row row = {"",
		                              rows[i].values,
		                              rows[i].overrides,
		                              rows[i].services,
		                              rows[i].settings,
		                              ""};
		char none[] = "";
		struct judged judged;
		struct cured nothing = {.values.p = none,
		                        .overrides.p = none,
		                        .settings.p = (char[2]){0}};
		judge(&row, &nothing, &judged);
		ck_assert_msg(strstr(judged.findings.v[0].mend, rows[i].want) != NULL,
		              "%zu %s", i, judged.findings.v[0].mend);
		judged_free(&judged);
	}
}

END_TEST

START_TEST(the_socket_is_made_for_the_daemons_user)
{
	struct postfix postfix = {0};
	struct findings findings = {.topic = "mta"};
	struct wiring wiring;
	struct conf *conf = settings("user=mailer");
	const char *mend = "";
	postfix_parse(&postfix,
	              SLICE(DEBIAN_VALUES "smtpd_milters = unix:/run/weir/milter.sock\n"),
	              SLICE(""), SLICE(DEBIAN_SMTP));
	postfix_judge(&postfix, conf, &findings, &wiring);
	for (size_t i = 0; i < findings.n; i++)
		if (strstr(findings.v[i].title, "the chroot hides"))
			mend = findings.v[i].mend;
	ck_assert_msg(strstr(mend, "install -d -o mailer -g postfix ") != NULL, "%s",
	              mend);
	findings_free(&findings);
	postfix_free(&postfix);
	conf_unref(&conf);
}

END_TEST

/* Debian has it in /etc/mailname. */
START_TEST(an_origin_may_be_in_a_file)
{
	char path[] = "/tmp/origin.XXXXXX", values[512];
	static const char *const wants[] = {REWRITES ";" POLICY_OK, POLICY_OK};
	int fd = mkstemp(path);
	ck_assert(fd >= 0 && write(fd, "file.example\n", 13) == 13);
	snprintf(values, sizeof(values), GOOD_POLICY "myorigin = %s\n", path);
	struct judge_row row = {path, values, "", "", "rewrite.origin=other.example", ""};
	for (size_t i = 0; i < COUNT_OF(wants); i++) {
		char got[512] = "", none[] = "";
		struct text titles = TEXT(got);
		struct cured nothing = {.values.p = none,
		                        .overrides.p = none,
		                        .settings.p = (char[2]){0}};
		struct judged judged;
		judge(&row, &nothing, &judged);
		print_titles(&judged.findings, &titles);
		ck_assert_str_eq(got, wants[i]);
		ck_assert(i > 0 || strstr(judged.findings.v[0].mend,
		                          "origin = \"file.example\"; "));
		judged_free(&judged);
		row.settings = "rewrite.origin=file.example";
	}
	close(fd);
	unlink(path);
}

END_TEST

#define X(spec)     "Xweir, " spec "\n"
#define MC(spec)    "INPUT_MAIL_FILTER(`weir', `" spec "')dnl\n"
#define SENDMAIL_OK "o Sendmail asks weir-milter (f)"

/* clang-format off */
static const struct sendmail_row {
	const char *row;
	const char *text;
	const char *settings;
	const char *want;
} sendmail_rows[] = {
	{"nothing", "", "", "P Sendmail does not ask weir-milter"},
	{"our sample", MC("S=unix:/run/weir/milter.sock, T=C:5s;S:5s;R:10s;E:1m"), "", SENDMAIL_OK},
	{"the same in sendmail.cf", "Cwlocalhost\nO InputMailFilters=weir\n" X("S=unix:/run/weir/milter.sock, T=C:5s;S:5s;R:10s;E:1m"), "", SENDMAIL_OK},
	{"local:", X("S=local:/run/weir/milter.sock"), "", SENDMAIL_OK},
	{"inet", X("S=inet:10043@127.0.0.1, T=R:10s"), "milter.listen=inet:127.0.0.1:10043", SENDMAIL_OK},
	{"inet, localhost", X("S=inet:10043@localhost"), "milter.listen=inet:127.0.0.1:10043", SENDMAIL_OK},
	{"another port", X("S=inet:10044@localhost"), "milter.listen=inet:127.0.0.1:10043", "P Sendmail does not ask weir-milter"},
	{"another filter", MC("S=unix:/run/other.sock"), "", "P Sendmail does not ask weir-milter"},
	{"in a comment", "dnl " MC("S=unix:/run/weir/milter.sock"), "", "P Sendmail does not ask weir-milter"},
	{"F=T", X("S=unix:/run/weir/milter.sock, F=T, T=R:10s"), "", "W without weir-milter Sendmail does not accept mail"},
	{"F=R", MC("S=unix:/run/weir/milter.sock, F=R"), "", "P without weir-milter Sendmail rejects all mail permanently"},
	{"behind another filter", MC("S=unix:/run/other.sock, F=R") MC("S=unix:/run/weir/milter.sock"), "", SENDMAIL_OK},
};

/* clang-format on */

START_TEST(sendmails)
{
	const struct sendmail_row *r = &sendmail_rows[_i];
	char got[256] = "";
	struct text titles = TEXT(got);
	struct findings findings = {.topic = "mta"};
	struct conf *conf = settings(r->settings);
	bool asked = sendmail_judge_text("f", slice_of(r->text), conf, &findings);
	print_titles(&findings, &titles);
	ck_assert_msg(strcmp(got, r->want) == 0, "%s: got %s", r->row, got);
	ck_assert_msg(asked == !strstr(got, "does not ask"), "%s", r->row);
	check_complete(r->row, &findings);
	findings_free(&findings);
	conf_unref(&conf);
}

END_TEST

static void
fill(TCase *tc)
{
	tcase_add_loop_test(tc, wirings, 0, COUNT_OF(judge_rows));
	tcase_add_loop_test(tc, cures_work, 0, COUNT_OF(judge_rows));
	tcase_add_test(tc, cures_leave_the_rest);
	tcase_add_test(tc, the_socket_is_made_for_the_daemons_user);
	tcase_add_test(tc, an_origin_may_be_in_a_file);
	tcase_add_loop_test(tc, sendmails, 0, COUNT_OF(sendmail_rows));
}

int
main(void)
{
	return harness_run("postfix_judge", fill);
}
