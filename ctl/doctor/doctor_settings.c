/* doctor_settings.c - whether the settings can be used, by the daemons too. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/endpoint.h"
#include "cure.h"
#include "doctor.h"
#include "errand.h"

/* ---- what they say ---- */

static void
judge_greylist(const struct conf *conf, struct findings *findings)
{
	if (conf->greylist.mode == MODE_OFF) {
		finding_add(findings, FINDING_NOTE, "greylisting is off", "");
		finding_seen(findings, "greylist.mode is \"off\"");
		finding_mend(findings, "in weir.conf: greylist: { mode = \"on\"; };\n"
		                       "systemctl reload weir-policyd weir-milter");
	} else if (conf->greylist.mode == MODE_OBSERVE) {
		finding_add(
			findings, FINDING_NOTE, "greylisting only observes",
			"It learns, and logs what it would have deferred, but lets all mail in.");
		finding_seen(findings, "greylist.mode is \"observe\"");
		finding_mend(
			findings,
			"If the log looks right:\nin weir.conf: greylist: { mode = \"on\"; };\nsystemctl reload weir-policyd weir-milter");
	}
	if (conf->greylist.mode == MODE_OFF || conf->greylist.delay_ms >= 60000)
		return;
	finding_add(
		findings, FINDING_WARNING, "greylist.delay is shorter than a minute",
		"Programs that retry at once get through.  RFC 6647 advises at least a minute; such a delay may be left over from a trial.");
	finding_seen(findings, "greylist.delay is %lld ms",
	             (long long)conf->greylist.delay_ms);
	finding_mend(findings, "in weir.conf: greylist: { delay = \"3m\"; };\n"
	                       "systemctl reload weir-policyd weir-milter");
}

/* `list`: where it is by that name, "group of limits.users"; NULL: it is a group by itself. */
static void
judge_mode(const struct conf_limit *limit, const char *name, const char *list,
           struct findings *findings)
{
	if (limit->mode != MODE_OBSERVE)
		return;
	finding_add(
		findings, FINDING_NOTE, "a limit only observes",
		"It counts, and logs what it would have deferred, but defers nothing.");
	finding_seen(findings, "limits: %s has mode \"observe\"", name);
	if (!list)
		finding_mend(
			findings,
			"If the log looks right:\nin weir.conf: limits: { %s: { mode = \"on\"; }; };\nsystemctl reload weir-policyd weir-milter",
			name);
	else
		finding_mend(
			findings,
			"If the log looks right, remove mode = \"observe\" from %s, a %s; then:\nsystemctl reload weir-policyd weir-milter",
			name, list);
}

static void
judge_groups(const struct conf_groups *groups, const char *what,
             struct findings *findings)
{
	for (size_t i = 0; i < groups->n; i++)
		judge_mode(&groups->v[i].limit, groups->v[i].name, what, findings);
}

static void
judge_limits(const struct conf *conf, struct findings *findings)
{
	judge_mode(&conf->limits.other, "default", NULL, findings);
	judge_mode(&conf->limits.clients, "clients", NULL, findings);
	judge_mode(&conf->limits.senders, "senders", NULL, findings);
	judge_mode(&conf->limits.users, "users", NULL, findings);
	judge_mode(&conf->limits.mailboxes, "mailboxes", NULL, findings);
	judge_groups(&conf->limits.sender_groups, "group of limits.senders", findings);
	judge_groups(&conf->limits.user_groups, "group of limits.users", findings);
	judge_groups(&conf->limits.mailbox_groups, "group of limits.mailboxes", findings);
	for (size_t i = 0; i < conf->limits.n_destinations; i++)
		judge_mode(&conf->limits.destinations[i].limit,
		           conf->limits.destinations[i].name,
		           "destination of limits.destinations", findings);
	if (conf->milter.enforce)
		return;
	finding_add(
		findings, FINDING_NOTE, "weir-milter defers nothing",
		"It only takes slots, so that weir-policyd counts exactly.  Alone, it neither greylists nor limits.");
	finding_seen(findings, "milter.enforce is false");
	finding_mend(
		findings,
		"Unless your MTA also asks weir-policyd:\nin weir.conf: milter: { enforce = true; };\nsystemctl reload weir-policyd weir-milter");
}

