/*
 * test_session.c - sessions of the milter: facts, what is asked, what deliveries become, and
 * the end of the daemon.  The ask_queue is one of our own.
 */
#include "session.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/stats.h"
#include "harness.h"

struct delivery {
	int unused;
};

/* What the ask_queue was asked last, and what it answers. */
static struct ask_queue_log {
	unsigned asked, made, ended, ended_by_loop, closed;
	enum stage stage, heard;
	char client_address[64], client_port[16], client_name[2000], sender[2000],
		recipient[2000], nexthop[2000], instance[2000], user[2000], cert[2000],
		queue[100], heard_queue[100];
	const struct delivery *delivery;
} seen;

static struct {
	bool silent;
	enum verdict_action action;
	const char *header;
} answers;

static struct sessions sessions;
static struct conf conf;
static struct session *session;

static void
keep(char *to, size_t size, struct slice from)
{
	struct text t = {.p = to, .cap = size};
	*to = '\0';
	text_put(&t, from);
}

struct delivery *
delivery_new(void)
{
	seen.made++;
	return mem_new(struct delivery);
}

void
delivery_end(struct delivery **delivery)
{
	if (*delivery)
		seen.ended_by_loop++;
	free(*delivery);
	*delivery = NULL;
}

void
delivery_part(struct delivery **delivery)
{
	delivery_end(delivery);
}

void
ask_queue_hear(struct ask_queue *ask_queue, struct delivery *delivery, enum stage stage,
               struct slice queue_id)
{
	(void)ask_queue;
	keep(seen.heard_queue, sizeof(seen.heard_queue), queue_id);
	ck_assert_ptr_nonnull(delivery);
	if (stage > seen.heard)
		seen.heard = stage;
}

void
ask_queue_end(struct ask_queue *ask_queue, struct delivery **delivery)
{
	(void)ask_queue;
	if (*delivery)
		seen.ended++;
	free(*delivery);
	*delivery = NULL;
}

void
ask_queue_close(struct ask_queue *ask_queue)
{
	(void)ask_queue;
	seen.closed++;
}

struct ask_queue *
ask_queue_new(struct engine *engine)
{
	(void)engine;
	return NULL;
}

#define KEEP(to, from) keep(seen.to, sizeof(seen.to), query->from)

bool
ask_queue_ask(struct ask_queue *ask_queue, struct delivery *delivery,
              const struct query *query, struct arena *arena, struct verdict *verdict_out)
{
	(void)ask_queue;
	seen.asked++;
	seen.delivery = delivery;
	seen.stage = query->stage;
	KEEP(client_address, client_address);
	KEEP(client_port, client_port);
	KEEP(client_name, client_name);
	KEEP(sender, sender);
	KEEP(recipient, recipient);
	KEEP(nexthop, nexthop);
	KEEP(instance, instance);
	KEEP(queue, queue_id);
	KEEP(user, sasl_username);
	KEEP(cert, ccert_fingerprint);
	*verdict_out = (struct verdict){.action = answers.action};
	verdict_out->reply = arena_copy(arena, SLICE("451 4.7.1 later"));
	if (answers.header)
		verdict_out->header = arena_copy(arena, slice_of(answers.header));
	return !answers.silent;
}

static void
begin(void)
{
	memset(&seen, 0, sizeof(seen));
	memset(&answers, 0, sizeof(answers));
	conf.milter.max_sessions = 3;
	sessions_open(&sessions, NULL, NULL);
	sessions_configure(&sessions, &conf);
	session = session_open(&sessions);
	ck_assert_ptr_nonnull(session);
}

static void
finish(void)
{
	session_close(&session);
	ck_assert_ptr_null(session);
	ck_assert_uint_eq(sessions.count, 0);
	ck_assert_uint_eq(sessions.busy, 0);
	ck_assert_uint_eq(sessions.under_way, 0);
	ck_assert_uint_eq(seen.made, seen.ended + seen.ended_by_loop);
}

static void
mail(const char *sender)
{
	session_mail(session, &(struct session_mail){.sender = sender});
}

static enum session_says
rcpt(const char *recipient)
{
	struct slice reply = {0};
	enum session_says says =
		session_rcpt(session, &(struct session_rcpt){.recipient = recipient},
	                     &reply);
	if (says == SESSION_DEFER)
		ck_slice_eq(recipient, reply,
		            session->accepted < SESSION_RECIPIENTS_MAX
		                    ? "451 4.7.1 later"
		                    : "452 4.5.3 Too many recipients");
	return says;
}

