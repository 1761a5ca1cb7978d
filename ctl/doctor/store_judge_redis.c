/* store_judge_redis.c - what is wrong with Redis, by what it tells of itself. */
#include "base/endpoint.h"
#include "doctor.h"
#include "store_judge.h"

enum { VERSION_MIN = 5, OFFSET_MAX_MS = 2000, FULL_PERCENT = 90 };

struct judging {
	const struct facts *facts;
	const struct conf *conf;
	struct findings *findings;
	char cli[400]; /* how an operator asks it */
};

void
redis_print_cli(const struct conf *conf, struct text *out)
{
	struct endpoint server;
	text_puts(out, "redis-cli");
	if (!endpoint_parse(slice_of(conf->store.redis.servers.v[0]), &server))
		return;
	if (server.is_unix)
		text_printf(out, " -s %s", server.host);
	else
		text_printf(out, " -h %s -p %u", server.host, server.port);
	if (*conf->store.redis.username)
		text_printf(out, " --user %s", conf->store.redis.username);
	if (*conf->store.redis.password_file)
		text_puts(out, " --askpass");
}

static void
judge_kind(const struct judging *j)
{
	struct slice version = facts_text(j->facts, "redis_version"), rest = version,
		     major;
	uint64_t number;
	if (slice_cut(&rest, '.', &major) && slice_to_u64(major, 1000, &number) &&
	    number < VERSION_MIN) {
		finding_add(j->findings, FINDING_WARNING, "this Redis is too old",
		            "weir is made for and tested with Redis 5 or later.");
		finding_seen(j->findings, "redis_version %.*s", (int)version.n,
		             version.p);
		finding_mend(j->findings, "Use a newer Redis, or Valkey.");
	}
	if (facts_is(j->facts, "redis_mode", "cluster")) {
		finding_add(
			j->findings, FINDING_PROBLEM, "this is a Redis Cluster",
			"weir asks one server for all keys, and does not follow MOVED.");
		finding_seen(j->findings, "redis_mode cluster");
		finding_mend(j->findings, "Use one Redis server with a replica.");
	}
	if (facts_is(j->facts, "role", "slave")) {
		struct slice host = facts_text(j->facts, "master_host");
		struct slice port = facts_text(j->facts, "master_port");
		finding_add(
			j->findings, FINDING_PROBLEM, "this Redis is a replica",
			"It refuses all writes: every question fails, and weir applies store.on_failure.");
		finding_seen(j->findings, "role slave of %.*s:%.*s", (int)host.n, host.p,
		             (int)port.n, port.p);
		finding_mend(j->findings,
		             "in weir.conf: store: { redis: { servers = "
		             "[\"%.*s:%.*s\"]; }; };\n"
		             "systemctl restart weir-policyd weir-milter\n"
		             "Or make this one the master:\n%s replicaof no one",
		             (int)host.n, host.p, (int)port.n, port.p, j->cli);
	}
}

/* ---- memory ---- */

static void
judge_policy(const struct judging *j)
{
	struct slice policy = facts_text(j->facts, "maxmemory_policy");
	if (policy.n == 0 || slice_eq(policy, SLICE("noeviction")) ||
	    slice_eq(policy, SLICE("volatile-lfu")))
		return;
	finding_add(
		j->findings, FINDING_WARNING, "Redis may drop what weir has stored",
		"When its memory is full, it drops keys by this policy: known senders are new again, and slots that are taken count as free.");
	finding_seen(j->findings, "maxmemory_policy %.*s", (int)policy.n, policy.p);
	finding_mend(j->findings,
	             "%s config set maxmemory-policy noeviction\n%s config rewrite",
	             j->cli, j->cli);
}

static void
judge_room(const struct judging *j)
{
	int64_t max = facts_int(j->facts, "maxmemory", 0);
	int64_t used = facts_int(j->facts, "used_memory", 0);
	if (max <= 0) {
		finding_ok(j->findings, "Redis uses %lld MB; it has no maxmemory",
		           (long long)used >> 20);
		return;
	}
	if (used < max / 100 * FULL_PERCENT) {
		finding_ok(j->findings, "Redis uses %lld MB of its maxmemory, %lld MB",
		           (long long)used >> 20, (long long)max >> 20);
		return;
	}
	bool refuses = facts_is(j->facts, "maxmemory_policy", "noeviction");
	finding_add(j->findings,
	            refuses && used >= max ? FINDING_PROBLEM : FINDING_WARNING,
	            "the memory of Redis is nearly full",
	            refuses ? "At maxmemory it refuses writes: new mail is judged by "
	                      "store.on_failure."
	                    : "At maxmemory it drops records.");
	finding_seen(j->findings, "used_memory %lld of maxmemory %lld", (long long)used,
	             (long long)max);
	finding_mend(j->findings, "%s config set maxmemory %lldmb\n%s config rewrite",
	             j->cli, (long long)((used * 2) >> 20) + 64, j->cli);
}

static void
judge_dropped(const struct judging *j)
{
	int64_t evicted = facts_int(j->facts, "evicted_keys", 0);
	int64_t rejected = facts_int(j->facts, "rejected_connections", 0);
	int64_t max = facts_int(j->facts, "maxmemory", 0);
	int64_t clients = facts_int(j->facts, "maxclients", 10000);
	if (evicted > 0) {
		finding_add(
			j->findings, FINDING_WARNING,
			"Redis has dropped keys because its memory was full",
			"It has forgotten senders or slots since it started, or since its counters were reset.");
		finding_seen(j->findings, "evicted_keys %lld", (long long)evicted);
		finding_mend(
			j->findings,
			"Give it more memory, and reset the counters:\n%s config set maxmemory %lldmb\n%s config rewrite\n%s config resetstat",
			j->cli, (long long)(max * 2 >> 20) + 64, j->cli, j->cli);
	}
	if (rejected > 0) {
		finding_add(j->findings, FINDING_WARNING, "Redis has refused connections",
		            "It had as many clients as maxclients allows.");
		finding_seen(j->findings, "rejected_connections %lld",
		             (long long)rejected);
		finding_mend(
			j->findings,
			"Find out who they are: client list.  To allow more, and reset the counters:\n%s config set maxclients %lld\n%s config rewrite\n%s config resetstat",
			j->cli, (long long)clients * 2, j->cli, j->cli);
	}
}

