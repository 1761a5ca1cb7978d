/*
 * history_backend.h - between history.c and the two stores.
 *
 * What is asked has been checked against the bounds of history.h before a backend sees it.  Each
 * function is that of history.h without its prefix.
 */
#ifndef WEIR_HISTORY_BACKEND_H
#define WEIR_HISTORY_BACKEND_H

#include "store/history.h"

struct history_ops {
	struct history *(*open)(const struct conf *conf, int64_t patience_ms,
	                        struct err *err_out);
	void (*close)(struct history *history);

	bool (*add_decisions)(struct history *history, size_t n, struct slice lines,
	                      int64_t keep, int64_t lifetime_s, struct err *err_out);
	bool (*read_decisions)(struct history *history, history_lines_fn *fn, void *arg,
	                       struct err *err_out);

	bool (*put)(struct history *history, enum history_registry registry,
	            struct slice name, struct slice text, int64_t until_s,
	            struct err *err_out);
	bool (*drop)(struct history *history, enum history_registry registry,
	             struct slice name, bool *found_out, struct err *err_out);
	bool (*read)(struct history *history, enum history_registry registry,
	             int64_t now_s, history_text_fn *fn, void *arg, struct err *err_out);

	bool (*put_names)(struct history *history, size_t n,
	                  const struct history_name *names, int64_t until_s,
	                  struct err *err_out);
	bool (*get_name)(struct history *history, const struct key *key, int64_t now_s,
	                 struct text *name_out, struct err *err_out);

	bool (*add_funnel)(struct history *history, size_t n,
	                   const struct funnel_hour *hours, int64_t kept_hours,
	                   struct err *err_out);
	bool (*read_funnel)(struct history *history, history_funnel_fn *fn, void *arg,
	                    struct err *err_out);

	bool (*secret)(struct history *history, struct key_secret *secret_out,
	               struct err *err_out);
	bool (*set_secret)(struct history *history, const struct key_secret *secret,
	                   struct err *err_out);
	bool (*get_record)(struct history *history, enum history_record kind,
	                   const struct key *key, int64_t *packed_out,
	                   struct err *err_out);
	bool (*get_records)(struct history *history, size_t n, struct history_row *rows,
	                    struct err *err);
	/* kept_s: for each row how long it stays; 0: it has run out already. */
	bool (*put_records)(struct history *history, size_t n,
	                    const struct history_row *rows, const int64_t *kept_s,
	                    struct err *err_out);
	bool (*drop_record)(struct history *history, enum history_record kind,
	                    const struct key *key, bool *found_out, struct err *err_out);
	bool (*scan)(struct history *history, history_row_fn *fn, void *arg,
	             struct err *err_out);
	bool (*estimate)(struct history *history, int64_t *rows_out, struct err *err_out);

	bool (*read_leases)(struct history *history, history_lease_fn *fn, void *arg,
	                    struct err *err_out);
	bool (*kill_leases)(struct history *history, struct slice holder,
	                    int64_t *killed_out, struct err *err_out);
	bool (*get_rate)(struct history *history, const struct key *key,
	                 int64_t *tat_us_out, struct err *err_out);

	bool (*facts)(struct history *history, bool deep, history_fact_fn *fn, void *arg,
	              struct err *err_out);
	bool (*try_it)(struct history *history, struct err *err_out);
};

/* That of the settings. */
const struct history_ops *backend_history_ops(const struct conf *conf);

/* What both begin with. */
struct history {
	const struct history_ops *ops;
	int64_t patience_ms;
	char *registry; /* of the overrides, as override_store.c read it last */
	size_t registry_n;
	struct overrides *overrides; /* what it said */
};

/* A text is taken down so long after its end: not by a host whose clock is a little ahead. */
#define HISTORY_LINGER_S 86400

/* The hours before it are dropped from the funnel: those of hosts whose clocks differ stay. */
int64_t history_oldest_hour(size_t n, const struct funnel_hour *hours,
                            int64_t kept_hours);

/* No count of an hour is larger: many hours can be added up. */
#define HISTORY_COUNT_MAX (INT64_C(1) << 32)

/* Hands an hour on when its counts are such. */
void history_hand_hour(history_funnel_fn *fn, void *arg, const struct funnel_hour *hour);

/* No rate of ours is larger. */
#define HISTORY_TAT_MAX_US (INT64_C(1) << 53)

/* Whether a record of that kind is packed in the value. */
bool history_is_record(enum history_record kind, int64_t packed);

/* Hands a lease on when it is in force and its holder's name is one. */
void history_hand_lease(history_lease_fn *fn, void *arg, const struct key *key,
                        struct slice holder, int64_t left_ms);

#endif
