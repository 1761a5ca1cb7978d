#include "story.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "decision.h"
#include "harness.h"
#include "schema.h"
#include "store_fixture.h"

#define START_S      INT64_C(2100000000)
#define SETTINGS_MAX 32
#define LINE_MAX_LEN 512
#define POLL_MS      2

enum { LIST_CLIENT_FILE, LIST_SENDER_FILE, LIST_RECIPIENT_FILE, LIST_FILES };

struct story {
	const char *path;
	unsigned line;
	struct store_place place;
	struct redis_server server;
	int64_t now_s;

	/* what the next start or reload reads */
	char settings[SETTINGS_MAX][LINE_MAX_LEN];
	size_t n_settings;
	char pools[4096];
	char lists[LIST_FILES][4096];

	struct loop *loop;
	struct loop_timer *wake;
	struct engine *engine; /* NULL until the first question */

	/* the last question */
	struct arena arena;
	struct query query;
	struct decision decision;
	struct verdict verdict;
	bool answered;
};

static const char *
backend_word(const struct story *story)
{
	return story->place.backend == BACKEND_REDIS ? "redis" : "sqlite";
}

/* Names the line of the story; `about` is what is wrong, `text` the part it is about. */
static void
complain(const struct story *story, const char *about, struct slice text)
{
	ck_abort_msg("%s:%u: on %s: %s%s%.*s", story->path, story->line,
	             backend_word(story), about, text.n ? " " : "", (int)text.n,
	             text.n ? text.p : "");
}

static void
differ(const struct story *story, const char *what, const char *got, const char *want)
{
	char text[LINE_MAX_LEN];
	struct text out = TEXT(text);
	text_printf(&out, "\"%s\", want \"%s\" (id %s)", got, want, story->verdict.id);
	complain(story, what, text_slice(&out));
}

/* "k=v": false when the word is not of that form. */
static bool
split_pair(struct slice word, struct slice *key_out, struct slice *value_out)
{
	*value_out = word;
	return slice_find(word, '=') > 0 && slice_cut(value_out, '=', key_out);
}

static void
keep(char *buf, size_t size, struct slice text)
{
	struct text out = {.p = buf, .cap = size};
	text_put(&out, text);
	ck_assert_msg(!out.cut, "a line of a story is too long");
}

/* ------------------------------------------------------------------ the engine */

static const char *
write_list(const struct story *story, int list)
{
	char name[64];
	snprintf(name, sizeof(name), "list-%ld-%d", (long)getpid(), list);
	return harness_file(name, story->lists[list]);
}

/* The settings as the story has them by now. */
static struct conf *
load_settings(const struct story *story)
{
	static const char *const names[] = {"lists.clients", "lists.senders",
	                                    "lists.recipients"};
	char wired[LIST_FILES][LINE_MAX_LEN], file[sizeof(story->pools) + 64];
	const char *settings[SETTINGS_MAX + LIST_FILES + 1] = {NULL};
	size_t n = 0;
	for (int i = 0; i < LIST_FILES; i++) {
		snprintf(wired[i], sizeof(wired[i]), "%s=%s", names[i],
		         write_list(story, i));
		settings[n++] = wired[i];
	}
	for (size_t i = 0; i < story->n_settings; i++)
		settings[n++] = story->settings[i];
	snprintf(file, sizeof(file), "greylist: { pools: (%s); };\n", story->pools);
	struct err err;
	struct conf *conf = place_conf(&story->place, harness_file("story.conf", file),
	                               settings, &err);
	if (!conf)
		complain(story, err.text, (struct slice){0});
	return conf;
}

static void
on_wake(void *arg)
{
	struct story *story = arg;
	loop_stop(story->loop);
}

static void
run_loop(struct story *story, int64_t ms)
{
	timer_start(story->wake, ms);
	loop_run(story->loop);
	timer_stop(story->wake);
}

static void
wait_for_store(struct story *story, bool up)
{
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	while (store_is_up(story->engine->store) != up) {
		if (clock_mono_ms() > give_up_ms)
			complain(story, "the store does not go", SLICE("up or down"));
		run_loop(story, POLL_MS);
	}
}

static void
start_engine(struct story *story)
{
	struct err err;
	struct conf *conf = load_settings(story);
	if (story->engine) {
		engine_reload(story->engine, conf);
		conf_unref(&conf);
		return;
	}
	story->loop = loop_new();
	story->wake = timer_new(story->loop, on_wake, story);
	story->engine = engine_open(ENGINE_OF_POLICYD, story->loop, conf, true, &err);
	conf_unref(&conf);
	if (!story->engine)
		complain(story, err.text, (struct slice){0});
	wait_for_store(story, true);
}

/* ------------------------------------------------------------------ the keywords */

static void
do_only(struct story *story, struct slice rest)
{
	(void)story, (void)rest; /* story_is_for() has read it */
}

