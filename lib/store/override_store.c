/* override_store.c - the operator's overrides as the history has them up. */
#include "store/override_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/history_backend.h"

/* Names and texts by turns, each behind its length. */
struct registry {
	char *bytes;
	size_t n, cap;
};

static void
put_slice(struct registry *registry, struct slice slice)
{
	size_t n = sizeof(slice.n) + slice.n;
	if (registry->cap - registry->n < n) {
		registry->cap = 2 * registry->cap + n;
		registry->bytes = mem_grow(registry->bytes, registry->cap);
	}
	memcpy(registry->bytes + registry->n, &slice.n, sizeof(slice.n));
	if (slice.n > 0)
		memcpy(registry->bytes + registry->n + sizeof(slice.n), slice.p, slice.n);
	registry->n += n;
}

static struct slice
take_slice(const struct registry *registry, size_t *at)
{
	struct slice slice = {.p = registry->bytes + *at + sizeof(slice.n)};
	memcpy(&slice.n, registry->bytes + *at, sizeof(slice.n));
	*at += sizeof(slice.n) + slice.n;
	return slice;
}

static void
on_override(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	(void)until_s;
	put_slice(arg, name);
	put_slice(arg, text);
}

static struct overrides *
parse(const struct registry *registry)
{
	struct overrides *overrides = overrides_new();
	struct override override;
	for (size_t at = 0; at < registry->n;) {
		struct slice name = take_slice(registry, &at);
		struct slice text = take_slice(registry, &at);
		if (override_parse(name, text, &override))
			overrides_add(overrides, &override);
	}
	return overrides;
}

static bool
is_as_before(const struct history *history, const struct registry *registry)
{
	return history->overrides && registry->n == history->registry_n &&
	       (registry->n == 0 ||
	        memcmp(registry->bytes, history->registry, registry->n) == 0);
}

/* It is read often and changes seldom, and what is in it takes long to make. */
struct overrides *
override_store_read(struct history *history, int64_t now_s, struct err *err_out)
{
	struct registry registry = {0};
	if (!history_read(history, REGISTRY_OVERRIDES, now_s, on_override, &registry,
	                  err_out)) {
		free(registry.bytes);
		return NULL;
	}
	if (is_as_before(history, &registry)) {
		free(registry.bytes);
		return overrides_ref(history->overrides);
	}
	free(history->registry);
	overrides_unref(&history->overrides);
	history->registry = registry.bytes;
	history->registry_n = registry.n;
	history->overrides = parse(&registry);
	return overrides_ref(history->overrides);
}

bool
override_store_put(struct history *history, const struct override *override,
                   struct err *err_out)
{
	char name_buf[HISTORY_NAME_MAX + 1], text_buf[HISTORY_NAME_MAX + 1];
	struct text name = TEXT(name_buf), text = TEXT(text_buf);
	override_print_name(override, &name);
	override_print_text(override, &text);
	return history_put(history, REGISTRY_OVERRIDES, text_slice(&name),
	                   text_slice(&text), override->until_s, err_out);
}

bool
override_store_drop(struct history *history, const struct override *override,
                    bool *found_out, struct err *err_out)
{
	char buf[HISTORY_NAME_MAX + 1];
	struct text name = TEXT(buf);
	override_print_name(override, &name);
	return history_drop(history, REGISTRY_OVERRIDES, text_slice(&name), found_out,
	                    err_out);
}
