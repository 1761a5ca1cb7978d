/*
 * engine.h - what every decision of a daemon shares: settings, loop, store, clock.
 */
#ifndef WEIR_ENGINE_H
#define WEIR_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/conf.h"
#include "io/loop.h"
#include "rules/steps.h"
#include "store/store.h"

struct recorder;
struct crowd;
struct delivery;
struct newcap;
struct overrides;
struct local_limits;
struct tally;
struct web;

enum engine_kind { ENGINE_OF_POLICYD, ENGINE_OF_MILTER };

struct engine {
	enum engine_kind kind;
	struct loop *loop;
	struct conf *conf;           /* the snapshot for requests that begin now */
	struct overrides *overrides; /* the same of the operator's overrides */
	struct store *store;
	struct newcap *newcap;
	struct local_limits *local_limits;
	struct steps steps;          /* what the MTA's services tell */
	struct delivery *deliveries; /* under way */
	struct delivery *to_put; /* the first that may hold what the store was not told */
	uint64_t next_holder;    /* of a session without address and port */
	struct loop_timer *second_timer;
	uint32_t next_serial; /* of a decision; becomes its id */
	int64_t started_s;
	struct tally *tally;
	struct crowd *crowd;
	int64_t crowd_said_ms;
	struct recorder *recorder;
	struct web *web;
	bool test_clock;
	int64_t test_now_s; /* the last request's; 0 without a test clock */
};

/* "policyd" or "milter" */
const char *engine_name(enum engine_kind kind);

/* Keeps a reference to the settings.  NULL with a text when the store must not be used. */
struct engine *engine_open(enum engine_kind kind, struct loop *loop, struct conf *conf,
                           bool test_clock, struct err *err_out);

/* Requests under way keep the settings they began with. */
void engine_reload(struct engine *engine, struct conf *conf);

/* What deliveries still hold is given back. */
void engine_close(struct engine **engine);

#endif
