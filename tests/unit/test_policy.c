/* test_policy.c - the policy protocol: whole, in pieces, pipelined, too long, wrong. */
#include "policy.h"

#include "base/stats.h"
#include "harness.h"

static struct arena arena;

struct outcome {
	enum policy_state state;
	struct policy policy;
	size_t used;
};

/* Feeds the bytes `step` at a time until the parser wants no more. */
static struct outcome
feed(struct slice in, size_t step)
{
	struct outcome o = {.state = POLICY_MORE};
	policy_reset(&o.policy, &arena);
	while (o.state == POLICY_MORE && o.used < in.n) {
		struct slice piece = slice_head(slice_from(in, o.used), step);
		size_t used;
		o.state = policy_feed(&o.policy, piece, &used);
		ck_assert_uint_le(used, piece.n);
		if (o.state == POLICY_MORE)
			ck_assert_uint_eq(used, piece.n);
		o.used += used;
	}
	return o;
}

static void
check_same_slice(const char *row, const char *what, struct slice got, struct slice want)
{
	ck_assert_msg(slice_eq(got, want), "%s: %s is \"%.*s\", not \"%.*s\"", row, what,
	              (int)got.n, got.n ? got.p : "", (int)want.n, want.n ? want.p : "");
}

static void
check_same_query(const char *row, const struct query *got, const struct query *want)
{
#define SAME(member) check_same_slice(row, #member, got->member, want->member)
	ck_assert_msg(got->stage == want->stage, "%s: stage is %d, not %d", row,
	              got->stage, want->stage);
	SAME(client_address);
	SAME(client_port);
	SAME(client_name);
	SAME(sender);
	SAME(recipient);
	SAME(instance);
	SAME(sasl_username);
	SAME(ccert_fingerprint);
	SAME(ccert_pubkey_fingerprint);
	SAME(test_time);
#undef SAME
}

#define REQUEST "request=smtpd_access_policy\n"

/* clang-format off */
#define POSTFIX_2_1 REQUEST \
	"protocol_state=RCPT\n" \
	"protocol_name=SMTP\n" \
	"helo_name=some.domain.example\n" \
	"queue_id=8045F2AB23\n" \
	"sender=foo@bar.example\n" \
	"recipient=bar@foo.example\n" \
	"client_address=192.0.2.4\n" \
	"client_name=another.domain.example\n" \
	"instance=123.456.7\n" \
	"\n"

#define POSTFIX_2_3 REQUEST \
	"protocol_state=RCPT\n" \
	"protocol_name=ESMTP\n" \
	"client_address=192.0.2.4\n" \
	"client_name=another.domain.example\n" \
	"reverse_client_name=another.domain.example\n" \
	"helo_name=some.domain.example\n" \
	"sender=foo@bar.example\n" \
	"recipient=bar@foo.example\n" \
	"recipient_count=0\n" \
	"queue_id=\n" \
	"instance=123.456.7\n" \
	"size=12345\n" \
	"etrn_domain=\n" \
	"sasl_method=plain\n" \
	"sasl_username=you\n" \
	"sasl_sender=\n" \
	"ccert_subject=solaris9.example\n" \
	"ccert_issuer=Some+20Body\n" \
	"ccert_fingerprint=C2:9D:F4:87:71:73:73:D9:18:E7:C2:F3:C1:DA:6E:04\n" \
	"encryption_protocol=TLSv1/SSLv3\n" \
	"encryption_cipher=DHE-RSA-AES256-SHA\n" \
	"encryption_keysize=256\n" \
	"\n"

#define POSTFIX_3_0 REQUEST \
	"protocol_state=DATA\n" \
	"protocol_name=ESMTP\n" \
	"client_address=2001:db8::4\n" \
	"client_name=unknown\n" \
	"client_port=40404\n" \
	"reverse_client_name=unknown\n" \
	"helo_name=some.domain.example\n" \
	"sender=\n" \
	"recipient=\n" \
	"recipient_count=2\n" \
	"queue_id=8045F2AB23\n" \
	"instance=7a1.55005a9c.2bcd0.0\n" \
	"size=0\n" \
	"etrn_domain=\n" \
	"stress=\n" \
	"sasl_method=\n" \
	"sasl_username=\n" \
	"sasl_sender=\n" \
	"ccert_subject=\n" \
	"ccert_issuer=\n" \
	"ccert_fingerprint=\n" \
	"ccert_pubkey_fingerprint=68:B3:29:DA\n" \
	"encryption_protocol=\n" \
	"encryption_cipher=\n" \
	"encryption_keysize=0\n" \
	"\n"

