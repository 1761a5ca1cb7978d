/* story_mail.c - questions of the MTA about its sessions, and what is wanted of the answers. */
#include <inttypes.h>
#include <stdio.h>

#include "base/stats.h"
#include "harness.h"
#include "story_priv.h"

#define PORTS_FROM 2000 /* session=1 comes from port 2001 */

/* ------------------------------------------------------------------ sessions */

static struct session *
find_session(struct story *story, enum engine_kind kind, struct slice name)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &story->sessions[i];
		if (session->used && session->kind == kind &&
		    slice_eq(name, slice_of(session->name)))
			return session;
	}
	return NULL;
}

static struct session *
find_or_add_session(struct story *story, enum engine_kind kind, struct slice name)
{
	struct session *session = find_session(story, kind, name);
	for (size_t i = 0; i < SESSIONS_MAX && !session; i++)
		if (!story->sessions[i].used)
			session = &story->sessions[i];
	if (!session)
		story_complain(story, "too many sessions", name);
	session->used = true;
	session->kind = kind;
	story_keep(session->name, sizeof(session->name), name);
	return session;
}

/* "by=milter session=1" */
static struct session *
read_session(struct story *story, struct slice rest)
{
	struct slice by = {0}, word = {0}, key = {0}, name = {0};
	if (!slice_word(&rest, &by) || !slice_word(&rest, &word) ||
	    !story_pair(word, &key, &name) || !slice_eq(key, SLICE("session")))
		story_complain(story, "wants: by=milter session=1", (struct slice){0});
	struct session *session = find_session(story, story_kind(story, by), name);
	if (!session)
		story_complain(story, "no such session:", word);
	return session;
}

static void
end_session(struct story *story, struct session *session)
{
	enum engine_kind kind = session->kind;
	delivery_end(&session->delivery);
	messages_leave(&session->message, true);
	*session = (struct session){0};
	story_wait_for_told(story, story->engines[kind]);
}

void
do_end(struct story *story, struct slice rest)
{
	struct session *session = read_session(story, rest);
	if (session->delivery)
		delivery_hear(session->delivery, STAGE_END_OF_MESSAGE);
	end_session(story, session);
}

void
do_drop(struct story *story, struct slice rest)
{
	end_session(story, read_session(story, rest));
}

/* ------------------------------------------------------------------ questions */

static const struct {
	const char *word;
	enum stage stage;
} stages[] = {
	{"rcpt", STAGE_RCPT},
	{"refused", STAGE_RCPT_REFUSED},
	{"data", STAGE_DATA},
	{"end", STAGE_END_OF_MESSAGE},
};

static enum stage
stage_of(const struct story *story, struct slice word)
{
	for (size_t i = 0; i < COUNT_OF(stages); i++)
		if (slice_eq(word, slice_of(stages[i].word)))
			return stages[i].stage;
	story_complain(story, "not a stage:", word);
	return STAGE_OTHER;
}

static const struct fact {
	const char *name;
	size_t offset;
} facts[] = {
	{"client", offsetof(struct story, query.client_address)},
	{"port", offsetof(struct story, query.client_port)},
	{"service", offsetof(struct story, query.server_port)},
	{"name", offsetof(struct story, query.client_name)},
	{"sender", offsetof(struct story, query.sender)},
	{"rcpt", offsetof(struct story, query.recipient)},
	{"nexthop", offsetof(struct story, query.nexthop)},
	{"user", offsetof(struct story, query.sasl_username)},
	{"cert", offsetof(struct story, query.ccert_fingerprint)},
	{"instance", offsetof(struct story, query.instance)},
	{"session", offsetof(struct story, session)},
	{"connection", offsetof(struct story, connection)},
};

static void
add_fact(struct story *story, struct slice word)
{
	struct slice key, value;
	if (!story_pair(word, &key, &value))
		story_complain(story, "not a fact:", word);
	if (slice_eq(key, SLICE("stage"))) {
		story->query.stage = stage_of(story, value);
		return;
	}
	if (slice_eq(key, SLICE("by"))) {
		story->asked = story_kind(story, word);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(facts); i++)
		if (slice_eq(key, slice_of(facts[i].name))) {
			char *at = (char *)story + facts[i].offset;
			*(struct slice *)(void *)at = arena_copy(&story->arena, value);
			return;
		}
	story_complain(story, "not a fact:", word);
}