static enum session_says
rcpt_refused(const char *recipient)
{
	struct slice reply = {0};
	return session_rcpt(session,
	                    &(struct session_rcpt){.recipient = recipient,
	                                           .mailer = "error",
	                                           .host = "5.1.1"},
	                    &reply);
}

static enum session_says
data(void)
{
	struct slice reply = {0};
	enum session_says says = session_data(session, &reply);
	if (says == SESSION_DEFER)
		ck_slice_eq("data", reply, "451 4.7.1 later");
	return says;
}

/* clang-format off */
static const struct name_row {
	const char *row;
	const char *name, *resolve, *validated;
	const char *want;
} name_rows[] = {
	{"Postfix, confirmed", "mx.example.com", NULL, "mx.example.com [192.0.2.1]", "mx.example.com"},
	{"Postfix, not confirmed", "unknown", NULL, "unknown [192.0.2.1]", "unknown"},
	{"Sendmail, confirmed", "mx.example.com", "OK", "mx.example.com [192.0.2.1]", "mx.example.com"},
	{"Sendmail, no name", "[192.0.2.1]", "FAIL", "[192.0.2.1]", ""},
	{"Sendmail, the name server is away", "mx.example.com", "TEMP", "mx.example.com [192.0.2.1]", ""},
	{"Sendmail, forged", "mx.example.com", "FORGED", "mx.example.com [192.0.2.1]", ""},
	{"Sendmail, forged, by _ alone", "mx.example.com", NULL, "mx.example.com [192.0.2.1] (may be forged)", ""},
	{"nothing is said of resolving", "mx.example.com", "", "", "mx.example.com"},
	{"no name at all", NULL, NULL, NULL, ""},
	{"an empty name", "", "OK", NULL, ""},
};

static const struct address_row {
	const char *row;
	const char *in, *want;
} address_rows[] = {
	{"brackets", "<a@b.example>", "a@b.example"},
	{"none", "a@b.example", "a@b.example"},
	{"nobody", "<>", ""},
	{"empty", "", ""},
	{"half a pair", "<a@b.example", "<a@b.example"},
	{"one bracket", "<", "<"},
	{"brackets inside", "<\"<x>\"@b.example>", "\"<x>\"@b.example"},
};

/* clang-format on */

static void
connect_from(const struct sockaddr *address, const char *name, const char *resolve,
             const char *validated)
{
	session_connect(session, &(struct session_peer){.address = address,
	                                                .name = name,
	                                                .resolve = resolve,
	                                                .validated = validated});
}

START_TEST(names_count_when_confirmed)
{
	const struct name_row *r = &name_rows[_i];
	begin();
	connect_from(NULL, r->name, r->resolve, r->validated);
	mail("<a@b.example>");
	rcpt("<c@d.example>");
	ck_slice_eq(r->row, slice_of(seen.client_name), r->want);
	ck_slice_eq(r->row, slice_of(seen.client_address), "");
	ck_slice_eq(r->row, slice_of(seen.client_port), "");
	finish();
}

END_TEST

START_TEST(addresses_lose_their_brackets)
{
	const struct address_row *r = &address_rows[_i];
	begin();
	mail(r->in);
	rcpt(r->in);
	ck_slice_eq(r->row, slice_of(seen.sender), r->want);
	ck_slice_eq(r->row, slice_of(seen.recipient), r->want);
	finish();
}

END_TEST

START_TEST(clients_have_address_and_port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(40404)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(25)};
	struct sockaddr other = {.sa_family = AF_UNIX};
	static const uint8_t mapped[16] = {
		[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 9};
	v4.sin_addr.s_addr = htonl(0xc0000201);
	v6.sin6_addr.s6_addr[0] = 0x20;
	v6.sin6_addr.s6_addr[1] = 0x01;
	v6.sin6_addr.s6_addr[15] = 5;
	begin();
	connect_from((struct sockaddr *)&v4, NULL, NULL, NULL);
	mail("<a@b.example>");
	rcpt("<c@d.example>");
	ck_assert_str_eq(seen.client_address, "192.0.2.1");
	ck_assert_str_eq(seen.client_port, "40404");
	session_close(&session);
	session = session_open(&sessions);
	connect_from((struct sockaddr *)&v6, NULL, NULL, NULL);
	rcpt("<c@d.example>");
	ck_assert_str_eq(seen.client_address, "2001::5");
	ck_assert_str_eq(seen.client_port, "25");
	memcpy(&v6.sin6_addr, mapped, 16);
	connect_from((struct sockaddr *)&v6, NULL, NULL, NULL);
	rcpt("<c@d.example>");
	ck_assert_str_eq(seen.client_address, "192.0.2.9");
	connect_from(&other, NULL, NULL, NULL);
	rcpt("<c@d.example>");
	ck_assert_str_eq(seen.client_address, "");
	ck_assert_str_eq(seen.client_port, "");
	finish();
}