/* "http.listen" with the addresses of this host only. */
static void
mend_open(const struct conf_texts *listen, const char *name, struct findings *findings)
{
	char buf[CURE_MAX];
	struct text text = TEXT(buf);
	struct slice setting = slice_of(name), group = {0};
	bool is_list = strcmp(name, "milter.listen") != 0;
	slice_cut(&setting, '.', &group);
	text_printf(&text, "in weir.conf: %.*s: { %.*s = %s", (int)group.n, group.p,
	            (int)setting.n, setting.p, is_list ? "[" : "");
	for (size_t i = 0; i < listen->n; i++) {
		struct endpoint endpoint;
		bool open = !doctor_is_local(listen->v[i]) &&
		            endpoint_parse(slice_of(listen->v[i]), &endpoint);
		text_puts(&text, i > 0 ? ", \"" : "\"");
		if (open)
			text_printf(&text, "inet:127.0.0.1:%u", endpoint.port);
		else
			text_puts(&text, listen->v[i]);
		text_putc(&text, '"');
	}
	text_printf(&text, "%s; };\nsystemctl restart weir-policyd weir-milter\n",
	            is_list ? "]" : "");
	text_puts(&text, "Or let a firewall admit only those who need it.");
	cure_set(findings, &text);
}

static void
judge_open(const struct conf_texts *listen, const char *name, enum finding_level level,
           const char *title, const char *why, struct findings *findings)
{
	for (size_t i = 0; i < listen->n; i++) {
		if (doctor_is_local(listen->v[i]))
			continue;
		finding_add(findings, level, title, why);
		finding_seen(findings, "%s has \"%s\"", name, listen->v[i]);
		mend_open(listen, name, findings);
	}
}

static void
judge_listeners(const struct conf *conf, struct findings *findings)
{
	char *milter[] = {conf->milter.listen};
	struct conf_texts milters = {.v = milter, .n = 1};
	static const char page[] = "the status page can be read by other hosts";
	static const char page_why[] =
		"It shows addresses of senders and recipients, and asks "
		"for no password.";
	static const char ask[] = "other hosts may ask weir";
	static const char ask_why[] =
		"Anyone who can ask can fill the store and take slots; nothing proves that it is your MTA.";
	judge_open(&conf->http.listen, "http.listen", FINDING_WARNING, page, page_why,
	           findings);
	judge_open(&conf->http.milter_listen, "http.milter_listen", FINDING_WARNING, page,
	           page_why, findings);
	judge_open(&conf->policyd.listen, "policyd.listen", FINDING_NOTE, ask, ask_why,
	           findings);
	judge_open(&milters, "milter.listen", FINDING_NOTE, ask, ask_why, findings);
}

static void
judge_site(const struct conf *conf, struct findings *findings)
{
	if (conf->store.backend == BACKEND_EMBEDDED && conf->nodes > 1) {
		finding_add(
			findings, FINDING_WARNING,
			"hosts cannot share the embedded store",
			"Each host has its own store: a sender that retries at another host waits again, and each host allows the whole limit.");
		finding_seen(findings, "nodes is %lld, store.backend is \"embedded\"",
		             (long long)conf->nodes);
		finding_mend(findings,
		             "If this host is the only one:\n"
		             "in weir.conf: nodes = 1;\n"
		             "systemctl reload weir-policyd weir-milter\n"
		             "Or share a Redis: store.backend and store.redis in "
		             "weir.conf(5).");
	}
	if (conf->decisions.keep == 0) {
		finding_add(findings, FINDING_NOTE, "no decision is recorded",
		            "weirctl why shows nothing.");
		finding_seen(findings, "decisions.keep is 0");
		finding_mend(findings, "in weir.conf: decisions: { keep = 100000; };\n"
		                       "systemctl reload weir-policyd weir-milter");
	}
}

#define YEAR_S (INT64_C(365) * 24 * 60 * 60)

static void
judge_pools(const struct conf *conf, struct findings *findings)
{
	int64_t date_s = conf->greylist.pools_date_s;
	if (date_s == 0 || clock_wall_s() - date_s <= YEAR_S)
		return;
	finding_add(
		findings, FINDING_NOTE, "the list of big providers is over a year old",
		"A provider that has moved since then waits once for each of its networks; no mail is lost.");
	finding_seen(findings,
	             "the date in a file of greylist.pool_files was %lld days ago",
	             (long long)((clock_wall_s() - date_s) / (YEAR_S / 365)));
	finding_mend(
		findings,
		"Replace it with the pools.conf of the newest weir, or check it and set its date; then:\nsystemctl reload weir-policyd weir-milter");
}

