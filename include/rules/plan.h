/*
 * plan.h - what the gates must ask before a recipient can be judged.
 *
 * Pure: settings, facts and a time go in; reasons and questions come out.
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
	bool configured;          /* it is one of the settings, `known` */
	const struct conf_destination *known;
	bool limited; /* it is asked for room in the limits, and nothing exempts it */
	struct limit_of limits[SCOPES];
	size_t n_limits;            /* none: the limits gate is not asked */
	int64_t message_recipients; /* so many at most in one message; 0: any number */
	/* what exempts from limits: an entry or an override; neither: nothing does */
	struct list_hit unlimited_hit;
	const struct override *unlimited_override;
};

/* What a recipient is judged by; the query is in its normal form. */
struct facts {
	const struct conf *conf;
	const struct overrides *overrides;
	const struct query *query;
	struct arena *arena;
	int64_t now_s;
};

/*
 * Before the first gate: client, destination and mode.  Settings and overrides must live as long as the
 * plan.
 */
void plan_begin(const struct facts *facts, struct plan *plan_out);

/* What a gate makes of the facts: it lets pass, has something to ask or to say, or the last word. */
enum planned { PLANNED_TO_PASS, PLANNED_TO_ASK, PLANNED_LAST };

/* Of each gate, in their order. */
enum planned plan_drained(const struct facts *facts, struct plan *plan);
enum planned plan_exempt(const struct facts *facts, struct plan *plan);
enum planned plan_greylist(const struct facts *facts, struct plan *plan);
enum planned plan_message(const struct facts *facts, struct plan *plan);
enum planned plan_limits(const struct facts *facts, struct plan *plan);

/*
 * The reasons that settings, overrides and facts give, in the order in which they are tried: the first
 * that applies becomes plan.why.
 */
#define PLAN_REASONS 16

enum why plan_reason(size_t position);

/* Who the client is taken to be, if nothing has needed that yet and its address is known. */
void plan_find_identity(const struct facts *facts, struct plan *plan);

/* That, and the addresses as the triplet has them: what greylisting remembers the mail by. */
void plan_find_triplet(const struct facts *facts, struct plan *plan);

/* The limit that the use is a bound of. */
const struct limit_of *plan_limit_of(const struct plan *plan,
                                     const struct limit_use *use);

/* The settings the rules of a record go by. */
struct grey_rules plan_rules(const struct conf *conf);

/* The question for the store; may_store is true in it, mark and now_s are 0. */
void plan_ask(const struct conf *conf, const struct plan *plan,
              const struct key_secret *secret, struct ask *ask_out);

#endif
