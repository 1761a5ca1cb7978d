/*
 * plan.h - what must be asked before a recipient can be judged.
 *
 * Pure: the settings, the facts and a time go in; either a reason to accept at once or
 * the questions for the store come out.
 */
#ifndef WEIR_PLAN_H
#define WEIR_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "conf/list.h"
#include "rules/ask.h"
#include "rules/identity.h"
#include "rules/limit.h"
#include "rules/overrides.h"
#include "rules/query.h"
#include "rules/why.h"

struct plan {
	bool ask;                        /* the greylist gate is to be asked */
	enum why why;                    /* when not */
	struct list_hit hit;             /* WHY_LIST_*, WHY_OWN_NETWORK: the entry */
	const struct override *override; /* WHY_ORDER_*, WHY_*DRAINED: which one */
	int64_t now_s;
	int greylist_mode; /* enum conf_mode, of the recipient's destination */
	struct addr client;
	struct identity identity; /* empty when nothing needed it */
	struct slice sender;      /* these two when ask is set */
	struct slice recipient;
	struct slice destination; /* its name, or that of the domain or next hop */
	struct slice shown;       /* the same for replies: never a next hop */
	bool configured;          /* it is one of the settings */
	struct limit_of limits[SCOPES];
	size_t n_limits;            /* none: the limits gate is not asked */
	int64_t message_recipients; /* so many at most in one message; 0: any number */
	/* what exempts from limits: an entry or an override; neither: nothing does */
	struct list_hit unlimited_hit;
	const struct override *unlimited_override;
};

/*
 * Lists and exemptions, who and what the triplet is about, and the limits that apply to a query in its
 * normal form.  Settings and overrides must live as long as the plan.
 */
void plan_make(const struct conf *conf, const struct overrides *overrides,
               const struct query *query, int64_t now_s, struct arena *arena,
               struct plan *plan_out);

/*
 * The exemptions from greylisting, in the order in which they are tried; plan_make() takes the first
 * that applies.
 */
#define PLAN_EXEMPTIONS 10

/* The reason of the one at this position. */
enum why plan_exemption(size_t position);

/*
 * Whether it applies; then hit or override of the plan tell by what.  The plan has the client and the
 * time already.
 */
bool plan_is_exempt(const struct conf *conf, const struct overrides *overrides,
                    const struct query *query, size_t position, struct plan *plan);

/* Who the client is taken to be, if nothing has needed that yet and its address is known. */
void plan_find_identity(const struct conf *conf, const struct query *query,
                        struct arena *arena, struct plan *plan);

/* That, and the addresses as the triplet has them: what greylisting remembers the mail by. */
void plan_find_triplet(const struct conf *conf, const struct query *query,
                       struct arena *arena, struct plan *plan);

/* The limit that the use is a bound of. */
const struct limit_of *plan_limit_of(const struct plan *plan,
                                     const struct limit_use *use);

/* The settings the rules of a record go by. */
struct grey_rules plan_rules(const struct conf *conf);

/* The question for the store; may_store is true in it, mark and now_s are 0. */
void plan_ask(const struct conf *conf, const struct plan *plan,
              const struct key_secret *secret, struct ask *ask_out);

#endif