void
doctor_judge_settings(const struct conf *conf, struct findings *findings)
{
	judge_greylist(conf, findings);
	judge_limits(conf, findings);
	judge_listeners(conf, findings);
	judge_site(conf, findings);
	judge_pools(conf, findings);
}

/* ---- who may read them ---- */

static bool
check_user(struct checkup *checkup)
{
	const char *user = checkup->conf->user;
	if (!*user || getpwnam(user)) {
		finding_ok(checkup->findings, "%s%s",
		           *user ? "the daemons' user is "
		                 : "the daemons keep the user who starts them",
		           user);
		return true;
	}
	finding_add(checkup->findings, FINDING_PROBLEM,
	            "the daemons' user does not exist",
	            "Started as root, the daemons end at once.");
	finding_seen(checkup->findings, "user is \"%s\"", user);
	finding_mend(checkup->findings,
	             "adduser --system --group --no-create-home --home /var/lib/weir %s",
	             user);
	return false;
}

static void
check_readable(struct checkup *checkup, const char *path, const char *title,
               const char *why)
{
	int error = errand_try_access(checkup->conf->user, path, R_OK);
	if (error == 0)
		return;
	finding_add(checkup->findings, FINDING_PROBLEM, title, why);
	finding_seen(checkup->findings, "%s: %s", path, strerror(error));
	char buf[CURE_MAX];
	struct text text = TEXT(buf);
	const char *quoted = cure_quoted(checkup->findings, path);
	cure_open_way(checkup->conf->user, path, &text);
	text_printf(&text, "chown root:%s %s && chmod 640 %s",
	            doctor_group(checkup->conf), quoted, quoted);
	cure_set(checkup->findings, &text);
}

static void
check_writable_by_others(struct checkup *checkup)
{
	const char *path = checkup->ctl->conf_path;
	struct stat st;
	if (stat(path, &st) != 0 || !(st.st_mode & S_IWOTH))
		return;
	finding_add(checkup->findings, FINDING_PROBLEM,
	            "everybody may change the settings",
	            "Any user of this host can let mail in, or stop it.");
	finding_seen(checkup->findings, "%s has mode %04o", path,
	             (unsigned)(st.st_mode & 07777));
	finding_mend(checkup->findings, "chmod o-w %s",
	             cure_quoted(checkup->findings, path));
}

static void
check_rights(struct checkup *checkup)
{
	const struct conf *conf = checkup->conf;
	check_writable_by_others(checkup);
	if (!doctor_can_be(conf->user)) {
		doctor_say_untried(
			checkup->findings,
			"not tested: whether the daemons can read the settings");
		return;
	}
	check_readable(checkup, checkup->ctl->conf_path,
	               "the daemons cannot read the settings",
	               "Started as root, they start, but cannot reload them.");
	if (conf->store.backend == BACKEND_REDIS && *conf->store.redis.password_file)
		check_readable(
			checkup, conf->store.redis.password_file,
			"the daemons cannot read the password of Redis",
			"Started as root, they start, but cannot reload their settings.");
}

/* ---- whether they load ---- */

static void
load(struct checkup *checkup)
{
	struct ctl *ctl = checkup->ctl;
	struct err err;
	if (!ctl->conf)
		ctl->conf = conf_load(ctl->conf_path, &ctl->overrides, &err);
	checkup->conf = ctl->conf;
	if (ctl->conf) {
		ctl->conf_has_lists = true;
		finding_ok(checkup->findings, "%s can be used", ctl->conf_path);
		return;
	}
	if (err.forbidden && geteuid() != 0) {
		finding_add(checkup->findings, FINDING_PROBLEM,
		            "you may not read the settings", "Nothing was checked.");
		finding_seen(checkup->findings, "%s", err.text);
		finding_mend(checkup->findings, "Run doctor as root.");
		return;
	}
	finding_add(
		checkup->findings, FINDING_PROBLEM, "the settings cannot be used",
		"The daemons do not start with them; those that run keep the old ones at a reload.  Nothing else was checked.");
	finding_seen(checkup->findings, "%s", err.text);
	finding_mend(checkup->findings, "Fix that line; then:\nweirctl check-config");
}

void
doctor_settings(struct checkup *checkup)
{
	load(checkup);
	if (!checkup->conf)
		return;
	doctor_judge_settings(checkup->conf, checkup->findings);
	if (check_user(checkup))
		check_rights(checkup);
}
