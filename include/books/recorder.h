/*
 * recorder.h - keeps a daemon's books beside its loop: a thread with a history of its own.
 *
 * Twice a second it writes down what the loop left for it (decisions, names of limits, the funnel,
 * the heartbeat) and reads what the loop wants to know (overrides; the status of the site, when somebody
 * looks).  It may be slow or fail without any mail noticing: what it cannot write is dropped and
 * counted.
 */
#ifndef WEIR_RECORDER_H
#define WEIR_RECORDER_H

#include <stdint.h>

#include "conf/conf.h"
#include "io/loop.h"
#include "rules/decision_line.h"
#include "rules/key.h"
#include "rules/overrides.h"
#include "store/history.h"

struct recorder;
struct site_status;

/* Called on the loop; it owns what it is given. */
struct recorder_events {
	/* Other overrides than before. */
	void (*on_overrides)(void *arg, struct overrides *overrides);
	/* How the site is (site_status.h), after clerk_ask_status(). */
	void (*on_status)(void *arg, struct site_status *site);
};

/* `name` is the daemon's: "policyd" or "milter". */
struct recorder *recorder_start(struct loop *loop, const char *name, struct conf *conf,
                                const struct recorder_events *events, void *arg);

/* Other settings hold from now on. */
void recorder_configure(struct recorder *recorder, struct conf *conf);

/* A decision to be remembered. */
void recorder_decision(struct recorder *recorder, const struct decision_line *decided);

/* Whose the limit with that key is; told once in a while for each. */
void recorder_name(struct recorder *recorder, const struct key *key, struct slice name);

/* What the daemon tells of itself, as JSON that the recorder frees; the newest is put up. */
void recorder_heartbeat(struct recorder *recorder, char *json);

/* What the hours of the funnel are to be added. */
void recorder_funnel(struct recorder *recorder, size_t n,
                     const struct funnel_hour *hours);

/* How the site is will be told soon, unless the store hangs. */
void recorder_ask_status(struct recorder *recorder);

/*
 * Writes what is left, for some seconds at most, and ends the thread; one that hangs is left behind.
 */
void recorder_stop(struct recorder **recorder);

#endif
