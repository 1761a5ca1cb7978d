/* facts.h - what history_facts() told, by name. */
#ifndef WEIR_CTL_FACTS_H
#define WEIR_CTL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/slice.h"

struct fact {
	struct slice name;
	struct slice value;
};

/* Empty when zeroed. */
struct facts {
	struct arena arena;
	struct fact *v;
	size_t n;
};

/* A history_fact_fn; `arg` is a struct facts. */
void facts_add(void *arg, const char *name, struct slice value);
void facts_free(struct facts *facts);

/* Empty when it was not told. */
struct slice facts_text(const struct facts *facts, const char *name);
bool facts_is(const struct facts *facts, const char *name, const char *value);

/* `none` when it was not told, or is no whole number. */
int64_t facts_int(const struct facts *facts, const char *name, int64_t none);

#endif