static void
add_port(struct story *story)
{
	char port[24];
	uint64_t number;
	if (story->session.n == 0 || story->query.client_port.n > 0)
		return;
	if (!slice_to_u64(story->session, 9999, &number))
		story_complain(story, "a session is a number, not", story->session);
	snprintf(port, sizeof(port), "%" PRIu64, PORTS_FROM + number);
	story->query.client_port = arena_copy(&story->arena, slice_of(port));
}

/* Those given, then those of the question. */
static void
read_facts(struct story *story, struct slice rest)
{
	struct slice given = slice_of(story->given), word;
	char time[24];
	arena_reset(&story->arena);
	snprintf(time, sizeof(time), "%" PRId64, story->now_s);
	story->asked = ENGINE_OF_POLICYD;
	story->session = story->connection = (struct slice){0};
	story->query = (struct query){
		.stage = STAGE_RCPT,
		.test_time = arena_copy(&story->arena, slice_of(time)),
	};
	while (slice_word(&given, &word))
		add_fact(story, word);
	while (slice_word(&rest, &word))
		add_fact(story, word);
	add_port(story);
}

static void
on_verdict(void *arg, const struct verdict *verdict)
{
	struct story *story = arg;
	story->verdict = *verdict;
	story->answered = true;
	loop_stop(story->loop);
}

/* Whether the decision asked the delivery what it holds. */
static bool
has_joined(const struct story *story)
{
	return story->decision.plan.n_limits > 0 &&
	       (story->decision.ask.kind == ASK_LIMITS ||
	        story->query.stage == STAGE_RCPT_REFUSED);
}

static void
decide(struct story *story, struct engine *engine, struct delivery *delivery)
{
	story->answered = false;
	decision_start(&story->decision, engine, &story->query, delivery,
	               FIXTURE_PATIENCE_MS, &story->arena, on_verdict, story);
	if (story->answered)
		story_complain(story, "answered from within", SLICE("decision_start()"));
	story_run_loop(story, FIXTURE_PATIENCE_MS);
	if (!story->answered)
		story_complain(story, "no answer", (struct slice){0});
}

/* As policyd/conn.c. */
static void
ask_policyd(struct story *story, struct engine *engine)
{
	struct message *own = NULL;
	bool has_own = slice_eq(story->connection, SLICE("own"));
	struct message **current =
		has_own ? &own
			: &find_or_add_session(story, ENGINE_OF_POLICYD, story->session)
				   ->message;
	messages_follow(story->messages, current, &story->query);
	struct message *message = *current;
	decide(story, engine, message_decide(message));
	message_decided(message);
	if (has_own)
		messages_leave(current, false);
}

static void
ask_milter(struct story *story, struct engine *engine)
{
	struct session *session =
		find_or_add_session(story, ENGINE_OF_MILTER, story->session);
	if (!session->delivery)
		session->delivery = delivery_new();
	decide(story, engine, session->delivery);
	if (story->query.stage == STAGE_DATA && story->verdict.action == VERDICT_ACCEPT)
		delivery_hear(session->delivery, STAGE_DATA);
	session->joined |= has_joined(story);
}

void
do_ask(struct story *story, struct slice rest)
{
	read_facts(story, rest);
	struct engine *engine = story_engine(story, story->asked);
	story_run_loop(story, 0); /* a new turn: the loop knows the time */
	if (story->asked == ENGINE_OF_POLICYD)
		ask_policyd(story, engine);
	else
		ask_milter(story, engine);
	story_wait_for_told(story, engine);
}

/* ------------------------------------------------------------------ answers */

static void
differ(const struct story *story, const char *what, const char *got, const char *want)
{
	char text[LINE_MAX_LEN];
	struct text out = TEXT(text);
	text_printf(&out, "\"%s\", want \"%s\" (id %s)", got, want, story->verdict.id);
	story_complain(story, what, text_slice(&out));
}