END_TEST

START_TEST(what_mail_and_rcpt_say_is_asked)
{
	struct slice reply;
	begin();
	session_mail(session, &(struct session_mail){.sender = "<a@b.example>",
	                                             .user = "joe",
	                                             .certificate = "AA:BB",
	                                             .instance = "QID"});
	session_rcpt(session,
	             &(struct session_rcpt){.recipient = "<c@d.example>",
	                                    .mailer = "smtp",
	                                    .host = "[10.0.0.1]"},
	             &reply);
	ck_assert_int_eq(seen.stage, STAGE_RCPT);
	ck_assert_str_eq(seen.user, "joe");
	ck_assert_str_eq(seen.cert, "AA:BB");
	ck_assert_str_eq(seen.instance, "QID");
	ck_assert_str_eq(seen.nexthop, "[10.0.0.1]");
	mail("<a@b.example>");
	rcpt("<c@d.example>");
	ck_assert_str_eq(seen.user, "");
	ck_assert_str_eq(seen.cert, "");
	ck_assert_str_eq(seen.instance, "");
	finish();
}

END_TEST

/* Postfix answers 250, and its mailer is "error": a virtual alias domain. */
START_TEST(a_virtual_alias_domain_is_judged)
{
	struct slice reply;
	const struct session_rcpt alias = {
		.recipient = "<Bob@ALIAS.example>",
		.resolved = "Bob@alias.example",
		.mailer = "error",
		.host = "5.1.1 User unknown in virtual alias table",
	};
	begin();
	answers.action = VERDICT_DEFER;
	mail("<a@b.example>");
	ck_assert_int_eq(session_rcpt(session, &alias, &reply), SESSION_DEFER);
	ck_assert_int_eq(seen.stage, STAGE_RCPT);
	ck_assert_str_eq(seen.recipient, "Bob@alias.example");
	ck_assert_str_eq(seen.nexthop, "alias.example");
	answers.action = VERDICT_ACCEPT;
	ck_assert_int_eq(session_rcpt(session, &alias, &reply), SESSION_GO_ON);
	ck_assert_uint_eq(session->accepted, 1);
	finish();
}

END_TEST

START_TEST(values_are_bounded)
{
	char big[5000];
	struct slice reply;
	memset(big, 'x', sizeof(big));
	memcpy(big + sizeof(big) - 12, "@d.example", 11);
	begin();
	connect_from(NULL, big, NULL, NULL);
	session_mail(session, &(struct session_mail){.sender = big,
	                                             .user = big,
	                                             .certificate = big,
	                                             .instance = big});
	session_rcpt(session, &(struct session_rcpt){.recipient = big, .host = big},
	             &reply);
	ck_assert_uint_eq(strlen(seen.client_name), SESSION_VALUE_MAX);
	ck_assert_uint_eq(strlen(seen.user), SESSION_VALUE_MAX);
	ck_assert_uint_eq(strlen(seen.cert), SESSION_VALUE_MAX);
	ck_assert_uint_eq(strlen(seen.instance), SESSION_VALUE_MAX);
	ck_assert_uint_eq(strlen(seen.nexthop), SESSION_VALUE_MAX);
	ck_assert_uint_eq(strlen(seen.sender), SESSION_VALUE_MAX);
	ck_assert_uint_eq(strlen(seen.recipient), SESSION_VALUE_MAX);
	ck_assert_ptr_nonnull(strstr(seen.recipient, "@d.example"));
	finish();
}

END_TEST

