/* explained.h - the whole decision about an invented request, step by step; nothing is written. */
#ifndef WEIR_CTL_EXPLAINED_H
#define WEIR_CTL_EXPLAINED_H

#include "conf/conf.h"
#include "rules/overrides.h"
#include "rules/plan.h"
#include "rules/query.h"
#include "rules/verdict.h"
#include "store/history.h"
#include "view.h"

struct json_t; /* jansson's */

/* One bound of a limit, as it is just now. */
struct explained_use {
	struct limit_fact fact;
	int64_t wait_ms; /* a rate: until it has room */
	bool has_room;
};

struct explained {
	const struct conf *conf;
	const struct overrides *overrides;
	const struct query *query;
	struct plan plan;
	/* when plan.ask */
	struct key identity_key, triplet_key;
	struct grey_record identity, triplet;
	/* of each limit that holds; asks_limits: it comes to asking for room */
	bool asks_limits;
	struct limits_ask limits;
	struct explained_use uses[LIMIT_USES_MAX];
	int64_t now_us; /* limits are judged as of then */
	struct limits_result limits_result;
	struct verdict verdict;
	struct arena *arena;
};

/* conf, overrides, query and arena are set already.  False with a text: the store failed. */
bool explained_make(struct explained *explained, struct history *history, int64_t now_s,
                    struct err *err_out) MUST_CHECK;

/* As `weirctl explain --json` prints it. */
struct json_t *explained_json(const struct explained *explained);

/* The same for people. */
void explained_print(const struct view *view, const struct json_t *value, int64_t now_s);

#endif
