#include "store_fixture.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness.h"

#define SETTINGS_MAX 48
#define POLL_MS      2

/* A machine that has much else to do needs longer than the usual deadline. */
static char patient[] = "store.deadline=5s";

struct store_place
fresh_place(int backend, const struct redis_server *server)
{
	static unsigned made;
	char name[64];
	struct store_place place = {.backend = backend, .server = server};
	snprintf(name, sizeof(name), "p%ld-%u", (long)getpid(), made++);
	if (backend == BACKEND_REDIS) {
		snprintf(place.text, sizeof(place.text), "%s:", name);
		return place;
	}
	snprintf(place.text, sizeof(place.text), "%s", harness_path(name));
	ck_assert_msg(mkdir(place.text, 0700) == 0, "%s: %s", place.text,
	              strerror(errno));
	return place;
}

const char *
place_database(const struct store_place *place)
{
	static char path[sizeof(place->text) + 16];
	snprintf(path, sizeof(path), "%s/weir.db", place->text);
	return path;
}

const char *
password_setting(const char *password)
{
	static char setting[600];
	const char *path = harness_file("password", password);
	chmod(path, 0600);
	snprintf(setting, sizeof(setting), "store.redis.password_file=%s", path);
	return setting;
}

struct conf *
place_conf(const struct store_place *place, const char *path, const char *const *settings,
           struct err *err_out)
{
	char where[3][sizeof(place->text) + 40];
	char *words[SETTINGS_MAX] = {patient};
	struct conf_texts texts = {.v = words, .n = 1};
	bool redis = place->backend == BACKEND_REDIS;
	snprintf(where[0], sizeof(where[0]), "store.backend=%s",
	         redis ? "redis" : "embedded");
	snprintf(where[1], sizeof(where[1]), "store.%s=%s",
	         redis ? "redis.prefix" : "path", place->text);
	snprintf(where[2], sizeof(where[2]), "store.redis.servers=%s",
	         redis ? place->server->endpoint : "127.0.0.1:6379");
	for (size_t i = 0; i < 3; i++)
		words[texts.n++] = where[i];
	for (; settings && *settings; settings++) {
		ck_assert_msg(texts.n < SETTINGS_MAX, "too many settings");
		words[texts.n++] = (char *)(uintptr_t)*settings;
	}
	return conf_load(path, &texts, err_out);
}

static void
on_wake(void *arg)
{
	struct store_fixture *fixture = arg;
	loop_stop(fixture->loop);
}

bool
fixture_try_open_as(struct store_fixture *fixture, const struct store_place *place,
                    const char *owner, const char *const *settings, struct err *err_out)
{
	*fixture = (struct store_fixture){.place = *place};
	fixture->conf = place_conf(place, NULL, settings, err_out);
	ck_assert_msg(fixture->conf != NULL, "%s", err_out->text);
	fixture->loop = loop_new();
	fixture->wake = timer_new(fixture->loop, on_wake, fixture);
	fixture->store = store_open(fixture->loop, fixture->conf, owner, err_out);
	return fixture->store != NULL;
}

bool
fixture_try_open(struct store_fixture *fixture, const struct store_place *place,
                 const char *const *settings, struct err *err_out)
{
	return fixture_try_open_as(fixture, place, "", settings, err_out);
}

void
fixture_open_as(struct store_fixture *fixture, const struct store_place *place,
                const char *owner, const char *const *settings)
{
	struct err err;
	ck_assert_msg(fixture_try_open_as(fixture, place, owner, settings, &err), "%s",
	              err.text);
	ck_assert_msg(fixture_wait_up(fixture, true, FIXTURE_PATIENCE_MS),
	              "the store does not come up");
}

void
fixture_open(struct store_fixture *fixture, const struct store_place *place,
             const char *const *settings)
{
	fixture_open_as(fixture, place, "", settings);
}

void
fixture_close(struct store_fixture *fixture)
{
	store_close(&fixture->store);
	timer_free(&fixture->wake);
	loop_free(&fixture->loop);
	conf_unref(&fixture->conf);
}

void
fixture_run_ms(struct store_fixture *fixture, int64_t ms)
{
	timer_start(fixture->wake, ms);
	loop_run(fixture->loop);
	timer_stop(fixture->wake);
}

bool
fixture_wait_up(struct store_fixture *fixture, bool up, int64_t limit_ms)
{
	int64_t give_up_ms = clock_mono_ms() + limit_ms;
	while (store_is_up(fixture->store) != up) {
		if (clock_mono_ms() >= give_up_ms)
			return false;
		fixture_run_ms(fixture, POLL_MS);
	}
	return true;
}

