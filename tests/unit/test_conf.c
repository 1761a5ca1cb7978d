/* test_conf.c - settings: defaults, every type, what is said of wrong ones, reload. */
#include "conf/conf.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/list.h"
#include "conf/schema.h"
#include "harness.h"

static struct err err;

/* The settings with one override, none when it is NULL. */
static struct conf *
load(const char *path, const char *override)
{
	char copy[5000];
	struct text text = TEXT(copy);
	text_puts(&text, override ? override : "");
	struct conf_texts overrides = {.v = (char *[]){copy}, .n = override != NULL};
	err = (struct err){0};
	return conf_load(path, &overrides, &err);
}

static struct conf *
must_load(const char *row, const char *path, const char *override)
{
	struct conf *conf = load(path, override);
	ck_assert_msg(conf != NULL, "%s: %s", row, err.text);
	return conf;
}

static void
must_refuse(const char *row, const char *path, const char *override, const char *want)
{
	struct conf *conf = load(path, override);
	bool is_taken = conf != NULL;
	conf_unref(&conf);
	ck_assert_msg(!is_taken, "%s: it is taken", row);
	ck_assert_msg(strcmp(err.text, want) == 0, "%s: \"%s\", not \"%s\"", row,
	              err.text, want);
}

static void
check_texts(const char *row, const struct conf_texts *texts, const char *want)
{
	char buf[256];
	struct text got = TEXT(buf);
	text_puts(&got, "");
	for (size_t i = 0; i < texts->n; i++) {
		text_puts(&got, i ? "|" : "");
		text_puts(&got, texts->v[i]);
	}
	ck_assert_msg(strcmp(buf, want) == 0, "%s: %s, not %s", row, buf, want);
}

static void
check_no_limit(const char *row, const struct conf_limit *limit)
{
	ck_assert_msg(limit->concurrency == 0 && limit->messages.n == 0 &&
	                      limit->recipients.n == 0 && limit->mode == MODE_ON &&
	                      limit->reply && !*limit->reply,
	              "%s", row);
}

START_TEST(defaults_limit_nothing)
{
	struct conf *conf = must_load("defaults", NULL, NULL);
	ck_assert_int_eq(conf->nodes, 1);
	ck_assert_int_eq(conf->policyd.hold_ms, 300000);
	ck_assert_str_eq(conf->milter.listen, "unix:/run/weir/milter.sock");
	ck_assert_int_eq(conf->milter.socket_mode, 0660);
	ck_assert_str_eq(conf->milter.socket_group, "");
	ck_assert_int_eq(conf->milter.max_sessions, 4096);
	ck_assert_int_eq(conf->milter.deadline_ms, 100);
	ck_assert_int_eq(conf->milter.hold_ms, 120000);
	ck_assert(conf->milter.enforce);
	ck_assert_int_eq(conf->limits.lease_ms, 60000);
	ck_assert_int_eq(conf->limits.destinations_by, BY_DOMAIN);
	ck_assert_str_eq(
		conf->limits.reply,
		"451 4.7.1 Too many connections to %n, please try again later (id %i)");
	ck_assert_str_eq(conf->limits.client_reply,
	                 "451 4.7.1 Too many connections from you, "
	                 "please try again later (id %i)");
	ck_assert_str_eq(conf->limits.rate_reply, "451 4.7.1 Rate limit exceeded, "
	                                          "please try again later (id %i)");
	check_no_limit("default", &conf->limits.other);
	check_no_limit("clients", &conf->limits.clients);
	check_no_limit("senders", &conf->limits.senders);
	check_no_limit("users", &conf->limits.users);
	ck_assert_uint_eq(conf->limits.n_destinations, 0);
	ck_assert_uint_eq(list_count(conf->unlimited_clients), 0);
	ck_assert_uint_eq(list_count(conf->unlimited_senders), 0);
	ck_assert_uint_eq(list_count(conf->unlimited_recipients), 0);
	conf_unref(&conf);
}

END_TEST

START_TEST(defaults_are_those_of_the_manual)
{
	struct conf *conf = must_load("defaults", NULL, NULL);
	char host[256] = "";
	gethostname(host, sizeof(host) - 1);
	ck_assert_str_eq(conf->node, host);
	ck_assert_str_eq(conf->user, "weir");
	ck_assert_int_eq(conf->log.to, LOG_TO_SYSLOG);
	ck_assert_int_eq(conf->log.level, LOG_LEVEL_INFO);
	ck_assert_int_eq(conf->log.facility, 0);
	ck_assert_int_eq(conf->store.backend, BACKEND_EMBEDDED);
	ck_assert_str_eq(conf->store.path, "/var/lib/weir");
	ck_assert_int_eq(conf->store.max_size, 0);
	ck_assert_int_eq(conf->store.deadline_ms, 200);
	ck_assert_int_eq(conf->store.on_failure, ON_FAILURE_ACCEPT);
	ck_assert_str_eq(conf->store.failure_reply,
	                 "451 4.3.0 Temporary trouble, please try again later (id %i)");
	check_texts("store.redis.servers", &conf->store.redis.servers, "127.0.0.1:6379");
	ck_assert_str_eq(conf->store.redis.username, "");
	ck_assert_str_eq(conf->store.redis.password_file, "");
	ck_assert_str_eq(conf->store.redis.password, "");
	ck_assert_int_eq(conf->store.redis.db, 0);
	ck_assert_str_eq(conf->store.redis.prefix, "weir:");
	check_texts("policyd.listen", &conf->policyd.listen, "inet:127.0.0.1:10040");
	ck_assert_int_eq(conf->policyd.socket_mode, 0660);
	ck_assert_str_eq(conf->policyd.socket_group, "");
	ck_assert_int_eq(conf->policyd.max_connections, 4096);
	ck_assert_int_eq(conf->policyd.idle_timeout_ms, 1200000);
	ck_assert_int_eq(conf->policyd.request_timeout_ms, 10000);
	ck_assert_int_eq(conf->greylist.mode, MODE_ON);
	ck_assert_int_eq(conf->greylist.delay_ms, 180000);
	ck_assert_int_eq(conf->greylist.retry_window_ms, 86400000);
	ck_assert_int_eq(conf->greylist.lifetime_ms, INT64_C(3024000000));
	ck_assert_int_eq(conf->greylist.ipv4_prefix, 24);
	ck_assert_int_eq(conf->greylist.ipv6_prefix, 64);
	ck_assert_int_eq(conf->greylist.allow_client_after, 1);
	ck_assert_int_eq(conf->greylist.new_triplets.count, 100);
	ck_assert_int_eq(conf->greylist.new_triplets.per_ms, 60000);
	ck_assert_str_eq(conf->greylist.reply,
	                 "451 4.7.1 Greylisted, please try again later (id %i)");
	ck_assert(conf->greylist.header);
	ck_assert(conf->greylist.exempt_private);
	ck_assert_uint_eq(conf->greylist.n_pools, 0);
	check_texts("lists.clients", &conf->lists.clients, "");
	check_texts("lists.networks", &conf->lists.networks, "127.0.0.0/8|::1");
	check_texts("lists.certificates", &conf->lists.certificates, "");
	ck_assert_uint_eq(list_count(conf->allowed_clients), 0);
	ck_assert_uint_eq(list_count(conf->allowed_senders), 0);
	ck_assert_uint_eq(list_count(conf->allowed_recipients), 0);
	ck_assert_uint_eq(list_count(conf->own_networks), 2);
	conf_unref(&conf);
	ck_assert_ptr_null(conf);
}

END_TEST

START_TEST(the_table_is_sound)
{
	for (size_t i = 0; i < schema_rows; i++) {
		const struct setting *row = &schema[i];
		ck_assert_msg(schema_find(slice_of(row->name)) == row, "%s twice",
		              row->name);
		ck_assert_msg((row->type == SET_ENUM) == (row->words != NULL), "%s",
		              row->name);
		ck_assert_msg(row->min <= row->max, "%s", row->name);
	}
	ck_assert_ptr_null(schema_find(SLICE("")));
	ck_assert_ptr_null(schema_find(SLICE("nod")));
	ck_assert_ptr_null(schema_find(SLICE("greylist")));
}

END_TEST

/* clang-format off */
static const struct number_row {
	const char *name;
	const char *value;
	int64_t want;
} number_rows[] = {
	{"log.to", "stderr", LOG_TO_STDERR},
	{"log.to", "syslog", LOG_TO_SYSLOG},
	{"log.level", "error", LOG_LEVEL_ERROR},
	{"log.level", "debug", LOG_LEVEL_DEBUG},
	{"log.facility", "local7", 9},
	{"store.backend", "redis", BACKEND_REDIS},
	{"store.on_failure", "defer", ON_FAILURE_DEFER},
	{"greylist.mode", "observe", MODE_OBSERVE},
	{"greylist.mode", "off", MODE_OFF},
	{"greylist.header", "false", 0},
	{"greylist.header", "true", 1},
	{"store.max_size", "0", 0},
	{"store.max_size", "100000", 100000},
	{"store.max_size", "64K", 65536},
	{"store.max_size", "512M", 512 << 20},
	{"store.max_size", "1024G", INT64_C(1) << 40},
	{"store.deadline", "10ms", 10},
	{"store.deadline", "10s", 10000},
	{"store.deadline", "1500ms", 1500},
	{"store.redis.db", "0", 0},
	{"store.redis.db", "65535", 65535},
	{"policyd.socket_mode", "0", 0},
	{"policyd.socket_mode", "600", 0600},
	{"policyd.socket_mode", "0777", 0777},
	{"policyd.max_connections", "1", 1},
	{"policyd.max_connections", "0065536", 65536},
	{"policyd.idle_timeout", "5m", 300000},
	{"policyd.idle_timeout", "24h", 86400000},
	{"policyd.request_timeout", "1s", 1000},
	{"policyd.request_timeout", "5s", 5000},
	{"greylist.delay", "1s", 1000},
	{"greylist.delay", " 2m ", 120000},
	{"greylist.retry_window", "2d", 172800000},
	{"greylist.lifetime", "5w", INT64_C(3024000000)},
	{"greylist.lifetime", "3650d", INT64_C(315360000000)},
	{"greylist.ipv4_prefix", "8", 8},
	{"greylist.ipv4_prefix", "32", 32},
	{"greylist.ipv6_prefix", "16", 16},
	{"greylist.ipv6_prefix", "128", 128},
	{"greylist.allow_client_after", "0", 0},
	{"greylist.allow_client_after", "1000", 1000},
	{"nodes", "1", 1},
	{"nodes", "1000", 1000},
	{"policyd.hold", "1s", 1000},
	{"policyd.hold", "1h", 3600000},
	{"milter.socket_mode", "0777", 0777},
	{"milter.max_sessions", "1", 1},
	{"milter.max_sessions", "65536", 65536},
	{"milter.deadline", "10ms", 10},
	{"milter.deadline", "5s", 5000},
	{"milter.hold", "1s", 1000},
	{"milter.hold", "1h", 3600000},
	{"milter.enforce", "false", 0},
	{"limits.lease", "3s", 3000},
	{"limits.lease", "1h", 3600000},
	{"limits.destinations_by", "domain", BY_DOMAIN},
	{"limits.destinations_by", "nexthop", BY_NEXTHOP},
	{"limits.default.concurrency", "0", 0},
	{"limits.default.concurrency", "1000000", 1000000},
	{"limits.clients.concurrency", "5", 5},
	{"limits.senders.concurrency", "6", 6},
	{"limits.users.concurrency", "7", 7},
	{"limits.default.mode", "observe", MODE_OBSERVE},
	{"limits.clients.mode", "off", MODE_OFF},
	{"limits.senders.mode", "on", MODE_ON},
	{"limits.users.mode", "observe", MODE_OBSERVE},
};