static void
do_set(struct story *story, struct slice rest)
{
	if (story->n_settings == SETTINGS_MAX)
		complain(story, "too many settings", rest);
	keep(story->settings[story->n_settings++], LINE_MAX_LEN, rest);
}

static void
do_list(struct story *story, struct slice rest)
{
	static const char *const kinds[] = {"clients", "senders", "recipients"};
	struct slice kind;
	if (slice_word(&rest, &kind))
		for (int i = 0; i < LIST_FILES; i++)
			if (slice_eq(kind, slice_of(kinds[i]))) {
				size_t used = strlen(story->lists[i]);
				keep(story->lists[i] + used,
				     sizeof(story->lists[i]) - used - 1,
				     slice_trim(rest));
				used = strlen(story->lists[i]);
				keep(story->lists[i] + used, 2, SLICE("\n"));
				return;
			}
	complain(story, "not a list:", kind);
}

static void
do_pool(struct story *story, struct slice rest)
{
	struct slice name, entry;
	struct text out = {.p = story->pools, .cap = sizeof(story->pools)};
	out.n = strlen(story->pools);
	if (!slice_word(&rest, &name))
		complain(story, "a pool without a name", rest);
	text_printf(&out, "%s{ name = \"%.*s\"; clients = [", out.n ? ", " : "",
	            (int)name.n, name.p);
	for (const char *sep = ""; slice_word(&rest, &entry); sep = ", ")
		text_printf(&out, "%s\"%.*s\"", sep, (int)entry.n, entry.p);
	text_puts(&out, "]; }");
	if (out.cut)
		complain(story, "too many pools", (struct slice){0});
}

/* "1d2h", "-60s" */
static bool
parse_moment(struct slice text, int64_t *s_out)
{
	int64_t sign = text.n > 0 && text.p[0] == '-' ? -1 : 1;
	int64_t sum_ms = 0, part_ms;
	text = slice_from(text, sign < 0);
	for (size_t from = 0, to = 0; from < text.n; from = to) {
		while (to < text.n && ascii_digit(text.p[to]))
			to++;
		while (to < text.n && ascii_alpha(text.p[to]))
			to++;
		struct slice part = slice_head(slice_from(text, from), to - from);
		if (to == from || !parse_time(part, &part_ms))
			return false;
		sum_ms += part_ms;
	}
	*s_out = sign * sum_ms / 1000;
	return text.n > 0;
}

static void
do_at(struct story *story, struct slice rest)
{
	int64_t s;
	if (!parse_moment(rest, &s))
		complain(story, "not a time:", rest);
	story->now_s = START_S + s;
}

static enum stage
stage_of(const struct story *story, struct slice word)
{
	if (slice_eq(word, SLICE("rcpt")))
		return STAGE_RCPT;
	if (slice_eq(word, SLICE("data")))
		return STAGE_DATA;
	if (!slice_eq(word, SLICE("end")))
		complain(story, "not a stage:", word);
	return STAGE_END_OF_MESSAGE;
}

static const struct fact {
	const char *name;
	size_t offset;
} facts[] = {
	{"client", offsetof(struct query, client_address)},
	{"name", offsetof(struct query, client_name)},
	{"sender", offsetof(struct query, sender)},
	{"rcpt", offsetof(struct query, recipient)},
	{"user", offsetof(struct query, sasl_username)},
	{"cert", offsetof(struct query, ccert_fingerprint)},
	{"instance", offsetof(struct query, instance)},
};

static void
add_fact(struct story *story, struct slice word)
{
	struct slice key, value;
	if (!split_pair(word, &key, &value))
		complain(story, "not a fact:", word);
	if (slice_eq(key, SLICE("stage"))) {
		story->query.stage = stage_of(story, value);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(facts); i++)
		if (slice_eq(key, slice_of(facts[i].name))) {
			char *at = (char *)&story->query + facts[i].offset;
			*(struct slice *)(void *)at = arena_copy(&story->arena, value);
			return;
		}
	complain(story, "not a fact:", word);
}

static void
on_verdict(void *arg, const struct verdict *verdict)
{
	struct story *story = arg;
	story->verdict = *verdict;
	story->answered = true;
	loop_stop(story->loop);
}

static void
do_ask(struct story *story, struct slice rest)
{
	struct slice word;
	char time[24];
	if (!story->engine)
		start_engine(story);
	arena_reset(&story->arena);
	snprintf(time, sizeof(time), "%" PRId64, story->now_s);
	story->query = (struct query){
		.stage = STAGE_RCPT,
		.test_time = arena_copy(&story->arena, slice_of(time)),
	};
	while (slice_word(&rest, &word))
		add_fact(story, word);
	run_loop(story, 0); /* a new turn: the loop knows the time */
	story->answered = false;
	decision_start(&story->decision, story->engine, &story->query, NULL, 500,
	               &story->arena, on_verdict, story);
	if (story->answered)
		complain(story, "answered from within", SLICE("decision_start()"));
	run_loop(story, FIXTURE_PATIENCE_MS);
	if (!story->answered)
		complain(story, "no answer", (struct slice){0});
}

