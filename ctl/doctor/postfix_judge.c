/* postfix_judge.c - what is wrong with how Postfix is wired to weir: each service of smtpd. */
#include "postfix_judge.h"

#include "doctor.h"
#include "postfix_walk.h"

static bool
is_named(const struct postfix_service *service, const char *const *names, size_t n)
{
	struct slice port = service->name;
	ptrdiff_t colon = slice_rfind(port, ':');
	if (colon >= 0)
		port = slice_from(port, (size_t)colon + 1);
	for (size_t i = 0; i < n; i++)
		if (slice_eq(port, slice_of(names[i])))
			return true;
	return false;
}

static bool
is_submission(const struct postfix_service *service)
{
	static const char *const names[] = {"submission", "submissions", "smtps", "587",
	                                    "465"};
	return is_named(service, names, COUNT_OF(names));
}

/* Where mail of strangers comes in: port 25, or what postscreen hands over. */
static bool
is_front(const struct postfix_service *service)
{
	static const char *const names[] = {"smtp", "25"};
	return slice_eq(service->type, SLICE("pass")) ||
	       is_named(service, names, COUNT_OF(names));
}

static bool
is_smtpd(const struct postfix_service *service)
{
	return slice_eq(service->command, SLICE("smtpd"));
}

void
judge_where(const struct judge *judge, const struct postfix_service *service,
            const char *list, struct text *out)
{
	if (service && postfix_overrides(judge->postfix, service, list)) {
		text_put(out, service->name);
		text_puts(out, ": -o ");
	}
	text_puts(out, list);
}

void
judge_hidden(struct judge *judge, const struct asked *asked, const char *ours)
{
	struct findings *findings = judge->findings;
	struct slice queue = postfix_value(judge->postfix, NULL, "queue_directory");
	struct slice path = slice_from(slice_of(ours), 5); /* unix: */
	finding_add(
		findings, FINDING_PROBLEM, "the chroot hides weir's socket from Postfix",
		"smtpd looks for the path below its chroot, does not find it, and does "
		"what default_action says with all mail.");
	finding_seen(findings, "%.*s in %s; the service %.*s runs in the chroot %.*s",
	             (int)asked->client.endpoint.n, asked->client.endpoint.p, asked->list,
	             (int)asked->service->name.n, asked->service->name.p, (int)queue.n,
	             queue.p);
	if (slice_starts_nocase(path, queue) && path.p[queue.n] == '/')
		finding_mend(findings, "in main.cf, write unix:%s", path.p + queue.n + 1);
	else
		finding_mend(findings,
		             "in weir.conf: listen at \"unix:%.*s/weir/%s\"\n"
		             "in main.cf: unix:weir/%s\n"
		             "install -d -o %s -g postfix -m 2750 %.*s/weir",
		             (int)queue.n, queue.p, path.p + slice_rfind(path, '/') + 1,
		             path.p + slice_rfind(path, '/') + 1,
		             doctor_user(judge->conf), (int)queue.n, queue.p);
}

static void
on_policy(void *arg, const struct asked *asked)
{
	struct judge *judge = arg;
	judge_policy(judge, asked);
}

static void
on_milter(void *arg, const struct asked *asked)
{
	struct judge *judge = arg;
	judge_milter(judge, asked);
}

static void
say_half(struct judge *judge, const struct postfix_service *service)
{
	struct findings *findings = judge->findings;
	if (judge->policy_at_rcpt && !judge->policy_at_data && !judge->submission) {
		finding_add(
			findings, FINDING_NOTE, "bounces are not greylisted",
			"The null sender is judged at DATA, where weir-policyd is not "
			"asked: such mail is let in at once.");
		finding_seen(findings, "%.*s: smtpd_data_restrictions",
		             (int)service->name.n, service->name.p);
		finding_mend(
			findings,
			"to greylist it: add the same check_policy_service { ... } to "
			"smtpd_data_restrictions");
	}
	if (judge->policy_at_rcpt && !judge->policy_at_end &&
	    conf_has_concurrency(judge->conf)) {
		finding_add(
			findings, FINDING_WARNING, "slots of limits are given back late",
			"Without the milter, weir-policyd hears only at the end of data "
			"that a message is through: until then, or for policyd.hold, "
			"its slot is taken and others are deferred.");
		finding_seen(findings,
		             "limits on deliveries at once; %.*s: "
		             "smtpd_end_of_data_restrictions does not ask weir-policyd",
		             (int)service->name.n, service->name.p);
		finding_mend(findings,
		             "add the same check_policy_service { ... } to "
		             "smtpd_end_of_data_restrictions, or use weir-milter");
	}
}

