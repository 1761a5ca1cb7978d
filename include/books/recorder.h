/*
 * recorder.h - writes a daemon's history beside its loop: a thread with a connection of its own.
 *
 * Twice a second it writes what the loop left for it (decisions, names of limits, the funnel, the
 * heartbeat) and reads what the loop needs (overrides; the status of the site, when somebody looks).
 * No mail waits for it: it drops and counts what it cannot write.
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
	/* The state of the site (site_status.h), after recorder_ask_status(). */
	void (*on_status)(void *arg, struct site_status *site);
};

/* `name` is the daemon's: "policyd" or "milter". */
struct recorder *recorder_start(struct loop *loop, const char *name, struct conf *conf,
                                const struct recorder_events *events, void *arg);

/* Uses these settings from now on. */
void recorder_configure(struct recorder *recorder, struct conf *conf);

/* Records a decision. */
void recorder_decision(struct recorder *recorder, const struct decision_line *decided);

/* Maps a limit's key to its name; written once in a while for each. */
void recorder_name(struct recorder *recorder, const struct key *key, struct slice name);

/* The daemon's heartbeat, as JSON that the recorder frees; only the newest is written. */
void recorder_heartbeat(struct recorder *recorder, char *json);

/* Counts to add to the hours of the funnel. */
void recorder_funnel(struct recorder *recorder, size_t n,
                     const struct funnel_hour *hours);

/* Asks for the state of the site; on_status() gets it soon, unless the store hangs. */
void recorder_ask_status(struct recorder *recorder);

/*
 * Writes what is left, for some seconds at most, and ends the thread; one that hangs is left behind.
 */
void recorder_stop(struct recorder **recorder);

#endif