/* clang-format on */

static int64_t
number_in(const struct conf *conf, const struct setting *row)
{
	const char *at = (const char *)conf + row->offset;
	if (row->type == SET_ENUM)
		return *(const int *)(const void *)at;
	if (row->type == SET_BOOL)
		return *(const bool *)(const void *)at;
	return *(const int64_t *)(const void *)at;
}

START_TEST(numbers_are_read)
{
	const struct number_row *r = &number_rows[_i];
	char override[100];
	struct text text = TEXT(override);
	text_printf(&text, " %s =%s", r->name, r->value);
	struct conf *conf = must_load(override, NULL, override);
	int64_t got = number_in(conf, schema_find(slice_of(r->name)));
	ck_assert_msg(got == r->want, "%s: %lld", override, (long long)got);
	conf_unref(&conf);
}

END_TEST

/* clang-format off */
static const struct texts_row {
	const char *override;
	const char *want;
} texts_rows[] = {
	{"lists.certificates=", ""},
	{"lists.certificates= , ,", ""},
	{"lists.certificates=AA:BB", "AA:BB"},
	{"lists.certificates=AA:BB, CC:DD,EE", "AA:BB|CC:DD|EE"},
	{"lists.certificates=a=b, c d", "a=b|c d"},
};

/* clang-format on */

START_TEST(texts_are_split)
{
	const struct texts_row *r = &texts_rows[_i];
	struct conf *conf = must_load(r->override, NULL, r->override);
	check_texts(r->override, &conf->lists.certificates, r->want);
	conf_unref(&conf);
}

END_TEST

/* clang-format off */
static const struct rate_row {
	const char *name;
	const char *value;
	struct conf_rate want;
} rate_rows[] = {
	{"greylist.new_triplets", "5/10s", {5, 10000, 0}},
	{"limits.default.messages", "600/1m", {600, 60000, 0}},
	{"limits.default.recipients", "0", {0, 0, 0}},
	{"limits.clients.messages", "1/1d", {1, 86400000, 0}},
	{"greylist.new_triplets", "9/4w", {9, 2419200000, 0}},
	{"greylist.new_triplets", "9/28d", {9, 2419200000, 0}},
	{"greylist.new_triplets", "600/1m burst 20", {600, 60000, 20}},
	{"greylist.new_triplets", " 600/1m  burst  1 ", {600, 60000, 1}},
	{"greylist.new_triplets", "1/1s burst 2419200", {1, 1000, 2419200}},
	{"limits.mailboxes.messages", "5/1s", {5, 1000, 0}},
	{"limits.mailboxes.recipients", "6/1s", {6, 1000, 0}},
	{"limits.users.messages", "2000/1w", {2000, 604800000, 0}},
	{"limits.users.messages", "600/1m burst 20", {600, 60000, 20}},
	{"limits.clients.recipients", "2/1s", {2, 1000, 0}},
	{"limits.senders.messages", "3/1s", {3, 1000, 0}},
	{"limits.senders.recipients", "4/1s", {4, 1000, 0}},
	{"limits.users.messages", "5/1s", {5, 1000, 0}},
	{"limits.users.recipients", "1000000000/1ms", {1000000000, 1, 0}},
};

/* clang-format on */

START_TEST(rates_are_read)
{
	const struct rate_row *r = &rate_rows[_i];
	char override[100];
	struct text text = TEXT(override);
	text_printf(&text, "%s=%s", r->name, r->value);
	struct conf *conf = must_load(override, NULL, override);
	const struct setting *row = schema_find(slice_of(r->name));
	const char *at = (const char *)conf + row->offset;
	const struct conf_rate *got = (const void *)at;
	ck_assert_msg(got->count == r->want.count && got->per_ms == r->want.per_ms &&
	                      got->burst == r->want.burst,
	              "%s: %lld/%lldms burst %lld", override, (long long)got->count,
	              (long long)got->per_ms, (long long)got->burst);
	conf_unref(&conf);
}

END_TEST

/* Several at once, in the order in which they are held; what -o takes. */
/* clang-format off */
static const struct windows_row {
	const char *value;
	const char *want;
} windows_rows[] = {
	{"0", ""},
	{"5/1m", "5/1m"},
	{"20/1m,500/1d,2000/1w", "2000/1w, 500/1d, 20/1m"},
	{"2000/1w, 500/1d, 20/1m", "2000/1w, 500/1d, 20/1m"},
	{"500/1d, 2000/7d, 20/60s, 100/1h", "2000/1w, 500/1d, 100/1h, 20/1m"},
	{"600/1m burst 20, 5000/1h", "5000/1h, 600/1m burst 20"},
	{"600/1m, 20/1s", "600/1m, 20/1s"},
	{"5/90s, 50/36h", "50/36h, 5/90s"},
};

/* clang-format on */

START_TEST(windows_are_read)
{
	const struct windows_row *r = &windows_rows[_i];
	char override[200], buf[200];
	struct text text = TEXT(override), got = TEXT(buf);
	text_printf(&text, "limits.users.recipients=%s", r->value);
	struct conf *conf = must_load(override, NULL, override);
	const struct conf_rates *rates = &conf->limits.users.recipients;
	text_puts(&got, "");
	for (size_t i = 0; i < rates->n; i++) {
		text_puts(&got, i > 0 ? ", " : "");
		print_rate(&rates->v[i], &got);
	}
	ck_assert_msg(strcmp(buf, r->want) == 0, "%s: got %s", r->value, buf);
	conf_unref(&conf);
}

END_TEST

START_TEST(windows_are_read_from_a_file)
{
	const char *path =
		harness_file("weir.conf",
	                     "limits: { users: { messages = [ \"20/1m\", \"500/1d\" ];\n"
	                     "recipients = ( \"100/1m burst 30\" ); };\n"
	                     "senders: { messages = \"20/1m, 500/1d\"; }; };\n");
	struct conf *conf = must_load("windows", path, NULL);
	ck_assert_uint_eq(conf->limits.users.messages.n, 2);
	ck_assert_int_eq(conf->limits.users.messages.v[0].count, 500);
	ck_assert_int_eq(conf->limits.users.messages.v[1].per_ms, 60000);
	ck_assert_uint_eq(conf->limits.users.recipients.n, 1);
	ck_assert_int_eq(conf->limits.users.recipients.v[0].burst, 30);
	ck_assert_uint_eq(conf->limits.senders.messages.n, 2);
	conf_unref(&conf);
}

END_TEST

START_TEST(the_rate_is_read)
{
	struct conf *conf = must_load("rate", NULL, "greylist.new_triplets=5/10s");
	ck_assert_int_eq(conf->greylist.new_triplets.count, 5);
	ck_assert_int_eq(conf->greylist.new_triplets.per_ms, 10000);
	conf_unref(&conf);
	conf = must_load("no limit", NULL, "greylist.new_triplets=0");
	ck_assert_int_eq(conf->greylist.new_triplets.count, 0);
	conf_unref(&conf);
}

END_TEST

/* So that no sum of the rate's arithmetic overflows. */
START_TEST(a_rate_is_bounded)
{
	struct conf *conf = load(NULL, "greylist.new_triplets=1/2147483647w");
	bool is_taken = conf != NULL;
	conf_unref(&conf);
	ck_assert(!is_taken);
	conf = must_load("the largest count", NULL,
	                 "greylist.new_triplets=1000000000/1ms");
	conf_unref(&conf);
	conf = must_load("a day", NULL, "greylist.new_triplets=1/1d");
	conf_unref(&conf);
}

END_TEST

#define TIME_WANTED "wants a time with its unit, such as \"90s\", \"3m\" or \"35d\""
#define SIZE_WANTED "wants a size such as \"512M\" or \"2G\""
#define RATE_WANTED                                                                  \
 "wants a number for a time, such as \"100/1m\", \"2000/1w\" or \"600/1m burst 20\"" \
 " (units s, m, h, d, w), or \"0\""
#define RATE_COUNT      "must have a number from 1 to 1000000000 in a rate"
#define RATE_TIME       "must be for a time of at most 4w"
#define MODE_WANTED     "wants an octal mode such as \"0660\""
#define ENDPOINT_WANTED "wants \"inet:HOST:PORT\", \"HOST:PORT\" or \"unix:/PATH\""
#define REPLY_WANTED    "wants a temporary failure such as \"451 4.7.1 some text\" (not 421)"
#define NOTHING_LIMITED \
 "wants a limit or greylist in each group (or mode = \"off\", which exempts its domains)"
