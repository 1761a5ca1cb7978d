/* harness.h - what the test programs in C share: one suite each, TAP on standard output. */
#ifndef WEIR_TESTS_HARNESS_H
#define WEIR_TESTS_HARNESS_H

#include <check.h>
#include <stdbool.h>

#include "base/slice.h"

/* Check's macros and tables of cases are not held to all that the programs are. */
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wnull-dereference"
#ifdef __clang__
# pragma GCC diagnostic ignored "-Wcomma"
#endif

/* Runs one suite of one test case that `fill` adds the tests to; the exit status. */
int harness_run(const char *suite, void (*fill)(TCase *));

/* A private directory below $TMPDIR, removed with all it holds when the program ends. */
const char *harness_dir(void);

/* harness_dir()/name; valid until 64 more were asked for. */
const char *harness_path(const char *name);

/* Writes a file of that name into the private directory and returns its path. */
const char *harness_file(const char *name, const char *content);

/* Fails the test, naming the row of a case table, when the slice is not `want`. */
#define ck_slice_eq(row, got, want)                                                     \
 do {                                                                                   \
  struct slice got_ = (got);                                                            \
  ck_assert_msg(slice_eq(got_, slice_of(want)), "%s: got \"%.*s\", want \"%s\"", (row), \
		(int)got_.n, got_.n ? got_.p : "", (want));                             \
 } while (0)

#endif