/* What the verdict says under that name; false when there is no such thing. */
static bool
said(const struct story *story, struct slice name, struct text *out)
{
	const struct verdict *verdict = &story->verdict;
	const struct plan *plan = &story->decision.plan;
	if (slice_eq(name, SLICE("why")))
		text_puts(out, why_word(verdict->why));
	else if (slice_eq(name, SLICE("wait")))
		text_int(out, verdict->wait_s);
	else if (slice_eq(name, SLICE("delayed")))
		text_int(out, verdict->delayed_s);
	else if (slice_eq(name, SLICE("observed")))
		text_int(out, verdict->observed);
	else if (slice_eq(name, SLICE("rung")))
		text_puts(out, plan->ask ? identity_rung_word(plan->identity.rung) : "");
	else if (slice_eq(name, SLICE("identity")))
		text_put(out, plan->identity.text);
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
	if (!split_pair(word, &name, &want) || !said(story, name, &got))
		complain(story, "nothing that can be wanted:", word);
	keep(name_buf, sizeof(name_buf), name);
	keep(want_buf, sizeof(want_buf), want);
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
		complain(story, "wants: reply contains \"text\"", (struct slice){0});
	rest = slice_head(slice_from(rest, 1), rest.n - 2);
	keep(got, sizeof(got), reply);
	keep(want, sizeof(want), rest);
	if (!memmem(reply.p ? reply.p : "", reply.n, rest.p, rest.n))
		differ(story, "reply", got, want);
}

static void
do_want(struct story *story, struct slice rest)
{
	static const char *const actions[] = {
		[VERDICT_ACCEPT] = "accept", [VERDICT_DEFER] = "defer"};
	struct slice word = {0};
	char want[16];
	if (!story->answered || !slice_word(&rest, &word))
		complain(story, "wants what?", (struct slice){0});
	const char *got = actions[story->verdict.action];
	keep(want, sizeof(want), word);
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

static void
do_store(struct story *story, struct slice rest)
{
	if (story->place.backend != BACKEND_REDIS)
		complain(story, "a story with this is", SLICE("only redis"));
	if (!story->engine)
		start_engine(story);
	if (slice_eq(rest, SLICE("down"))) {
		redis_server_do(&story->server, "SAVE");
		redis_server_kill(&story->server);
		wait_for_store(story, false);
	} else if (slice_eq(rest, SLICE("up"))) {
		redis_server_start_again(&story->server);
		wait_for_store(story, true);
	} else {
		complain(story, "wants: store down, store up", (struct slice){0});
	}
}

static void
do_reload(struct story *story, struct slice rest)
{
	if (rest.n > 0)
		complain(story, "nothing stands behind it:", rest);
	start_engine(story);
}

static const struct keyword {
	const char *word;
	void (*run)(struct story *story, struct slice rest);
} keywords[] = {
	{"only", do_only}, {"set", do_set},     {"list", do_list},
	{"pool", do_pool}, {"at", do_at},       {"ask", do_ask},
	{"want", do_want}, {"store", do_store}, {"reload", do_reload},
};

static void
run_line(struct story *story, struct slice line)
{
	struct slice word;
	line = slice_trim(line);
	if (line.n == 0 || line.p[0] == '#' || !slice_word(&line, &word))
		return;
	for (size_t i = 0; i < COUNT_OF(keywords); i++)
		if (slice_eq(word, slice_of(keywords[i].word))) {
			keywords[i].run(story, slice_trim(line));
			return;
		}
	complain(story, "not a keyword:", word);
}

static void
close_story(struct story *story)
{
	engine_close(&story->engine);
	timer_free(&story->wake);
	loop_free(&story->loop);
	arena_free(&story->arena);
	redis_server_kill(&story->server);
}

void
story_run(const char *path, int backend)
{
	static struct story story; /* large */
	char line[LINE_MAX_LEN];
	story = (struct story){.path = path, .now_s = START_S};
	arena_init(&story.arena);
	if (backend == BACKEND_REDIS)
		redis_server_start(&story.server, NULL);
	story.place = fresh_place(backend, &story.server);
	FILE *file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s: cannot read", path);
	while (fgets(line, sizeof(line), file)) {
		story.line++;
		run_line(&story, slice_of(line));
	}
	fclose(file);
	if (!story.engine)
		complain(&story, "nothing was asked", (struct slice){0});
	close_story(&story);
}

bool
story_is_for(const char *path, int backend)
{
	const char *word = backend == BACKEND_REDIS ? "only sqlite" : "only redis";
	char line[LINE_MAX_LEN];
	bool wanted = true;
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		wanted = wanted && !slice_eq(slice_trim(slice_of(line)), slice_of(word));
	if (file)
		fclose(file);
	return wanted;
}