#define NODE_WANTED    "must be at most 64 letters, digits, - . _"
#define NETWORK_WANTED "wants addresses and networks such as \"192.0.2.0/24\""
#define PREFIX_WANTED  "must be at most 64 characters, none of blank { } * ? [ ]"
#define TEN            "xxxxxxxxxx"
#define HUNDRED        TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* clang-format off */
static const struct refused_row {
	const char *override;
	const char *want;
} refused_rows[] = {
	{"", "-o wants name=value, not \"\""},
	{"greylist.delay", "-o wants name=value, not \"greylist.delay\""},
	{"=5", "-o  is not a setting"},
	{"greylist=5", "-o greylist is not a setting"},
	{"greylist.dealy=5m", "-o greylist.dealy is not a setting; did you mean greylist.delay?"},
	{"zzzzzzzzzzzz=5m", "-o zzzzzzzzzzzz is not a setting"},

	{"log.to=file", "-o log.to must be one of stderr|syslog"},
	{"log.level=", "-o log.level must be one of error|warning|info|debug"},
	{"log.level=Info", "-o log.level must be one of error|warning|info|debug"},
	{"log.level=error|warning", "-o log.level must be one of error|warning|info|debug"},

	{"greylist.header=yes", "-o greylist.header must be true or false"},
	{"greylist.header=", "-o greylist.header must be true or false"},
	{"greylist.header=TRUE", "-o greylist.header must be true or false"},

	{"policyd.max_connections=", "-o policyd.max_connections wants a whole number"},
	{"policyd.max_connections=-1", "-o policyd.max_connections wants a whole number"},
	{"policyd.max_connections=+1", "-o policyd.max_connections wants a whole number"},
	{"policyd.max_connections=1.5", "-o policyd.max_connections wants a whole number"},
	{"policyd.max_connections=0x10", "-o policyd.max_connections wants a whole number"},
	{"policyd.max_connections=9223372036854775808",
		"-o policyd.max_connections wants a whole number"},
	{"policyd.max_connections=0", "-o policyd.max_connections must be from 1 to 65536"},
	{"policyd.max_connections=65537", "-o policyd.max_connections must be from 1 to 65536"},
	{"greylist.ipv4_prefix=7", "-o greylist.ipv4_prefix must be from 8 to 32"},
	{"greylist.ipv4_prefix=33", "-o greylist.ipv4_prefix must be from 8 to 32"},
	{"greylist.ipv6_prefix=129", "-o greylist.ipv6_prefix must be from 16 to 128"},
	{"greylist.allow_client_after=1001",
		"-o greylist.allow_client_after must be from 0 to 1000"},

	{"policyd.socket_mode=", "-o policyd.socket_mode " MODE_WANTED},
	{"policyd.socket_mode=0680", "-o policyd.socket_mode " MODE_WANTED},
	{"policyd.socket_mode=rw", "-o policyd.socket_mode " MODE_WANTED},
	{"policyd.socket_mode=1000", "-o policyd.socket_mode is out of bounds"},
	{"policyd.socket_mode=777777777777777777777777", "-o policyd.socket_mode " MODE_WANTED},

	{"greylist.delay=", "-o greylist.delay " TIME_WANTED},
	{"greylist.delay=5", "-o greylist.delay " TIME_WANTED},
	{"greylist.delay=m", "-o greylist.delay " TIME_WANTED},
	{"greylist.delay=-5m", "-o greylist.delay " TIME_WANTED},
	{"greylist.delay=5 m", "-o greylist.delay " TIME_WANTED},
	{"greylist.delay=5M", "-o greylist.delay " TIME_WANTED},
	{"greylist.delay=5mm", "-o greylist.delay " TIME_WANTED},
	{"greylist.delay=1h30m", "-o greylist.delay " TIME_WANTED},
	{"greylist.delay=1y", "-o greylist.delay " TIME_WANTED},
	{"greylist.delay=99999999999s", "-o greylist.delay must be from 1s to 1d"},
	{"greylist.delay=0s", "-o greylist.delay must be from 1s to 1d"},
	{"greylist.delay=999ms", "-o greylist.delay must be from 1s to 1d"},
	{"greylist.delay=1500ms", "-o greylist.delay must be whole seconds"},
	{"greylist.delay=25h", "-o greylist.delay must be from 1s to 1d"},
	{"greylist.delay=2147483647w", "-o greylist.delay must be from 1s to 1d"},
	{"store.deadline=9ms", "-o store.deadline must be from 10ms to 10s"},
	{"store.deadline=11s", "-o store.deadline must be from 10ms to 10s"},

	{"store.max_size=", "-o store.max_size " SIZE_WANTED},
	{"store.max_size=1T", "-o store.max_size " SIZE_WANTED},
	{"store.max_size=1k", "-o store.max_size " SIZE_WANTED},
	{"store.max_size=M", "-o store.max_size " SIZE_WANTED},
	{"store.max_size=1000", "-o store.max_size must be 0 (no limit) or at least 64K"},
	{"store.max_size=1025G", "-o store.max_size must be at most 1024G"},
	{"store.max_size=2147483647G", "-o store.max_size must be at most 1024G"},

	{"greylist.new_triplets=", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=5", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=5/", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=/1m", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=0/1m", "-o greylist.new_triplets " RATE_COUNT},
	{"greylist.new_triplets=5/0s", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=5/60", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=5/1m/1m", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=5/1y", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=5/5w", "-o greylist.new_triplets " RATE_TIME},
	{"greylist.new_triplets=5/29d", "-o greylist.new_triplets " RATE_TIME},
	{"greylist.new_triplets=1000000001/1d", "-o greylist.new_triplets " RATE_COUNT},
	{"greylist.new_triplets=5/1m, 9/1h", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=5/1m burst", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=5/1m burst x", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=5/1m burst 2 3", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=5/1m brust 2", "-o greylist.new_triplets " RATE_WANTED},
	{"greylist.new_triplets=5/1m burst 0", "-o greylist.new_triplets " RATE_COUNT},
	{"greylist.new_triplets=1/1w burst 5",
		"-o greylist.new_triplets has a burst that takes too long to refill: at most 4 (4w)"},
	{"limits.users.messages=", "-o limits.users.messages " RATE_WANTED},
	{"limits.users.messages=5/1m,", "-o limits.users.messages " RATE_WANTED},
	{"limits.users.messages=5/1m, 0", "-o limits.users.messages has \"0\" (no limit) beside other rates"},
	{"limits.users.messages=1/1s, 20/1m, 100/1h, 500/1d, 900/1w",
		"-o limits.users.messages has too many rates: at most 4"},
	{"limits.users.messages=20/1m, 9000/5w", "-o limits.users.messages " RATE_TIME},
	{"limits.users.messages=20/1m, 20/1m",
		"-o limits.users.messages has \"20/1m\", which never refuses anything since \"20/1m\" is always stricter"},
	{"limits.users.messages=20/1m burst 5, 10/60s",
		"-o limits.users.messages has two rates for the same time"},
	{"limits.users.messages=20/1m, 50000/1d",
		"-o limits.users.messages has \"50000/1d\", which never refuses anything since \"20/1m\" is always stricter"},
	{"limits.users.messages=500/1m, 20/1d",
		"-o limits.users.messages has \"500/1m\", which never refuses anything since \"20/1d\" is always stricter"},

	{"greylist.reply=", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=try later", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=451", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=451 4.7.1", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=451 text", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=451 5.7.1 text", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=451 4.7 text", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=451 4.7.1.1 text", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=451 4.7777.1 text", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=550 5.7.1 text", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=250 2.0.0 text", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=399 4.7.1 text", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=500 4.7.1 text", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=421 4.7.1 text", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=4511 4.7.1 text", "-o greylist.reply " REPLY_WANTED},
	{"greylist.reply=451 4.7.1 a\nb", "-o greylist.reply must be one line of printable ASCII"},
	{"greylist.reply=451 4.7.1 \303\251", "-o greylist.reply must be one line of printable ASCII"},
	{"greylist.reply=451 4.7.1 x\x7f", "-o greylist.reply must be one line of printable ASCII"},
	{"greylist.reply=451 4.7.1 %s", "-o greylist.reply may only contain %d, %i, %n and %%"},
	{"greylist.reply=451 4.7.1 100%", "-o greylist.reply may only contain %d, %i, %n and %%"},
	{"greylist.reply=451 4.7.1 %%%", "-o greylist.reply may only contain %d, %i, %n and %%"},
	{"greylist.reply=451 4.7.1 " HUNDRED HUNDRED HUNDRED HUNDRED,
		"-o greylist.reply is too long for an SMTP reply (400 characters)"},
	{"store.failure_reply=554 5.3.0 no", "-o store.failure_reply " REPLY_WANTED},

	{"node=a b", "-o node " NODE_WANTED},
	{"node=a;b", "-o node " NODE_WANTED},
	{"node=" HUNDRED, "-o node " NODE_WANTED},
	{"user=" HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "x",
		"-o user is too long"},
	{"greylist.pools=x", "-o greylist.pools can only be given in the settings file"},

	{"policyd.listen=", "-o policyd.listen must name at least one address"},
	{"policyd.listen=10040", "-o policyd.listen " ENDPOINT_WANTED},
	{"policyd.listen=inet:127.0.0.1:65536", "-o policyd.listen " ENDPOINT_WANTED},
	{"policyd.listen=inet:::1:10040", "-o policyd.listen " ENDPOINT_WANTED},
	{"policyd.listen=unix:weir.sock", "-o policyd.listen " ENDPOINT_WANTED},
	{"policyd.listen=127.0.0.1:10040, x", "-o policyd.listen " ENDPOINT_WANTED},
	{"store.redis.servers=", "-o store.redis.servers must name one server"},
	{"store.redis.servers=a:1, b:2", "-o store.redis.servers must name one server"},
	{"store.redis.servers=localhost", "-o store.redis.servers " ENDPOINT_WANTED},
	{"store.redis.servers=localhost:0", "-o store.redis.servers " ENDPOINT_WANTED},
	{"store.redis.prefix=a b", "-o store.redis.prefix " PREFIX_WANTED},
	{"store.redis.prefix={a}", "-o store.redis.prefix " PREFIX_WANTED},
	{"store.redis.prefix=a*", "-o store.redis.prefix " PREFIX_WANTED},
	{"store.redis.prefix=" HUNDRED, "-o store.redis.prefix " PREFIX_WANTED},
	{"store.redis.username=weir", "-o store.redis.username needs a password_file"},

	{"greylist.retry_window=3m", "-o greylist.retry_window must be longer than greylist.delay"},
	{"greylist.delay=24h", "greylist.retry_window must be longer than greylist.delay"},
	{"greylist.lifetime=23h",
		"-o greylist.lifetime must not be shorter than greylist.retry_window"},
	{"greylist.retry_window=30d", NULL},
	{"greylist.retry_window=24h", NULL},
	{"greylist.lifetime=24h", NULL},

	{"nodes=0", "-o nodes must be from 1 to 1000"},
	{"nodes=1001", "-o nodes must be from 1 to 1000"},
	{"policyd.hold=0s", "-o policyd.hold must be from 1s to 1h"},
	{"policyd.hold=61m", "-o policyd.hold must be from 1s to 1h"},
	{"milter.max_sessions=0", "-o milter.max_sessions must be from 1 to 65536"},
	{"milter.deadline=9ms", "-o milter.deadline must be from 10ms to 5s"},
	{"milter.deadline=6s", "-o milter.deadline must be from 10ms to 5s"},
	{"milter.enforce=no", "-o milter.enforce must be true or false"},
	{"milter.listen=", "-o milter.listen " ENDPOINT_WANTED},
	{"milter.listen=unix:weir.sock", "-o milter.listen " ENDPOINT_WANTED},
	{"milter.listen=inet:127.0.0.1:1, inet:127.0.0.1:2", "-o milter.listen " ENDPOINT_WANTED},
	{"limits.lease=2s", "-o limits.lease must be from 3s to 1h"},
	{"limits.lease=3500ms", "-o limits.lease must be whole seconds"},
	{"limits.destinations_by=mx", "-o limits.destinations_by must be one of domain|nexthop"},
	{"limits.default.mode=no", "-o limits.default.mode must be one of on|observe|off"},
	{"limits.clients.concurrency=1000001",
		"-o limits.clients.concurrency must be from 0 to 1000000"},
	{"limits.users.messages=5", "-o limits.users.messages " RATE_WANTED},
	{"limits.senders.recipients=1/673h", "-o limits.senders.recipients " RATE_TIME},
	{"limits.reply=", "-o limits.reply " REPLY_WANTED},
	{"limits.client_reply=", "-o limits.client_reply " REPLY_WANTED},
	{"limits.rate_reply=", "-o limits.rate_reply " REPLY_WANTED},
	{"limits.default.reply=no", "-o limits.default.reply " REPLY_WANTED},
	{"limits.users.reply=550 5.7.1 no", "-o limits.users.reply " REPLY_WANTED},
	{"limits.default=5", "-o limits.default is not a setting"},
	{"limits.client.mode=on",
		"-o limits.client.mode is not a setting; did you mean limits.clients.mode?"},
	{"limits.destinations=x", "-o limits.destinations can only be given in the settings file"},

	{"lists.networks=192.0.2.1/24", "-o lists.networks " NETWORK_WANTED},
	{"lists.networks=example.com", "-o lists.networks " NETWORK_WANTED},
	{"lists.networks=10.0.0.0/8, 192.0.2", "-o lists.networks " NETWORK_WANTED},
};