#define POSTFIX_3_7 REQUEST \
	"protocol_state=RCPT\n" \
	"protocol_name=ESMTP\n" \
	"client_address=192.0.2.4\n" \
	"client_name=mx.example.com\n" \
	"client_port=40404\n" \
	"reverse_client_name=mx.example.com\n" \
	"server_address=198.51.100.25\n" \
	"server_port=25\n" \
	"helo_name=mx.example.com\n" \
	"sender=a=b@bar.example\n" \
	"recipient=bar@foo.example\n" \
	"recipient_count=0\n" \
	"queue_id=\n" \
	"instance=3d1.61f2a9c1.2bcd0.0\n" \
	"size=2048\n" \
	"etrn_domain=\n" \
	"stress=yes\n" \
	"sasl_method=\n" \
	"sasl_username=\n" \
	"sasl_sender=\n" \
	"ccert_subject=\n" \
	"ccert_issuer=\n" \
	"ccert_fingerprint=\n" \
	"ccert_pubkey_fingerprint=\n" \
	"encryption_protocol=TLSv1.3\n" \
	"encryption_cipher=TLS_AES_256_GCM_SHA384\n" \
	"encryption_keysize=256\n" \
	"policy_context=\n" \
	"compatibility_level=3.6\n" \
	"mail_version=3.7.11\n" \
	"\n"

static const struct good_row {
	const char *row;
	struct slice in;
	struct query want;
	unsigned unknown; /* attributes that are not known */
} good_rows[] = {
	{"Postfix 2.1", SLICE_INIT(POSTFIX_2_1),
		{.stage = STAGE_RCPT, .client_address = SLICE_INIT("192.0.2.4"),
		 .client_name = SLICE_INIT("another.domain.example"),
		 .sender = SLICE_INIT("foo@bar.example"), .recipient = SLICE_INIT("bar@foo.example"),
		 .instance = SLICE_INIT("123.456.7")}, 0},
	{"Postfix 2.3", SLICE_INIT(POSTFIX_2_3),
		{.stage = STAGE_RCPT, .client_address = SLICE_INIT("192.0.2.4"),
		 .client_name = SLICE_INIT("another.domain.example"),
		 .sender = SLICE_INIT("foo@bar.example"), .recipient = SLICE_INIT("bar@foo.example"),
		 .instance = SLICE_INIT("123.456.7"),
		 .sasl_username = SLICE_INIT("you"),
		 .ccert_fingerprint =
			SLICE_INIT("C2:9D:F4:87:71:73:73:D9:18:E7:C2:F3:C1:DA:6E:04")}, 0},
	{"Postfix 3.0, null sender at DATA", SLICE_INIT(POSTFIX_3_0),
		{.stage = STAGE_DATA, .client_address = SLICE_INIT("2001:db8::4"),
		 .client_port = SLICE_INIT("40404"), .client_name = SLICE_INIT("unknown"),
		 .instance = SLICE_INIT("7a1.55005a9c.2bcd0.0"),
		 .ccert_pubkey_fingerprint = SLICE_INIT("68:B3:29:DA")}, 0},
	{"Postfix 3.7, a value with an equals sign", SLICE_INIT(POSTFIX_3_7),
		{.stage = STAGE_RCPT, .client_address = SLICE_INIT("192.0.2.4"),
		 .client_port = SLICE_INIT("40404"),
		 .client_name = SLICE_INIT("mx.example.com"),
		 .sender = SLICE_INIT("a=b@bar.example"), .recipient = SLICE_INIT("bar@foo.example"),
		 .instance = SLICE_INIT("3d1.61f2a9c1.2bcd0.0")}, 0},
	{"the shortest request", SLICE_INIT(REQUEST "\n"), {.stage = STAGE_OTHER}, 0},
	{"request= need not come first", SLICE_INIT("sender=a@b.example\n" REQUEST "\n"),
		{.sender = SLICE_INIT("a@b.example")}, 0},
	{"CR LF", SLICE_INIT("request=smtpd_access_policy\r\nprotocol_state=RCPT\r\n"
	                     "sender=a@b.example\r\nhelo_name=\r\n\r\n"),
		{.stage = STAGE_RCPT, .sender = SLICE_INIT("a@b.example")}, 0},
	{"only the last CR goes", SLICE_INIT(REQUEST "sender=a\r\r\n\n"),
		{.sender = SLICE_INIT("a\r")}, 0},
	{"unknown attributes are skipped", SLICE_INIT(REQUEST "sender_extra=1\nx=\n"
	                     "Sender=big@b.example\nsender=a@b.example\n\n"),
		{.sender = SLICE_INIT("a@b.example")}, 3},
	{"the last of two holds", SLICE_INIT(REQUEST "sender=a\nsender=b\n\n"),
		{.sender = SLICE_INIT("b")}, 0},
	{"an empty value takes back", SLICE_INIT(REQUEST "sender=a\nsender=\n\n"), {0}, 0},
	{"END-OF-MESSAGE", SLICE_INIT(REQUEST "protocol_state=END-OF-MESSAGE\n\n"),
		{.stage = STAGE_END_OF_MESSAGE}, 0},
	{"CONNECT", SLICE_INIT(REQUEST "protocol_state=CONNECT\n\n"), {.stage = STAGE_OTHER}, 0},
	{"states in small letters are none", SLICE_INIT(REQUEST "protocol_state=rcpt\n\n"),
		{.stage = STAGE_OTHER}, 0},
	{"the test clock", SLICE_INIT(REQUEST "policy_test_time=1800000000\n\n"),
		{.test_time = SLICE_INIT("1800000000")}, 0},
	{"bytes above 127", SLICE_INIT(REQUEST "sender=\303\251@b.example\n\n"),
		{.sender = SLICE_INIT("\303\251@b.example")}, 0},
	{"blanks belong to the value", SLICE_INIT(REQUEST "client_name= a b \n\n"),
		{.client_name = SLICE_INIT(" a b ")}, 0},
	{"a NUL in what is skipped", SLICE_INIT(REQUEST "sen\0der=a\nsize=\0\nsender=b\n\n"),
		{.sender = SLICE_INIT("b")}, 1},
	{"names that begin like others", SLICE_INIT(REQUEST "client=1\nclient_addres=2\n"
	                     "client_addresss=3\nclient_address=4\n\n"),
		{.client_address = SLICE_INIT("4")}, 3},
	{"names in the table's last row, then its first",
		SLICE_INIT("policy_test_time=5\n" REQUEST "protocol_state=DATA\n\n"),
		{.stage = STAGE_DATA, .test_time = SLICE_INIT("5")}, 0},
};

