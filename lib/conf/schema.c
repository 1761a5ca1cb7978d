/* schema.c - THE table of settings. */
#include "conf/schema.h"

#include <stdlib.h>

#include "base/nearest.h"

#define AT(type, member) SETTING_AT(type, struct conf, member)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define GIGA (INT64_C(1) << 30)

/* clang-format off */
const struct setting schema[] = {
	{"node", AT(SET_TEXT, node), 0, 0, "", NULL, true},
	{"nodes", AT(SET_INT, nodes), 1, 1000, "1", NULL, false},
	{"user", AT(SET_TEXT, user), 0, 0, "weir", NULL, true},

	{"rewrite.origin", AT(SET_TEXT, rewrite.origin), 0, 0, "", NULL, false},
	{"rewrite.append_domain", AT(SET_TEXT, rewrite.append_domain), 0, 0, "", NULL, false},
	{"rewrite.percent_hack", AT(SET_BOOL, rewrite.percent_hack), 0, 0, "true", NULL, false},
	{"rewrite.bangpath", AT(SET_BOOL, rewrite.bangpath), 0, 0, "true", NULL, false},

	{"log.to", AT(SET_ENUM, log.to), 0, 0, "syslog", "stderr|syslog", true},
	{"log.level", AT(SET_ENUM, log.level), 0, 0, "info", "error|warning|info|debug", false},
	{"log.facility", AT(SET_ENUM, log.facility), 0, 0, "mail", "mail|daemon|local0|local1|local2|local3|local4|local5|local6|local7", true},

	{"store.backend", AT(SET_ENUM, store.backend), 0, 0, "embedded", "embedded|redis", true},
	{"store.path", AT(SET_TEXT, store.path), 0, 0, "/var/lib/weir", NULL, true},
	{"store.max_size", AT(SET_SIZE, store.max_size), 0, 1024 * GIGA, "0", NULL, true},
	{"store.deadline", AT(SET_TIME, store.deadline_ms), 10, 10 * SECOND, "200ms", NULL, false},
	{"store.on_failure", AT(SET_ENUM, store.on_failure), 0, 0, "accept", "accept|defer", false},
	{"store.failure_reply", AT(SET_REPLY, store.failure_reply), 0, 0, "451 4.3.0 Temporary trouble, please try again later (id %i)", NULL, false},
	{"store.redis.servers", AT(SET_TEXTS, store.redis.servers), 0, 0, "127.0.0.1:6379", NULL, true},
	{"store.redis.username", AT(SET_TEXT, store.redis.username), 0, 0, "", NULL, true},
	{"store.redis.password_file", AT(SET_TEXT, store.redis.password_file), 0, 0, "", NULL, true},
	{"store.redis.db", AT(SET_INT, store.redis.db), 0, 65535, "0", NULL, true},
	{"store.redis.prefix", AT(SET_TEXT, store.redis.prefix), 0, 0, "weir:", NULL, true},

	{"policyd.listen", AT(SET_TEXTS, policyd.listen), 0, 0, "inet:127.0.0.1:10040", NULL, true},
	{"policyd.socket_mode", AT(SET_OCTAL, policyd.socket_mode), 0, 0777, "0660", NULL, true},
	{"policyd.socket_group", AT(SET_TEXT, policyd.socket_group), 0, 0, "", NULL, true},
	{"policyd.max_connections", AT(SET_INT, policyd.max_connections), 1, 65536, "4096", NULL, false},
	{"policyd.idle_timeout", AT(SET_TIME, policyd.idle_timeout_ms), 5 * MINUTE, DAY, "20m", NULL, false},
	{"policyd.request_timeout", AT(SET_TIME, policyd.request_timeout_ms), SECOND, 5 * MINUTE, "10s", NULL, false},
	{"policyd.hold", AT(SET_TIME, policyd.hold_ms), SECOND, HOUR, "5m", NULL, false},

	{"milter.listen", AT(SET_TEXT, milter.listen), 0, 0, "unix:/run/weir/milter.sock", NULL, true},
	{"milter.socket_mode", AT(SET_OCTAL, milter.socket_mode), 0, 0777, "0660", NULL, true},
	{"milter.socket_group", AT(SET_TEXT, milter.socket_group), 0, 0, "", NULL, true},
	{"milter.max_sessions", AT(SET_INT, milter.max_sessions), 1, 65536, "4096", NULL, true},
	{"milter.deadline", AT(SET_TIME, milter.deadline_ms), 10, 5 * SECOND, "100ms", NULL, false},
	{"milter.hold", AT(SET_TIME, milter.hold_ms), SECOND, HOUR, "2m", NULL, false},
	{"milter.enforce", AT(SET_BOOL, milter.enforce), 0, 0, "true", NULL, false},

	{"greylist.mode", AT(SET_ENUM, greylist.mode), 0, 0, "on", "on|observe|off", false},
	{"greylist.delay", AT(SET_TIME, greylist.delay_ms), SECOND, DAY, "3m", NULL, false},
	{"greylist.retry_window", AT(SET_TIME, greylist.retry_window_ms), MINUTE, 30 * DAY, "24h", NULL, false},
	{"greylist.lifetime", AT(SET_TIME, greylist.lifetime_ms), HOUR, 3650 * DAY, "35d", NULL, false},
	{"greylist.ipv4_prefix", AT(SET_INT, greylist.ipv4_prefix), 8, 32, "24", NULL, false},
	{"greylist.ipv6_prefix", AT(SET_INT, greylist.ipv6_prefix), 16, 128, "64", NULL, false},
	{"greylist.allow_client_after", AT(SET_INT, greylist.allow_client_after), 0, 1000, "1", NULL, false},
	{"greylist.new_triplets", AT(SET_RATE, greylist.new_triplets), 0, 0, "100/1m", NULL, false},
	{"greylist.reply", AT(SET_REPLY, greylist.reply), 0, 0, "451 4.7.1 Greylisted, please try again later (id %i)", NULL, false},
	{"greylist.header", AT(SET_BOOL, greylist.header), 0, 0, "true", NULL, false},
	{"greylist.exempt_private", AT(SET_BOOL, greylist.exempt_private), 0, 0, "true", NULL, false},
	{"greylist.pools", SET_POOLS, 0, 0, 0, "", NULL, false},
	{"greylist.pool_files", AT(SET_TEXTS, greylist.pool_files), 0, 0, "", NULL, false},

	{"limits.lease", AT(SET_TIME, limits.lease_ms), 3 * SECOND, HOUR, "60s", NULL, false},
	{"limits.destinations_by", AT(SET_ENUM, limits.destinations_by), 0, 0, "domain", "domain|nexthop", false},
	{"limits.reply", AT(SET_REPLY, limits.reply), 0, 0, "451 4.7.1 Too many connections to %n, please try again later (id %i)", NULL, false},
	{"limits.client_reply", AT(SET_REPLY, limits.client_reply), 0, 0, "451 4.7.1 Too many connections from you, please try again later (id %i)", NULL, false},
	{"limits.rate_reply", AT(SET_REPLY, limits.rate_reply), 0, 0, "451 4.7.1 Rate limit exceeded, please try again later (id %i)", NULL, false},
	{"limits.drain_reply", AT(SET_REPLY, limits.drain_reply), 0, 0, "451 4.3.2 %n is not accepting mail now, please try again later (id %i)", NULL, false},
	{"limits.user_drain_reply", AT(SET_REPLY, limits.user_drain_reply), 0, 0, "451 4.7.1 Mail from you is held back now, please try again later (id %i)", NULL, false},
	{"limits.message_recipients", AT(SET_INT, limits.message_recipients), 0, 10000, "0", NULL, false},
	{"limits.message_reply", AT(SET_REPLY, limits.message_reply), 0, 0, "452 4.5.3 Too many recipients (id %i)", NULL, false},
	{"limits.default.concurrency", AT(SET_INT, limits.other.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"limits.default.messages", AT(SET_RATES, limits.other.messages), 0, 0, "0", NULL, false},
	{"limits.default.recipients", AT(SET_RATES, limits.other.recipients), 0, 0, "0", NULL, false},
	{"limits.default.mode", AT(SET_ENUM, limits.other.mode), 0, 0, "on", "on|observe|off", false},
	{"limits.default.reply", AT(SET_REPLY, limits.other.reply), 0, 0, "", NULL, false},
	{"limits.clients.concurrency", AT(SET_INT, limits.clients.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"limits.clients.messages", AT(SET_RATES, limits.clients.messages), 0, 0, "0", NULL, false},
	{"limits.clients.recipients", AT(SET_RATES, limits.clients.recipients), 0, 0, "0", NULL, false},
	{"limits.clients.mode", AT(SET_ENUM, limits.clients.mode), 0, 0, "on", "on|observe|off", false},
	{"limits.clients.reply", AT(SET_REPLY, limits.clients.reply), 0, 0, "", NULL, false},
	{"limits.senders.concurrency", AT(SET_INT, limits.senders.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"limits.senders.messages", AT(SET_RATES, limits.senders.messages), 0, 0, "0", NULL, false},
	{"limits.senders.recipients", AT(SET_RATES, limits.senders.recipients), 0, 0, "0", NULL, false},
	{"limits.senders.mode", AT(SET_ENUM, limits.senders.mode), 0, 0, "on", "on|observe|off", false},
	{"limits.senders.reply", AT(SET_REPLY, limits.senders.reply), 0, 0, "", NULL, false},
	{"limits.users.concurrency", AT(SET_INT, limits.users.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"limits.users.messages", AT(SET_RATES, limits.users.messages), 0, 0, "0", NULL, false},
	{"limits.users.recipients", AT(SET_RATES, limits.users.recipients), 0, 0, "0", NULL, false},
	{"limits.users.mode", AT(SET_ENUM, limits.users.mode), 0, 0, "on", "on|observe|off", false},
	{"limits.users.reply", AT(SET_REPLY, limits.users.reply), 0, 0, "", NULL, false},
	{"limits.mailboxes.concurrency", AT(SET_INT, limits.mailboxes.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"limits.mailboxes.messages", AT(SET_RATES, limits.mailboxes.messages), 0, 0, "0", NULL, false},
	{"limits.mailboxes.recipients", AT(SET_RATES, limits.mailboxes.recipients), 0, 0, "0", NULL, false},
	{"limits.mailboxes.mode", AT(SET_ENUM, limits.mailboxes.mode), 0, 0, "on", "on|observe|off", false},
	{"limits.mailboxes.reply", AT(SET_REPLY, limits.mailboxes.reply), 0, 0, "", NULL, false},
	{"limits.senders", AT(SET_GROUPS, limits.sender_groups), 0, 0, "", NULL, false},
	{"limits.users", AT(SET_GROUPS, limits.user_groups), 0, 0, "", NULL, false},
	{"limits.mailboxes", AT(SET_GROUPS, limits.mailbox_groups), 0, 0, "", NULL, false},
	{"limits.destinations", SET_DESTINATIONS, 0, 0, 0, "", NULL, false},

	{"decisions.keep", AT(SET_INT, decisions.keep), 0, 10000000, "100000", NULL, false},
	{"decisions.lifetime", AT(SET_TIME, decisions.lifetime_ms), HOUR, 3650 * DAY, "14d", NULL, false},
	{"decisions.addresses", AT(SET_ENUM, decisions.addresses), 0, 0, "full", "full|domain|none", false},

	{"http.listen", AT(SET_TEXTS, http.listen), 0, 0, "inet:127.0.0.1:10041", NULL, true},
	{"http.milter_listen", AT(SET_TEXTS, http.milter_listen), 0, 0, "inet:127.0.0.1:10043", NULL, true},
	{"http.socket_mode", AT(SET_OCTAL, http.socket_mode), 0, 0777, "0660", NULL, true},
	{"http.socket_group", AT(SET_TEXT, http.socket_group), 0, 0, "", NULL, true},

	{"lists.clients", AT(SET_TEXTS, lists.clients), 0, 0, "", NULL, false},
	{"lists.senders", AT(SET_TEXTS, lists.senders), 0, 0, "", NULL, false},
	{"lists.recipients", AT(SET_TEXTS, lists.recipients), 0, 0, "", NULL, false},
	{"lists.networks", AT(SET_TEXTS, lists.networks), 0, 0, "127.0.0.0/8, ::1", NULL, false},
	{"lists.certificates", AT(SET_TEXTS, lists.certificates), 0, 0, "", NULL, false},
};
/* clang-format on */

const size_t schema_rows = COUNT_OF(schema);

const struct setting *
setting_find(const struct setting *rows, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(slice_of(rows[i].name), name))
			return &rows[i];
	return NULL;
}

const struct setting *
schema_find(struct slice name)
{
	return setting_find(schema, schema_rows, name);
}

const char *
setting_nearest(const struct setting *rows, size_t n, struct slice name)
{
	struct nearest nearest;
	nearest_start(&nearest, name);
	for (size_t i = 0; i < n; i++)
		nearest_offer(&nearest, rows[i].name);
	return nearest.name;
}

const char *
schema_nearest(struct slice name)
{
	return setting_nearest(schema, schema_rows, name);
}
