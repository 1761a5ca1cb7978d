/*
 * orders.h - what the operator has ordered for a time: exemptions, drained destinations and users,
 * limits.
 *
 * Orders are kept on a board of the ledger (weirctl writes them), and each daemon reads them twice
 * a second into one counted, unchanging snapshot, as it is with the settings.
 */
#ifndef WEIR_ORDERS_H
#define WEIR_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "err.h"
#include "slice.h"

enum order_kind {
	ORDER_ALLOW_CLIENT,
	ORDER_ALLOW_SENDER,
	ORDER_ALLOW_RECIPIENT,
	ORDER_DRAIN,
	ORDER_LIMIT,
	ORDER_ALLOW_USER, /* from limits: greylisting does not hold for users anyhow */
	ORDER_DRAIN_USER,
	ORDER_KINDS
};

#define ORDER_NAME_MAX 320
#define ORDER_BY_MAX   64

struct order {
	enum order_kind kind;
	char name[ORDER_NAME_MAX +
	          1]; /* an entry as in a list file, a destination or a user */
	char by[ORDER_BY_MAX + 1]; /* who gave it */
	int64_t made_s;
	int64_t until_s;
	int64_t limit;  /* ORDER_LIMIT: deliveries at once */
	bool no_limits; /* ORDER_ALLOW_*: limits do not apply either; of a user always */
};

/* "allow-client", "allow-sender", "allow-recipient", "drain", "limit", "allow-user", "drain-user" */
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
 * ORDER_DRAIN and ORDER_LIMIT hold what they were given, a name or a domain, and follow it: what is
 * meant is the destination of that name, else the one that has the domain now, else the domain
 * itself.  `known` is the configured destination, or NULL for a mere domain; `name` is its name.
 */
struct conf;
struct conf_destination;

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

/* ORDER_ALLOW_USER or ORDER_DRAIN_USER of who has logged in; NULL: none at `now_s`. */
const struct order *orders_user(const struct orders *orders, enum order_kind kind,
                                struct slice user, int64_t now_s);

#endif