static const struct bad_row {
	const char *row;
	struct slice in;
	const char *trouble;
} bad_rows[] = {
	{"an empty line alone", SLICE_INIT("\n"), "no request="},
	{"no request=", SLICE_INIT("sender=a\n\n"), "no request="},
	{"another request", SLICE_INIT("request=junk\n"), "request is not"},
	{"an empty request", SLICE_INIT("request=\n"), "request is not"},
	{"request in capitals", SLICE_INIT("request=SMTPD_ACCESS_POLICY\n"), "request is not"},
	{"a second request= that differs", SLICE_INIT(REQUEST "request=x\n"), "request is not"},
	{"HTTP", SLICE_INIT("GET / HTTP/1.1\r\n"), "not name=value"},
	{"SMTP", SLICE_INIT("EHLO example.com\r\n"), "not name=value"},
	{"no name", SLICE_INIT("=value\n"), "not name=value"},
	{"no equals sign", SLICE_INIT(REQUEST "sender\n"), "not name=value"},
	{"a blank line that is not empty", SLICE_INIT(REQUEST " \n"), "not name=value"},
	{"a CR alone in front", SLICE_INIT(REQUEST "\r\r\n"), "not name=value"},
	{"a NUL in a value", SLICE_INIT(REQUEST "sender=a\0b\n"), "NUL"},
	{"a NUL behind a value", SLICE_INIT(REQUEST "sender=\0\n"), "NUL"},
	{"only NUL bytes", SLICE_INIT("\0\0\0\n"), "not name=value"},
};

/* clang-format on */

static const size_t steps[] = {SIZE_MAX, 1, 2, 3, 7, 64, 100};

START_TEST(good_requests_are_read)
{
	const struct good_row *r = &good_rows[_i];
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		uint64_t unknown = stats_get(STAT_POLICY_UNKNOWN_ATTRIBUTES);
		struct outcome o = feed(r->in, steps[i]);
		ck_assert_msg(o.state == POLICY_DONE, "%s, %zu at a time: state %d %s",
		              r->row, steps[i], o.state, o.policy.trouble);
		ck_assert_msg(o.used == r->in.n, "%s: %zu of %zu used", r->row, o.used,
		              r->in.n);
		check_same_query(r->row, &o.policy.query, &r->want);
		unknown = stats_get(STAT_POLICY_UNKNOWN_ATTRIBUTES) - unknown;
		ck_assert_msg(unknown == r->unknown, "%s: %u unknown", r->row,
		              (unsigned)unknown);
		arena_reset(&arena);
	}
	arena_free(&arena);
}