/* clang-format on */

START_TEST(wrong_values_are_refused)
{
	const struct refused_row *r = &refused_rows[_i];
	if (r->want) {
		must_refuse(r->override, NULL, r->override, r->want);
		return;
	}
	struct conf *conf = must_load(r->override, NULL, r->override);
	conf_unref(&conf);
}

END_TEST

/* clang-format off */
static const char *const taken[] = {
	"greylist.reply=450 4.0.0 x",
	"greylist.reply=499 4.999.999 x",
	"greylist.reply=451 4.7.1 %d %i %n %% 100%%",
	"greylist.reply=451 4.7.1 %%%%",
	"node=mx1.example.com",
	"node=mx_1-a",
	"user=",
	"policyd.listen=localhost:0",
	"policyd.listen=inet:[::1]:10040, unix:/run/weir/policy, 0.0.0.0:25",
	"store.redis.servers=unix:/run/redis.sock",
	"store.redis.prefix=",
	"lists.networks=",
	"lists.networks=192.0.2.1, 2001:db8::/32, ::ffff:10.0.0.1",
	"greylist.pools=",
	"limits.destinations=",
	"limits.default.reply=",
	"limits.users.reply=450 4.2.1 x",
	"milter.listen=inet:[::1]:0",
};

/* clang-format on */

START_TEST(right_values_are_taken)
{
	struct conf *conf = must_load(taken[_i], NULL, taken[_i]);
	conf_unref(&conf);
}

END_TEST

/* clang-format off */
static const struct near_row {
	const char *wrong;
	const char *near;
} near_rows[] = {
	{"nod", "node"},
	{"nodez", "node"},
	{"users", "user"},
	{"greylist.Delay", "greylist.delay"},
	{"greylist.delya", "greylist.delay"},
	{"greylist.retrywindow", "greylist.retry_window"},
	{"greylisting.mode", "greylist.mode"},
	{"store.redis.server", "store.redis.servers"},
	{"store.redis.password", "store.redis.password_file"},
	{"list.clients", "lists.clients"},
	{"policyd.idle_time", "policyd.idle_timeout"},
	{"policyd.max_connection", "policyd.max_connections"},
	{"", NULL},
	{"x", NULL},
	{"completely.other", NULL},
	{"greylist.delay.greylist.delay.greylist.delay.delay", NULL},
};

/* clang-format on */

START_TEST(the_nearest_name_is_hinted_at)
{
	const struct near_row *r = &near_rows[_i];
	const char *near = schema_nearest(slice_of(r->wrong));
	ck_assert_msg((near == NULL) == (r->near == NULL) &&
	                      (!near || strcmp(near, r->near) == 0),
	              "%s: %s", r->wrong, near ? near : "none");
}

END_TEST

/* clang-format off */
#define POOLS "greylist: { pools: ( "
#define POOL_WANTED "greylist.pools wants groups of a name and clients: " \
	"{ name = \"x\"; clients = [ \"example.com\" ]; }"

#define TO "limits: { destinations: ( "
#define TO_WANTED "limits.destinations wants groups with a name and domains: " \
	"{ name = \"x\"; domains = [ \"example.com\" ]; concurrency = 20; }"

static const struct file_row {
	const char *row;
	const char *content;
	const char *want; /* what is said behind the path; NULL: it is good */
} file_rows[] = {
	{"an empty file", "", NULL},
	{"comments", "# a\n// b\n/* c */\n", NULL},
	{"every kind of value",
		"node = \"mx1\";\nlog: { level = \"debug\"; };\n"
		"store: { max_size = \"1G\"; deadline = \"100ms\"; redis: { db = 3; }; };\n"
		"policyd: { listen = [ \"127.0.0.1:1\", \"unix:/x\" ]; socket_mode = \"0600\"; };\n"
		"greylist = { header = false; new_triplets = \"1/1s\"; };\n"
		"lists = { networks = ( \"192.0.2.1\", \"::1\" ); };\n", NULL},
	{"sizes without a unit", "store: { max_size = 1048576; };", NULL},
	{"large numbers", "store: { max_size = 1099511627776L; };", NULL},
	{"a rate of 0", "greylist: { new_triplets = 0; };", NULL},
	{"empty arrays", "lists: { networks = [ ]; clients = ( ); };", NULL},
	{"pools", POOLS "{ name = \"a\"; clients = [ \"a.example\", \"192.0.2.0/24\" ]; },\n"
		"{ clients = ( \".b.example\" ); name = \"b-2_x\"; } ); };", NULL},
	{"no pools", POOLS " ); };", NULL},
	{"a pool without clients", POOLS "{ name = \"a\"; clients = [ ]; } ); };", NULL},

	{"no such setting", "node = \"a\";\nnod = 1;\n",
		":2: nod is not a setting; did you mean node?"},
	{"no such setting in a group", "greylist: {\n  delay = \"1m\";\n  dealy = \"1m\";\n};\n",
		":3: greylist.dealy is not a setting; did you mean greylist.delay?"},
	{"no such group", "\nfoo: { delay = \"1m\"; };\n", ":2: foo is not a setting"},
	{"no such group in a group", "store: { rediss: { db = 1; }; };\n",
		":1: store.rediss is not a setting; did you mean store.redis.db?"},
	{"a group for a value", "greylist: { delay: { x = 1; }; };\n",
		":1: greylist.delay wants a string: \"...\""},
	{"a value for a group", "greylist = \"on\";\n", ":1: greylist is not a setting"},
	{"a value out of bounds", "\n\n\ngreylist: { delay = \"2d\"; };\n",
		":4: greylist.delay must be from 1s to 1d"},
	{"a number for a string", "node = 5;\n", ":1: node wants a string: \"...\""},
	{"a number for a time", "greylist: { delay = 180; };\n", ":1: greylist.delay " TIME_WANTED},
	{"a fraction", "store: { redis: { db = 1.5; }; };\n", ":1: store.redis.db wants a whole number"},
	{"a string for a number", "store: { redis: { db = \"x\"; }; };\n",
		":1: store.redis.db wants a whole number"},
	{"a negative number", "store: { redis: { db = -1; }; };\n",
		":1: store.redis.db wants a whole number"},
	{"a number for a mode", "policyd: { socket_mode = 0660; };\n",
		":1: policyd.socket_mode wants a string: \"...\""},
	{"a string for true", "greylist: { header = \"true\"; };\n",
		":1: greylist.header wants true or false, without quotes"},
	{"a number for true", "greylist: { header = 1; };\n",
		":1: greylist.header wants true or false, without quotes"},
	{"true for a word", "greylist: { mode = true; };\n",
		":1: greylist.mode wants a string: \"...\""},
	{"a string for an array", "lists: { clients = \"/x\"; };\n",
		":1: lists.clients wants an array of strings without commas: [ \"...\", \"...\" ]"},
	{"a number in an array", "lists: { clients = [ 1 ]; };\n",
		":1: lists.clients wants an array of strings without commas: [ \"...\", \"...\" ]"},
	{"a comma in an array", "lists: { clients = [ \"a,b\" ]; };\n",
		":1: lists.clients wants an array of strings without commas: [ \"...\", \"...\" ]"},
	{"an array for a string", "node = [ \"a\" ];\n", ":1: node wants a string: \"...\""},
	{"a setting twice", "node = \"a\";\nnode = \"b\";\n", ":2: node is there twice, first in line 1"},
	{"in one line", "node = \"a\"; node = \"b\";\n", ":1: node is there twice, first in line 1"},
	{"a group twice", "log: {\n level = \"info\";\n};\n\nmilter: {\n};\nlog: { level = \"info\"; };\n",
		":7: log is there twice, first in line 1: merge the two"},
	{"a group of the same members", "milter: { listen = \"unix:/x\"; };\nmilter: { listen = \"unix:/x\"; };\n",
		":2: milter is there twice, first in line 1: merge the two"},
	{"a setting of a group twice", "milter: {\n listen = \"unix:/x\";\n listen = \"unix:/y\";\n};\n",
		":3: milter.listen is there twice, first in line 2"},
	{"deeper than one of the same name", "limits: {\n reply = \"451 a\";\n default: {\n  reply = \"451 b\";\n"
		"  reply = \"451 c\";\n };\n};\n", ":5: limits.default.reply is there twice, first in line 4"},
	{"behind one of the same name", "limits: {\n default: { reply = \"451 b\"; };\n reply = \"451 a\";\n"
		" reply = \"451 c\"; };\n", ":4: limits.reply is there twice, first in line 3"},
	{"all in one line", "limits: { default: { reply = \"451 b\"; }; reply = \"451 a\"; reply = \"451 c\"; };\n",
		":1: limits.reply is there twice, first in line 1"},
	{"brackets in strings and comments", "# {\nnode = \"{ \\\" {\"; // {\n/* { \n { */ user = \"a\";\nuser = \"b\";\n",
		":5: user is there twice, first in line 4"},
	{"no value", "node = ;\n", ":1: syntax error"},
	{"no end", "greylist: {\n", ":2: syntax error"},
	{"not libconfig", "delay 5m\n", ":1: syntax error"},
	{"no endpoint", "node = \"a\";\npolicyd: {\n listen = [ \"nowhere\" ]; };\n",
		":3: policyd.listen " ENDPOINT_WANTED},
	{"cross check", "greylist: {\n retry_window = \"60s\"; };\n",
		":2: greylist.retry_window must be longer than greylist.delay"},
	{"a wrong network", "\nlists: { networks = [ \"192.0.2.1/24\" ]; };\n",
		":2: lists.networks " NETWORK_WANTED},

	{"pools as an array", "greylist: { pools: [ ]; };\n",
		":1: greylist.pools must be a list of groups: ( { ... }, { ... } )"},
	{"pools as a string", "greylist: { pools = \"a\"; };\n",
		":1: greylist.pools must be a list of groups: ( { ... }, { ... } )"},
	{"a pool that is a string", POOLS "\"a\" ); };\n", ":1: " POOL_WANTED},
	{"a pool without name", POOLS "\n{ clients = [ ]; x = 1; } ); };\n", ":2: " POOL_WANTED},
	{"a pool without a list", POOLS "{ name = \"a\"; x = 1; } ); };\n", ":1: " POOL_WANTED},
	{"a pool whose clients are a string", POOLS "{ name = \"a\"; clients = \"b\"; } ); };\n",
		":1: " POOL_WANTED},
	{"a pool whose name is a number", POOLS "{ name = 1; clients = [ ]; } ); };\n",
		":1: " POOL_WANTED},
	{"a pool with more", POOLS "{ name = \"a\"; clients = [ ]; x = 1; } ); };\n",
		":1: " POOL_WANTED},
	{"a pool named like a domain", POOLS "{ name = \"a.b\"; clients = [ ]; } ); };\n",
		":1: greylist.pools wants names of letters, digits, - and _"},
	{"a pool without letters", POOLS "{ name = \"\"; clients = [ ]; } ); };\n",
		":1: greylist.pools wants names of letters, digits, - and _"},
	{"a pool of numbers", POOLS "{ name = \"a\"; clients = [ 1 ]; } ); };\n",
		":1: greylist.pools wants strings as clients"},
	{"the second pool is wrong", POOLS "{ name = \"a\"; clients = [ \"x.example\" ]; },\n"
		"{ name = \"b\"; clients = [ \"a..b\" ]; } ); };\n",
		":2: greylist.pools \"a..b\" is not an address, a network, a domain or a /regex/"},

	{"the limits", "nodes = 2; limits: {\n lease = \"10s\"; destinations_by = \"nexthop\";\n"
		" default: { concurrency = 20; messages = \"600/1m\"; recipients = 0; };\n"
		" clients: { mode = \"observe\"; reply = \"\"; }; };\n", NULL},
	{"no such scope", "limits: {\n client: { concurrency = 20; }; };\n",
		":2: limits.client is not a setting; did you mean lists.clients?"},
	{"no such bound", "limits: {\n clients: { concurency = 20; }; };\n",
		":2: limits.clients.concurency is not a setting; did you mean limits.clients.concurrency?"},

	{"fewer recipients than messages", "limits: { users: { messages = \"10/1m\";\n"
		"recipients = \"9/60s\"; }; };\n",
		":2: limits.users.recipients must not be fewer than messages"},
	{"the same for the default", "limits: { default: { recipients = \"9/60s\";\n"
		"messages = \"10/1m\"; }; };\n",
		":1: limits.default.recipients must not be fewer than messages"},
	{"the same for clients", "limits: { clients: { recipients = \"9/1s\"; messages = \"10/1s\"; }; };\n",
		":1: limits.clients.recipients must not be fewer than messages"},
	{"the same for senders", "limits: { senders: { recipients = \"9/1s\"; messages = \"10/1s\"; }; };\n",
		":1: limits.senders.recipients must not be fewer than messages"},
	{"as many recipients", "limits: { users: { messages = \"9/1m\"; recipients = \"9/60s\"; }; };\n", NULL},
	{"fewer in another time", "limits: { users: { messages = \"9/1h\"; recipients = \"5/1m\"; }; };\n", NULL},
	{"recipients without messages", "limits: { users: { recipients = \"5/1m\"; }; };\n", NULL},

	{"a short lease", "store: { deadline = \"1s\"; };\nlimits: {\n lease = \"9s\"; };\n",
		":3: limits.lease must be at least 10 times store.deadline"},
	{"a long deadline with slots", "limits: { clients: { concurrency = 1; }; };\n"
		"store: {\n deadline = \"7s\"; };\n",
		":3: store.deadline must be at most a tenth of limits.lease"},
	{"a long deadline with slots of a destination", "store: { deadline = \"7s\"; };\n" TO
		"{ name = \"a\"; domains = [\"a.example\"]; concurrency = 1; } ); };\n",
		":1: store.deadline must be at most a tenth of limits.lease"},
	{"a long deadline without slots", "store: { deadline = \"7s\"; };\n"
		"limits: { clients: { messages = \"1/1s\"; }; };\n", NULL},
	{"the shortest lease", "store: { deadline = \"1s\"; }; limits: { lease = \"10s\"; };\n", NULL},
};

