/*
 * conf.h - one checked, unchanging snapshot of the settings.
 *
 * A snapshot is counted: who uses it beyond a call takes a reference.  A reload makes
 * a new one; a request keeps the one it began with.  The settings themselves, their
 * bounds and defaults are rows of the table in lib/conf/schema.c.
 */
#ifndef WEIR_CONF_H
#define WEIR_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct list;
struct domain_table;
struct member_table;

enum conf_backend { BACKEND_EMBEDDED, BACKEND_REDIS };

enum conf_on_failure { ON_FAILURE_ACCEPT, ON_FAILURE_DEFER };

enum conf_mode { MODE_ON, MODE_OBSERVE, MODE_OFF };

struct conf_texts {
	char **v;
	size_t n;
};

/* `count` events in `per_ms`, `burst` of them at once; count 0 means no limit. */
struct conf_rate {
	int64_t count;
	int64_t per_ms;
	int64_t burst; /* 0: the whole count */
};

#define RATE_WINDOWS_MAX 4

/* All of them hold: "20/1m, 500/1d".  The longest time first; none means no limit. */
struct conf_rates {
	struct conf_rate v[RATE_WINDOWS_MAX];
	size_t n;
};

/*
 * What one client, sender, user, mailbox or destination may have at once and in a time.  Zero is no
 * limit; a limit without any of the three applies to nothing.
 */
struct conf_limit {
	int64_t concurrency; /* deliveries under way */
	struct conf_rates messages;
	struct conf_rates recipients;
	int mode;    /* enum conf_mode */
	char *reply; /* its own; empty: that of limits.*_reply */
};

/* Users, senders or mailboxes that have limits of their own in place of those of all others. */
struct conf_group {
	char *name;
	struct conf_texts members; /* as they are compared: in lower case */
	bool shared;               /* all of them together; else each for itself */
	struct conf_limit limit;
};

struct conf_groups {
	struct conf_group *v;
	size_t n;
	struct member_table *by_member; /* see member.h */
};

/* "on", "observe", "off" */
const char *conf_mode_word(int mode);

/* By what a recipient's destination is found. */
enum conf_destinations_by { BY_DOMAIN, BY_NEXTHOP };

/* Recipient domains that share one backend. */
struct conf_destination {
	char *name;
	struct conf_texts
		domains; /* "example.com", ".example.com" (below it only), "*" */
	struct conf_limit limit;
	bool has_greylist; /* else greylist.mode holds */
	int greylist;      /* enum conf_mode */
};

/* Clients of one provider, who are one identity. */
struct conf_pool {
	char *name;
	struct list *clients;
};

/* How the MTA rewrites addresses; see mailaddr_normal(). */
struct conf_rewrite {
	char *origin;        /* appended where there is no domain */
	char *append_domain; /* appended to a domain without a dot; "": nothing is */
	bool percent_hack;
	bool bangpath;
};

struct conf {
	char *node;
	int64_t nodes; /* daemons' hosts that share the store */
	char *user;
	struct conf_rewrite rewrite;

	struct {
		int to;       /* enum log_target */
		int level;    /* enum log_level */
		int facility; /* position among the words of the setting */
	} log;

	struct {
		int backend; /* enum conf_backend */
		char *path;
		int64_t max_size; /* bytes; 0 = no quota */
		int64_t deadline_ms;
		int on_failure; /* enum conf_on_failure */
		char *failure_reply;

		struct {
			struct conf_texts servers;
			char *username;
			char *password_file;
			char *password; /* read from password_file */
			int64_t db;
			char *prefix;
		} redis;
	} store;

	struct {
		struct conf_texts listen;
		int64_t socket_mode;
		char *socket_group;
		int64_t max_connections;
		int64_t idle_timeout_ms;
		int64_t request_timeout_ms;
		int64_t hold_ms; /* a slot no milter takes over, at most */
	} policyd;

