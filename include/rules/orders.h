/*
 * orders.h - what the operator has ordered for a time: exemptions, drained destinations and users,
 * other limits.
 *
 * Orders are kept on a board of the ledger (weirctl writes them), and each daemon reads them twice
 * a second into one counted, unchanging snapshot, as it is with the settings.
 */
#ifndef WEIR_ORDERS_H
#define WEIR_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "conf/conf.h"
#include "rules/bound.h"

enum order_kind {
	ORDER_ALLOW_CLIENT,
	ORDER_ALLOW_SENDER,
	ORDER_ALLOW_RECIPIENT,
	ORDER_DRAIN,
	ORDER_ALLOW_USER, /* from limits: greylisting does not hold for users anyhow */
	ORDER_DRAIN_USER,
	ORDER_LIMIT, /* the first of SCOPES * LIMIT_KINDS, in the order of bound.h */
	ORDER_KINDS = ORDER_LIMIT + SCOPES * LIMIT_KINDS
};

static inline enum order_kind
order_limit_kind(enum limit_scope scope, enum limit_kind bound)
{
	return (enum order_kind)(ORDER_LIMIT + (int)scope * LIMIT_KINDS + (int)bound);
}

static inline bool
order_is_limit(enum order_kind kind)
{
	return kind >= ORDER_LIMIT;
}

/* Of what an order about a limit is, and which bound it sets. */
static inline enum limit_scope
order_scope(enum order_kind kind)
{
	return (enum limit_scope)((kind - ORDER_LIMIT) / LIMIT_KINDS);
}

static inline enum limit_kind
order_bound(enum order_kind kind)
{
	return (enum limit_kind)((kind - ORDER_LIMIT) % LIMIT_KINDS);
}

/* Whether it sets rates, of messages or recipients; else a limit is a number. */
static inline bool
order_sets_rates(enum order_kind kind)
{
	return order_is_limit(kind) && order_bound(kind) != LIMIT_CONCURRENCY;
}

/* Whether it is about a destination: drains it, or sets a bound of its limit. */
static inline bool
order_is_of_destination(enum order_kind kind)
{
	return kind == ORDER_DRAIN ||
	       (order_is_limit(kind) && order_scope(kind) == SCOPE_DESTINATION);
}

#define ORDER_NAME_MAX 320
#define ORDER_BY_MAX   64

struct order {
	enum order_kind kind;
	char name[ORDER_NAME_MAX +
	          1]; /* an entry as in a list file, a destination or a user */
	char by[ORDER_BY_MAX + 1]; /* who gave it */
	int64_t made_s;
	int64_t until_s;
	int64_t limit;           /* deliveries at once; 0: any number */
	struct conf_rates rates; /* messages, recipients */
	bool no_limits; /* ORDER_ALLOW_*: limits do not apply either; of a user always */
};

/* "allow-client", "drain", "drain-user", "limit" (of a destination), "limit-user-messages", ... */
const char *order_kind_word(enum order_kind kind);

/* "allow-client 192.0.2.1": its name on the board. */
void order_print_name(const struct order *order, struct text *out);

/* What stands there under that name. */
void order_print_text(const struct order *order, struct text *out);
bool order_parse(struct slice name, struct slice text, struct order *order_out)
	MUST_CHECK;

/*
 * Fills in the name, checked as the kind wants it: in lower case but for a regular expression, an
 * address or network as it is printed, mail without <>.  False with a text.
 */
bool order_set_name(struct order *order, struct slice name, struct err *err_out)
	MUST_CHECK;

/* Fills in what a limit is set to: "20", "600/1m, 9000/1d", "0" for no limit.  False with a text. */
bool order_set_limit(struct order *order, struct slice value, struct err *err_out)
	MUST_CHECK;

/* Prints it so. */
void order_print_limit(const struct order *order, struct text *out);

/* The most orders that there may be at once; more are not read. */
#define ORDERS_MAX 1000

struct orders;

/* An empty snapshot; the caller owns a reference.  References may be given back on any thread. */
struct orders *orders_new(void);
struct orders *orders_ref(struct orders *orders);
void orders_unref(struct orders **orders);

/* While it is being made only.  What is malformed, or too much, is left out. */
void orders_add(struct orders *orders, const struct order *order);

size_t orders_count(const struct orders *orders);
const struct order *orders_at(const struct orders *orders, size_t i);

/* Whether there is exactly this one among them. */
bool orders_has(const struct orders *orders, const struct order *order);

/* Whether both hold the same. */
bool orders_equal(const struct orders *a, const struct orders *b);

/*
 * The exemption that covers the client, sender or recipient at `now_s`; NULL: none.  `no_limits`:
 * only one that exempts from limits, too.
 */
const struct order *orders_client(const struct orders *orders, const struct addr *addr,
                                  struct slice name, int64_t now_s, bool no_limits);
const struct order *orders_mail(const struct orders *orders, enum order_kind kind,
                                struct slice address, int64_t now_s, bool no_limits);

/*
 * Orders about destinations hold what they were given, a name or a domain, and follow it: what is
 * meant is the destination of that name, else the one that has the domain now, else the domain
 * itself.  `known` is the configured destination, or NULL for a mere domain; `name` is its name.
 */
bool order_is_about(const struct order *order, const struct conf *conf,
                    const struct conf_destination *known, struct slice name);

/* The destination that it is about now: configured, or NULL; name_out: its name, or empty: none. */
const struct conf_destination *order_meant(const struct order *order,
                                           const struct conf *conf,
                                           struct slice *name_out);

/* The one that is about the destination; NULL: none at `now_s`. */
const struct order *orders_destination(const struct orders *orders,
                                       const struct conf *conf, enum order_kind kind,
                                       const struct conf_destination *known,
                                       struct slice name, int64_t now_s);

/* The one about a user, client, sender or mailbox of that name; NULL: none at `now_s`. */
const struct order *orders_named(const struct orders *orders, enum order_kind kind,
                                 struct slice name, int64_t now_s);

/* Whether any sets a limit of this scope. */
bool orders_limit(const struct orders *orders, enum limit_scope scope);

#endif