static bool
said_number(const struct story *story, struct slice name, int64_t *number_out)
{
	const struct verdict *verdict = &story->verdict;

	const struct {
		struct slice name;
		int64_t number;
	} numbers[] = {
		{SLICE("wait"), verdict->wait_s},
		{SLICE("delayed"), verdict->delayed_s},
		{SLICE("observed"), verdict->observed},
		{SLICE("header"), verdict->header.n > 0},
		{SLICE("held"), story->decision.held},
		{SLICE("late"),
	         (int64_t)(stats_get(STAT_LEASES_LATE) - story->late_before)},
		{SLICE("lost"),
	         (int64_t)(stats_get(STAT_LEASES_LOST) - story->lost_before)},
	};

	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		if (slice_eq(name, numbers[i].name)) {
			*number_out = numbers[i].number;
			return true;
		}
	return false;
}

/* "60/1m_burst_3": a word. */
static void
put_without_blanks(struct slice value, struct text *out)
{
	for (size_t i = 0; i < value.n; i++)
		text_putc(out, value.p[i] == ' ' ? '_' : value.p[i]);
}

/* What the verdict says under that name; false when there is no such thing. */
static bool
said(const struct story *story, struct slice name, struct text *out)
{
	const struct plan *plan = &story->decision.plan;
	int64_t number;
	if (said_number(story, name, &number))
		text_int(out, number);
	else if (slice_eq(name, SLICE("why")))
		text_puts(out, why_word(story->verdict.why));
	else if (slice_eq(name, SLICE("identity_by")))
		text_puts(out, plan->ask ? identity_by_word(plan->identity.by) : "");
	else if (slice_eq(name, SLICE("identity")))
		text_put(out, plan->identity.text);
	else if (slice_eq(name, SLICE("destination")))
		text_put(out, plan->destination);
	else if (slice_eq(name, SLICE("limit")))
		put_without_blanks(story->verdict.limit, out);
	else
		return false;
	return true;
}

static void
want_said(const struct story *story, struct slice word)
{
	char said_buf[LINE_MAX_LEN], name_buf[32], want_buf[LINE_MAX_LEN];
	struct text got = TEXT(said_buf);
	struct slice name, want;
	if (!story_pair(word, &name, &want) || !said(story, name, &got))
		story_complain(story, "nothing that can be wanted:", word);
	story_keep(name_buf, sizeof(name_buf), name);
	story_keep(want_buf, sizeof(want_buf), want);
	if (!slice_eq(text_slice(&got), want))
		differ(story, name_buf, said_buf, want_buf);
}

/* contains "text" */
static void
want_reply(const struct story *story, struct slice rest)
{
	struct slice word, reply = story->verdict.reply;
	char got[LINE_MAX_LEN], want[LINE_MAX_LEN];
	slice_word(&rest, &word);
	rest = slice_trim(rest);
	if (!slice_eq(word, SLICE("contains")) || rest.n < 3 || rest.p[0] != '"' ||
	    rest.p[rest.n - 1] != '"')
		story_complain(story, "wants: reply contains \"text\"",
		               (struct slice){0});
	rest = slice_head(slice_from(rest, 1), rest.n - 2);
	story_keep(got, sizeof(got), reply);
	story_keep(want, sizeof(want), rest);
	if (!memmem(reply.p ? reply.p : "", reply.n, rest.p, rest.n))
		differ(story, "reply", got, want);
}

void
do_want(struct story *story, struct slice rest)
{
	static const char *const actions[] = {
		[VERDICT_ACCEPT] = "accept", [VERDICT_DEFER] = "defer"};
	struct slice word = {0};
	char want[16];
	if (!story->answered || !slice_word(&rest, &word))
		story_complain(story, "wants what?", (struct slice){0});
	const char *got = actions[story->verdict.action];
	story_keep(want, sizeof(want), word);
	if (!slice_eq(word, slice_of(got)))
		differ(story, why_word(story->verdict.why), got, want);
	while (slice_word(&rest, &word)) {
		if (slice_eq(word, SLICE("reply"))) {
			want_reply(story, rest);
			return;
		}
		want_said(story, word);
	}
}