	struct {
		char *listen;
		int64_t socket_mode;
		char *socket_group;
		int64_t max_sessions;
		int64_t deadline_ms; /* of one answer to the MTA */
		int64_t hold_ms;     /* a slot after DATA, without a word, at most */
		bool enforce;
	} milter;

	struct {
		int mode; /* enum conf_mode */
		int64_t delay_ms;
		int64_t retry_window_ms;
		int64_t lifetime_ms;
		int64_t ipv4_prefix;
		int64_t ipv6_prefix;
		int64_t allow_client_after;
		struct conf_rate new_triplets;
		char *reply;
		bool header;
		bool exempt_private;
		struct conf_pool *pools; /* own ones, then those of pool_files */
		size_t n_pools;
		struct conf_texts pool_files;
		int64_t pools_date_s; /* of the oldest of these files; 0: none says */
	} greylist;

	struct {
		int64_t lease_ms;
		int destinations_by;    /* enum conf_destinations_by */
		char *reply;            /* a destination has all it may have at once */
		char *client_reply;     /* a client, sender, user or mailbox has */
		char *rate_reply;       /* a rate is over */
		char *drain_reply;      /* the operator has drained the destination */
		char *user_drain_reply; /* or the user */
		int64_t message_recipients; /* of one message; 0: any number */
		char *message_reply;        /* it has as many */
		struct conf_limit other; /* limits.default: each destination not named */
		struct conf_limit clients;
		struct conf_limit senders;
		struct conf_limit users;
		struct conf_limit mailboxes;
		struct conf_groups sender_groups;
		struct conf_groups user_groups;
		struct conf_groups mailbox_groups;
		struct conf_destination *destinations;
		size_t n_destinations;
		struct domain_table *by_domain; /* of their domains; see member.h */
	} limits;

	struct {
		int64_t keep; /* how many, 0 = none */
		int64_t lifetime_ms;
		int addresses; /* enum decision_line_addresses */
	} decisions;

	struct {
		struct conf_texts listen;        /* of weir-policyd */
		struct conf_texts milter_listen; /* of weir-milter */
		int64_t socket_mode;
		char *socket_group;
	} http;

	struct {
		struct conf_texts clients;
		struct conf_texts senders;
		struct conf_texts recipients;
		struct conf_texts networks;
		struct conf_texts certificates;
	} lists;
	/* loaded from what `lists` names; never NULL in a loaded snapshot */
	struct list *allowed_clients;
	struct list *allowed_senders;
	struct list *allowed_recipients;
	struct list *own_networks;
	/* of those lists, the entries with limits=false */
	struct list *unlimited_clients;
	struct list *unlimited_senders;
	struct list *unlimited_recipients;

	char **value_texts; /* each row's value as text, in the order of the schema */
	int refs;
};

/*
 * Loads `path` (NULL: defaults only), then `overrides` ("name=value"), checks the whole
 * and loads the list files.  On failure returns NULL and says "file:line: text".
 * The caller owns one reference.
 */
struct conf *conf_load(const char *path, const struct conf_texts *overrides,
                       struct err *err_out) MUST_CHECK;

/*
 * The same without the list files, which stay empty: for tools that do not judge, and must not
 * wait for long lists.
 */
struct conf *conf_load_settings(const char *path, const struct conf_texts *overrides,
                                struct err *err_out) MUST_CHECK;

struct conf *conf_ref(struct conf *conf);

/* Gives the reference back and clears the caller's pointer. */
void conf_unref(struct conf **conf);

/* Whether any limit on deliveries at once is set. */
bool conf_has_concurrency(const struct conf *conf);

/* Letters, digits, '-', '.' and '_' only, at least one, as in the name of a node. */
bool conf_is_word(const char *text);

/*
 * What a reload does not change stays in `loaded`, of which nobody has a reference yet, as it is
 * in `running`.  Appends the names of those that differed, separated by blanks.
 */
void conf_keep_started(const struct conf *running, struct conf *loaded,
                       struct text *names_out);

#endif
