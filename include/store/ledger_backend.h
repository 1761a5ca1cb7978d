/*
 * ledger_priv.h - between ledger.c and the two stores.
 *
 * What is asked has been checked against the bounds of ledger.h before a backend sees it.  Each
 * function is that of ledger.h without its prefix.
 */
#ifndef WEIR_LEDGER_PRIV_H
#define WEIR_LEDGER_PRIV_H

#include "store/ledger.h"

struct ledger_ops {
	struct ledger *(*open)(const struct conf *conf, int64_t patience_ms,
	                       struct err *err_out);
	void (*close)(struct ledger *ledger);

	bool (*add_decisions)(struct ledger *ledger, size_t n, struct slice lines,
	                      int64_t keep, int64_t lifetime_s, struct err *err_out);
	bool (*read_decisions)(struct ledger *ledger, ledger_lines_fn *fn, void *arg,
	                       struct err *err_out);

	bool (*put)(struct ledger *ledger, enum ledger_board board, struct slice name,
	            struct slice text, int64_t until_s, struct err *err_out);
	bool (*drop)(struct ledger *ledger, enum ledger_board board, struct slice name,
	             bool *found_out, struct err *err_out);
	bool (*read)(struct ledger *ledger, enum ledger_board board, int64_t now_s,
	             ledger_text_fn *fn, void *arg, struct err *err_out);

	bool (*put_names)(struct ledger *ledger, size_t n,
	                  const struct ledger_name *names, int64_t until_s,
	                  struct err *err_out);
	bool (*get_name)(struct ledger *ledger, const struct key *key, int64_t now_s,
	                 struct text *name_out, struct err *err_out);

	bool (*add_funnel)(struct ledger *ledger, size_t n,
	                   const struct funnel_hour *hours, int64_t kept_hours,
	                   struct err *err_out);
	bool (*read_funnel)(struct ledger *ledger, ledger_funnel_fn *fn, void *arg,
	                    struct err *err_out);

	bool (*secret)(struct ledger *ledger, struct key_secret *secret_out,
	               struct err *err_out);
	bool (*set_secret)(struct ledger *ledger, const struct key_secret *secret,
	                   struct err *err_out);
	bool (*get_record)(struct ledger *ledger, enum ledger_record kind,
	                   const struct key *key, int64_t *packed_out,
	                   struct err *err_out);
	bool (*get_records)(struct ledger *ledger, size_t n, struct ledger_row *rows,
	                    struct err *err);
	/* kept_s: for each row how long it stays; 0: it has run out already. */
	bool (*put_records)(struct ledger *ledger, size_t n,
	                    const struct ledger_row *rows, const int64_t *kept_s,
	                    struct err *err_out);
	bool (*drop_record)(struct ledger *ledger, enum ledger_record kind,
	                    const struct key *key, bool *found_out, struct err *err_out);
	bool (*scan)(struct ledger *ledger, ledger_row_fn *fn, void *arg,
	             struct err *err_out);
	bool (*estimate)(struct ledger *ledger, int64_t *rows_out, struct err *err_out);

	bool (*read_leases)(struct ledger *ledger, ledger_lease_fn *fn, void *arg,
	                    struct err *err_out);
	bool (*kill_leases)(struct ledger *ledger, struct slice holder,
	                    int64_t *killed_out, struct err *err_out);
	bool (*get_rate)(struct ledger *ledger, const struct key *key,
	                 int64_t *tat_us_out, struct err *err_out);

	bool (*facts)(struct ledger *ledger, bool deep, ledger_fact_fn *fn, void *arg,
	              struct err *err_out);
	bool (*try_it)(struct ledger *ledger, struct err *err_out);
};

/* That of the settings. */
const struct ledger_ops *backend_ledger_ops(const struct conf *conf);

/* What both begin with. */
struct ledger {
	const struct ledger_ops *ops;
	int64_t patience_ms;
	char *board; /* of the orders, as order_board.c read it last */
	size_t board_n;
	struct orders *orders; /* what it said */
};

/* A text is taken down so long after its end: not by a host whose clock is a little ahead. */
#define LEDGER_LINGER_S 86400

/* The hours before it are dropped from the funnel: those of hosts whose clocks differ stay. */
int64_t ledger_oldest_hour(size_t n, const struct funnel_hour *hours, int64_t kept_hours);

/* No count of an hour is larger: many hours can be added up. */
#define LEDGER_COUNT_MAX (INT64_C(1) << 32)

/* Hands an hour on when its counts are such. */
void ledger_hand_hour(ledger_funnel_fn *fn, void *arg, const struct funnel_hour *hour);

/* No rate of ours is larger. */
#define LEDGER_TAT_MAX_US (INT64_C(1) << 53)

/* Whether a record of that kind is packed in the value. */
bool ledger_is_record(enum ledger_record kind, int64_t packed);

/* Hands a lease on when it is in force and its holder's name is one. */
void ledger_hand_lease(ledger_lease_fn *fn, void *arg, const struct key *key,
                       struct slice holder, int64_t left_ms);

#endif