/* ---- what a restart leaves ---- */

static void
judge_saving(const struct judging *j)
{
	bool aof = facts_int(j->facts, "aof_enabled", 0) == 1;
	bool tells = facts_is(j->facts, "config", "ok");
	struct slice save = facts_text(j->facts, "save");
	if (!aof && tells && save.n == 0) {
		finding_add(
			j->findings, FINDING_WARNING, "Redis does not save anything",
			"A restart forgets everything: every known sender is deferred once more, and overrides are gone.");
		finding_seen(j->findings, "aof_enabled 0, save \"\"");
		finding_mend(j->findings,
		             "%s config set appendonly yes\n%s config rewrite", j->cli,
		             j->cli);
	} else if (aof && facts_is(j->facts, "appendfsync", "always")) {
		finding_add(
			j->findings, FINDING_NOTE,
			"Redis writes to the disk at every change",
			"Each answer waits for the disk; to lose one second of data would do no harm.");
		finding_seen(j->findings, "appendfsync always");
		finding_mend(j->findings,
		             "%s config set appendfsync everysec\n%s config rewrite",
		             j->cli, j->cli);
	} else if (aof || save.n > 0) {
		finding_ok(j->findings, "Redis saves: %s",
		           aof ? "append-only file" : "snapshots");
	} else {
		finding_add(
			j->findings, FINDING_NOTE, "cannot see whether Redis saves",
			"If it does not, a restart forgets everything.  weir's Redis user has no right to ask.");
		finding_seen(j->findings, "aof_enabled 0, CONFIG GET save refused");
		finding_mend(j->findings,
		             "As its administrator: redis-cli config get save.");
	}
}

static void
judge_saved(const struct judging *j)
{
	static const struct {
		const char *name;
		const char *what;
	} results[] = {{"rdb_last_bgsave_status", "bgsave"},
	               {"aof_last_write_status", "bgrewriteaof"},
	               {"aof_last_bgrewrite_status", "bgrewriteaof"}};

	for (size_t i = 0; i < COUNT_OF(results); i++) {
		struct slice result = facts_text(j->facts, results[i].name);
		if (result.n == 0 || slice_eq(result, SLICE("ok")))
			continue;
		finding_add(
			j->findings, FINDING_PROBLEM, "Redis could not save",
			"By default it then refuses writes (MISCONF), and a restart brings back an old state.");
		finding_seen(j->findings, "%s %.*s", results[i].name, (int)result.n,
		             result.p);
		finding_mend(
			j->findings,
			"Check its log and its disk: df -h, and config get dir; then:\n%s %s",
			j->cli, results[i].what);
	}
}

/* ---- the rest ---- */

static void
judge_clock(const struct judging *j)
{
	int64_t offset_ms = facts_int(j->facts, "clock_offset_ms", 0);
	if (offset_ms >= -OFFSET_MAX_MS && offset_ms <= OFFSET_MAX_MS)
		return;
	finding_add(
		j->findings, FINDING_WARNING,
		"the clock of Redis differs from this host's",
		"Waiting times, and the times that weirctl shows, are wrong by as much.");
	finding_seen(j->findings, "Redis is %lld s %s",
	             (long long)(offset_ms < 0 ? -offset_ms : offset_ms) / 1000,
	             offset_ms < 0 ? "behind" : "ahead");
	finding_mend(j->findings, "On both hosts: timedatectl set-ntp true.");
}

static void
judge_rights(const struct judging *j)
{
	struct slice script = facts_text(j->facts, "script");
	const char *server = j->conf->store.redis.servers.v[0];
	if (script.n > 0 && !slice_eq(script, SLICE("ok"))) {
		finding_add(j->findings, FINDING_PROBLEM,
		            "Redis runs no scripts for weir",
		            "weir runs greylisting and limits as scripts in Redis.");
		finding_seen(j->findings, "%.*s", (int)script.n, script.p);
		finding_mend(j->findings, MEND_REDIS_RIGHTS);
	}
	if (doctor_is_local(server) || *j->conf->store.redis.password_file)
		return;
	finding_add(
		j->findings, FINDING_WARNING, "Redis is open to the network",
		"Anyone who reaches it can read the addresses of your mail, and change what weir knows.");
	finding_seen(j->findings, "store.redis.servers has \"%s\", without a password",
	             server);
	finding_mend(
		j->findings,
		"Give it a password (requirepass, or a user of its own: ACL), and write it into the file of store.redis.password_file; or let only those connect who need it.");
}

void
redis_judge(const struct facts *facts, const struct conf *conf, struct findings *findings)
{
	struct judging j = {.facts = facts, .conf = conf, .findings = findings};
	struct text cli = TEXT(j.cli);
	redis_print_cli(conf, &cli);
	judge_kind(&j);
	judge_policy(&j);
	judge_room(&j);
	judge_dropped(&j);
	judge_saving(&j);
	judge_saved(&j);
	judge_clock(&j);
	judge_rights(&j);
}