/* clang-format on */

START_TEST(files_are_read)
{
	const struct file_row *r = &file_rows[_i];
	const char *path = harness_file("weir.conf", r->content);
	if (!r->want) {
		struct conf *conf = must_load(r->row, path, NULL);
		conf_unref(&conf);
		return;
	}
	char want[700];
	struct text text = TEXT(want);
	text_printf(&text, "%s%s", path, r->want);
	must_refuse(r->row, path, NULL, want);
}

END_TEST

/* clang-format off */
#define DOMAIN_WANTED "is not a domain, \".domain\", \"*\" or the name of a next hop"

static const struct file_row destination_rows[] = {
	{"no destinations", TO " ); };", NULL},
	{"all members", TO "{ greylist = \"off\"; name = \"a\"; domains = ( \"a.example\", \".a.example\" );"
		" concurrency = 1000000; messages = \"1/1m\"; recipients = \"2/1m\"; mode = \"observe\";"
		" reply = \"451 4.4.5 %n %d %i %%\"; } ); };", NULL},
	{"only greylisting", TO "{ name = \"a\"; domains = [ \"*\" ]; greylist = \"observe\"; } ); };", NULL},
	{"an exempt one", TO "{ name = \"a\"; domains = [ \"a.example\" ]; mode = \"off\"; } ); };", NULL},
	{"next hops", TO "{ name = \"a\"; concurrency = 1; domains = [ \"mx\", \"mx.example:25\","
		" \"[192.0.2.1]\", \"[192.0.2.1]:25\", \"[mx.example]:587\", \"[2001:db8::1]\","
		" \"[IPv6:2001:db8::2]:24\", \"unix:private/lmtp\", \"inet:127.0.0.1:24\","
		" \"inet:[::1]:24\", \"inet:lmtp.example:24\" ]; } ); };", NULL},

	{"an array", "limits: { destinations: [ ]; };\n",
		":1: limits.destinations must be a list of groups: ( { ... }, { ... } )"},
	{"a group", "limits: { destinations: { name = \"a\"; }; };\n",
		":1: limits.destinations must be a list of groups: ( { ... }, { ... } )"},
	{"a list of strings", TO "\n\"a\" ); };\n", ":2: " TO_WANTED},
	{"an empty group", TO "\n{ } ); };\n", ":2: " TO_WANTED},
	{"no name", TO "{ domains = [ \"a.example\" ]; concurrency = 1; } ); };\n", ":1: " TO_WANTED},
	{"no domains", TO "{ name = \"a\"; concurrency = 1; } ); };\n", ":1: " TO_WANTED},
	{"empty domains", TO "{ name = \"a\"; domains = [ ]; concurrency = 1; } ); };\n", ":1: " TO_WANTED},
	{"an unknown member", TO "{ name = \"a\"; domains = [ \"a.example\" ];\n concurency = 1; } ); };\n",
		":2: limits.destinations.concurency is not a setting; did you mean concurrency?"},
	{"a wholly unknown member", TO "{ name = \"a\"; domains = [ \"a.example\" ];\n x = 1; } ); };\n",
		":2: limits.destinations.x is not a setting"},
	{"a member twice", TO "{ name = \"a\";\n name = \"b\"; } ); };\n",
		":2: limits.destinations.name is there twice, first in line 1"},
	{"a member of another twice", TO "{ name = \"a\"; },\n { name = \"b\";\n name = \"c\"; } ); };\n",
		":3: limits.destinations.name is there twice, first in line 2"},

	{"a name that is a number", TO "{ domains = [ \"a.example\" ]; concurrency = 1;\n name = 1; } ); };\n",
		":2: limits.destinations.name wants a string: \"...\""},
	{"an empty name", TO "{ name = \"\"; domains = [ \"a.example\" ]; concurrency = 1; } ); };\n",
		":1: limits.destinations.name " NODE_WANTED},
	{"a name with a blank", TO "{ name = \"a b\"; domains = [ \"a.example\" ]; concurrency = 1; } ); };\n",
		":1: limits.destinations.name " NODE_WANTED},
	{"the longest name", TO "{ domains = [ \"a.example\" ]; concurrency = 1;"
		" name = \"xxxx" TEN TEN TEN TEN TEN TEN "\"; } ); };\n", NULL},
	{"a longer name", TO "{ domains = [ \"a.example\" ]; concurrency = 1;\n"
		" name = \"xxxxx" TEN TEN TEN TEN TEN TEN "\"; } ); };\n",
		":2: limits.destinations.name " NODE_WANTED},
	{"two of one name", TO "{ name = \"a\"; domains = [ \"a.example\" ]; concurrency = 1; },\n"
		"{ domains = [ \"b.example\" ]; concurrency = 1;\n name = \"a\"; } ); };\n",
		":3: limits.destinations.name is the name of another one, too"},

	{"domains that are a string", TO "{ name = \"a\";\n domains = \"a.example\"; } ); };\n",
		":2: limits.destinations.domains wants an array: [ \"...\", \"...\" ]"},
	{"domains that are numbers", TO "{ name = \"a\"; domains =\n[ 1 ]; } ); };\n",
		":2: limits.destinations.domains wants strings: [ \"...\", \"...\" ]"},
	{"an empty domain", TO "{ name = \"a\"; domains = [ \"\" ]; } ); };\n",
		":1: limits.destinations.domains \"\" " DOMAIN_WANTED},
	{"an empty label", TO "{ name = \"a\"; domains = [ \"a.example\",\n\"a..b\" ]; } ); };\n",
		":2: limits.destinations.domains \"a..b\" " DOMAIN_WANTED},
	{"only a dot", TO "{ name = \"a\"; domains = [ \".\" ]; } ); };\n",
		":1: limits.destinations.domains \".\" " DOMAIN_WANTED},
	{"a star before a domain", TO "{ name = \"a\"; domains = [ \"*.a.example\" ]; } ); };\n",
		":1: limits.destinations.domains \"*.a.example\" " DOMAIN_WANTED},
	{"an address", TO "{ name = \"a\"; domains = [ \"x@a.example\" ]; } ); };\n",
		":1: limits.destinations.domains \"x@a.example\" " DOMAIN_WANTED},
	{"an address without brackets", TO "{ name = \"a\"; domains = [ \"192.0.2.1\" ]; } ); };\n",
		":1: limits.destinations.domains \"192.0.2.1\" " DOMAIN_WANTED},
	{"nothing in brackets", TO "{ name = \"a\"; domains = [ \"[]:25\" ]; } ); };\n",
		":1: limits.destinations.domains \"[]:25\" " DOMAIN_WANTED},
	{"a port that is none", TO "{ name = \"a\"; domains = [ \"a.example:65536\" ]; } ); };\n",
		":1: limits.destinations.domains \"a.example:65536\" " DOMAIN_WANTED},
	{"no path", TO "{ name = \"a\"; domains = [ \"unix:\" ]; } ); };\n",
		":1: limits.destinations.domains \"unix:\" " DOMAIN_WANTED},
	{"a blank", TO "{ name = \"a\"; domains = [ \"unix:a\\nb\" ]; } ); };\n",
		":1: limits.destinations.domains \"unix:a\\x0ab\" " DOMAIN_WANTED},
	{"a domain twice", TO "{ name = \"a\"; domains = [ \"a.example\",\n\"A.Example\" ]; } ); };\n",
		":2: limits.destinations.domains \"A.Example\" is there twice"},
	{"a domain in two", TO "{ name = \"a\"; domains = [ \".a.example\" ]; concurrency = 1; },\n"
		"{ name = \"b\"; domains = [ \"a.example\", \".A.example\" ]; } ); };\n",
		":2: limits.destinations.domains \".A.example\" already belongs to \"a\""},

	{"a concurrency out of bounds", TO "{ name = \"a\"; domains = [ \"a.example\" ];\n concurrency = 1000001; } ); };\n",
		":2: limits.destinations.concurrency must be from 0 to 1000000"},
	{"true as concurrency", TO "{ name = \"a\"; domains = [ \"a.example\" ];\n concurrency = true; } ); };\n",
		":2: limits.destinations.concurrency wants a whole number"},
	{"a rate without time", TO "{ name = \"a\"; domains = [ \"a.example\" ];\n messages = 5; } ); };\n",
		":2: limits.destinations.messages " RATE_WANTED},
	{"true as a rate", TO "{ name = \"a\"; domains = [ \"a.example\" ];\n recipients = true; } ); };\n",
		":2: limits.destinations.recipients wants a string or an array of strings: \"20/1m\", [ \"20/1m\", \"500/1d\" ]"},
	{"an unknown mode", TO "{ name = \"a\"; domains = [ \"a.example\" ];\n mode = \"yes\"; } ); };\n",
		":2: limits.destinations.mode must be one of on|observe|off"},
	{"greylisting that is true", TO "{ name = \"a\"; domains = [ \"a.example\" ];\n greylist = true; } ); };\n",
		":2: limits.destinations.greylist wants a string: \"...\""},
	{"a reply that is no deferral", TO "{ name = \"a\"; domains = [ \"a.example\" ];\n reply = \"550 5.7.1 x\"; } ); };\n",
		":2: limits.destinations.reply " REPLY_WANTED},
	{"fewer recipients than messages", TO "{ name = \"a\"; domains = [ \"a.example\" ]; messages = \"10/1m\";\n"
		"recipients = \"9/1m\"; } ); };\n",
		":2: limits.destinations.recipients must not be fewer than messages"},
	{"nothing is limited", TO "\n{ name = \"a\"; domains = [ \"a.example\" ]; } ); };\n",
		":2: limits.destinations " NOTHING_LIMITED},
	{"only a reply", TO "{ name = \"a\"; domains = [ \"a.example\" ]; reply = \"451 4.7.1 x\"; } ); };\n",
		":1: limits.destinations " NOTHING_LIMITED},
	{"nothing to observe", TO "{ name = \"a\"; domains = [ \"a.example\" ]; mode = \"observe\"; } ); };\n",
		":1: limits.destinations " NOTHING_LIMITED},

	{"a default beside all", TO "{ name = \"all\"; domains = [ \"*\" ]; concurrency = 5; } );\n"
		"default: {\n concurrency = 5; }; };\n",
		":3: limits.default.concurrency never applies: the destination \"all\" has all domains"},
	{"messages beside all", TO "{ name = \"all\"; domains = [ \"*\" ]; concurrency = 5; } );\n"
		"default: {\n messages = \"5/1m\"; }; };\n",
		":3: limits.default.messages never applies: the destination \"all\" has all domains"},
	{"recipients beside all", TO "{ name = \"all\"; domains = [ \"*\" ]; concurrency = 5; } );\n"
		"default: {\n recipients = \"5/1m\"; }; };\n",
		":3: limits.default.recipients never applies: the destination \"all\" has all domains"},
	{"a default of nothing beside all", TO "{ name = \"all\"; domains = [ \"*\" ]; concurrency = 5; } );\n"
		"default: { concurrency = 0; }; };\n", NULL},
	{"a default that is off beside all", TO "{ name = \"all\"; domains = [ \"*\" ]; concurrency = 5; } );\n"
		"default: { concurrency = 1; mode = \"off\"; }; };\n", NULL},
};