END_TEST

START_TEST(a_request_cut_short_wants_more)
{
	const struct good_row *r = &good_rows[_i];
	for (size_t n = 0; n < r->in.n; n++) {
		struct outcome o = feed(slice_head(r->in, n), SIZE_MAX);
		ck_assert_msg(o.state == POLICY_MORE, "%s cut to %zu: state %d", r->row,
		              n, o.state);
		ck_assert_msg(policy_has_begun(&o.policy) == (n > 0), "%s cut to %zu",
		              r->row, n);
		arena_reset(&arena);
	}
	arena_free(&arena);
}

END_TEST

START_TEST(bad_requests_are_refused)
{
	const struct bad_row *r = &bad_rows[_i];
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct outcome o = feed(r->in, steps[i]);
		ck_assert_msg(o.state == POLICY_BAD, "%s, %zu at a time: state %d",
		              r->row, steps[i], o.state);
		ck_assert_msg(strstr(o.policy.trouble, r->trouble) != NULL, "%s: %s",
		              r->row, o.policy.trouble);
		arena_reset(&arena);
	}
	arena_free(&arena);
}

END_TEST

START_TEST(pipelined_requests_are_taken_one_by_one)
{
	char buf[16384];
	struct text all = TEXT(buf);
	for (size_t i = 0; i < COUNT_OF(good_rows); i++)
		text_put(&all, good_rows[i].in);
	ck_assert(!all.cut);
	struct slice rest = text_slice(&all);
	for (size_t i = 0; i < COUNT_OF(good_rows); i++) {
		const struct good_row *r = &good_rows[i];
		struct outcome o = feed(rest, i % 2 ? 5 : SIZE_MAX);
		ck_assert_msg(o.state == POLICY_DONE, "%s: state %d", r->row, o.state);
		ck_assert_msg(o.used == r->in.n, "%s: %zu used", r->row, o.used);
		check_same_query(r->row, &o.policy.query, &r->want);
		rest = slice_from(rest, o.used);
		arena_reset(&arena);
	}
	ck_assert_uint_eq(rest.n, 0);
	arena_free(&arena);
}

END_TEST

START_TEST(a_parser_is_ready_again_after_reset)
{
	struct policy policy;
	size_t used;
	policy_reset(&policy, &arena);
	ck_assert(!policy_has_begun(&policy));
	ck_assert_int_eq(policy_feed(&policy, SLICE(REQUEST "sender=a\n\n"), &used),
	                 POLICY_DONE);
	policy_reset(&policy, &arena);
	ck_assert(!policy_has_begun(&policy));
	ck_slice_eq("after reset", policy.query.sender, "");
	ck_assert_int_eq(policy_feed(&policy, SLICE("\n"), &used), POLICY_BAD);
	arena_free(&arena);
}

END_TEST

START_TEST(nothing_to_feed_changes_nothing)
{
	struct policy policy;
	size_t used = 99;
	policy_reset(&policy, &arena);
	ck_assert_int_eq(policy_feed(&policy, SLICE(""), &used), POLICY_MORE);
	ck_assert_uint_eq(used, 0);
	ck_assert(!policy_has_begun(&policy));
	arena_free(&arena);
}

END_TEST

static char big[2 * POLICY_REQUEST_MAX];

/* REQUEST, then `lines` lines of `line_n` bytes without their newline, then the end. */
static struct slice
request_of(size_t lines, size_t line_n, const char *newline)
{
	struct text t = TEXT(big);
	text_puts(&t, REQUEST);
	for (size_t i = 0; i < lines; i++) {
		size_t from = t.n;
		text_puts(&t, "sender=");
		while (t.n - from < line_n)
			text_putc(&t, 'x');
		text_puts(&t, newline);
	}
	text_puts(&t, newline);
	ck_assert(!t.cut);
	return text_slice(&t);
}

/* clang-format off */
static const struct bound_row {
	const char *row;
	size_t lines;
	size_t line_n;
	const char *newline;
	const char *trouble; /* NULL: it is good */
} bound_rows[] = {
	{"the longest line", 1, POLICY_LINE_MAX, "\n", NULL},
	{"a line one byte too long", 1, POLICY_LINE_MAX + 1, "\n", "a line is too long"},
	{"the longest line with its CR", 1, POLICY_LINE_MAX - 1, "\r\n", NULL},
	{"as many attributes as may be", POLICY_ATTRIBUTES_MAX - 1, 7, "\n", NULL},
	{"an attribute too many", POLICY_ATTRIBUTES_MAX, 7, "\n", "too many attributes"},
	{"a long request", 7, POLICY_LINE_MAX, "\n", NULL},
	{"a request too long", 8, POLICY_LINE_MAX, "\n", "the request is too long"},
	{"a line without an end", 1, POLICY_REQUEST_MAX, "", "a line is too long"},
};

