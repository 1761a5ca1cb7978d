/*
 * history.h - reads and changes the store beside the mail: decisions, overrides, leases.
 *
 * Every call blocks for at most the patience that it was opened with (for each part of a long read;
 * resolving Redis' name takes as long as the system needs).  So it is for weirctl and for the daemons'
 * recorder thread, never for the loop.  Only one thread at a time uses a history.  It has its own
 * connections to the store of store.h: for the embedded one to weir.db, and to ledger.db beside it,
 * which has everything that no answer depends on.
 *
 * Functions that return bool give false with a text that names what failed.  The next call tries
 * again, over a new connection if the old one was lost.
 */
#ifndef WEIR_HISTORY_H
#define WEIR_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "conf/conf.h"
#include "rules/grey.h"
#include "rules/key.h"
#include "rules/limit.h"

struct history;

/*
 * Opens the store of the settings and tries it once.  Creates an embedded store that does not exist
 * yet, with the rights that the daemons give it.  NULL with a text that says which right is missing,
 * or why the store must not be used.
 */
struct history *history_open(const struct conf *conf, int64_t patience_ms,
                             struct err *err_out);

/* NULL is fine; clears the caller's pointer. */
void history_close(struct history **history);

/* ---- decisions: lines as decision_line.h prints them, in the order in which they were added ---- */

/* Of one call to history_add_decisions(). */
#define HISTORY_LINES_MAX 512
#define HISTORY_BYTES_MAX 524288

/*
 * Adds `n` lines, each ended by '\n'; at least the last `keep` remain, and not many more, and none
 * is older than `lifetime_s` (in Redis: from the last time on that this was lowered).  With none to
 * add, what is too old goes all the same: the embedded store looks at that only when it is called.
 */
bool history_add_decisions(struct history *history, size_t n, struct slice lines,
                           int64_t keep, int64_t lifetime_s, struct err *err_out)
	MUST_CHECK;

/* Some lines, the oldest of them first; valid during the call.  False: no more is wanted. */
typedef bool history_lines_fn(void *arg, struct slice lines);

/* Hands out all there are in pieces, the newest piece first. */
bool history_read_decisions(struct history *history, history_lines_fn *fn, void *arg,
                            struct err *err_out) MUST_CHECK;

/* ---- registries: small texts by name, each for a time ---- */

enum history_registry {
	REGISTRY_OVERRIDES, /* the operator's: overrides.h */
	REGISTRY_DAEMONS,   /* what each daemon tells of itself: heartbeat.h */
	REGISTRIES
};

#define HISTORY_NAME_MAX 512
#define HISTORY_TEXT_MAX 49152

/* Puts it up, in place of what had that name.  Times are seconds since 1970. */
bool history_put(struct history *history, enum history_registry registry,
                 struct slice name, struct slice text, int64_t until_s,
                 struct err *err_out) MUST_CHECK;

/* found_out: whether there was one. */
bool history_drop(struct history *history, enum history_registry registry,
                  struct slice name, bool *found_out, struct err *err_out) MUST_CHECK;

typedef void history_text_fn(void *arg, struct slice name, struct slice text,
                             int64_t until_s);

/*
 * All that is up at `now_s`, in the order of their names; what ran out a day before is taken down.
 */
bool history_read(struct history *history, enum history_registry registry, int64_t now_s,
                  history_text_fn *fn, void *arg, struct err *err_out) MUST_CHECK;

/* ---- maps the key of a limit that the settings do not name to its name: "client 192.0.2.0/24" ---- */

struct history_name {
	struct key key;
	char *text;
};

/* In one transaction where that exists.  Quick for some hundreds at once. */
bool history_put_names(struct history *history, size_t n,
                       const struct history_name *names, int64_t until_s,
                       struct err *err_out) MUST_CHECK;

/* Appends it; nothing when it is not known. */
bool history_get_name(struct history *history, const struct key *key, int64_t now_s,
                      struct text *name_out, struct err *err_out) MUST_CHECK;

/* ---- the funnel of greylisting: what became of the triplets of each hour ---- */

struct funnel_hour {
	int64_t hour;  /* since 1970, of the first try */
	int64_t fresh; /* triplets first tried in it */
	int64_t back;  /* of these, how many came back and passed */
};

