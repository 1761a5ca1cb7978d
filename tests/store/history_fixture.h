/* history_fixture.h - a history on a fresh place, and what it reads as text. */
#ifndef WEIR_TESTS_HISTORY_FIXTURE_H
#define WEIR_TESTS_HISTORY_FIXTURE_H

#include "both_stores.h"
#include "store/history.h"

#define HISTORY_PATIENCE_MS 5000

/* More than any test adds. */
#define HISTORY_KEEP 1000000
#define HISTORY_LIFE 86400

/* What cannot be opened fails the test. */
struct history *history_at(const struct store_place *place);

/* The same with settings and patience; NULL with a text. */
struct history *history_try_at(const struct store_place *place, int64_t patience_ms,
                               const char *const *settings, struct err *err_out);

/* Fails the test with the text when `done` is false. */
void history_worked(bool done, const char *what, const struct err *err);

/* Fails the test when it was `done`, or when its text lacks what is wanted. */
void history_failed(const char *what, bool done, const struct err *err, const char *want);

/* Lines "NAME.FIRST\n" ... "NAME.LAST\n", which are added. */
void history_add_lines(struct history *history, const char *name, unsigned first,
                       unsigned last, int64_t keep);

/* All decisions, the oldest first; free() it. */
char *history_all_lines(struct history *history);

/* For history_read_decisions(): all are wanted, and none is looked at. */
bool history_ignore_lines(void *arg, struct slice lines);

/* A registry as "name=text until;name=text until;"; free() it. */
char *history_registry_text(struct history *history, enum history_registry registry,
                            int64_t now_s);

#endif