static void
on_answer(void *arg, const struct answer *answer)
{
	struct question *question = arg;
	question->answer = *answer;
	question->answers++;
	question->took_ms = clock_mono_ms() - question->asked_ms;
	question->job = NULL;
	if (--question->fixture->unanswered == 0)
		loop_stop(question->fixture->loop);
}

void
ask_begin(struct store_fixture *fixture, struct question *question)
{
	question->fixture = fixture;
	question->answers = 0;
	question->asked_ms = clock_mono_ms();
	question->job =
		store_ask(fixture->store, &question->ask, INT64_MAX, on_answer, question);
	fixture->unanswered++;
	ck_assert_msg(question->answers == 0, "answered from within store_ask()");
}

void
ask_finish(struct store_fixture *fixture)
{
	int64_t give_up_ms = clock_mono_ms() + FIXTURE_PATIENCE_MS;
	while (fixture->unanswered > 0 && clock_mono_ms() < give_up_ms)
		fixture_run_ms(fixture, FIXTURE_PATIENCE_MS);
	ck_assert_msg(fixture->unanswered == 0, "%zu questions without an answer",
	              fixture->unanswered);
}

void
ask_all(struct store_fixture *fixture, struct question *questions, size_t n)
{
	fixture_run_ms(fixture, 0); /* a new turn: the loop knows the time */
	for (size_t i = 0; i < n; i++)
		ask_begin(fixture, &questions[i]);
	ask_finish(fixture);
}

struct answer
ask_and_wait(struct store_fixture *fixture, const struct ask *ask)
{
	struct question question = {.ask = *ask};
	ask_all(fixture, &question, 1);
	return question.answer;
}

void
answer_is(const char *what, const struct answer *got, enum store_status status,
          enum grey_answer grey)
{
	ck_assert_msg(got->status == status, "%s: store %s, want %s", what,
	              store_status_word(got->status), store_status_word(status));
	ck_assert_msg(status != STORE_OK || got->grey.answer == grey,
	              "%s: answer %d, want %d", what, (int)got->grey.answer, (int)grey);
}

void
ask_wants(struct store_fixture *fixture, const char *what, const struct ask *ask,
          enum store_status status, enum grey_answer grey)
{
	struct answer got = ask_and_wait(fixture, ask);
	answer_is(what, &got, status, grey);
}

struct key
fixture_key(char kind, unsigned number)
{
	struct key key = {.bytes = {(uint8_t)kind}};
	for (size_t i = 0; i < sizeof(number); i++)
		key.bytes[1 + i] = (uint8_t)(number >> (8 * i));
	return key;
}

struct ask
fixture_ask(unsigned identity, unsigned triplet, const struct grey_rules *rules,
            int64_t now_s)
{
	return (struct ask){.identity = fixture_key('i', identity),
	                    .triplet = fixture_key('t', identity << 16 | triplet),
	                    .rules = *rules,
	                    .may_store = true,
	                    .now_s = now_s};
}

struct limit_use
fixture_use(struct slice word)
{
	static const char scopes[] = "DCSUM", kinds[] = "lmr";
	const char *scope = strchr(scopes, word.p[0]), *kind = strchr(kinds, word.p[1]);
	ck_assert_msg(scope && kind, "%.*s is no use", (int)word.n, word.p);
	struct limit_use use = {.scope = (enum limit_scope)(scope - scopes),
	                        .kind = (enum limit_kind)(kind - kinds)};
	char *rest;
	use.count = strtoll(word.p + 2, &rest, 10);
	if (*rest == '/')
		use.per_ms = 1000 * strtoll(rest + 1, &rest, 10);
	if (*rest == 'b')
		use.burst = strtoll(rest + 1, &rest, 10);
	if (*rest == '#')
		use.window = (uint8_t)strtoll(rest + 1, &rest, 10);
	use.observed = *rest == '?';
	use.key = fixture_key(use.kind == LIMIT_CONCURRENCY ? 'l' : 'r',
	                      (unsigned)use.window << 8 | (unsigned)limit_bound(&use));
	return use;
}

void
fixture_uses(const char *text, struct limits_ask *ask)
{
	struct slice rest = slice_of(text), word;
	while (slice_word(&rest, &word))
		ask->uses[ask->n++] = fixture_use(word);
}

