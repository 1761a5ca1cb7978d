/*
 * story_priv.h - what the parts of the story runner share: the state of one story.
 *
 * story.c reads lines and settings, story_daemon.c has the daemons and the store, story_mail.c
 * asks and compares.
 */
#ifndef WEIR_TESTS_STORY_PRIV_H
#define WEIR_TESTS_STORY_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "engine/decision.h"
#include "engine/messages.h"
#include "store_fixture.h"
#include "story.h"

#define SETTINGS_MAX 32
#define LINE_MAX_LEN 512
#define SESSIONS_MAX 64

enum { DAEMONS = ENGINE_OF_MILTER + 1 };

enum { LIST_CLIENT_FILE, LIST_SENDER_FILE, LIST_RECIPIENT_FILE, LIST_FILES };

/* An SMTP session as one of the daemons knows it. */
struct session {
	bool used;
	enum engine_kind kind;
	char name[32];
	struct message *message;   /* policyd's connection was asked about it last */
	struct delivery *delivery; /* the milter's */
	bool joined; /* the engine knows the delivery, and frees it when it is closed */
};

#define GROUPS 3 /* limits.senders, users, mailboxes */

struct story {
	const char *path;
	unsigned line;
	struct store_place place;
	struct redis_server server;
	int64_t now_s;
	uint64_t late_before, lost_before; /* counters when the story began */

	/* what the next start or reload reads */
	char settings[SETTINGS_MAX][LINE_MAX_LEN];
	size_t n_settings;
	char pools[4096];
	char destinations[4096];
	char groups[GROUPS][2048];
	char lists[LIST_FILES][4096];

	struct loop *loop;
	struct loop_timer *wake;
	struct engine *engines[DAEMONS]; /* each NULL until it is asked */
	struct messages *messages;       /* policyd's */
	struct session sessions[SESSIONS_MAX];
	struct override overridden; /* the newest override; until_s 0: none */

	/* the last question */
	char given[LINE_MAX_LEN]; /* facts that hold until a question says otherwise */
	struct arena arena;
	struct query query;
	enum engine_kind asked;
	struct slice session;
	struct slice connection;
	struct decision decision;
	struct verdict verdict;
	bool answered;
};

/* ---- story.c */

/* Names the line of the story; `about` is what is wrong, `text` the part it is about. */
NORETURN void story_complain(const struct story *story, const char *about,
                             struct slice text);

/* Of which limits there are groups. */
extern const char *const story_groups[GROUPS];

/* Copies a word; fails the test when it is too long. */
void story_keep(char *buf, size_t size, struct slice text);

/* "k=v": false when the word is not of that form. */
bool story_pair(struct slice word, struct slice *key_out, struct slice *value_out);

/* ---- story_daemon.c */

void story_run_loop(struct story *story, int64_t ms);

/* The daemon's engine, started when it is not running. */
struct engine *story_engine(struct story *story, enum engine_kind kind);

/* Waits until the store has done all that the engine told it without waiting. */
void story_wait_for_told(struct story *story, struct engine *engine);

/* All daemons that run. */
void story_stop(struct story *story);

/* "by=policyd"; complains about anything else. */
enum engine_kind story_kind(const struct story *story, struct slice word);

void do_store(struct story *story, struct slice rest);
void do_reload(struct story *story, struct slice rest);
void do_close(struct story *story, struct slice rest);
void do_kill(struct story *story, struct slice rest);
void do_renew(struct story *story, struct slice rest);
void do_override(struct story *story, struct slice rest);

/* ---- story_mail.c */

void do_ask(struct story *story, struct slice rest);
void do_want(struct story *story, struct slice rest);
void do_end(struct story *story, struct slice rest);
void do_drop(struct story *story, struct slice rest);

#endif
