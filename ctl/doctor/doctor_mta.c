/* doctor_mta.c - which MTA there is, how it is wired to weir, and whether it reaches it. */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "cure.h"
#include "doctor.h"
#include "errand.h"
#include "mta_sendmail.h"
#include "postfix_judge.h"

#define POSTFIX_DIR  "/etc/postfix"
#define SENDMAIL_DIR "/etc/mail"

static bool
dir_has(const char *dir, const char *name)
{
	char path[1024];
	struct text text = TEXT(path);
	text_printf(&text, "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

/* An operator's PATH may lack it. */
static const char *
postconf(void)
{
	static const char usual[] = "/usr/sbin/postconf";
	return access(usual, X_OK) == 0 ? usual : "postconf";
}

/* What postconf prints of the directory; NULL with a text. */
static char *
ask_postconf(const char *dir, const char *option, struct err *err)
{
	const char *const argv[] = {postconf(), "-c", dir, option, NULL};
	const char *const expanded[] = {postconf(), "-x", "-c", dir, option, NULL};
	char *output = NULL;
	bool services = option && strcmp(option, "-M") == 0;
	return errand_output(services ? argv : expanded, &output, err) ? output : NULL;
}

static bool
read_postfix(struct postfix *postfix, const char *dir, struct err *err)
{
	char *values = ask_postconf(dir, NULL, err);
	char *overrides = values ? ask_postconf(dir, "-P", err) : NULL;
	char *services = overrides ? ask_postconf(dir, "-M", err) : NULL;
	if (services)
		postfix_parse(postfix, slice_of(values), slice_of(overrides),
		              slice_of(services));
	free(values);
	free(overrides);
	free(services);
	return services != NULL;
}

/* ---- whether it reaches us ---- */

/*
 * Who is in the socket's group may connect, if the group may.  A daemon that is not started as root
 * cannot give it to another one: its own takes in the MTA's user.
 */
static void
mend_socket(struct checkup *checkup, const char *user, const char *daemon,
            const char *path)
{
	bool milter = strcmp(daemon, "weir-milter") == 0;
	char buf[CURE_MAX];
	struct text text = TEXT(buf);
	struct stat st = {0};
	bool found = stat(path, &st) == 0;
	const struct group *group = found ? getgrgid(st.st_gid) : NULL;
	bool by_root = found && st.st_uid == 0;
	cure_open_way(user, path, &text);
	if ((found && (st.st_mode & 0060) != 0060) || by_root) {
		text_printf(&text, "in weir.conf: %s: { socket_mode = \"0660\";",
		            milter ? "milter" : "policyd");
		if (by_root)
			text_printf(&text, " socket_group = \"%s\";", user);
		text_printf(&text, " };\nsystemctl restart %s\n", daemon);
	}
	if (!by_root)
		text_printf(&text, "usermod -a -G %s %s\nsystemctl restart %s",
		            group ? group->gr_name : doctor_group(checkup->conf), user,
		            strcmp(user, "smmsp") == 0 ? "sendmail" : "postfix");
	cure_set(checkup->findings, &text);
}

static void
check_reach(struct checkup *checkup, const char *user, const char *daemon,
            const char *listen)
{
	struct endpoint endpoint;
	if (!endpoint_parse(slice_of(listen), &endpoint))
		return;
	if (endpoint.is_unix && !doctor_can_be(user)) {
		doctor_say_untried(checkup->findings,
		                   "not tested: whether the MTA reaches weir");
		finding_seen(checkup->findings, "%s at %s, as user %s", daemon, listen,
		             user);
		return;
	}
	int error = errand_try_connect(user, &endpoint);
	if (error == 0) {
		finding_ok(checkup->findings, "the MTA reaches %s at %s", daemon, listen);
		return;
	}
	finding_add(checkup->findings, FINDING_PROBLEM,
	            error == EACCES ? "the MTA may not connect to weir"
	                            : "the MTA does not reach weir",
	            "It takes its default action for all mail.");
	finding_seen(checkup->findings, "%s at %s, as user %s: %s", daemon, listen, user,
	             strerror(error));
	if (error != EACCES)
		finding_mend(
			checkup->findings,
			"systemctl restart %s\nIf that does not help, its log says why: journalctl -u %s.",
			daemon, daemon);
	else
		mend_socket(checkup, user, daemon, endpoint.host);
}

static void
check_reaches(struct checkup *checkup, const char *user, const struct wiring *wiring)
{
	const struct conf *conf = checkup->conf;
	if (wiring->policyd)
		for (size_t i = 0; i < conf->policyd.listen.n; i++)
			check_reach(checkup, user, "weir-policyd",
			            conf->policyd.listen.v[i]);
	if (wiring->milter)
		check_reach(checkup, user, "weir-milter", conf->milter.listen);
}

/* ---- each MTA ---- */

/* The other instances of the same host. */
static void
check_instances(struct checkup *checkup, const struct postfix *postfix)
{
	struct slice rest = postfix_value(postfix, NULL, "multi_instance_directories");
	struct postfix_word word;
	while (postfix_word(&rest, &word)) {
		char dir[1024];
		struct text text = TEXT(dir);
		struct postfix other = {.dir = dir};
		struct err err;
		text_put(&text, word.text);
		if (read_postfix(&other, dir, &err))
			postfix_judge_instance(&other, checkup->conf, dir,
			                       checkup->findings);
		postfix_free(&other);
	}
}

static void
check_postfix(struct checkup *checkup, const char *dir)
{
	struct postfix postfix = {.dir = checkup->mta};
	struct wiring wiring;
	struct err err;
	if (read_postfix(&postfix, dir, &err)) {
		char user[64];
		struct text text = TEXT(user);
		postfix_judge(&postfix, checkup->conf, checkup->findings, &wiring);
		text_put(&text, postfix_value(&postfix, NULL, "mail_owner"));
		if (wiring.policyd || wiring.milter)
			check_instances(checkup, &postfix);
		check_reaches(checkup, user, &wiring);
	} else {
		finding_add(checkup->findings, FINDING_WARNING,
		            "the settings of Postfix could not be read", "");
		finding_seen(checkup->findings, "%s: %s", dir, err.text);
		finding_mend(checkup->findings,
		             "See what is wrong:\npostconf -c %s >/dev/null",
		             cure_quoted(checkup->findings, dir));
	}
	postfix_free(&postfix);
}

static void
check_sendmail(struct checkup *checkup, const char *dir)
{
	struct wiring wiring = {0};
	wiring.milter = sendmail_judge(dir, checkup->conf, checkup->findings);
	check_reaches(checkup, "smmsp", &wiring);
}

static void
say_none(struct checkup *checkup)
{
	finding_add(checkup->findings, FINDING_NOTE,
	            "there is no Postfix and no Sendmail here",
	            "doctor cannot check an MTA on another host.");
	finding_seen(checkup->findings, "neither %s/main.cf nor %s/sendmail.mc",
	             checkup->mta ? checkup->mta : POSTFIX_DIR,
	             checkup->mta ? checkup->mta : SENDMAIL_DIR);
	finding_mend(checkup->findings,
	             "If its settings are elsewhere: weirctl doctor --mta DIR.");
}

void
doctor_mta(struct checkup *checkup)
{
	const char *postfix = checkup->mta ? checkup->mta : POSTFIX_DIR;
	const char *sendmail = checkup->mta ? checkup->mta : SENDMAIL_DIR;
	if (dir_has(postfix, "main.cf"))
		check_postfix(checkup, postfix);
	else if (dir_has(sendmail, "sendmail.mc") || dir_has(sendmail, "sendmail.cf"))
		check_sendmail(checkup, sendmail);
	else
		say_none(checkup);
}
