/* daemons_judge.c - what is wrong with the daemons, by what they tell of themselves. */
#include "daemons_judge.h"

#include <jansson.h>
#include <string.h>

#include "books/status.h"
#include "conf/list.h"
#include "config.h"
#include "doctor.h"
#include "output.h"

enum { CLOCK_S = 5, NODES_MAX = 64 };

bool
daemons_share_a_name(const json_t *heartbeat, const json_t *other, int64_t since_s)
{
	bool same = json_number(heartbeat, "pid") == json_number(other, "pid") &&
	            json_number(heartbeat, "started") == json_number(other, "started");
	return !same && json_number(heartbeat, "started") < since_s &&
	       json_number(other, "started") < since_s;
}

/* It stands in commands to copy, and may come from anybody who can write into the store. */
static const char *
name_of(const json_t *heartbeat, const char *member)
{
	const char *name = json_text(heartbeat, member);
	return !*name || conf_is_word(name) ? name : "?";
}

/* ---- one of them ---- */

/* A command for the host of the daemon, which may be another. */
static void
mend_by(const json_t *heartbeat, const struct conf *conf, const char *what,
        struct findings *findings)
{
	const char *daemon = name_of(heartbeat, "daemon"),
		   *node = name_of(heartbeat, "node");
	if (strcmp(node, conf->node) == 0)
		finding_mend(findings, "systemctl %s weir-%s", what, daemon);
	else
		finding_mend(findings, "On %s: systemctl %s weir-%s", node, what, daemon);
}

static void
judge_life(const json_t *heartbeat, const struct conf *conf, int64_t now_s,
           struct findings *findings)
{
	const char *daemon = name_of(heartbeat, "daemon"),
		   *node = name_of(heartbeat, "node");
	int64_t seen_s = json_number(heartbeat, "seen");
	if (json_flag(heartbeat, "stopped")) {
		finding_ok(findings, "weir-%s on %s was stopped", daemon, node);
	} else if (!status_is_alive(heartbeat, now_s)) {
		finding_add(
			findings, FINDING_WARNING, "a daemon has fallen silent",
			"It has ended or hangs, or its host is away or cannot reach the store.  (A daemon that is gone for good is no longer reported after a day.)");
		finding_seen(findings, "weir-%s on %s: nothing for %lld s", daemon, node,
		             (long long)(now_s - seen_s));
		mend_by(heartbeat, conf, "restart", findings);
	} else if (seen_s > now_s + CLOCK_S) {
		finding_add(
			findings, FINDING_WARNING, "the clocks of two hosts differ",
			"Waiting times, and the times that weirctl shows, are wrong by as much.");
		finding_seen(findings, "weir-%s on %s is %lld s ahead of this host",
		             daemon, node, (long long)(seen_s - now_s));
		finding_mend(findings, "On both hosts: timedatectl set-ntp true.");
	} else {
		finding_ok(findings, "weir-%s on %s is alive (%s, pid %lld)", daemon,
		           node, json_text(heartbeat, "version"),
		           (long long)json_number(heartbeat, "pid"));
	}
}

static void
judge_version(const json_t *heartbeat, const struct conf *conf, struct findings *findings)
{
	const char *version = json_text(heartbeat, "version");
	if (strcmp(version, PACKAGE_VERSION) == 0)
		return;
	finding_add(
		findings, FINDING_WARNING, "a daemon has another version than weirctl",
		"It was not restarted after an upgrade, or another host was not upgraded.");
	finding_seen(findings, "weir-%s on %s is %s, weirctl is %s",
	             name_of(heartbeat, "daemon"), name_of(heartbeat, "node"), version,
	             PACKAGE_VERSION);
	mend_by(heartbeat, conf, "restart", findings);
}

static void
judge_store(const json_t *heartbeat, const struct conf *conf, struct findings *findings)
{
	if (json_is_true(json_object_get(heartbeat, "store_up")))
		return;
	bool remote = conf->store.backend == BACKEND_REDIS &&
	              !doctor_is_local(conf->store.redis.servers.v[0]);
	finding_add(findings, FINDING_PROBLEM, "a daemon does not reach its store",
	            "It judges all mail by store.on_failure.");
	finding_seen(findings,
	             "weir-%s on %s reports it, although weirctl reaches the store",
	             name_of(heartbeat, "daemon"), name_of(heartbeat, "node"));
	finding_mend(
		findings, "On %s: journalctl -u weir-%s.%s", name_of(heartbeat, "node"),
		name_of(heartbeat, "daemon"),
		remote ? "\nIPAddressAllow= of its unit must contain the address of Redis: systemctl edit weir-policyd"
		       : "");
}

