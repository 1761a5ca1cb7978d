/* story_daemon.c - the daemons of a story: their engines on one store, as they live and die. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/schema.h"
#include "harness.h"
#include "store/override_store.h"
#include "story_priv.h"

#define POLL_MS  2
#define SLACK_MS 20 /* the loop's timers go by the time of its last turn */

static const char *
write_list(const struct story *story, int list)
{
	char name[64];
	snprintf(name, sizeof(name), "list-%ld-%d", (long)getpid(), list);
	return harness_file(name, story->lists[list]);
}

const char *const story_groups[GROUPS] = {"senders", "users", "mailboxes"};

/* What -o cannot say. */
static const char *
write_groups(const struct story *story)
{
	char buf[sizeof(story->pools) + sizeof(story->destinations) +
	         sizeof(story->groups) + 200];
	struct text text = TEXT(buf);
	text_printf(&text, "greylist: { pools: (%s); };\n", story->pools);
	text_printf(&text, "limits: { destinations: (%s);\n", story->destinations);
	for (int i = 0; i < GROUPS; i++)
		text_printf(&text, "%s: (%s);\n", story_groups[i], story->groups[i]);
	text_puts(&text, "};\n");
	return harness_file("story.conf", buf);
}

/* The settings as the story has them by now. */
static struct conf *
load_settings(const struct story *story)
{
	static const char *const names[] = {"lists.clients", "lists.senders",
	                                    "lists.recipients"};
	char wired[LIST_FILES][LINE_MAX_LEN];
	/* A store that is slow on a busy machine is no store that is away. */
	const char *settings[SETTINGS_MAX + LIST_FILES + 4] = {
		"http.listen=", "http.milter_listen=", "store.deadline=5s"};
	size_t n = 3;
	for (int i = 0; i < LIST_FILES; i++) {
		snprintf(wired[i], sizeof(wired[i]), "%s=%s", names[i],
		         write_list(story, i));
		settings[n++] = wired[i];
	}
	for (size_t i = 0; i < story->n_settings; i++)
		settings[n++] = story->settings[i];
	struct err err;
	struct conf *conf =
		place_conf(&story->place, write_groups(story), settings, &err);
	if (!conf)
		story_complain(story, err.text, (struct slice){0});
	return conf;
}

static void
on_wake(void *arg)
{
	struct story *story = arg;
	loop_stop(story->loop);
}

void
story_run_loop(struct story *story, int64_t ms)
{
	timer_start(story->wake, ms);
	loop_run(story->loop);
	timer_stop(story->wake);
}

static void
wait_for_store(struct story *story, const struct engine *engine, bool up)
{
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	while (store_is_up(engine->store) != up) {
		if (clock_mono_ms() > give_up_ms)
			story_complain(story, "the store does not go",
			               SLICE("up or down"));
		story_run_loop(story, POLL_MS);
	}
}

/* ---- its life */

/* Until all daemons that run have taken it: their recorders read overrides twice a second. */
static void
wait_for_override(struct story *story, const struct override *override)
{
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	for (int kind = 0; kind < DAEMONS; kind++)
		while (story->engines[kind] &&
		       !overrides_has(story->engines[kind]->overrides, override)) {
			if (clock_mono_ms() > give_up_ms)
				story_complain(story, "the override is not taken",
				               (struct slice){0});
			story_run_loop(story, POLL_MS);
		}
}

struct engine *
story_engine(struct story *story, enum engine_kind kind)
{
	struct engine **engine = &story->engines[kind];
	struct err err;
	if (*engine)
		return *engine;
	if (!story->loop) {
		story->loop = loop_new();
		story->wake = timer_new(story->loop, on_wake, story);
	}
	struct conf *conf = load_settings(story);
	*engine = engine_open(kind, story->loop, conf, true, &err);
	conf_unref(&conf);
	if (!*engine)
		story_complain(story, err.text, (struct slice){0});
	if (kind == ENGINE_OF_POLICYD)
		story->messages = messages_new(*engine);
	wait_for_store(story, *engine, true);
	if (story->overridden.until_s > 0)
		wait_for_override(story, &story->overridden);
	return *engine;
}

static void
on_told(void *arg, const struct answer *answer)
{
	struct story *story = arg;
	(void)answer;
	loop_stop(story->loop);
}

/* A question about nothing is answered behind whatever was told before. */
void
story_wait_for_told(struct story *story, struct engine *engine)
{
	struct ask nothing = {.kind = ASK_LIMITS};
	if (!store_is_up(engine->store))
		return;
	story_run_loop(story, 0); /* a new turn: the loop knows the time */
	store_ask(engine->store, &nothing, INT64_MAX, on_told, story);
	story_run_loop(story, FIXTURE_PATIENCE_MS);
}

/* A store to which nothing can be told. */
static struct store *
store_out_of_reach(struct story *story)
{
	char *words[] = {(char[]){"store.backend=redis"},
	                 (char[]){"store.redis.servers=unix:/nonexistent/socket"}};
	struct conf_texts texts = {.v = words, .n = COUNT_OF(words)};
	struct err err;
	struct conf *conf = conf_load(NULL, &texts, &err);
	struct store *store = conf ? store_open(story->loop, conf, "", &err) : NULL;
	if (!store)
		story_complain(story, err.text, (struct slice){0});
	conf_unref(&conf);
	return store;
}

static void
forget_sessions(struct story *story, enum engine_kind kind)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &story->sessions[i];
		if (!session->used || session->kind != kind)
			continue;
		messages_leave(&session->message, false);
		if (!session->joined)
			delivery_end(&session->delivery);
		*session = (struct session){0};
	}
}