/* clang-format on */

START_TEST(requests_are_bounded)
{
	const struct bound_row *r = &bound_rows[_i];
	static const size_t by[] = {SIZE_MAX, 1, 1000, 4096, 8192, 8193};
	struct slice in = request_of(r->lines, r->line_n, r->newline);
	for (size_t i = 0; i < COUNT_OF(by); i++) {
		struct outcome o = feed(in, by[i]);
		ck_assert_msg(o.state == (r->trouble ? POLICY_BAD : POLICY_DONE),
		              "%s, %zu at a time: state %d %s", r->row, by[i], o.state,
		              o.policy.trouble ? o.policy.trouble : "");
		if (r->trouble)
			ck_assert_msg(strstr(o.policy.trouble, r->trouble) != NULL,
			              "%s: %s", r->row, o.policy.trouble);
		else
			ck_assert_msg(o.policy.query.sender.n == r->line_n - 7,
			              "%s: %zu bytes of sender", r->row,
			              o.policy.query.sender.n);
		arena_reset(&arena);
	}
	arena_free(&arena);
}

END_TEST

START_TEST(the_last_byte_allowed_is_the_65536th)
{
	struct slice in = request_of(7, POLICY_LINE_MAX, "\n");
	size_t left = POLICY_REQUEST_MAX - in.n;
	for (size_t more = 0; more < 2; more++) {
		/* one line more, which ends where the empty line stood */
		struct text t = {.p = big, .n = in.n - 1, .cap = sizeof(big)};
		text_puts(&t, "sender=");
		while (t.n < in.n - 1 + left - 1 + more)
			text_putc(&t, 'y');
		text_puts(&t, "\n\n");
		ck_assert_uint_eq(t.n, POLICY_REQUEST_MAX + more);
		ck_assert_int_eq(feed(text_slice(&t), SIZE_MAX).state,
		                 more ? POLICY_BAD : POLICY_DONE);
		ck_assert_int_eq(feed(text_slice(&t), 1).state,
		                 more ? POLICY_BAD : POLICY_DONE);
	}
	arena_free(&arena);
}

END_TEST

/* clang-format off */
static const struct print_row {
	const char *row;
	enum verdict_action action;
	struct slice header;
	const char *want;
} print_rows[] = {
	{"accepted", VERDICT_ACCEPT, SLICE_INIT(""), "action=DUNNO\n\n"},
	{"accepted with a header", VERDICT_ACCEPT, SLICE_INIT("X-Greylist: x"),
		"action=PREPEND X-Greylist: x\n\n"},
	{"deferred", VERDICT_DEFER, SLICE_INIT(""), "action=451 4.7.1 later\n\n"},
	{"deferred: no header", VERDICT_DEFER, SLICE_INIT("X-Greylist: x"),
		"action=451 4.7.1 later\n\n"},
};

/* clang-format on */

START_TEST(answers_are_printed)
{
	const struct print_row *r = &print_rows[_i];
	char buf[128];
	struct text out = TEXT(buf);
	struct verdict verdict = {.action = r->action,
	                          .reply = SLICE_INIT("451 4.7.1 later")};
	policy_print(&verdict, r->header, &out);
	ck_slice_eq(r->row, text_slice(&out), r->want);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, good_requests_are_read, 0, COUNT_OF(good_rows));
	tcase_add_loop_test(tcase, a_request_cut_short_wants_more, 0,
	                    COUNT_OF(good_rows));
	tcase_add_loop_test(tcase, bad_requests_are_refused, 0, COUNT_OF(bad_rows));
	tcase_add_test(tcase, pipelined_requests_are_taken_one_by_one);
	tcase_add_test(tcase, a_parser_is_ready_again_after_reset);
	tcase_add_test(tcase, nothing_to_feed_changes_nothing);
	tcase_add_loop_test(tcase, requests_are_bounded, 0, COUNT_OF(bound_rows));
	tcase_add_test(tcase, the_last_byte_allowed_is_the_65536th);
	tcase_add_loop_test(tcase, answers_are_printed, 0, COUNT_OF(print_rows));
}

int
main(void)
{
	return harness_run("policy", fill);
}