START_TEST(one_delivery_for_each_message)
{
	begin();
	mail("<a@b.example>");
	ck_assert_uint_eq(seen.made, 0);
	ck_assert_int_eq(rcpt("<c@d.example>"), SESSION_GO_ON);
	const struct delivery *first = seen.delivery;
	ck_assert_int_eq(rcpt("<e@d.example>"), SESSION_GO_ON);
	ck_assert_ptr_eq(seen.delivery, first);
	ck_assert_int_eq(data(), SESSION_GO_ON);
	ck_assert_uint_eq(seen.asked, 2);
	ck_assert_uint_eq(sessions.under_way, 1);
	session_end(session); /* end of message */
	ck_assert_uint_eq(seen.ended, 1);
	ck_assert_uint_eq(sessions.under_way, 0);
	session_end(session); /* aborts come twice */
	session_end(session);
	ck_assert_uint_eq(seen.ended, 1);
	mail("<a@b.example>");
	rcpt("<c@d.example>");
	mail("<a@b.example>"); /* without an abort */
	ck_assert_uint_eq(seen.ended, 2);
	rcpt("<c@d.example>");
	ck_assert_uint_eq(seen.made, 3);
	finish(); /* a disconnect in the middle */
	ck_assert_uint_eq(seen.ended, 3);
}

END_TEST

START_TEST(a_delivery_hears_how_far_its_message_got)
{
	begin();
	mail("<a@b.example>");
	rcpt("<c@d.example>");
	session_end(session);
	ck_assert_int_eq(seen.heard, STAGE_OTHER);
	mail("<a@b.example>");
	rcpt("<c@d.example>");
	data();
	mail("<a@b.example>");
	ck_assert_int_eq(seen.heard, STAGE_DATA);
	rcpt("<c@d.example>");
	data();
	session_end_of_message(session);
	ck_assert_int_eq(seen.heard, STAGE_END_OF_MESSAGE);
	session_end_of_message(session);
	data();
	ck_assert_uint_eq(seen.ended, 3);
	seen.heard = STAGE_OTHER;
	answers.action = VERDICT_ACCEPT;
	mail("<>");
	rcpt("<c@d.example>");
	answers.action = VERDICT_DEFER;
	ck_assert_int_eq(data(), SESSION_DEFER);
	ck_assert_int_eq(seen.heard, STAGE_OTHER);
	finish();
}

END_TEST

/* Postfix has a queue id from the first accepted recipient on, Sendmail from MAIL on. */
START_TEST(the_queue_id_comes_late)
{
	begin();
	mail("<a@b.example>");
	session_queue(session, NULL);
	rcpt("<c@d.example>");
	ck_assert_str_eq(seen.queue, "");
	session_queue(session, "4F2A");
	rcpt("<e@d.example>");
	ck_assert_str_eq(seen.queue, "4F2A");
	ck_assert_str_eq(seen.instance, "");
	data();
	ck_assert_str_eq(seen.heard_queue, "4F2A");
	mail("<a@b.example>");
	rcpt("<c@d.example>");
	ck_assert_str_eq(seen.queue, "");
	session_mail(session, &(struct session_mail){.sender = "<a@b.example>",
	                                             .instance = "QID"});
	rcpt("<c@d.example>");
	ck_assert_str_eq(seen.queue, "QID");
	finish();
}

END_TEST

START_TEST(a_deferral_is_not_under_way)
{
	begin();
	answers.action = VERDICT_DEFER;
	mail("<a@b.example>");
	ck_assert_int_eq(rcpt("<c@d.example>"), SESSION_DEFER);
	ck_assert_uint_eq(sessions.under_way, 0);
	answers.action = VERDICT_ACCEPT;
	ck_assert_int_eq(rcpt("<e@d.example>"), SESSION_GO_ON);
	ck_assert_uint_eq(sessions.under_way, 1);
	answers.action = VERDICT_DEFER;
	ck_assert_int_eq(rcpt("<c@d.example>"), SESSION_DEFER);
	ck_assert_uint_eq(sessions.under_way, 1);
	ck_assert_uint_eq(seen.made, 1);
	finish();
}

END_TEST

START_TEST(without_a_verdict_mail_goes_on)
{
	uint64_t before = stats_get(STAT_MILTER_UNANSWERED);
	begin();
	answers.silent = true;
	answers.action = VERDICT_DEFER;
	mail("<>");
	ck_assert_int_eq(rcpt("<c@d.example>"), SESSION_GO_ON);
	ck_assert_int_eq(data(), SESSION_GO_ON);
	ck_assert_uint_eq(stats_get(STAT_MILTER_UNANSWERED), before + 2);
	finish();
}

