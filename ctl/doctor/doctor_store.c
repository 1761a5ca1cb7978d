/* doctor_store.c - whether the store can be reached, written and read, and what it tells of itself. */
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/endpoint.h"
#include "cure.h"
#include "doctor.h"
#include "doctor_files.h"
#include "facts.h"
#include "io/process.h"
#include "store_judge.h"

#define PATIENCE_MS 5000

static bool
is_redis_socket(const struct conf *conf, struct endpoint *server_out)
{
	return endpoint_parse(slice_of(conf->store.redis.servers.v[0]), server_out) &&
	       server_out->is_unix;
}

/* Redis' socket in the file system is not for this user; else it is Redis that says no. */
static bool
may_not_connect(const struct conf *conf)
{
	struct endpoint server;
	return is_redis_socket(conf, &server) && access(server.host, R_OK | W_OK) != 0;
}

/* Who belongs to the group of Redis' socket may use it, if the group may. */
static void
mend_redis_socket(struct checkup *checkup)
{
	const struct conf *conf = checkup->conf;
	char buf[CURE_MAX];
	struct text text = TEXT(buf);
	struct endpoint server;
	struct stat st = {0};
	bool found = is_redis_socket(conf, &server) && stat(server.host, &st) == 0;
	const struct group *group = found ? getgrgid(st.st_gid) : NULL;
	cure_open_way(conf->user, server.host, &text);
	if (!found || (st.st_mode & 0060) != 0060)
		text_puts(&text, "In redis.conf: unixsocketperm 770; then:\n"
		                 "systemctl restart redis-server\n");
	text_printf(&text,
	            "usermod -a -G %s %s\nsystemctl restart weir-policyd weir-milter",
	            group ? group->gr_name : "redis", doctor_user(conf));
	cure_set(checkup->findings, &text);
}

static void
mend_redis(struct checkup *checkup, const struct err *err)
{
	char cli[400];
	struct text text = TEXT(cli);
	redis_print_cli(checkup->conf, &text);
	if (err->forbidden && may_not_connect(checkup->conf))
		mend_redis_socket(checkup);
	else if (err->forbidden)
		finding_mend(checkup->findings, MEND_REDIS_RIGHTS);
	else
		finding_mend(checkup->findings,
		             "Try it by hand:\n%s ping\nsystemctl status redis-server",
		             cli);
}

static bool
is_history(const char *text)
{
	return strstr(text, "/ledger.db") != NULL;
}

/* What comes of it; `otherwise` when the daemons go on with a store that is away. */
static const char *
consequence(const struct conf *conf, const struct err *err, const char *otherwise)
{
	if (conf->store.backend != BACKEND_EMBEDDED)
		return otherwise;
	if (is_history(err->text) || err->forbidden || err->unusable ||
	    err->other_version)
		return doctor_without_file(err->text);
	return otherwise;
}

/* Nothing is thrown away that another weir, or more room, would bring back. */
static void
mend_embedded(struct checkup *checkup, const struct err *err)
{
	const char *dir = cure_quoted(checkup->findings, checkup->conf->store.path);
	const char *file = is_history(err->text) ? "ledger.db" : "weir.db";
	if (err->forbidden) /* to which file, and how it is given, doctor_files() says */
		return;
	if (err->other_version)
		finding_mend(
			checkup->findings,
			"Leave the file where it is: it has all that weir learned.  Install the version of weir that made it; or export it with that version and import it here: weirctl(8).");
	else if (err->unusable)
		finding_mend(checkup->findings,
		             "systemctl stop weir-policyd weir-milter\n"
		             "d=$(mktemp -d %s/moved.XXXXXX) && mv %s/%s* \"$d\"\n"
		             "systemctl start weir-policyd weir-milter",
		             dir, dir, file);
	else
		finding_mend(
			checkup->findings,
			"Fix what is named above; the log has more:\njournalctl -u weir-policyd -u weir-milter");
}