static void
judge_limits_wait(const json_t *heartbeat, struct findings *findings)
{
	const char *missing = json_text(heartbeat, "limits_wait");
	if (!*missing)
		return;
	finding_add(
		findings, FINDING_WARNING, "limits wait for another daemon",
		"The store was emptied or restarted.  Until all daemons have reported their slots, mail with limits is deferred.");
	finding_seen(findings, "weir-%s on %s waits for: %s",
	             name_of(heartbeat, "daemon"), name_of(heartbeat, "node"), missing);
	finding_mend(
		findings,
		"Start what is missing, or set nodes to the number of hosts and restart the daemons; otherwise the wait ends by itself after limits.lease (with weir-policyd: policyd.hold).");
}

/* Of its whole life: more than one in a hundred is not chance. */
static void
judge_counters(const json_t *heartbeat, struct findings *findings)
{
	static const struct {
		const char *name;
		const char *what;
	} counters[] = {{"late_answers", "answers of the store came too late"},
	                {"store_failures", "recipients were judged without the store"},
	                {"judged_locally",
	                 "limits were judged locally, without the store"},
	                {"leases_lost", "deliveries went on without their slot"},
	                {"decisions_lost", "decisions were not recorded"}};

	int64_t all =
		json_number(heartbeat, "accepted") + json_number(heartbeat, "deferred");
	for (size_t i = 0; i < COUNT_OF(counters); i++) {
		int64_t count = json_number(heartbeat, counters[i].name);
		if (count == 0)
			continue;
		finding_add(
			findings, count > all / 100 ? FINDING_WARNING : FINDING_NOTE,
			"a daemon had to work without the store",
			"The store is slow, or was away.  A restart of the daemon resets the counters.");
		finding_seen(findings, "weir-%s on %s: %s %lld (%s) of %lld recipients",
		             name_of(heartbeat, "daemon"), name_of(heartbeat, "node"),
		             counters[i].name, (long long)count, counters[i].what,
		             (long long)all);
		finding_mend(
			findings,
			"Find out when and why, on %s: journalctl -u weir-%s | grep -e store -e late_answers.  A restart resets the counters.",
			name_of(heartbeat, "node"), name_of(heartbeat, "daemon"));
	}
}

/* A private address that nearly all mail comes from; one's own relay may be meant to be it. */
static void
judge_crowd(const json_t *heartbeat, const struct conf *conf, int64_t now_s,
            struct findings *findings)
{
	char buf[ADDR_TEXT_MAX];
	struct text text = TEXT(buf);
	struct addr addr;
	if (!addr_parse(slice_of(json_text(heartbeat, "crowd")), &addr))
		return;
	bool own = list_has_client(conf->own_networks, &addr, SLICE(""), now_s, NULL);
	addr_print(&addr, &text);
	finding_add(
		findings, own ? FINDING_NOTE : FINDING_WARNING,
		"nearly all mail comes from one private address",
		"If a proxy, NAT or container bridge has it, the MTA and weir see no other client: nobody is greylisted, or all are one client, and the MTA may relay for everybody.  If it is a relay of yours, name it in lists.networks.");
	finding_seen(findings,
	             "weir-%s on %s: %lld %% of its latest decisions were about %s",
	             name_of(heartbeat, "daemon"), name_of(heartbeat, "node"),
	             (long long)json_number(heartbeat, "crowd_percent"), buf);
	finding_mend(
		findings,
		"Let the MTA see the clients, depending on what is in front of it:\nProxy protocol (Postfix: smtpd_upstream_proxy_protocol = haproxy),\nXCLIENT (Postfix: smtpd_authorized_xclient_hosts = %s), or\nThe host's own network for a container (docker run --network host).",
		buf);
}

/* ---- all of them ---- */

static bool
add_node(const char *nodes[NODES_MAX], size_t *n, const char *node)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(nodes[i], node) == 0)
			return false;
	if (*n < NODES_MAX)
		nodes[(*n)++] = node;
	return true;
}