END_TEST

START_TEST(a_recipient_the_mta_refused_is_given_back)
{
	begin();
	answers.action = VERDICT_DEFER;
	mail("<a@b.example>");
	ck_assert_int_eq(rcpt_refused("<c@d.example>"), SESSION_GO_ON);
	ck_assert_int_eq(seen.stage, STAGE_RCPT_REFUSED);
	ck_assert_str_eq(seen.recipient, "c@d.example");
	ck_assert_str_eq(seen.nexthop, "");
	ck_assert_uint_eq(sessions.under_way, 0);
	answers.action = VERDICT_ACCEPT;
	rcpt("<c@d.example>");
	rcpt_refused("<e@d.example>");
	ck_assert_uint_eq(sessions.under_way, 1);
	finish();
}

END_TEST

START_TEST(the_null_sender_is_asked_about_at_data)
{
	begin();
	mail("<>");
	rcpt("<c@d.example>");
	rcpt_refused("<x@d.example>");
	ck_assert_int_eq(data(), SESSION_GO_ON);
	ck_assert_int_eq(seen.stage, STAGE_DATA);
	ck_assert_str_eq(seen.recipient, "c@d.example");
	rcpt("<e@d.example>");
	data();
	ck_assert_str_eq(seen.recipient, "");
	ck_assert_uint_eq(seen.asked, 5);
	mail("<>"); /* no recipient was accepted */
	answers.action = VERDICT_DEFER;
	rcpt("<c@d.example>");
	data();
	ck_assert_uint_eq(seen.asked, 6);
	ck_assert_int_eq(seen.stage, STAGE_RCPT);
	finish();
}

END_TEST

START_TEST(a_message_deferred_at_data_has_ended)
{
	begin();
	mail("<>");
	rcpt("<c@d.example>");
	answers.action = VERDICT_DEFER;
	ck_assert_int_eq(data(), SESSION_DEFER);
	ck_assert_uint_eq(seen.ended, 1);
	ck_assert_uint_eq(sessions.under_way, 0);
	finish();
}

END_TEST

START_TEST(the_first_header_is_kept_until_the_end)
{
	begin();
	mail("<a@b.example>");
	rcpt("<c@d.example>");
	ck_slice_eq("none", session->header, "");
	answers.header = "X-Greylist: one";
	rcpt("<e@d.example>");
	answers.header = "X-Greylist: two";
	rcpt("<f@d.example>");
	ck_slice_eq("the first", session->header, "X-Greylist: one");
	session_end(session);
	ck_slice_eq("none", session->header, "");
	finish();
}

END_TEST

START_TEST(so_many_recipients_are_accepted)
{
	begin();
	mail("<a@b.example>");
	for (unsigned i = 0; i < SESSION_RECIPIENTS_MAX; i++)
		ck_assert_int_eq(rcpt("<c@d.example>"), SESSION_GO_ON);
	ck_assert_int_eq(rcpt("<c@d.example>"), SESSION_DEFER);
	ck_assert_uint_eq(seen.asked, SESSION_RECIPIENTS_MAX);
	mail("<a@b.example>");
	ck_assert_int_eq(rcpt("<c@d.example>"), SESSION_GO_ON);
	finish();
}

END_TEST

START_TEST(so_many_sessions_are_judged)
{
	struct session *more[2];
	uint64_t refused = stats_get(STAT_MILTER_REFUSED_SESSIONS);
	begin();
	for (int i = 0; i < 2; i++)
		ck_assert_ptr_nonnull(more[i] = session_open(&sessions));
	ck_assert_ptr_null(session_open(&sessions));
	ck_assert_uint_eq(stats_get(STAT_MILTER_REFUSED_SESSIONS), refused + 1);
	session_close(&more[0]);
	ck_assert_ptr_nonnull(more[0] = session_open(&sessions));
	for (int i = 0; i < 2; i++)
		session_close(&more[i]);
	finish();
}

END_TEST

static unsigned drained;

static void
on_drained(void *arg)
{
	drained++;
	loop_stop(arg);
}

