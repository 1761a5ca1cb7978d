/* cures.h - applies the cure of a finding to settings, as an operator would; see cure.h. */
#ifndef WEIR_TESTS_CURES_H
#define WEIR_TESTS_CURES_H

#include <stdbool.h>

#include "base/slice.h"

/* What an operator would have changed. */
struct cured {
	struct text values;    /* of main.cf: "NAME = VALUE\n" */
	struct text overrides; /* of master.cf: "smtp/inet/NAME = VALUE\n" */
	struct text settings;  /* of weir.conf, as -o takes them, each behind a '|' */
	size_t n;              /* lines that were more than words */
};

/* The `way`-th way of a cure; false when there are fewer.  A line that cannot be applied fails the test. */
bool cure_apply(const char *mend, int way, struct cured *cured);

#endif
