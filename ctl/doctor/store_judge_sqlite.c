/* store_judge_sqlite.c - what is wrong inside the files of the embedded store. */
#include "cure.h"
#include "store_judge.h"

enum { FULL_PERCENT = 90 };

#define WAL_MAX (INT64_C(256) << 20)

static void
judge_integrity(const struct facts *facts, struct findings *findings)
{
	struct slice integrity = facts_text(facts, "integrity");
	struct slice path = facts_text(facts, "path");
	char buf[600];
	struct text dir = TEXT(buf);
	if (slice_eq(integrity, SLICE("ok"))) {
		finding_ok(findings, "%.*s/weir.db is sound: %lld MB", (int)path.n,
		           path.p, (long long)facts_int(facts, "size", 0) >> 20);
		return;
	}
	finding_add(
		findings, FINDING_PROBLEM, "the store is damaged",
		"Data that cannot be read is lost, and the daemons refuse the file at their next start.");
	finding_seen(findings, "%.*s", (int)integrity.n, integrity.p);
	cure_quote(path, &dir);
	finding_mend(
		findings,
		"Start afresh, and keep the damaged file aside:\nsystemctl stop weir-policyd weir-milter\nd=$(mktemp -d %s/damaged.XXXXXX) && mv %s/weir.db* \"$d\"\nsystemctl start weir-policyd weir-milter",
		buf, buf);
}

static void
judge_quota(const struct facts *facts, struct findings *findings)
{
	int64_t quota = facts_int(facts, "quota", 0);
	int64_t used = facts_int(facts, "used", 0);
	if (quota <= 0 || used < quota / 100 * FULL_PERCENT)
		return;
	finding_add(findings, FINDING_WARNING, "the store has nearly used up its quota",
	            "When it is full, no new sender is remembered: new mail is judged by "
	            "store.on_failure.");
	finding_seen(findings, "%lld of store.max_size %lld bytes", (long long)used,
	             (long long)quota);
	finding_mend(findings,
	             "in weir.conf: store: { max_size = \"%lldM\"; };\n"
	             "systemctl restart weir-policyd weir-milter",
	             (long long)(quota >> 20) * 2 + 1);
}

static void
judge_log(const struct facts *facts, struct findings *findings)
{
	int64_t wal = facts_int(facts, "wal_size", 0);
	if (wal <= WAL_MAX)
		return;
	finding_add(
		findings, FINDING_WARNING, "the store's write-ahead log does not shrink",
		"A program that reads the database for a long time keeps weir from emptying it; it fills the disk.");
	finding_seen(findings, "weir.db-wal has %lld MB", (long long)wal >> 20);
	char buf[600];
	struct text dir = TEXT(buf);
	cure_quote(facts_text(facts, "path"), &dir);
	finding_mend(findings, "Find out who has it open:\nfuser -v %s/weir.db", buf);
}

void
sqlite_judge(const struct facts *facts, struct findings *findings)
{
	judge_integrity(facts, findings);
	judge_quota(facts, findings);
	judge_log(facts, findings);
}