/*
 * Adds to what is there; hours more than `kept_hours` and a day older than the newest of these are
 * dropped.
 */
bool history_add_funnel(struct history *history, size_t n,
                        const struct funnel_hour *hours, int64_t kept_hours,
                        struct err *err_out) MUST_CHECK;

typedef void history_funnel_fn(void *arg, const struct funnel_hour *hour);

/* In the order of time. */
bool history_read_funnel(struct history *history, history_funnel_fn *fn, void *arg,
                         struct err *err_out) MUST_CHECK;

/* ---- records of greylisting: packed as in record.h ---- */

enum history_record { RECORD_TRIPLET, RECORD_IDENTITY };

/* The site's secret, which keys are made with. */
bool history_secret(struct history *history, struct key_secret *secret_out,
                    struct err *err_out) MUST_CHECK;

/*
 * Takes another site's secret over: only for a store without any record (else false).  Daemons
 * must not run: they know the old one.
 */
bool history_set_secret(struct history *history, const struct key_secret *secret,
                        struct err *err_out) MUST_CHECK;

/* *packed_out: 0 when there is none. */
bool history_get_record(struct history *history, enum history_record kind,
                        const struct key *key, int64_t *packed_out, struct err *err_out)
	MUST_CHECK;

struct history_row {
	enum history_record kind;
	struct key key;
	int64_t packed;
};

/*
 * Fills in what is stored under the keys of `n` rows: 0 where there is none, what cannot be
 * unpacked where it is no record.  Quick for a thousand at once.
 */
bool history_get_records(struct history *history, size_t n, struct history_row *rows,
                         struct err *err_out) MUST_CHECK;

/*
 * Writes rows in place of what is there, in one transaction where that exists; `rules` and `now_s`
 * tell how long they are kept.  Quick for a thousand at once.
 */
bool history_put_records(struct history *history, size_t n,
                         const struct history_row *rows, const struct grey_rules *rules,
                         int64_t now_s, struct err *err_out) MUST_CHECK;

bool history_drop_record(struct history *history, enum history_record kind,
                         const struct key *key, bool *found_out, struct err *err_out)
	MUST_CHECK;

/* False: no more is wanted. */
typedef bool history_row_fn(void *arg, const struct history_row *row);

/*
 * Every record, in any order, while the daemons go on; rows that change meanwhile may be missed.
 * Redis may give one twice.
 */
bool history_scan(struct history *history, history_row_fn *fn, void *arg,
                  struct err *err_out) MUST_CHECK;

/* How many records there are about; for progress. */
bool history_estimate(struct history *history, int64_t *rows_out, struct err *err_out)
	MUST_CHECK;

/* ---- leases and rates ---- */

struct history_lease {
	struct key key; /* of the limit: key_limit() */
	char holder[HOLDER_MAX + 1];
	int64_t left_ms;
};

typedef void history_lease_fn(void *arg, const struct history_lease *lease);

/* All that are in force. */
bool history_read_leases(struct history *history, history_lease_fn *fn, void *arg,
                         struct err *err_out) MUST_CHECK;

/* Takes a lease away from its holder, at every limit where it has one. */
bool history_kill_leases(struct history *history, struct slice holder,
                         int64_t *killed_out, struct err *err_out) MUST_CHECK;

/* *tat_us_out: 0 when there is none. */
bool history_get_rate(struct history *history, const struct key *key, int64_t *tat_us_out,
                      struct err *err_out) MUST_CHECK;

/* ---- what doctor asks ---- */

/* Facts of the backend as name and value, such as "maxmemory_policy" "noeviction". */
typedef void history_fact_fn(void *arg, const char *name, struct slice value);

/*
 * Embedded: path, size, used (pages with something in them), wal_size, history_size, quota,
 * free_bytes, integrity ("ok" or what is damaged; `deep`: of every index, too), owner, mode, user.
 * Redis: all of INFO as it stands there, and clock_offset_ms (more: it is ahead), round_trip_us,
 * script ("ok" or the error); save and appendfsync where CONFIG may be asked, config "ok" then.
 */
bool history_facts(struct history *history, bool deep, history_fact_fn *fn, void *arg,
                   struct err *err_out) MUST_CHECK;

/* Writes something, reads it back, takes it away again. */
bool history_try(struct history *history, struct err *err_out) MUST_CHECK;

#endif
