/*
 * store_fixture.h - a store on a fresh place, and questions that are waited for.
 *
 * The place is a new directory, or a new prefix in a Redis.  What cannot be set up fails the
 * test.
 */
#ifndef WEIR_TESTS_STORE_FIXTURE_H
#define WEIR_TESTS_STORE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redis_server.h"
#include "store/store.h"

/* When the tests' clocks begin: nothing stored then is swept by the clock of the machine. */
#define FIXTURE_T0_S INT64_C(4000000000)

/* Longer than any answer takes on a loaded machine. */
#define FIXTURE_PATIENCE_MS 20000

struct store_place {
	int backend; /* enum conf_backend */
	const struct redis_server *server;
	char text[256]; /* the directory, or the prefix of keys */
};

struct store_fixture {
	struct store_place place;
	struct loop *loop;
	struct conf *conf;
	struct store *store;
	struct loop_timer *wake;
	size_t unanswered;
};

/* "store.redis.password_file=..." of a file that holds it; valid until the next one. */
const char *password_setting(const char *password);

/* `server` is NULL for the embedded store. */
struct store_place fresh_place(int backend, const struct redis_server *server);

/*
 * Settings that lead there, with a long deadline: those of the file (NULL: none), then `settings`
 * ("name=value", NULL at the end, or NULL).  NULL with a text when they are wrong.
 */
struct conf *place_conf(const struct store_place *place, const char *path,
                        const char *const *settings, struct err *err_out);

/* The database file of an embedded store. */
const char *place_database(const struct store_place *place);

/* False with a text when the store is refused; fixture_close() either way. */
bool fixture_try_open(struct store_fixture *fixture, const struct store_place *place,
                      const char *const *settings, struct err *err_out);

/* The same, for a daemon whose holders' names begin with `owner` (store_open). */
bool fixture_try_open_as(struct store_fixture *fixture, const struct store_place *place,
                         const char *owner, const char *const *settings,
                         struct err *err_out);

/* The same, and waits until the store is up. */
void fixture_open(struct store_fixture *fixture, const struct store_place *place,
                  const char *const *settings);
void fixture_open_as(struct store_fixture *fixture, const struct store_place *place,
                     const char *owner, const char *const *settings);
void fixture_close(struct store_fixture *fixture);

/* One question and what became of it. */
struct question {
	struct ask ask;
	struct answer answer;
	unsigned answers; /* how often the answer came */
	int64_t asked_ms;
	int64_t took_ms;
	struct store_job *job; /* until the answer came */
	struct store_fixture *fixture;
};

/* Asks without waiting.  The question must live until it is answered or abandoned. */
void ask_begin(struct store_fixture *fixture, struct question *question);

/* Runs the loop until every question is answered; fails the test when one never is. */
void ask_finish(struct store_fixture *fixture);

/* All asked in one turn of the loop, then waited for. */
void ask_all(struct store_fixture *fixture, struct question *questions, size_t n);

struct answer ask_and_wait(struct store_fixture *fixture, const struct ask *ask);

/* Asks about a triplet of an identity and fails the test unless that is the answer. */
void ask_wants(struct store_fixture *fixture, const char *what, const struct ask *ask,
               enum store_status status, enum grey_answer grey);

/* The same, of what was asked in another way. */
void answer_is(const char *what, const struct answer *got, enum store_status status,
               enum grey_answer grey);

/* Runs the loop for a while, or until the store is up (or down). */
void fixture_run_ms(struct store_fixture *fixture, int64_t ms);
bool fixture_wait_up(struct store_fixture *fixture, bool up, int64_t limit_ms);

/*
 * Keys that differ by kind and number: 'i' an identity, 't' a triplet, 'l' leases, 'r' a rate,
 * 'n' a note.
 */
struct key fixture_key(char kind, unsigned number);

/* Try number `triplet` of identity number `identity`, which may be stored. */
struct ask fixture_ask(unsigned identity, unsigned triplet,
                       const struct grey_rules *rules, int64_t now_s);

/*
 * Uses as text, with a blank between: "Dl2" two deliveries at the destination, "Cm3/60" three
 * messages of the client in 60 seconds, "Sr9/60?" recipients of the sender, observed; U is the
 * user, M the mailbox.  "Cm3/60b1": one of them at once; "Cm3/60#1": window 1.  Keys go by scope, kind, window.
 */
struct limit_use fixture_use(struct slice word);
void fixture_uses(const char *text, struct limits_ask *ask);

/*
 * A result as text: "yes 3 held 1" granted, the bits of what was taken, slots held; "yes 2 would
 * 0" granted, but use 0, which is observed, has no room; "no 1 wait 500 held 2" use 1 refuses.
 */
void fixture_put_limits(const struct limits_result *result, struct text *out);

/* Writes a value under a key of the store, past the store. */
void place_plant(const struct store_place *place, char kind, const struct key *key,
                 int64_t value);

/* What is stored under the key, read past the store; 0 when there is nothing.  Not of leases. */
int64_t place_value(const struct store_place *place, char kind, const struct key *key);

/* How many leases there are that end after `from_ms`, at `to_ms` at the latest. */
int64_t place_leases(const struct store_place *place, const struct key *key,
                     int64_t from_ms, int64_t to_ms);

/* Writes a lease, past the store. */
void place_plant_lease(const struct store_place *place, const struct key *key,
                       const char *holder, int64_t ends_ms);

/* The name of the key in Redis. */
void place_key_name(const struct store_place *place, char kind, const struct key *key,
                    struct text *name_out);

/* Runs SQL on the database file past the store; the integer it gives, or 0. */
int64_t place_sql(const struct store_place *place, const char *sql);

#endif
