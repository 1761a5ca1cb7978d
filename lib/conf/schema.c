/* schema.c - THE table of settings. */
#include "conf/schema.h"

#include <stdlib.h>

#include "base/nearest.h"

#define AT(member) offsetof(struct conf, member)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define GIGA (INT64_C(1) << 30)

/* clang-format off */
const struct setting schema[] = {
	{"node", SET_TEXT, AT(node), 0, 0, "", NULL, true},
	{"nodes", SET_INT, AT(nodes), 1, 1000, "1", NULL, false},
	{"user", SET_TEXT, AT(user), 0, 0, "weir", NULL, true},

	{"rewrite.origin", SET_TEXT, AT(rewrite.origin), 0, 0, "", NULL, false},
	{"rewrite.append_domain", SET_TEXT, AT(rewrite.append_domain), 0, 0, "", NULL, false},
	{"rewrite.percent_hack", SET_BOOL, AT(rewrite.percent_hack), 0, 0, "true", NULL, false},
	{"rewrite.bangpath", SET_BOOL, AT(rewrite.bangpath), 0, 0, "true", NULL, false},

	{"log.to", SET_ENUM, AT(log.to), 0, 0, "syslog", "stderr|syslog", true},
	{"log.level", SET_ENUM, AT(log.level), 0, 0, "info", "error|warning|info|debug", false},
	{"log.facility", SET_ENUM, AT(log.facility), 0, 0, "mail", "mail|daemon|local0|local1|local2|local3|local4|local5|local6|local7", true},

	{"store.backend", SET_ENUM, AT(store.backend), 0, 0, "embedded", "embedded|redis", true},
	{"store.path", SET_TEXT, AT(store.path), 0, 0, "/var/lib/weir", NULL, true},
	{"store.max_size", SET_SIZE, AT(store.max_size), 0, 1024 * GIGA, "0", NULL, true},
	{"store.deadline", SET_TIME, AT(store.deadline_ms), 10, 10 * SECOND, "200ms", NULL, false},
	{"store.on_failure", SET_ENUM, AT(store.on_failure), 0, 0, "accept", "accept|defer", false},
	{"store.failure_reply", SET_REPLY, AT(store.failure_reply), 0, 0, "451 4.3.0 Temporary trouble, please try again later (id %i)", NULL, false},
	{"store.redis.servers", SET_TEXTS, AT(store.redis.servers), 0, 0, "127.0.0.1:6379", NULL, true},
	{"store.redis.username", SET_TEXT, AT(store.redis.username), 0, 0, "", NULL, true},
	{"store.redis.password_file", SET_TEXT, AT(store.redis.password_file), 0, 0, "", NULL, true},
	{"store.redis.db", SET_INT, AT(store.redis.db), 0, 65535, "0", NULL, true},
	{"store.redis.prefix", SET_TEXT, AT(store.redis.prefix), 0, 0, "weir:", NULL, true},

	{"policyd.listen", SET_TEXTS, AT(policyd.listen), 0, 0, "inet:127.0.0.1:10040", NULL, true},
	{"policyd.socket_mode", SET_OCTAL, AT(policyd.socket_mode), 0, 0777, "0660", NULL, true},
	{"policyd.socket_group", SET_TEXT, AT(policyd.socket_group), 0, 0, "", NULL, true},
	{"policyd.max_connections", SET_INT, AT(policyd.max_connections), 1, 65536, "4096", NULL, false},
	{"policyd.idle_timeout", SET_TIME, AT(policyd.idle_timeout_ms), 5 * MINUTE, DAY, "20m", NULL, false},
	{"policyd.request_timeout", SET_TIME, AT(policyd.request_timeout_ms), SECOND, 5 * MINUTE, "10s", NULL, false},
	{"policyd.hold", SET_TIME, AT(policyd.hold_ms), SECOND, HOUR, "5m", NULL, false},

	{"milter.listen", SET_TEXT, AT(milter.listen), 0, 0, "unix:/run/weir/milter.sock", NULL, true},
	{"milter.socket_mode", SET_OCTAL, AT(milter.socket_mode), 0, 0777, "0660", NULL, true},
	{"milter.socket_group", SET_TEXT, AT(milter.socket_group), 0, 0, "", NULL, true},
	{"milter.max_sessions", SET_INT, AT(milter.max_sessions), 1, 65536, "4096", NULL, true},
	{"milter.deadline", SET_TIME, AT(milter.deadline_ms), 10, 5 * SECOND, "100ms", NULL, false},
	{"milter.hold", SET_TIME, AT(milter.hold_ms), SECOND, HOUR, "2m", NULL, false},
	{"milter.enforce", SET_BOOL, AT(milter.enforce), 0, 0, "true", NULL, false},

	{"greylist.mode", SET_ENUM, AT(greylist.mode), 0, 0, "on", "on|observe|off", false},
	{"greylist.delay", SET_TIME, AT(greylist.delay_ms), SECOND, DAY, "3m", NULL, false},
	{"greylist.retry_window", SET_TIME, AT(greylist.retry_window_ms), MINUTE, 30 * DAY, "24h", NULL, false},
	{"greylist.lifetime", SET_TIME, AT(greylist.lifetime_ms), HOUR, 3650 * DAY, "35d", NULL, false},
	{"greylist.ipv4_prefix", SET_INT, AT(greylist.ipv4_prefix), 8, 32, "24", NULL, false},
	{"greylist.ipv6_prefix", SET_INT, AT(greylist.ipv6_prefix), 16, 128, "64", NULL, false},
	{"greylist.allow_client_after", SET_INT, AT(greylist.allow_client_after), 0, 1000, "1", NULL, false},
	{"greylist.new_triplets", SET_RATE, AT(greylist.new_triplets), 0, 0, "100/1m", NULL, false},
	{"greylist.reply", SET_REPLY, AT(greylist.reply), 0, 0, "451 4.7.1 Greylisted, please try again later (id %i)", NULL, false},
	{"greylist.header", SET_BOOL, AT(greylist.header), 0, 0, "true", NULL, false},
	{"greylist.exempt_private", SET_BOOL, AT(greylist.exempt_private), 0, 0, "true", NULL, false},
	{"greylist.pools", SET_POOLS, 0, 0, 0, "", NULL, false},
	{"greylist.pool_files", SET_TEXTS, AT(greylist.pool_files), 0, 0, "", NULL, false},

	{"limits.lease", SET_TIME, AT(limits.lease_ms), 3 * SECOND, HOUR, "60s", NULL, false},
	{"limits.destinations_by", SET_ENUM, AT(limits.destinations_by), 0, 0, "domain", "domain|nexthop", false},
	{"limits.reply", SET_REPLY, AT(limits.reply), 0, 0, "451 4.7.1 Too many connections to %n, please try again later (id %i)", NULL, false},
	{"limits.client_reply", SET_REPLY, AT(limits.client_reply), 0, 0, "451 4.7.1 Too many connections from you, please try again later (id %i)", NULL, false},
	{"limits.rate_reply", SET_REPLY, AT(limits.rate_reply), 0, 0, "451 4.7.1 Rate limit exceeded, please try again later (id %i)", NULL, false},
	{"limits.drain_reply", SET_REPLY, AT(limits.drain_reply), 0, 0, "451 4.3.2 %n is not accepting mail now, please try again later (id %i)", NULL, false},
	{"limits.user_drain_reply", SET_REPLY, AT(limits.user_drain_reply), 0, 0, "451 4.7.1 Mail from you is held back now, please try again later (id %i)", NULL, false},
	{"limits.message_recipients", SET_INT, AT(limits.message_recipients), 0, 10000, "0", NULL, false},
	{"limits.message_reply", SET_REPLY, AT(limits.message_reply), 0, 0, "452 4.5.3 Too many recipients (id %i)", NULL, false},
	{"limits.default.concurrency", SET_INT, AT(limits.other.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"limits.default.messages", SET_RATES, AT(limits.other.messages), 0, 0, "0", NULL, false},
	{"limits.default.recipients", SET_RATES, AT(limits.other.recipients), 0, 0, "0", NULL, false},
	{"limits.default.mode", SET_ENUM, AT(limits.other.mode), 0, 0, "on", "on|observe|off", false},
	{"limits.default.reply", SET_REPLY, AT(limits.other.reply), 0, 0, "", NULL, false},
	{"limits.clients.concurrency", SET_INT, AT(limits.clients.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"limits.clients.messages", SET_RATES, AT(limits.clients.messages), 0, 0, "0", NULL, false},
	{"limits.clients.recipients", SET_RATES, AT(limits.clients.recipients), 0, 0, "0", NULL, false},
	{"limits.clients.mode", SET_ENUM, AT(limits.clients.mode), 0, 0, "on", "on|observe|off", false},
	{"limits.clients.reply", SET_REPLY, AT(limits.clients.reply), 0, 0, "", NULL, false},
	{"limits.senders.concurrency", SET_INT, AT(limits.senders.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"limits.senders.messages", SET_RATES, AT(limits.senders.messages), 0, 0, "0", NULL, false},
	{"limits.senders.recipients", SET_RATES, AT(limits.senders.recipients), 0, 0, "0", NULL, false},
	{"limits.senders.mode", SET_ENUM, AT(limits.senders.mode), 0, 0, "on", "on|observe|off", false},
	{"limits.senders.reply", SET_REPLY, AT(limits.senders.reply), 0, 0, "", NULL, false},
	{"limits.users.concurrency", SET_INT, AT(limits.users.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"limits.users.messages", SET_RATES, AT(limits.users.messages), 0, 0, "0", NULL, false},
	{"limits.users.recipients", SET_RATES, AT(limits.users.recipients), 0, 0, "0", NULL, false},
	{"limits.users.mode", SET_ENUM, AT(limits.users.mode), 0, 0, "on", "on|observe|off", false},
	{"limits.users.reply", SET_REPLY, AT(limits.users.reply), 0, 0, "", NULL, false},
	{"limits.mailboxes.concurrency", SET_INT, AT(limits.mailboxes.concurrency), 0, CONCURRENCY_MAX, "0", NULL, false},
	{"limits.mailboxes.messages", SET_RATES, AT(limits.mailboxes.messages), 0, 0, "0", NULL, false},
	{"limits.mailboxes.recipients", SET_RATES, AT(limits.mailboxes.recipients), 0, 0, "0", NULL, false},
	{"limits.mailboxes.mode", SET_ENUM, AT(limits.mailboxes.mode), 0, 0, "on", "on|observe|off", false},
	{"limits.mailboxes.reply", SET_REPLY, AT(limits.mailboxes.reply), 0, 0, "", NULL, false},
	{"limits.senders", SET_GROUPS, AT(limits.sender_groups), 0, 0, "", NULL, false},
	{"limits.users", SET_GROUPS, AT(limits.user_groups), 0, 0, "", NULL, false},
	{"limits.mailboxes", SET_GROUPS, AT(limits.mailbox_groups), 0, 0, "", NULL, false},
	{"limits.destinations", SET_DESTINATIONS, 0, 0, 0, "", NULL, false},

	{"decisions.keep", SET_INT, AT(decisions.keep), 0, 10000000, "100000", NULL, false},
	{"decisions.lifetime", SET_TIME, AT(decisions.lifetime_ms), HOUR, 3650 * DAY, "14d", NULL, false},
	{"decisions.addresses", SET_ENUM, AT(decisions.addresses), 0, 0, "full", "full|domain|none", false},

	{"http.listen", SET_TEXTS, AT(http.listen), 0, 0, "inet:127.0.0.1:10041", NULL, true},
	{"http.milter_listen", SET_TEXTS, AT(http.milter_listen), 0, 0, "inet:127.0.0.1:10043", NULL, true},
	{"http.socket_mode", SET_OCTAL, AT(http.socket_mode), 0, 0777, "0660", NULL, true},
	{"http.socket_group", SET_TEXT, AT(http.socket_group), 0, 0, "", NULL, true},

	{"lists.clients", SET_TEXTS, AT(lists.clients), 0, 0, "", NULL, false},
	{"lists.senders", SET_TEXTS, AT(lists.senders), 0, 0, "", NULL, false},
	{"lists.recipients", SET_TEXTS, AT(lists.recipients), 0, 0, "", NULL, false},
	{"lists.networks", SET_TEXTS, AT(lists.networks), 0, 0, "127.0.0.0/8, ::1", NULL, false},
	{"lists.certificates", SET_TEXTS, AT(lists.certificates), 0, 0, "", NULL, false},
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
