/*
 * fuzz_session.c - what an MTA tells the milter of its sessions, in any order and of any bytes.
 *
 * The input is lines of fields between tabs; a line's first byte says what is told:
 *   C name resolve validated [4|6]          connect
 *   M sender mail_addr auth_authen cert_fp i    MAIL
 *   R recipient rcpt_addr rcpt_mailer rcpt_host RCPT
 *   Q i                                     the queue id
 *   D  E  A  X                              DATA, end of message, abort, close
 *   =N                                      what the store answers from now on
 * The engine is the real plan and verdict, without a store.  What must hold: what is asked is
 * bounded, every deferral is a reply, every delivery is ended once, nothing is left.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reply.h"
#include "rules/plan.h"
#include "session.h"

enum { NOW = 1800000000, FIELDS = 5, ADDRESS_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char settings[] =
	"greylist: { pools = ( { name = \"pool\"; clients = [ \"p.example\" ]; } ); };\n"
	"limits: { default: { concurrency = 2; messages = \"3/1h\"; };\n"
	" clients: { messages = \"3/1h\"; }; senders: { recipients = \"3/1h\"; };\n"
	" users: { messages = \"3/1h\"; };\n"
	" destinations = ( { name = \"acme\"; domains = [ \"acme.example\", "
	"\".acme.example\" ]; concurrency = 2; } ); };\n";

struct delivery {
	int unused;
};

static struct conf *conf;
static struct overrides *overrides;
static unsigned store_says, serial;
static int deliveries;

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* ---- the engine ---- */

struct delivery *
delivery_new(void)
{
	deliveries++;
	return mem_new(struct delivery);
}

void
delivery_end(struct delivery **delivery)
{
	deliveries -= *delivery != NULL;
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
	must(queue_id.n <= SESSION_VALUE_MAX);
	must(delivery != NULL && (stage == STAGE_DATA || stage == STAGE_END_OF_MESSAGE));
}

void
ask_queue_end(struct ask_queue *ask_queue, struct delivery **delivery)
{
	(void)ask_queue;
	delivery_end(delivery);
}

void
ask_queue_close(struct ask_queue *ask_queue)
{
	(void)ask_queue;
}

static void
check_query(const struct query *query)
{
	const struct slice *const texts[] = {
		&query->client_name, &query->sender,        &query->recipient,
		&query->nexthop,     &query->sasl_username, &query->ccert_fingerprint,
		&query->instance,    &query->server_port,
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		must(texts[i]->n <= SESSION_VALUE_MAX &&
		     (texts[i]->n == 0 || !memchr(texts[i]->p, '\0', texts[i]->n)));
	struct addr addr;
	must(query->client_address.n == 0 || addr_parse(query->client_address, &addr));
	must(query->stage != STAGE_OTHER);
}

static void
check_plan(const struct plan *plan)
{
	must(plan->n_limits <= SCOPES);
	must(!plan->ask || (plan->identity.text.n > 0 && plan->sender.n <= ADDRESS_MAX &&
	                    plan->recipient.n <= ADDRESS_MAX));
}

static struct answer
answer(void)
{
	struct answer answer = {.status = STORE_OK};
	if (store_says < STORE_STATUSES)
		answer.status = (enum store_status)store_says;
	else
		answer.grey.answer =
			(enum grey_answer)((store_says - STORE_STATUSES) % GREY_ANSWERS);
	answer.grey.wait_s = 180;
	return answer;
}

bool
ask_queue_ask(struct ask_queue *ask_queue, struct delivery *delivery,
              const struct query *query, struct arena *arena, struct verdict *verdict_out)
{
	struct plan plan;
	struct reply reply;
	struct answer got = answer();
	(void)ask_queue;
	must(delivery != NULL);
	check_query(query);
	if (store_says == 0xff)
		return false;
	plan_make(conf, overrides, query, NOW, arena, &plan);
	check_plan(&plan);
	verdict_make(conf, &plan, plan.ask ? &got : NULL, serial++, arena, verdict_out);
	must(verdict_out->action != VERDICT_DEFER ||
	     reply_parse(verdict_out->reply, &reply));
	must(slice_find(verdict_out->header, '\n') < 0);
	return true;
}

/* ---- the MTA ---- */

static void
load_settings(void)
{
	struct err err;
	char path[64];
	struct text text = TEXT(path);
	int fd = memfd_create("conf", MFD_CLOEXEC);
	text_printf(&text, "/proc/self/fd/%d", fd);
	must(fd >= 0 &&
	     write(fd, settings, sizeof(settings) - 1) == (ssize_t)sizeof(settings) - 1);
	conf = conf_load(path, NULL, &err);
	must(conf != NULL);
	overrides = overrides_new();
	close(fd);
}

/* As the MTA's strings; an empty one is a macro that it does not know. */
static size_t
split(struct slice line, struct arena *arena, const char *fields[FIELDS])
{
	size_t n = 0;
	struct slice field;
	for (size_t i = 0; i < FIELDS; i++)
		fields[i] = NULL;
	for (; n < FIELDS && slice_cut(&line, '\t', &field); n++) {
		char *copy = arena_take(arena, field.n + 1);
		if (field.n > 0)
			memcpy(copy, field.p, field.n);
		copy[field.n] = '\0';
		fields[n] = field.n > 0 ? copy : NULL;
	}
	return n;
}

static void
tell_connect(struct session *session, const char *const fields[FIELDS])
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(25)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(25)};
	char kind = fields[3] ? fields[3][0] : '\0';
	v4.sin_addr.s_addr = htonl(0xc0000207);
	v6.sin6_addr.s6_addr[0] = 0x20;
	const struct sockaddr *address = NULL;
	if (kind == '6')
		address = (const struct sockaddr *)&v6;
	else if (kind != '0')
		address = (const struct sockaddr *)&v4;
	session_connect(session, &(struct session_peer){.name = fields[0],
	                                                .address = address,
	                                                .resolve = fields[1],
	                                                .validated = fields[2]});
}

