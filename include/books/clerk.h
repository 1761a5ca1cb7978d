/*
 * clerk.h - keeps a daemon's books beside its loop: a thread with a ledger of its own.
 *
 * Twice a second it writes down what the loop left for it (decisions, names of limits, the funnel,
 * the beat) and reads what the loop wants to know (orders; the status of the site, when somebody
 * looks).  It may be slow or fail without any mail noticing: what it cannot write is dropped and
 * counted.
 */
#ifndef WEIR_CLERK_H
#define WEIR_CLERK_H

#include <stdint.h>

#include "conf/conf.h"
#include "io/loop.h"
#include "rules/decided.h"
#include "rules/key.h"
#include "rules/orders.h"
#include "store/ledger.h"

struct clerk;
struct site;

/* Called on the loop; it owns what it is given. */
struct clerk_events {
	/* Other orders than before. */
	void (*on_orders)(void *arg, struct orders *orders);
	/* How the site is (site.h), after clerk_ask_status(). */
	void (*on_status)(void *arg, struct site *site);
};

/* `name` is the daemon's: "policyd" or "milter". */
struct clerk *clerk_start(struct loop *loop, const char *name, struct conf *conf,
                          const struct clerk_events *events, void *arg);

/* Other settings hold from now on. */
void clerk_configure(struct clerk *clerk, struct conf *conf);

/* A decision to be remembered. */
void clerk_decided(struct clerk *clerk, const struct decided *decided);

/* Whose the limit with that key is; told once in a while for each. */
void clerk_name(struct clerk *clerk, const struct key *key, struct slice name);

/* What the daemon tells of itself, as JSON that the clerk frees; the newest is put up. */
void clerk_beat(struct clerk *clerk, char *json);

/* What the hours of the funnel are to be added. */
void clerk_funnel(struct clerk *clerk, size_t n, const struct funnel_hour *hours);

/* How the site is will be told soon, unless the store hangs. */
void clerk_ask_status(struct clerk *clerk);

/*
 * Writes what is left, for some seconds at most, and ends the thread; one that hangs is left behind.
 */
void clerk_stop(struct clerk **clerk);

#endif