void
fixture_put_limits(const struct limits_result *result, struct text *out)
{
	if (result->granted)
		text_printf(out, "yes %llx", (unsigned long long)result->taken);
	else
		text_printf(out, "no %x", (unsigned)result->refused);
	if (result->granted && result->refused >= 0)
		text_printf(out, " would %x", (unsigned)result->refused);
	if (!result->granted && result->taken)
		text_puts(out, " and yet taken");
	if (result->wait_ms)
		text_printf(out, " wait %lld", (long long)result->wait_ms);
	if (result->held)
		text_printf(out, " held %lld", (long long)result->held);
	if (result->late || result->lost)
		text_puts(out, " late or lost");
}

void
place_key_name(const struct store_place *place, char kind, const struct key *key,
               struct text *name_out)
{
	char printed[KEY_TEXT_LEN + 1];
	key_print(key, printed);
	text_printf(name_out, "%s%c%s", place->text, kind, printed);
}

/* "x'00ff...'" */
static void
put_blob(const struct key *key, struct text *sql)
{
	text_puts(sql, "x'");
	for (size_t i = 0; i < KEY_BYTES; i++)
		text_printf(sql, "%02x", key->bytes[i]);
	text_puts(sql, "'");
}

/* Where SQLite keeps what has that letter. */
static const struct table {
	char kind;
	const char *name, *column;
} tables[] = {
	{'i', "identity", "rec"},
	{'t', "triplet", "rec"},
	{'r', "rate", "tat"},
	{'n', "note", "message"},
};

static const struct table *
table_of(char kind)
{
	for (size_t i = 0; i < COUNT_OF(tables); i++)
		if (tables[i].kind == kind)
			return &tables[i];
	ck_abort_msg("no table of %c", kind);
	return NULL;
}

void
place_plant(const struct store_place *place, char kind, const struct key *key,
            int64_t value)
{
	char buf[512];
	struct text text = TEXT(buf);
	if (place->backend == BACKEND_REDIS) {
		text_puts(&text, "SET ");
		place_key_name(place, kind, key, &text);
		text_printf(&text, " %lld EX 1000", (long long)value);
		redis_server_do(place->server, buf);
		return;
	}
	text_printf(&text, "INSERT OR REPLACE INTO %s VALUES (", table_of(kind)->name);
	put_blob(key, &text);
	text_printf(&text, ", %lld)", (long long)value);
	place_sql(place, buf);
}

int64_t
place_value(const struct store_place *place, char kind, const struct key *key)
{
	char buf[512];
	struct text text = TEXT(buf);
	if (place->backend == BACKEND_REDIS) {
		text_puts(&text, "GET ");
		place_key_name(place, kind, key, &text);
		return redis_server_do(place->server, buf);
	}
	const struct table *table = table_of(kind);
	text_printf(&text, "SELECT %s FROM %s WHERE key = ", table->column, table->name);
	put_blob(key, &text);
	return place_sql(place, buf);
}

int64_t
place_leases(const struct store_place *place, const struct key *key, int64_t from_ms,
             int64_t to_ms)
{
	char buf[512];
	struct text text = TEXT(buf);
	if (place->backend == BACKEND_REDIS) {
		text_puts(&text, "ZCOUNT ");
		place_key_name(place, 'l', key, &text);
		text_printf(&text, " (%lld %lld", (long long)from_ms, (long long)to_ms);
		return redis_server_do(place->server, buf);
	}
	text_puts(&text, "SELECT count(*) FROM lease WHERE key = ");
	put_blob(key, &text);
	text_printf(&text, " AND expires > %lld AND expires <= %lld", (long long)from_ms,
	            (long long)to_ms);
	return place_sql(place, buf);
}

void
place_plant_lease(const struct store_place *place, const struct key *key,
                  const char *holder, int64_t ends_ms)
{
	char buf[512];
	struct text text = TEXT(buf);
	if (place->backend == BACKEND_REDIS) {
		text_puts(&text, "ZADD ");
		place_key_name(place, 'l', key, &text);
		text_printf(&text, " %lld %s", (long long)ends_ms, holder);
		redis_server_do(place->server, buf);
		return;
	}
	text_puts(&text, "INSERT OR REPLACE INTO lease VALUES (");
	put_blob(key, &text);
	text_printf(&text, ", '%s', %lld)", holder, (long long)ends_ms);
	place_sql(place, buf);
}

int64_t
place_sql(const struct store_place *place, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt = NULL;
	int64_t value = 0;
	int rc = sqlite3_open(place_database(place), &db);
	sqlite3_busy_timeout(db, FIXTURE_PATIENCE_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	ck_assert_msg(rc == SQLITE_DONE, "%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return value;
}
