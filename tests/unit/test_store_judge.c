/* test_store_judge.c - which facts of a store are found good, and what is said of others. */
#include "store_judge.h"

#include <stdio.h>

#include "harness.h"

/* As Redis 7.0 tells them, of Debian's settings. */
#define REDIS_FACTS                                                            \
 "redis_version=7.0.15\nredis_mode=standalone\nrole=master\nmaxmemory=0\n"     \
 "used_memory=1000000\nmaxmemory_policy=noeviction\nevicted_keys=0\n"          \
 "rejected_connections=0\naof_enabled=0\nrdb_last_bgsave_status=ok\n"          \
 "aof_last_write_status=ok\naof_last_bgrewrite_status=ok\nclock_offset_ms=3\n" \
 "round_trip_us=80\nscript=ok\nconfig=ok\nsave=3600 1 300 100 60 10000\n"      \
 "appendfsync=everysec\n"

#define REMOTE "store.redis.servers=192.0.2.1:6379"

/* clang-format off */
static const struct redis_row {
	const char *row;
	const char *facts; /* in place of those above */
	const char *setting;
	const char *want;  /* titles of what is not ok */
} redis_rows[] = {
	{"as Debian comes", "", "", ""},
	{"volatile-lfu", "maxmemory_policy=volatile-lfu\nmaxmemory=100000000\n", "", ""},
	{"allkeys-lru", "maxmemory_policy=allkeys-lru\n", "", "W Redis may drop what weir has stored"},
	{"volatile-ttl", "maxmemory_policy=volatile-ttl\n", "", "W Redis may drop what weir has stored"},
	{"room enough", "maxmemory=2000000\n", "", ""},
	{"nearly full", "maxmemory=1050000\n", "", "W the memory of Redis is nearly full"},
	{"full", "maxmemory=1000000\n", "", "P the memory of Redis is nearly full"},
	{"full, and evicts", "maxmemory=1000000\nmaxmemory_policy=volatile-lfu\n", "", "W the memory of Redis is nearly full"},
	{"has evicted", "evicted_keys=7\n", "", "W Redis has dropped keys because its memory was full"},
	{"has refused connections", "rejected_connections=1\n", "", "W Redis has refused connections"},
	{"a replica", "role=slave\nmaster_host=192.0.2.9\nmaster_port=6379\n", "", "P this Redis is a replica"},
	{"a cluster", "redis_mode=cluster\n", "", "P this is a Redis Cluster"},
	{"old", "redis_version=4.0.9\n", "", "W this Redis is too old"},
	{"saves nothing", "save=\n", "", "W Redis does not save anything"},
	{"the append-only file only", "save=\naof_enabled=1\n", "", ""},
	{"fsync at every write", "aof_enabled=1\nappendfsync=always\n", "", "N Redis writes to the disk at every change"},
	{"CONFIG is refused", "save=\nconfig=\n", "", "N cannot see whether Redis saves"},
	{"a snapshot failed", "rdb_last_bgsave_status=err\n", "", "P Redis could not save"},
	{"a write of the file failed", "aof_enabled=1\naof_last_write_status=err\n", "", "P Redis could not save"},
	{"a rewrite failed", "aof_enabled=1\naof_last_bgrewrite_status=err\n", "", "P Redis could not save"},
	{"its clock is ahead", "clock_offset_ms=2001\n", "", "W the clock of Redis differs from this host's"},
	{"its clock is behind", "clock_offset_ms=-90000\n", "", "W the clock of Redis differs from this host's"},
	{"two seconds are fine", "clock_offset_ms=-2000\n", "", ""},
	{"no scripts", "script=NOPERM this user has no permissions\n", "", "P Redis runs no scripts for weir"},
	{"open to the network", "", REMOTE, "W Redis is open to the network"},
	{"nothing is known", "redis_version=\nmaxmemory_policy=\nsave=\nconfig=\nscript=\nmaxmemory=x\n", "", "N cannot see whether Redis saves"},
};