/* clang-format on */

START_TEST(destinations_are_checked)
{
	const struct file_row *r = &destination_rows[_i];
	const char *path = harness_file("weir.conf", r->content);
	char want[700];
	struct text text = TEXT(want);
	if (r->want) {
		text_printf(&text, "%s%s", path, r->want);
		must_refuse(r->row, path, NULL, want);
		return;
	}
	struct conf *conf = must_load(r->row, path, NULL);
	conf_unref(&conf);
}

END_TEST

#define US "limits: { users: ( "
#define SE "limits: { senders: ( "
#define US_WANTED(what)                                                                   \
 "limits." what " wants groups with a name and members: "                                 \
 "{ name = \"x\"; members = [ \"...\" ]; messages = \"100/1h\"; }, or one without both, " \
 "which applies to all others"
#define SE_MEMBER "is not an address, a domain or \".domain\""

/* clang-format off */
static const struct file_row group_rows[] = {
	{"no groups", US " ); };", NULL},
	{"all members", US "{ name = \"a\"; members = ( \"x\", \"y z\" ); shared = true; concurrency = 1;"
		" messages = [ \"1/1m\", \"9/1h\" ]; recipients = \"2/1m\"; mode = \"observe\";"
		" reply = \"451 4.4.5 %n\"; } ); };", NULL},
	{"a default beside", US "{ messages = \"5/1h\"; mode = \"observe\"; },"
		" { name = \"a\"; members = [ \"x\" ]; concurrency = 1; } ); };", NULL},
	{"a default alone", US "{ messages = \"5/1h\"; } ); };", NULL},
	{"as before", "limits: { users: { messages = \"5/1h\"; }; };", NULL},
	{"an exempt one", US "{ name = \"a\"; members = [ \"x\" ]; mode = \"off\"; } ); };", NULL},
	{"one member of users and of senders", "limits: { users: ( { name = \"a\"; members = [ \"x@a.example\" ];"
		" concurrency = 1; } ); senders: ( { name = \"a\"; members = [ \"x@a.example\" ]; concurrency = 1; } ); };", NULL},
	{"mailboxes", "limits: { mailboxes: ( { name = \"a\"; members = [ \"x@a.example\", \".b.example\" ];"
		" concurrency = 1; } ); };", NULL},

	{"a string", "limits: { users = \"x\"; };\n",
		":1: limits.users wants a group or a list of groups: { ... } or ( { ... }, { ... } )"},
	{"an array", "limits: { senders = [ \"x\" ]; };\n",
		":1: limits.senders wants a group or a list of groups: { ... } or ( { ... }, { ... } )"},
	{"a list of strings", US "\n\"a\" ); };\n", ":2: " US_WANTED("users")},
	{"an empty group", US "\n{ } ); };\n", ":2: " US_WANTED("users")},
	{"no name", US "{ members = [ \"x\" ]; concurrency = 1; } ); };\n", ":1: " US_WANTED("users")},
	{"no members", SE "{ name = \"a\"; concurrency = 1; } ); };\n", ":1: " US_WANTED("senders")},
	{"empty members", US "{ name = \"a\"; members = [ ]; concurrency = 1; } ); };\n", ":1: " US_WANTED("users")},
	{"shared, and no members", US "{ shared = true; concurrency = 1; } ); };\n", ":1: " US_WANTED("users")},
	{"two defaults", US "{ concurrency = 1; },\n{ concurrency = 2; } ); };\n",
		":2: limits.users has two groups without name and members: only one may apply to all others"},
	{"an unknown setting", US "{ name = \"a\"; members = [ \"x\" ];\n mesages = 1; } ); };\n",
		":2: limits.users.mesages is not a setting; did you mean messages?"},
	{"an unknown setting of the default", US "{\n mesages = \"1/1m\"; } ); };\n",
		":2: limits.users.mesages is not a setting; did you mean limits.users.messages?"},
	{"a name with a blank", US "{ name = \"a b\"; members = [ \"x\" ]; concurrency = 1; } ); };\n",
		":1: limits.users.name " NODE_WANTED},
	{"two of one name", US "{ name = \"a\"; members = [ \"x\" ]; concurrency = 1; },\n"
		"{ name = \"a\"; members = [ \"y\" ]; concurrency = 1; } ); };\n",
		":2: limits.users.name is the name of another one, too"},
	{"members that are a string", US "{ name = \"a\"; members = \"x\"; } ); };\n",
		":1: limits.users.members wants an array: [ \"...\", \"...\" ]"},
	{"members that are numbers", US "{ name = \"a\"; members = [ 1 ]; } ); };\n",
		":1: limits.users.members wants strings: [ \"...\", \"...\" ]"},
	{"a member twice", US "{ name = \"a\"; members = [ \"x\", \"X\" ]; } ); };\n",
		":1: limits.users.members \"X\" is there twice"},
	{"a member in two", US "{ name = \"a\"; members = [ \"x\" ]; concurrency = 1; },\n"
		"{ name = \"b\"; members = [ \"y\", \"x\" ]; } ); };\n",
		":2: limits.users.members \"x\" already belongs to \"a\""},
	{"an empty member", US "{ name = \"a\"; members = [ \"\" ]; } ); };\n",
		":1: limits.users.members \"\" must be from 1 to 320 printable characters"},
	{"a control character", US "{ name = \"a\"; members = [ \"x\\n\" ]; } ); };\n",
		":1: limits.users.members \"x\\x0a\" must be from 1 to 320 printable characters"},
	{"no sender", SE "{ name = \"a\"; members = [ \"a b\" ]; } ); };\n",
		":1: limits.senders.members \"a\\x20b\" " SE_MEMBER},
	{"the null sender", SE "{ name = \"a\"; members = [ \"<>\" ]; } ); };\n",
		":1: limits.senders.members \"<>\" " SE_MEMBER},
	{"all senders", SE "{ name = \"a\"; members = [ \"*\" ]; } ); };\n",
		":1: limits.senders.members \"*\" " SE_MEMBER},
	{"a sign before a domain", SE "{ name = \"a\"; members = [ \"@a.example\" ]; } ); };\n",
		":1: limits.senders.members \"@a.example\" " SE_MEMBER},
	{"nothing behind the sign", SE "{ name = \"a\"; members = [ \"a@\" ]; } ); };\n",
		":1: limits.senders.members \"a@\" " SE_MEMBER},
	{"only a dot", SE "{ name = \"a\"; members = [ \".\" ]; } ); };\n",
		":1: limits.senders.members \".\" " SE_MEMBER},
	{"fewer recipients than messages", US "{ name = \"a\"; members = [ \"x\" ]; messages = \"10/1m\";\n"
		"recipients = \"9/1m\"; } ); };\n",
		":2: limits.users.recipients must not be fewer than messages"},
	{"nothing is limited", US "\n{ name = \"a\"; members = [ \"x\" ]; } ); };\n",
		":2: limits.users wants a limit in each group (or mode = \"off\", which exempts its members)"},
	{"group and list", "limits: { users: { concurrency = 1; };\nusers: ( ); };\n",
		":2: limits.users is there twice, first in line 1: merge the two"},
};

/* clang-format on */

START_TEST(groups_are_checked)
{
	const struct file_row *r = &group_rows[_i];
	const char *path = harness_file("weir.conf", r->content);
	char want[700];
	struct text text = TEXT(want);
	if (r->want) {
		text_printf(&text, "%s%s", path, r->want);
		must_refuse(r->row, path, NULL, want);
		return;
	}
	struct conf *conf = must_load(r->row, path, NULL);
	conf_unref(&conf);
}

