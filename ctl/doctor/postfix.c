/* postfix.c - Postfix' settings as postconf(1) prints them. */
#include "postfix.h"

#include <stdlib.h>

/* "name = value", of any list of such lines. */
static void
parse_values(struct slice text, struct postfix_value **values, size_t *n)
{
	struct slice line;
	while (slice_cut(&text, '\n', &line)) {
		line = slice_trim(line);
		ptrdiff_t sign = slice_find(line, '=');
		if (sign <= 0)
			continue;
		*values = mem_grow(*values, (*n + 1) * sizeof(**values));
		(*values)[(*n)++] = (struct postfix_value){
			.name = slice_trim(slice_head(line, (size_t)sign)),
			.value = slice_trim(slice_from(line, (size_t)sign + 1)),
		};
	}
}

static struct slice
find(const struct postfix_value *values, size_t n, struct slice name, bool *found_out)
{
	for (size_t i = n; i > 0; i--) { /* the last one holds */
		*found_out = slice_eq(values[i - 1].name, name);
		if (*found_out)
			return values[i - 1].value;
	}
	*found_out = false;
	return SLICE("");
}

static bool
chroot_is_default(const struct postfix *postfix)
{
	bool found;
	struct slice level = find(postfix->values, postfix->n_values,
	                          SLICE("compatibility_level"), &found);
	return !found || slice_eq(level, SLICE("0"));
}

/* "smtp inet n - y - - smtpd -o ..." */
static void
parse_services(struct postfix *postfix, struct slice text)
{
	struct slice line;
	while (slice_cut(&text, '\n', &line)) {
		struct slice words[8];
		size_t n = 0;
		while (n < COUNT_OF(words) && slice_word(&line, &words[n]))
			n++;
		if (n < COUNT_OF(words))
			continue;
		bool chrooted = slice_eq(words[4], SLICE("-"))
		                        ? chroot_is_default(postfix)
		                        : slice_eq(words[4], SLICE("y"));
		postfix->services =
			mem_grow(postfix->services,
		                 (postfix->n_services + 1) * sizeof(*postfix->services));
		postfix->services[postfix->n_services++] =
			(struct postfix_service){.name = words[0],
		                                 .type = words[1],
		                                 .command = words[7],
		                                 .chrooted = chrooted};
	}
}

void
postfix_parse(struct postfix *postfix, struct slice values, struct slice overrides,
              struct slice services)
{
	parse_values(arena_copy(&postfix->arena, values), &postfix->values,
	             &postfix->n_values);
	parse_values(arena_copy(&postfix->arena, overrides), &postfix->overrides,
	             &postfix->n_overrides);
	parse_services(postfix, arena_copy(&postfix->arena, services));
}

void
postfix_free(struct postfix *postfix)
{
	free(postfix->values);
	free(postfix->overrides);
	free(postfix->services);
	arena_free(&postfix->arena);
	*postfix = (struct postfix){0};
}

static struct slice
find_override(const struct postfix *postfix, const struct postfix_service *service,
              const char *name, bool *found_out)
{
	char buf[512];
	struct text full = TEXT(buf);
	*found_out = false;
	if (!service)
		return SLICE("");
	text_put(&full, service->name);
	text_putc(&full, '/');
	text_put(&full, service->type);
	text_printf(&full, "/%s", name);
	return find(postfix->overrides, postfix->n_overrides, text_slice(&full),
	            found_out);
}

bool
postfix_overrides(const struct postfix *postfix, const struct postfix_service *service,
                  const char *name)
{
	bool found;
	find_override(postfix, service, name, &found);
	return found;
}

struct slice
postfix_value(const struct postfix *postfix, const struct postfix_service *service,
              const char *name)
{
	bool found;
	struct slice value = find_override(postfix, service, name, &found);
	if (found)
		return value;
	return find(postfix->values, postfix->n_values, slice_of(name), &found);
}

bool
postfix_yes(const struct postfix *postfix, const struct postfix_service *service,
            const char *name)
{
	return slice_eq_nocase(postfix_value(postfix, service, name), SLICE("yes"));
}

unsigned
postfix_version(const struct postfix *postfix)
{
	struct slice rest = postfix_value(postfix, NULL, "mail_version"), part;
	uint64_t major = 0, minor = 0;
	if (!slice_cut(&rest, '.', &part) || !slice_to_u64(part, 99, &major) ||
	    !slice_cut(&rest, '.', &part))
		return 0;
	part = slice_head(part, 2);
	if (!slice_to_u64(part, 99, &minor)) /* "9-20231112" */
		minor = part.n > 0 && ascii_digit(part.p[0]) ? (uint64_t)(part.p[0] - '0')
		                                             : 0;
	return (unsigned)(major * 100 + minor);
}
