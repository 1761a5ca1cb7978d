/*
 * overrides.h - what the operator has ordered for a time: exemptions, drained destinations and users,
 * other limits.
 *
 * Overrides are kept on a registry of the history (weirctl writes them), and each daemon reads them twice
 * a second into one counted, unchanging snapshot, as it is with the settings.
 */
#ifndef WEIR_OVERRIDES_H
#define WEIR_OVERRIDES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "conf/conf.h"
#include "rules/bound.h"

enum override_kind {
	OVERRIDE_ALLOW_CLIENT,
	OVERRIDE_ALLOW_SENDER,
	OVERRIDE_ALLOW_RECIPIENT,
	OVERRIDE_DRAIN,
	OVERRIDE_ALLOW_USER, /* from limits: greylisting does not hold for users anyhow */
	OVERRIDE_DRAIN_USER,
	OVERRIDE_LIMIT, /* the first of SCOPES * LIMIT_KINDS, in the order of bound.h */
	OVERRIDE_KINDS = OVERRIDE_LIMIT + SCOPES * LIMIT_KINDS
};

static inline enum override_kind
override_limit_kind(enum limit_scope scope, enum limit_kind bound)
{
	return (enum override_kind)(OVERRIDE_LIMIT + (int)scope * LIMIT_KINDS +
	                            (int)bound);
}

static inline bool
override_is_limit(enum override_kind kind)
{
	return kind >= OVERRIDE_LIMIT;
}

/* Of what an override about a limit is, and which bound it sets. */
static inline enum limit_scope
override_scope(enum override_kind kind)
{
	return (enum limit_scope)((kind - OVERRIDE_LIMIT) / LIMIT_KINDS);
}

static inline enum limit_kind
override_bound(enum override_kind kind)
{
	return (enum limit_kind)((kind - OVERRIDE_LIMIT) % LIMIT_KINDS);
}

/* Whether it sets rates, of messages or recipients; else a limit is a number. */
static inline bool
override_sets_rates(enum override_kind kind)
{
	return override_is_limit(kind) && override_bound(kind) != LIMIT_CONCURRENCY;
}

/* Whether it is about a destination: drains it, or sets a bound of its limit. */
static inline bool
override_is_of_destination(enum override_kind kind)
{
	return kind == OVERRIDE_DRAIN ||
	       (override_is_limit(kind) && override_scope(kind) == SCOPE_DESTINATION);
}

#define OVERRIDE_NAME_MAX 320
#define OVERRIDE_BY_MAX   64

struct override {
	enum override_kind kind;
	char name[OVERRIDE_NAME_MAX +
	          1]; /* an entry as in a list file, a destination or a user */
	char by[OVERRIDE_BY_MAX + 1]; /* who gave it */
	int64_t made_s;
	int64_t until_s;
	int64_t limit;           /* deliveries at once; 0: any number */
	struct conf_rates rates; /* messages, recipients */
	bool no_limits; /* OVERRIDE_ALLOW_*: limits do not apply either; of a user always */
};

/* "allow-client", "drain", "drain-user", "limit" (of a destination), "limit-user-messages", ... */
const char *override_kind_word(enum override_kind kind);

/* "allow-client 192.0.2.1": its name on the registry. */
void override_print_name(const struct override *override, struct text *out);

/* What stands there under that name. */
void override_print_text(const struct override *override, struct text *out);
bool override_parse(struct slice name, struct slice text, struct override *override_out)
	MUST_CHECK;

/*
 * Fills in the name, checked as the kind wants it: in lower case but for a regular expression, an
 * address or network as it is printed, mail without <>.  False with a text.
 */
bool override_set_name(struct override *override, struct slice name, struct err *err_out)
	MUST_CHECK;

/* Fills in what a limit is set to: "20", "600/1m, 9000/1d", "0" for no limit.  False with a text. */
bool override_set_limit(struct override *override, struct slice value,
                        struct err *err_out) MUST_CHECK;

/* Prints it so. */
void override_print_limit(const struct override *override, struct text *out);

/* The most overrides that there may be at once; more are not read. */
#define OVERRIDES_MAX 1000

struct overrides;

/* An empty snapshot; the caller owns a reference.  References may be given back on any thread. */
struct overrides *overrides_new(void);
struct overrides *overrides_ref(struct overrides *overrides);
void overrides_unref(struct overrides **overrides);

/* While it is being made only.  What is malformed, or too much, is left out. */
void overrides_add(struct overrides *overrides, const struct override *override);

size_t overrides_count(const struct overrides *overrides);
const struct override *overrides_at(const struct overrides *overrides, size_t i);

/* Whether there is exactly this one among them. */
bool overrides_has(const struct overrides *overrides, const struct override *override);

/* Whether both hold the same. */
bool overrides_equal(const struct overrides *a, const struct overrides *b);

/*
 * The exemption that covers the client, sender or recipient at `now_s`; NULL: none.  `no_limits`:
 * only one that exempts from limits, too.
 */
const struct override *overrides_client(const struct overrides *overrides,
                                        const struct addr *addr, struct slice name,
                                        int64_t now_s, bool no_limits);
const struct override *overrides_mail(const struct overrides *overrides,
                                      enum override_kind kind, struct slice address,
                                      int64_t now_s, bool no_limits);

/*
 * Overrides about destinations hold what they were given, a name or a domain, and follow it: what is
 * meant is the destination of that name, else the one that has the domain now, else the domain
 * itself.  `known` is the configured destination, or NULL for a mere domain; `name` is its name.
 */
bool override_is_about(const struct override *override, const struct conf *conf,
                       const struct conf_destination *known, struct slice name);

/* The destination that it is about now: configured, or NULL; name_out: its name, or empty: none. */
const struct conf_destination *override_meant(const struct override *override,
                                              const struct conf *conf,
                                              struct slice *name_out);

/* The one that is about the destination; NULL: none at `now_s`. */
const struct override *overrides_destination(const struct overrides *overrides,
                                             const struct conf *conf,
                                             enum override_kind kind,
                                             const struct conf_destination *known,
                                             struct slice name, int64_t now_s);

/* The one about a user, client, sender or mailbox of that name; NULL: none at `now_s`. */
const struct override *overrides_named(const struct overrides *overrides,
                                       enum override_kind kind, struct slice name,
                                       int64_t now_s);

/* Whether any sets a limit of this scope. */
bool overrides_limit(const struct overrides *overrides, enum limit_scope scope);

#endif