END_TEST

START_TEST(groups_are_loaded)
{
	const char *path = harness_file(
		"weir.conf",
		US "{ messages = \"5/1h\"; },\n"
		   "{ name = \"bulk\"; members = [ \"News\", \"shop\" ]; shared = true;\n"
		   "messages = \"9/1h\"; reply = \"451 4.4.5 x\"; },\n"
		   "{ name = \"b\"; members = ( \"c\" ); concurrency = 1; } ); };");
	struct conf *conf = must_load("groups", path, "limits.users.recipients=7/1h");
	ck_assert_int_eq(conf->limits.users.messages.v[0].count, 5);
	ck_assert_int_eq(conf->limits.users.recipients.v[0].count, 7);
	ck_assert_uint_eq(conf->limits.user_groups.n, 2);
	const struct conf_group *one = &conf->limits.user_groups.v[0];
	ck_assert_str_eq(one->name, "bulk");
	check_texts("members", &one->members, "news|shop");
	ck_assert(one->shared);
	ck_assert_int_eq(one->limit.messages.v[0].count, 9);
	ck_assert_str_eq(one->limit.reply, "451 4.4.5 x");
	ck_assert(!conf->limits.user_groups.v[1].shared);
	ck_assert_int_eq(conf->limits.user_groups.v[1].limit.concurrency, 1);
	ck_assert_uint_eq(conf->limits.sender_groups.n, 0);
	ck_assert(conf_has_concurrency(conf));
	conf_unref(&conf);
}

END_TEST

START_TEST(destinations_are_loaded)
{
	const char *path = harness_file(
		"weir.conf", TO
		"{ name = \"acme\"; domains = [ \"Acme.example\", \".acme.example\" ];\n"
		"concurrency = 20; messages = \"600/1m\"; recipients = \"5/1s\";\n"
		"mode = \"observe\"; reply = \"451 4.4.5 x\"; greylist = \"off\"; },\n"
		"{ name = \"b\"; domains = ( \"*\" ); concurrency = 1; } ); };");
	struct conf *conf = must_load("destinations", path, NULL);
	ck_assert_uint_eq(conf->limits.n_destinations, 2);
	const struct conf_destination *one = &conf->limits.destinations[0];
	ck_assert_str_eq(one->name, "acme");
	check_texts("domains", &one->domains, "acme.example|.acme.example");
	ck_assert_int_eq(one->limit.concurrency, 20);
	ck_assert_int_eq(one->limit.messages.v[0].count, 600);
	ck_assert_int_eq(one->limit.messages.v[0].per_ms, 60000);
	ck_assert_int_eq(one->limit.recipients.v[0].count, 5);
	ck_assert_int_eq(one->limit.mode, MODE_OBSERVE);
	ck_assert_str_eq(one->limit.reply, "451 4.4.5 x");
	ck_assert(one->has_greylist);
	ck_assert_int_eq(one->greylist, MODE_OFF);
	const struct conf_destination *two = &conf->limits.destinations[1];
	ck_assert_str_eq(two->name, "b");
	ck_assert_int_eq(two->limit.mode, MODE_ON);
	ck_assert_str_eq(two->limit.reply, "");
	ck_assert(!two->has_greylist);
	conf_unref(&conf);
}

END_TEST

/* More than one text of a setting could hold. */
START_TEST(a_destination_may_have_many_domains)
{
	enum { MANY = 2000 };

	static char content[MANY * 32];
	struct text text = TEXT(content);
	text_puts(&text, TO "{ name = \"a\"; concurrency = 1; domains = [ \"*\"");
	for (int i = 1; i < MANY; i++)
		text_printf(&text, ", \"d%d.example\"", i);
	text_puts(&text, " ]; } ); };");
	ck_assert(!text.cut);
	struct conf *conf = must_load("many", harness_file("weir.conf", content), NULL);
	ck_assert_uint_eq(conf->limits.destinations[0].domains.n, MANY);
	conf_unref(&conf);
}

END_TEST

