/* ledger_fixture.h - a ledger on a fresh place, and what it reads as text. */
#ifndef WEIR_TESTS_LEDGER_FIXTURE_H
#define WEIR_TESTS_LEDGER_FIXTURE_H

#include "both_stores.h"
#include "store/ledger.h"

#define LEDGER_PATIENCE_MS 5000

/* More than any test adds. */
#define LEDGER_KEEP 1000000
#define LEDGER_LIFE 86400

/* What cannot be opened fails the test. */
struct ledger *ledger_at(const struct store_place *place);

/* The same with settings and patience; NULL with a text. */
struct ledger *ledger_try_at(const struct store_place *place, int64_t patience_ms,
                             const char *const *settings, struct err *err_out);

/* Fails the test with the text when `done` is false. */
void ledger_worked(bool done, const char *what, const struct err *err);

/* Fails the test when it was `done`, or when its text lacks what is wanted. */
void ledger_failed(const char *what, bool done, const struct err *err, const char *want);

/* Lines "NAME.FIRST\n" ... "NAME.LAST\n", which are added. */
void ledger_add_lines(struct ledger *ledger, const char *name, unsigned first,
                      unsigned last, int64_t keep);

/* All decisions, the oldest first; free() it. */
char *ledger_all_lines(struct ledger *ledger);

/* For ledger_read_decisions(): all are wanted, and none is looked at. */
bool ledger_ignore_lines(void *arg, struct slice lines);

/* A board as "name=text until;name=text until;"; free() it. */
char *ledger_board_text(struct ledger *ledger, enum ledger_board board, int64_t now_s);

#endif