static void
mend_store(struct checkup *checkup, const struct err *err)
{
	if (checkup->conf->store.backend == BACKEND_REDIS)
		mend_redis(checkup, err);
	else
		mend_embedded(checkup, err);
}

static bool
open_store(struct checkup *checkup)
{
	struct err err;
	if (rights_become(checkup->conf->user, &err))
		checkup->history = history_open(checkup->conf, PATIENCE_MS, &err);
	if (checkup->history)
		return true;
	finding_add(
		checkup->findings, FINDING_PROBLEM, "the store cannot be used",
		consequence(
			checkup->conf, &err,
			"All mail is judged by store.on_failure; each host applies only its part of the limits."));
	finding_seen(checkup->findings, "%s", err.text);
	mend_store(checkup, &err);
	return false;
}

/* Of one write and one read each way. */
static void
judge_time(struct checkup *checkup, int64_t us)
{
	int64_t deadline_us = checkup->conf->store.deadline_ms * 1000;
	if (us <= deadline_us / 2) {
		finding_ok(checkup->findings,
		           "the store can be written and read: %lld.%lld ms",
		           (long long)(us / 1000), (long long)(us % 1000 / 100));
		return;
	}
	finding_add(
		checkup->findings, us > deadline_us ? FINDING_PROBLEM : FINDING_WARNING,
		"the store is slow",
		"If it does not answer within store.deadline, mail is judged by store.on_failure.");
	finding_seen(checkup->findings, "%lld ms, store.deadline is %lld ms",
	             (long long)(us / 1000), (long long)(deadline_us / 1000));
	finding_mend(
		checkup->findings,
		"Find out why its host, disk or network is slow; otherwise:\nin weir.conf: store: { deadline = \"%lldms\"; };\nsystemctl reload weir-policyd weir-milter",
		(long long)(us / 1000 * 4));
}

static bool
try_store(struct checkup *checkup)
{
	struct err err;
	if (history_try(checkup->history, &err)) { /* the first one opens a file */
		int64_t began_us = clock_mono_us();
		if (history_try(checkup->history, &err)) {
			judge_time(checkup, clock_mono_us() - began_us);
			return true;
		}
	}
	finding_add(checkup->findings, FINDING_PROBLEM, "the store cannot be written",
	            consequence(checkup->conf, &err,
	                        "No new sender is remembered: new mail is judged by "
	                        "store.on_failure."));
	finding_seen(checkup->findings, "%s", err.text);
	mend_store(checkup, &err);
	return false;
}

static void
judge_facts(struct checkup *checkup, bool works)
{
	struct facts facts = {0};
	struct err err;
	if (!history_facts(checkup->history, checkup->deep, facts_add, &facts, &err)) {
		if (works) { /* else that has been said */
			finding_add(checkup->findings, FINDING_WARNING,
			            "the store does not report its state",
			            "doctor cannot check it.");
			finding_seen(checkup->findings, "%s", err.text);
			mend_store(checkup, &err);
		}
	} else if (checkup->conf->store.backend == BACKEND_REDIS) {
		redis_judge(&facts, checkup->conf, checkup->findings);
	} else {
		sqlite_judge(&facts, checkup->findings);
	}
	facts_free(&facts);
}

/* Whether the rights of a file say who may use it. */
static bool
is_file(const struct conf *conf)
{
	struct endpoint server;
	return conf->store.backend == BACKEND_EMBEDDED || is_redis_socket(conf, &server);
}

void
doctor_store(struct checkup *checkup)
{
	const struct conf *conf = checkup->conf;
	if (is_file(conf) && !doctor_can_be(conf->user)) {
		doctor_say_untried(checkup->findings, "the store was not checked");
		return;
	}
	if (conf->store.backend == BACKEND_EMBEDDED && !doctor_files(checkup))
		return;
	if (open_store(checkup))
		judge_facts(checkup, try_store(checkup));
}