START_TEST(values_of_a_file_are_kept)
{
	const char *path = harness_file("weir.conf", file_rows[2].content);
	struct conf *conf = must_load("values", path, "greylist.header=true");
	ck_assert_str_eq(conf->node, "mx1");
	ck_assert_int_eq(conf->log.level, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(conf->store.max_size, 1 << 30);
	ck_assert_int_eq(conf->store.deadline_ms, 100);
	ck_assert_int_eq(conf->store.redis.db, 3);
	check_texts("listen", &conf->policyd.listen, "127.0.0.1:1|unix:/x");
	ck_assert_int_eq(conf->policyd.socket_mode, 0600);
	ck_assert_int_eq(conf->greylist.new_triplets.count, 1);
	check_texts("networks", &conf->lists.networks, "192.0.2.1|::1");
	/* what -o says holds over the file */
	ck_assert(conf->greylist.header);
	conf_unref(&conf);
}

END_TEST

START_TEST(a_file_that_cannot_be_read_is_named)
{
	char want[600];
	struct text text = TEXT(want);
	const char *path = harness_path("missing.conf");
	text_printf(&text, "cannot read %s: No such file or directory", path);
	must_refuse("missing", path, NULL, want);
	ck_assert_ptr_null(load(harness_dir(), NULL));
	ck_assert_msg(strstr(err.text, harness_dir()) != NULL, "a directory: %s",
	              err.text);
}

END_TEST

START_TEST(included_files_are_named)
{
	char content[600], want[700];
	const char *inner =
		harness_file("inner.conf", "greylist: {\n\n delay = \"0s\"; };\n");
	struct text text = TEXT(content);
	text_printf(&text, "node = \"a\";\n@include \"%s\"\n", inner);
	const char *outer = harness_file("outer.conf", content);
	struct text wanted = TEXT(want);
	text_printf(&wanted, "%s:3: greylist.delay must be from 1s to 1d", inner);
	must_refuse("a wrong value", outer, NULL, want);

	harness_file("inner.conf", "greylist: {\n delay = ; };\n");
	wanted = TEXT(want);
	text_printf(&wanted, "%s:2: syntax error", inner);
	must_refuse("a syntax error", outer, NULL, want);

	harness_file("inner.conf", "greylist: { delay = \"7s\"; };\n");
	struct conf *conf = must_load("include", outer, NULL);
	ck_assert_int_eq(conf->greylist.delay_ms, 7000);
	conf_unref(&conf);
}

END_TEST

START_TEST(a_cross_check_names_who_set_it)
{
	char want[600];
	const char *path =
		harness_file("weir.conf", "\ngreylist: { retry_window = \"1h\"; };\n");
	struct text text = TEXT(want);
	text_printf(&text,
	            "%s:2: greylist.retry_window must be longer than greylist.delay",
	            path);
	must_refuse("delay from -o", path, "greylist.delay=2h", want);
}

END_TEST

/* clang-format off */
static const struct password_row {
	const char *row;
	const char *content; /* NULL: no file */
	mode_t mode;
	const char *password;
	const char *want; /* what is said behind the name of the setting; %s = the path */
} password_rows[] = {
	{"one line", "secret\n", 0600, "secret", NULL},
	{"no newline", "secret", 0400, "secret", NULL},
	{"the first line", "secret\nother\n", 0600, "secret", NULL},
	{"blanks around", "  se cret \r\n", 0600, "se cret", NULL},
	{"for the group too", "secret\n", 0640, "secret", NULL},
	{"for all", "secret\n", 0644, NULL,
		"%s must not be readable by others nor writable by its group"},
	{"to run by others", "secret\n", 0601, NULL,
		"%s must not be readable by others nor writable by its group"},
	{"the group may write", "secret\n", 0660, NULL,
		"%s must not be readable by others nor writable by its group"},
	{"empty", "", 0600, NULL, "no password in %s"},
	{"an empty first line", "\nsecret\n", 0600, NULL, "no password in %s"},
	{"blanks only", "  \n", 0600, NULL, "no password in %s"},
	{"no file", NULL, 0, NULL, "cannot read %s: No such file or directory"},
};

/* clang-format on */

/* The settings file that names the password file. */
static const char *
with_password_file(const char *path, const char *backend)
{
	char content[700];
	struct text text = TEXT(content);
	text_printf(&text,
	            "store: { backend = \"%s\"; redis: { username = \"weir\"; "
	            "password_file = \"%s\"; }; };\n",
	            backend, path);
	return harness_file("weir.conf", content);
}

START_TEST(the_password_is_read)
{
	const struct password_row *r = &password_rows[_i];
	const char *path = harness_path("password");
	unlink(path);
	if (r->content) {
		harness_file("password", r->content);
		ck_assert_int_eq(chmod(path, r->mode), 0);
	}
	const char *conf_path = with_password_file(path, "redis");
	if (r->want) {
		char want[700] = "store.redis.password_file: ";
		struct text text = {.p = want, .n = strlen(want), .cap = sizeof(want)};
		const char *mark = strstr(r->want, "%s");
		text_put(&text,
		         (struct slice){.p = r->want, .n = (size_t)(mark - r->want)});
		text_puts(&text, path);
		text_puts(&text, mark + 2);
		must_refuse(r->row, conf_path, NULL, want);
		return;
	}
	struct conf *conf = must_load(r->row, conf_path, NULL);
	ck_assert_msg(strcmp(conf->store.redis.password, r->password) == 0, "%s: \"%s\"",
	              r->row, conf->store.redis.password);
	conf_unref(&conf);
}

END_TEST

START_TEST(a_password_has_an_end)
{
	char content[1100];
	struct text text = TEXT(content);
	while (!text.cut)
		text_putc(&text, 'x');
	const char *path = harness_file("password", content);
	chmod(path, 0600);
	ck_assert_ptr_null(load(with_password_file(path, "redis"), NULL));
	ck_assert_msg(strstr(err.text, "no password in") != NULL, "%s", err.text);
	ck_assert_ptr_null(load(with_password_file(harness_dir(), "redis"), NULL));
	ck_assert_msg(strstr(err.text, "Is a directory") != NULL, "%s", err.text);
}

END_TEST

START_TEST(the_embedded_store_needs_no_password)
{
	const char *path = with_password_file("/nonexistent/password", "embedded");
	struct conf *conf = must_load("embedded", path, NULL);
	ck_assert_str_eq(conf->store.redis.password, "");
	conf_unref(&conf);
}

END_TEST

START_TEST(lists_are_loaded)
{
	char content[900];
	struct text text = TEXT(content);
	text_printf(&text,
	            "lists: { clients = [ \"%s\", \"%s\" ];\n senders = [ \"%s\" ];\n",
	            harness_file("c1", "a.example\nb.example limits=false\n"),
	            harness_file("c2", "192.0.2.0/24\n"),
	            harness_file("s", "x@a.example limits=false until=2027-01-31\n"));
	text_printf(
		&text, "recipients = [ \"%s\" ]; networks = [ \"10.0.0.0/8\" ]; };\n",
		harness_file(
			"r",
			"postmaster@\nabuse@ limits=false\ny@b.example LIMITS=FALSE\n"));
	ck_assert(!text.cut);
	struct conf *conf = must_load("lists", harness_file("weir.conf", content), NULL);
	ck_assert_uint_eq(list_count(conf->allowed_clients), 3);
	ck_assert_uint_eq(list_count(conf->allowed_senders), 1);
	ck_assert_uint_eq(list_count(conf->allowed_recipients), 3);
	ck_assert_uint_eq(list_count(conf->own_networks), 1);
	ck_assert_uint_eq(list_count(conf->unlimited_clients), 1);
	ck_assert_uint_eq(list_count(conf->unlimited_senders), 1);
	ck_assert_uint_eq(list_count(conf->unlimited_recipients), 2);
	conf_unref(&conf);
}

END_TEST

/* clang-format off */
static const struct wrong_list_row {
	const char *row;
	const char *setting;
	const char *content; /* NULL: no such file */
	const char *want;
} wrong_list_rows[] = {
	{"clients", "lists.clients", "a.example\na..b\n", ":2: \"a..b\" is not an address"},
	{"senders", "lists.senders", "\n\nx y@z\n", ":3: only until=DATE"},
	{"recipients", "lists.recipients", "192.0.2.0/24\n", ":1: \"192.0.2.0/24\" is not"},
	{"limits", "lists.clients", "a.example\nb.example limits=true\n",
		":2: limits= can only be false"},
	{"no file", "lists.clients", NULL, ": No such file or directory"},
};

/* clang-format on */

START_TEST(wrong_lists_are_named)
{
	const struct wrong_list_row *r = &wrong_list_rows[_i];
	const char *path = harness_path("list");
	char override[600];
	struct text text = TEXT(override);
	unlink(path);
	if (r->content)
		harness_file("list", r->content);
	text_printf(&text, "%s=%s", r->setting, path);
	ck_assert_msg(load(NULL, override) == NULL, "%s", r->row);
	ck_assert_msg(strstr(err.text, path) && strstr(err.text, r->want), "%s: %s",
	              r->row, err.text);
}

END_TEST

START_TEST(pools_are_loaded)
{
	const char *path = harness_file(
		"weir.conf", POOLS
		"{ name = \"one\"; clients = [ \"a.example\", \"192.0.2.0/24\" ]; },\n"
		"{ name = \"two\"; clients = [ ]; } ); };");
	struct conf *conf = must_load("pools", path, NULL);
	ck_assert_uint_eq(conf->greylist.n_pools, 2);
	ck_assert_str_eq(conf->greylist.pools[0].name, "one");
	ck_assert_str_eq(conf->greylist.pools[1].name, "two");
	ck_assert_uint_eq(list_count(conf->greylist.pools[0].clients), 2);
	ck_assert_uint_eq(list_count(conf->greylist.pools[1].clients), 0);
	conf_unref(&conf);
}

END_TEST

START_TEST(several_overrides_hold_in_their_order)
{
	char *v[] = {(char[]){"node=a"}, (char[]){"node=b"}, (char[]){"user=c=d"}};
	struct conf_texts overrides = {.v = v, .n = COUNT_OF(v)};
	struct conf *conf = conf_load(NULL, &overrides, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	ck_assert_str_eq(conf->node, "b");
	ck_assert_str_eq(conf->user, "c=d");
	conf_unref(&conf);
	conf = conf_load(NULL, NULL, &err);
	ck_assert_msg(conf != NULL, "no overrides: %s", err.text);
	conf_unref(&conf);
}

END_TEST

START_TEST(a_snapshot_lives_as_long_as_it_is_used)
{
	struct conf *conf = must_load("counted", NULL, "node=mine");
	struct conf *other = conf_ref(conf);
	ck_assert_ptr_eq(other, conf);
	conf_unref(&conf);
	ck_assert_ptr_null(conf);
	ck_assert_str_eq(other->node, "mine");
	conf_unref(&other);
	conf_unref(&other);
	ck_assert_ptr_null(other);
}

END_TEST

/* clang-format off */
static const struct restart_row {
	const char *running;
	const char *loaded;
	const char *want;
} restart_rows[] = {
	{"greylist.delay=1m", "greylist.delay=2m", ""},
	{"greylist.delay=1m", "greylist.delay=1m", ""},
	{"log.level=info", "log.level=debug", ""},
	{"lists.networks=::1", "lists.networks=", ""},
	{"store.deadline=1s", "store.on_failure=defer", ""},
	{"node=a", "node=b", "node"},
	{"node=a", "user=b", "node user"},
	{"log.to=stderr", "log.to=syslog", "log.to"},
	{"store.path=/a", "store.path=/b", "store.path"},
	{"store.max_size=1M", "store.max_size=2M", "store.max_size"},
	{"policyd.listen=a:1", "policyd.listen=a:2", "policyd.listen"},
	{"policyd.listen=a:1", "policyd.listen=a:1, b:2", "policyd.listen"},
	{"policyd.socket_mode=0660", "policyd.socket_mode=0666", "policyd.socket_mode"},
	{"nodes=1", "nodes=2", ""},
	{"policyd.hold=1s", "policyd.hold=2s", ""},
	{"limits.lease=10s", "limits.lease=20s", ""},
	{"limits.default.concurrency=1", "limits.default.concurrency=2", ""},
	{"milter.deadline=1s", "milter.enforce=false", ""},
	{"milter.listen=a:1", "milter.listen=a:2", "milter.listen"},
	{"milter.max_sessions=1", "milter.socket_mode=0600", "milter.socket_mode milter.max_sessions"},
	{"store.backend=redis", "store.redis.prefix=x", "store.backend store.redis.prefix"},
};

/* clang-format on */

START_TEST(what_needs_a_restart_is_told)
{
	const struct restart_row *r = &restart_rows[_i];
	struct conf *running = must_load("running", NULL, r->running);
	struct conf *loaded = must_load("loaded", NULL, r->loaded);
	char buf[200] = "";
	struct text names = TEXT(buf);
	conf_keep_started(running, loaded, &names);
	ck_assert_msg(strcmp(buf, r->want) == 0, "%s, %s: \"%s\", not \"%s\"", r->running,
	              r->loaded, buf, r->want);
	names = TEXT(buf);
	conf_keep_started(running, loaded, &names);
	ck_assert_msg(names.n == 0, "%s, %s: %s has not stayed", r->running, r->loaded,
	              buf);
	conf_unref(&running);
	conf_unref(&loaded);
}

END_TEST

START_TEST(what_needs_a_restart_stays)
{
	const char *path = harness_file("password", "secret\n");
	char buf[300] = "";
	struct text names = TEXT(buf);
	chmod(path, 0600);
	struct conf *running =
		must_load("running", with_password_file(path, "redis"), NULL);
	struct conf *loaded = must_load("loaded", NULL, "policyd.listen=a:1, b:2");
	struct conf *other = must_load("other", NULL, "node=other.test");
	conf_keep_started(running, loaded, &names);
	ck_assert_str_eq(loaded->store.redis.password, "secret");
	ck_assert_int_eq(loaded->store.backend, BACKEND_REDIS);
	ck_assert_uint_eq(loaded->policyd.listen.n, 1);
	ck_assert_str_eq(loaded->policyd.listen.v[0], "inet:127.0.0.1:10040");
	conf_keep_started(running, other, &names);
	ck_assert_str_eq(other->node, running->node);
	ck_assert_ptr_nonnull(strstr(buf, "node"));
	conf_unref(&running);
	conf_unref(&loaded);
	conf_unref(&other);
}

END_TEST

/* The same value in the file and on the command line is the same value. */
START_TEST(the_same_value_needs_no_restart)
{
	const char *path = harness_file(
		"weir.conf",
		"policyd: { listen = [ \"a:1\", \"b:2\" ]; socket_mode = \"0660\"; };\n"
		"store: { redis: { db = 0; }; };\n");
	struct conf *running = must_load("file", path, NULL);
	struct conf *loaded = must_load("-o", NULL, "policyd.listen=a:1, b:2");
	char buf[200] = "";
	struct text names = TEXT(buf);
	conf_keep_started(running, loaded, &names);
	ck_assert_str_eq(buf, "");
	conf_unref(&running);
	conf_unref(&loaded);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, defaults_are_those_of_the_manual);
	tcase_add_test(tcase, defaults_limit_nothing);
	tcase_add_test(tcase, the_table_is_sound);
	tcase_add_loop_test(tcase, numbers_are_read, 0, COUNT_OF(number_rows));
	tcase_add_loop_test(tcase, texts_are_split, 0, COUNT_OF(texts_rows));
	tcase_add_loop_test(tcase, rates_are_read, 0, COUNT_OF(rate_rows));
	tcase_add_test(tcase, the_rate_is_read);
	tcase_add_loop_test(tcase, windows_are_read, 0, COUNT_OF(windows_rows));
	tcase_add_test(tcase, windows_are_read_from_a_file);
	tcase_add_test(tcase, a_rate_is_bounded);
	tcase_add_loop_test(tcase, wrong_values_are_refused, 0, COUNT_OF(refused_rows));
	tcase_add_loop_test(tcase, right_values_are_taken, 0, COUNT_OF(taken));
	tcase_add_loop_test(tcase, the_nearest_name_is_hinted_at, 0, COUNT_OF(near_rows));
	tcase_add_loop_test(tcase, files_are_read, 0, COUNT_OF(file_rows));
	tcase_add_loop_test(tcase, destinations_are_checked, 0,
	                    COUNT_OF(destination_rows));
	tcase_add_test(tcase, destinations_are_loaded);
	tcase_add_loop_test(tcase, groups_are_checked, 0, COUNT_OF(group_rows));
	tcase_add_test(tcase, groups_are_loaded);
	tcase_add_test(tcase, a_destination_may_have_many_domains);
	tcase_add_test(tcase, values_of_a_file_are_kept);
	tcase_add_test(tcase, a_file_that_cannot_be_read_is_named);
	tcase_add_test(tcase, included_files_are_named);
	tcase_add_test(tcase, a_cross_check_names_who_set_it);
	tcase_add_loop_test(tcase, the_password_is_read, 0, COUNT_OF(password_rows));
	tcase_add_test(tcase, a_password_has_an_end);
	tcase_add_test(tcase, the_embedded_store_needs_no_password);
	tcase_add_test(tcase, lists_are_loaded);
	tcase_add_loop_test(tcase, wrong_lists_are_named, 0, COUNT_OF(wrong_list_rows));
	tcase_add_test(tcase, pools_are_loaded);
	tcase_add_test(tcase, several_overrides_hold_in_their_order);
	tcase_add_test(tcase, a_snapshot_lives_as_long_as_it_is_used);
	tcase_add_loop_test(tcase, what_needs_a_restart_is_told, 0,
	                    COUNT_OF(restart_rows));
	tcase_add_test(tcase, what_needs_a_restart_stays);
	tcase_add_test(tcase, the_same_value_needs_no_restart);
}

int
main(void)
{
	return harness_run("conf", fill);
}