static void
say_bare(struct judge *judge, const struct postfix_service *service)
{
	char buf[512] = "";
	struct text others = TEXT(buf);
	struct findings *findings = judge->findings;
	char milter[300] = "", policy[300] = "";
	struct text milter_text = TEXT(milter), policy_text = TEXT(policy);
	postfix_others(judge->postfix, service, &others);
	postfix_print_ours(judge->postfix, judge->conf->milter.listen, &milter_text);
	postfix_print_ours(judge->postfix, judge->conf->policyd.listen.v[0],
	                   &policy_text);
	finding_add(findings, FINDING_PROBLEM,
	            "Postfix asks neither weir-policyd nor weir-milter",
	            "Mail that comes in there is not greylisted, and no limit holds.");
	finding_seen(findings, "service %.*s asks %s; weir listens at %s and %s",
	             (int)service->name.n, service->name.p, others.n > 0 ? buf : "nobody",
	             judge->conf->policyd.listen.v[0], judge->conf->milter.listen);
	finding_mend(findings,
	             "in main.cf, for weir-milter (see weir-milter(8), POSTFIX):\n"
	             "smtpd_milters = { %s, connect_timeout=5s, command_timeout=10s,\n"
	             "    default_action=accept }\n"
	             "or, for weir-policyd (see weir-policyd(8), POSTFIX):\n"
	             "smtpd_recipient_restrictions = permit_mynetworks, "
	             "permit_sasl_authenticated,\n"
	             "    reject_unauth_destination, reject_unlisted_recipient,\n"
	             "    check_policy_service { %s, timeout=5s, default_action=DUNNO }",
	             milter, policy);
}

static void
judge_service(struct judge *judge, const struct postfix_service *service, bool front)
{
	judge->submission = is_submission(service);
	judge->policy_at_rcpt = judge->policy_at_data = judge->policy_at_end = false;
	judge->milter = false;
	postfix_walk_policy(judge->postfix, judge->conf, service, on_policy, judge);
	postfix_walk_milters(judge->postfix, judge->conf, service, "smtpd_milters",
	                     on_milter, judge);
	judge->wiring.policyd |= judge->policy_at_rcpt;
	judge->wiring.milter |= judge->milter;
	if (!judge->milter)
		say_half(judge, service);
	if (front && !judge->milter && !judge->policy_at_rcpt)
		say_bare(judge, service);
}

static bool
has_front(const struct postfix *postfix)
{
	for (size_t i = 0; i < postfix->n_services; i++)
		if (is_smtpd(&postfix->services[i]) && is_front(&postfix->services[i]))
			return true;
	return false;
}

static void
say_good(struct judge *judge, size_t before)
{
	const struct wiring *wiring = &judge->wiring;
	bool good = true;
	for (size_t i = before; i < judge->findings->n; i++)
		good &= judge->findings->v[i].level <= FINDING_NOTE;
	if (good && (wiring->policyd || wiring->milter))
		finding_ok(judge->findings, "Postfix asks %s%s%s",
		           wiring->policyd ? "weir-policyd" : "",
		           wiring->policyd && wiring->milter ? " and " : "",
		           wiring->milter ? "weir-milter" : "");
}

void
postfix_judge(const struct postfix *postfix, const struct conf *conf,
              struct findings *findings, struct wiring *wiring_out)
{
	struct judge judge = {.postfix = postfix, .conf = conf, .findings = findings};
	size_t before = findings->n;
	bool by_name = has_front(postfix), any = false;
	for (size_t i = 0; i < postfix->n_services; i++) {
		const struct postfix_service *service = &postfix->services[i];
		if (!is_smtpd(service))
			continue;
		any = true;
		judge_service(&judge, service,
		              by_name ? is_front(service) : !is_submission(service));
	}
	if (!any) {
		finding_add(findings, FINDING_NOTE, "this Postfix takes no mail by SMTP",
		            "");
		finding_seen(findings, "master.cf has no service with smtpd");
	}
	judge_settings(&judge);
	findings_drop_repeated(findings, before);
	say_good(&judge, before);
	*wiring_out = judge.wiring;
}