static const struct sqlite_row {
	const char *row;
	const char *facts;
	const char *want;
} sqlite_rows[] = {
	{"sound", "", ""},
	{"damaged", "integrity=/var/lib/weir/weir.db: row 3 missing from index\n", "P the store is damaged"},
	{"a quota with room", "quota=1000000\nused=899999\n", ""},
	{"a quota nearly used up", "quota=1000000\nused=900000\n", "W the store has nearly used up its quota"},
	{"no quota", "quota=0\nused=900000\n", ""},
	{"a long log", "wal_size=268435457\n", "W the store's write-ahead log does not shrink"},
	{"the longest log that is usual", "wal_size=268435456\n", ""},
};

/* clang-format on */

/* The last one of a name holds. */
static void
add_facts(struct facts *facts, const char *first, const char *then)
{
	const char *texts[] = {then, first};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct slice rest = slice_of(texts[i]), line, name;
		while (slice_cut(&rest, '\n', &line)) {
			char buf[64];
			struct text text = TEXT(buf);
			if (!slice_cut(&line, '=', &name) || name.n == 0)
				continue;
			text_put(&text, name);
			facts_add(facts, buf, line);
		}
	}
}

static void
check(const char *row, const struct findings *findings, const char *want)
{
	char got[512] = "";
	struct text titles = TEXT(got);
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->v[i];
		if (f->level == FINDING_OK)
			continue;
		text_printf(&titles, "%s%c %s", titles.n > 0 ? ";" : "", "oNWP"[f->level],
		            f -> title);
		ck_assert_msg(*f->seen && *f->mend && *f->why, "%s: not all is said",
		              row);
	}
	ck_assert_msg(strcmp(got, want) == 0, "%s: got %s", row, got);
}

START_TEST(redis)
{
	const struct redis_row *r = &redis_rows[_i];
	char setting[200];
	char *v[] = {setting};
	struct conf_texts overrides = {.v = v, .n = *r->setting ? 1 : 0};
	struct facts facts = {0};
	struct findings findings = {.topic = "store"};
	struct err err;
	snprintf(setting, sizeof(setting), "%s", r->setting);
	struct conf *conf = conf_load(NULL, &overrides, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	add_facts(&facts, REDIS_FACTS, r->facts);
	redis_judge(&facts, conf, &findings);
	check(r->row, &findings, r->want);
	findings_free(&findings);
	facts_free(&facts);
	conf_unref(&conf);
}

END_TEST

START_TEST(sqlite)
{
	const struct sqlite_row *r = &sqlite_rows[_i];
	struct facts facts = {0};
	struct findings findings = {.topic = "store"};
	add_facts(&facts, "integrity=ok\npath=/var/lib/weir\nsize=65536\n", r->facts);
	sqlite_judge(&facts, &findings);
	check(r->row, &findings, r->want);
	findings_free(&findings);
	facts_free(&facts);
}

END_TEST

START_TEST(facts_by_name)
{
	struct facts facts = {0};
	add_facts(&facts, "a=1\nb=-7\nc=text\nd=\ne=99999999999999999999\n", "");
	ck_assert_int_eq(facts_int(&facts, "a", 5), 1);
	ck_assert_int_eq(facts_int(&facts, "b", 5), -7);
	ck_assert_int_eq(facts_int(&facts, "c", 5), 5);
	ck_assert_int_eq(facts_int(&facts, "d", 5), 5);
	ck_assert_int_eq(facts_int(&facts, "e", 5), 5);
	ck_assert_int_eq(facts_int(&facts, "none", 5), 5);
	ck_assert(facts_is(&facts, "c", "text") && !facts_is(&facts, "c", "tex"));
	ck_slice_eq("none", facts_text(&facts, "none"), "");
	facts_free(&facts);
}

END_TEST

static void
fill(TCase *tc)
{
	tcase_add_loop_test(tc, redis, 0, COUNT_OF(redis_rows));
	tcase_add_loop_test(tc, sqlite, 0, COUNT_OF(sqlite_rows));
	tcase_add_test(tc, facts_by_name);
}

int
main(void)
{
	return harness_run("store_judge", fill);
}