static void
judge_nodes(const json_t *heartbeats, const struct conf *conf, int64_t now_s,
            struct findings *findings)
{
	const char *nodes[NODES_MAX];
	size_t n = 0, i;
	json_t *heartbeat;
	char buf[1024] = "";
	struct text names = TEXT(buf);
	json_array_foreach(heartbeats, i, heartbeat) {
		const char *node = name_of(heartbeat, "node");
		if (status_is_alive(heartbeat, now_s) && add_node(nodes, &n, node))
			text_printf(&names, "%s%s", names.n > 0 ? ", " : "", node);
	}
	if (n == 0 || (int64_t)n == conf->nodes)
		return;
	finding_add(
		findings, FINDING_WARNING, "the setting nodes is not the number of hosts",
		"While the store is away, each host applies its part of every limit: the limit divided by nodes.");
	finding_seen(findings, "nodes is %lld; %zu are alive: %s", (long long)conf->nodes,
	             n, buf);
	finding_mend(
		findings,
		"On each host, including this one:\nin weir.conf: nodes = %zu;\nsystemctl reload weir-policyd weir-milter",
		n);
}

static void
judge_kinds(const json_t *heartbeats, const struct conf *conf, int64_t now_s,
            struct findings *findings)
{
	bool policyd = false, milter = false;
	json_t *heartbeat;
	size_t i;
	json_array_foreach(heartbeats, i, heartbeat) {
		bool is_milter = strcmp(name_of(heartbeat, "daemon"), "milter") == 0;
		milter |= is_milter && status_is_alive(heartbeat, now_s);
		policyd |= !is_milter && status_is_alive(heartbeat, now_s);
	}
	if (!policyd || milter || !conf_has_concurrency(conf))
		return;
	finding_add(
		findings, FINDING_NOTE,
		"limits on deliveries at once are judged without weir-milter",
		"weir-policyd does not hear the end of a delivery that is broken off: its slot stays taken for up to policyd.hold.");
	finding_seen(findings, "weir-policyd is alive, weir-milter is not");
	finding_mend(findings,
	             "For exact limits, and let Postfix ask it (weir-milter(8), "
	             "POSTFIX):\nsystemctl enable --now weir-milter");
}

/* None, or all of them were stopped. */
static bool
is_nobody_there(const json_t *heartbeats)
{
	json_t *heartbeat;
	size_t i;
	json_array_foreach(heartbeats, i, heartbeat)
		if (!json_flag(heartbeat, "stopped"))
			return false;
	return true;
}

static void
say_nobody(const struct conf *conf, bool any, struct findings *findings)
{
	bool remote = conf->store.backend == BACKEND_REDIS &&
	              !doctor_is_local(conf->store.redis.servers.v[0]);
	finding_add(findings, FINDING_PROBLEM, "no daemon is alive",
	            "Nothing is greylisted or limited.");
	finding_seen(findings,
	             any ? "every daemon that reported to this store was stopped"
	                 : "no daemon has reported to this store for a day");
	finding_mend(
		findings,
		"Start the daemon that your MTA asks, or both:\nsystemctl start weir-policyd weir-milter\nIf they end at once, their log says why: journalctl -u weir-policyd -u weir-milter.%s",
		remote ? "\nIf they run, IPAddressAllow= of their units must contain the address of Redis."
		       : "");
}

void
daemons_judge(const json_t *heartbeats, const struct conf *conf, int64_t now_s,
              struct findings *findings)
{
	json_t *heartbeat;
	size_t i;
	if (is_nobody_there(heartbeats)) {
		say_nobody(conf, json_array_size(heartbeats) > 0, findings);
		return;
	}
	json_array_foreach(heartbeats, i, heartbeat) {
		judge_life(heartbeat, conf, now_s, findings);
		if (!status_is_alive(heartbeat, now_s))
			continue;
		judge_version(heartbeat, conf, findings);
		judge_store(heartbeat, conf, findings);
		judge_limits_wait(heartbeat, findings);
		judge_counters(heartbeat, findings);
		judge_crowd(heartbeat, conf, now_s, findings);
	}
	judge_nodes(heartbeats, conf, now_s, findings);
	judge_kinds(heartbeats, conf, now_s, findings);
}