static void
stop_daemon(struct story *story, enum engine_kind kind, bool cleanly)
{
	struct engine **engine = &story->engines[kind];
	struct store *left = NULL;
	if (!*engine)
		return;
	if (!cleanly) {
		left = (*engine)->store;
		(*engine)->store = store_out_of_reach(story);
	}
	forget_sessions(story, kind);
	if (kind == ENGINE_OF_POLICYD)
		messages_free(&story->messages);
	engine_close(engine);
	store_close(&left);
	/* Redis reads its connections in no override; a new one comes behind what was sent last. */
	if (story->server.pid)
		redis_server_do(&story->server, "TIME");
}

void
story_stop(struct story *story)
{
	for (int kind = 0; kind < DAEMONS; kind++)
		stop_daemon(story, (enum engine_kind)kind, true);
	timer_free(&story->wake);
	loop_free(&story->loop);
}

/* ---- the keywords */

enum engine_kind
story_kind(const struct story *story, struct slice word)
{
	if (slice_eq(word, SLICE("by=milter")))
		return ENGINE_OF_MILTER;
	if (!slice_eq(word, SLICE("by=policyd")))
		story_complain(story, "neither by=policyd nor by=milter:", word);
	return ENGINE_OF_POLICYD;
}

static enum engine_kind
kind_that_runs(const struct story *story, struct slice word)
{
	enum engine_kind kind = story_kind(story, word);
	if (!story->engines[kind])
		story_complain(story, "does not run:", word);
	return kind;
}

void
do_close(struct story *story, struct slice rest)
{
	stop_daemon(story, kind_that_runs(story, rest), true);
}

void
do_kill(struct story *story, struct slice rest)
{
	stop_daemon(story, kind_that_runs(story, rest), false);
}

/* ---- what the operator overrides */

struct overriding {
	struct override override;
	int64_t for_ms;
};

static void
set_limit(const struct story *story, struct slice value, struct override *override)
{
	struct err err;
	if (!override_set_limit(override, value, &err))
		story_complain(story, err.text, value);
}

static void
read_overriding(const struct story *story, struct slice rest,
                struct overriding *overriding)
{
	struct slice word, key, value;
	while (slice_word(&rest, &word))
		if (slice_eq(word, SLICE("no-limits")))
			overriding->override.no_limits = true;
		else if (!story_pair(word, &key, &value))
			story_complain(story, "not of an override:", word);
		else if (slice_eq(key, SLICE("for")) &&
		         parse_time(value, &overriding->for_ms))
			continue;
		else if (slice_eq(key, SLICE("limit")))
			set_limit(story, value, &overriding->override);
		else
			story_complain(story, "not of an override:", word);
}

static void
put_override(struct story *story, const struct override *override)
{
	struct conf *conf = load_settings(story);
	struct err err;
	struct history *history = history_open(conf, FIXTURE_PATIENCE_MS, &err);
	if (!history || !override_store_put(history, override, &err))
		story_complain(story, err.text, (struct slice){0});
	history_close(&history);
	conf_unref(&conf);
}

void
do_override(struct story *story, struct slice rest)
{
	struct overriding overriding = {.override.by = "story", .for_ms = 3600000};
	struct slice kind, name;
	struct err err;
	if (!slice_word(&rest, &kind) || !slice_word(&rest, &name))
		story_complain(story, "wants: override KIND NAME", rest);
	while (!slice_eq(slice_of(override_kind_word(overriding.override.kind)), kind))
		if (++overriding.override.kind == OVERRIDE_KINDS)
			story_complain(story, "not a kind of override:", kind);
	if (!override_set_name(&overriding.override, name, &err))
		story_complain(story, err.text, name);
	read_overriding(story, rest, &overriding);
	overriding.override.made_s = story->now_s;
	overriding.override.until_s = story->now_s + overriding.for_ms / 1000;
	put_override(story, &overriding.override);
	story->overridden = overriding.override;
	wait_for_override(story, &story->overridden);
}

static void
wait_for_stores(struct story *story, bool up)
{
	for (int kind = 0; kind < DAEMONS; kind++)
		if (story->engines[kind])
			wait_for_store(story, story->engines[kind], up);
}

void
do_store(struct story *story, struct slice rest)
{
	if (story->place.backend != BACKEND_REDIS)
		story_complain(story, "a story with this is", SLICE("only redis"));
	if (!story->loop)
		story_engine(story, ENGINE_OF_POLICYD);
	if (slice_eq(rest, SLICE("down"))) {
		redis_server_do(&story->server, "SAVE");
		redis_server_kill(&story->server);
		wait_for_stores(story, false);
	} else if (slice_eq(rest, SLICE("up"))) {
		redis_server_start_again(&story->server);
		wait_for_stores(story, true);
	} else if (slice_eq(rest, SLICE("empty"))) {
		redis_server_do(&story->server, "FLUSHALL");
	} else {
		story_complain(story, "wants: store down, store up, store empty",
		               (struct slice){0});
	}
}

void
do_reload(struct story *story, struct slice rest)
{
	if (rest.n > 0)
		story_complain(story, "nothing stands behind it:", rest);
	struct conf *conf = load_settings(story);
	for (int kind = 0; kind < DAEMONS; kind++)
		if (story->engines[kind])
			engine_reload(story->engines[kind], conf);
	conf_unref(&conf);
}

/* Who is due is a matter of the loop's clock, which no story moves. */
void
do_renew(struct story *story, struct slice rest)
{
	struct engine *engine = story->engines[kind_that_runs(story, rest)];
	int64_t every_ms = engine->conf->limits.lease_ms / 3;
	if (every_ms > 1000)
		story_complain(story, "wants: set limits.lease=3s", (struct slice){0});
	engine->test_now_s = story->now_s;
	story_run_loop(story, every_ms + SLACK_MS);
	deliveries_renew(engine);
	story_wait_for_told(story, engine);
}