START_TEST(a_drain_waits_for_what_is_under_way)
{
	begin();
	struct loop *loop = loop_new();
	struct session *idle = session_open(&sessions);
	sessions.drained = post_new(loop, on_drained, loop);
	drained = 0;
	mail("<a@b.example>");
	rcpt("<c@d.example>");
	ck_assert(sessions_drain(&sessions));
	ck_assert_ptr_null(session_open(&sessions));
	ck_assert_int_eq(rcpt("<e@d.example>"), SESSION_GO_ON);
	struct slice reply;
	session_mail(idle, &(struct session_mail){.sender = "<x@b.example>"});
	ck_assert_int_eq(
		session_rcpt(idle, &(struct session_rcpt){.recipient = "<c@d.example>"},
	                     &reply),
		SESSION_LEAVE);
	ck_assert_uint_eq(seen.asked, 2);
	session_end(session);
	loop_run(loop);
	ck_assert_uint_eq(drained, 1);
	ck_assert(!sessions_drain(&sessions));
	post_free(&sessions.drained);
	sessions.drained = NULL;
	sessions.draining = false;
	session_close(&idle);
	finish();
	loop_free(&loop);
}

END_TEST

START_TEST(what_is_held_at_the_end_is_given_back)
{
	begin();
	struct session *other = session_open(&sessions);
	mail("<a@b.example>");
	rcpt("<c@d.example>");
	sessions_close(&sessions);
	ck_assert_uint_eq(seen.closed, 1);
	ck_assert_uint_eq(seen.ended_by_loop, 1);
	/* threads that come late */
	ck_assert_int_eq(rcpt("<e@d.example>"), SESSION_LEAVE);
	session_end(session);
	ck_assert_ptr_null(session_open(&sessions));
	session_close(&other);
	ck_assert_uint_eq(seen.asked, 1);
	ck_assert_uint_eq(seen.ended, 0);
	ck_assert_uint_eq(sessions.count, 2);
	sessions.closed = false; /* so that the leak checker sees it freed */
	session_close(&session);
	while ((other = sessions.all))
		session_close(&other);
}

END_TEST

static void *
leave_later(void *arg)
{
	usleep(50000);
	session_leave(arg, true);
	return NULL;
}

START_TEST(the_end_waits_for_threads_with_the_ask_queue)
{
	pthread_t thread;
	begin();
	mail("<a@b.example>");
	rcpt("<c@d.example>");
	ck_assert(session_enter(session, false));
	ck_assert_int_eq(pthread_create(&thread, NULL, leave_later, session), 0);
	sessions_close(&sessions);
	ck_assert_uint_eq(sessions.busy, 0);
	ck_assert_uint_eq(seen.ended_by_loop, 1);
	pthread_join(thread, NULL);
	sessions.closed = false;
	finish();
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, names_count_when_confirmed, 0, COUNT_OF(name_rows));
	tcase_add_loop_test(tcase, addresses_lose_their_brackets, 0,
	                    COUNT_OF(address_rows));
	tcase_add_test(tcase, clients_have_address_and_port);
	tcase_add_test(tcase, what_mail_and_rcpt_say_is_asked);
	tcase_add_test(tcase, a_virtual_alias_domain_is_judged);
	tcase_add_test(tcase, values_are_bounded);
	tcase_add_test(tcase, one_delivery_for_each_message);
	tcase_add_test(tcase, a_delivery_hears_how_far_its_message_got);
	tcase_add_test(tcase, the_queue_id_comes_late);
	tcase_add_test(tcase, a_deferral_is_not_under_way);
	tcase_add_test(tcase, without_a_verdict_mail_goes_on);
	tcase_add_test(tcase, a_recipient_the_mta_refused_is_given_back);
	tcase_add_test(tcase, the_null_sender_is_asked_about_at_data);
	tcase_add_test(tcase, a_message_deferred_at_data_has_ended);
	tcase_add_test(tcase, the_first_header_is_kept_until_the_end);
	tcase_add_test(tcase, so_many_recipients_are_accepted);
	tcase_add_test(tcase, so_many_sessions_are_judged);
	tcase_add_test(tcase, a_drain_waits_for_what_is_under_way);
	tcase_add_test(tcase, what_is_held_at_the_end_is_given_back);
	tcase_add_test(tcase, the_end_waits_for_threads_with_the_ask_queue);
}

int
main(void)
{
	return harness_run("session", fill);
}