static void
tell_mail(struct session *session, const char *const fields[FIELDS])
{
	session_mail(session, &(struct session_mail){
				      .sender = fields[0] ? fields[0] : "<>",
				      .resolved = fields[1],
				      .user = fields[2],
				      .certificate = fields[3],
				      .instance = fields[4],
			      });
}

static void
check_says(enum session_says says, struct slice text)
{
	struct reply reply;
	must(says != SESSION_DEFER || reply_parse(text, &reply));
}

static void
tell_rcpt(struct session *session, const char *const fields[FIELDS])
{
	struct slice text = {0};
	enum session_says says =
		session_rcpt(session,
	                     &(struct session_rcpt){
				     .recipient = fields[0] ? fields[0] : "<>",
				     .resolved = fields[1],
				     .mailer = fields[2],
				     .host = fields[3],
			     },
	                     &text);
	check_says(says, text);
	must(session->accepted <= SESSION_RECIPIENTS_MAX);
}

static void
tell(struct sessions *sessions, struct session **session, char what,
     const char *const fields[FIELDS])
{
	struct slice text = {0};
	switch (what) {
	case 'C': tell_connect(*session, fields); break;
	case 'M': tell_mail(*session, fields); break;
	case 'R': tell_rcpt(*session, fields); break;
	case 'Q': session_queue(*session, fields[0]); break;
	case 'D': check_says(session_data(*session, &text), text); break;
	case 'E': session_end_of_message(*session); break;
	case 'A': session_end(*session); break;
	case 'X':
		session_close(session);
		must(deliveries == 0);
		*session = session_open(sessions);
		break;
	case '=': store_says = fields[0] ? (unsigned char)fields[0][0] : 0; break;
	default: break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {.p = (const char *)data, .n = size}, line;
	struct sessions sessions;
	struct arena arena;
	if (!conf)
		load_settings();
	store_says = serial = 0;
	arena_init(&arena);
	sessions_open(&sessions, NULL, NULL);
	sessions_configure(&sessions, conf);
	struct session *session = session_open(&sessions);
	must(session != NULL);
	while (slice_cut(&rest, '\n', &line)) {
		const char *fields[FIELDS];
		if (line.n == 0)
			continue;
		split(slice_from(line, 1), &arena, fields);
		tell(&sessions, &session, line.p[0], fields);
		arena_reset(&arena);
	}
	session_close(&session);
	must(deliveries == 0 && sessions.count == 0 && sessions.busy == 0);
	must(sessions.under_way == 0);
	arena_free(&arena);
	return 0;
}
