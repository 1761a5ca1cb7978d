/* postfix_judge.c - what is wrong with how Postfix is wired to weir: each service of smtpd. */
#include "postfix_judge.h"

#include "cure.h"
#include "doctor.h"
#include "postfix_cure.h"

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
ask_there_too(struct judge *judge, const struct postfix_service *service,
              const char *list)
{
	char entry_buf[800], buf[CURE_MAX];
	struct text entry = TEXT(entry_buf), text = TEXT(buf);
	cure_policy_entry(judge->conf, judge->policy, &entry);
	cure_append(judge, service, list, judge->policy, entry_buf, &text);
	cure_reload(judge, &text);
	cure_set(judge->findings, &text);
}

static void
say_half(struct judge *judge, const struct postfix_service *service)
{
	struct findings *findings = judge->findings;
	if (judge->policy.n == 0) /* out of reach, which is said */
		return;
	if (judge->policy_at_rcpt && !judge->policy_at_data && !judge->submission) {
		finding_add(
			findings, FINDING_NOTE, "bounces are not greylisted",
			"weir judges the null sender at DATA, where Postfix does not ask weir-policyd: such mail comes in at once.");
		finding_seen(findings, "%.*s: smtpd_data_restrictions",
		             (int)service->name.n, service->name.p);
		ask_there_too(judge, service, "smtpd_data_restrictions");
	}
	if (judge->policy_at_rcpt && !judge->policy_at_end &&
	    conf_has_concurrency(judge->conf)) {
		finding_add(
			findings, FINDING_WARNING, "slots of limits are given back late",
			"Without the milter, weir-policyd hears the end of a message only at the end of data.  Without that, its slot stays taken for up to policyd.hold, and other mail is deferred.");
		finding_seen(findings,
		             "limits on deliveries at once; %.*s: "
		             "smtpd_end_of_data_restrictions does not ask weir-policyd",
		             (int)service->name.n, service->name.p);
		ask_there_too(judge, service, "smtpd_end_of_data_restrictions");
	}
}

/* The settings for one of the daemons, its socket moved where Postfix sees it. */
static void
ask_anew(struct judge *judge, const struct postfix_service *service, bool milter,
         struct text *out)
{
	char endpoint_buf[600], entry_buf[800];
	struct text endpoint = TEXT(endpoint_buf), entry = TEXT(entry_buf);
	const struct conf *conf = judge->conf;
	cure_move_socket(judge, service,
	                 milter ? conf->milter.listen : conf->policyd.listen.v[0], milter,
	                 &endpoint, out);
	if (milter)
		cure_milter_entry(conf, text_slice(&endpoint), &entry);
	else
		cure_policy_entry(conf, text_slice(&endpoint), &entry);
	if (milter && conf_has_concurrency(conf))
		cure_milter_first(judge, service, "smtpd_milters", text_slice(&endpoint),
		                  out);
	else
		cure_append(judge, service,
		            milter ? "smtpd_milters" : "smtpd_recipient_restrictions",
		            text_slice(&endpoint), entry_buf, out);
	if (milter)
		cure_drop_from(judge, service, "receive_override_options",
		               SLICE("no_milters"), out);
	cure_reload(judge, out);
}

static void
say_bare(struct judge *judge, const struct postfix_service *service)
{
	char buf[512] = "", cure[CURE_MAX];
	struct text others = TEXT(buf), text = TEXT(cure);
	struct findings *findings = judge->findings;
	postfix_others(judge->postfix, service, &others);
	finding_add(findings, FINDING_PROBLEM,
	            "Postfix asks neither weir-policyd nor weir-milter",
	            "Mail that comes in there is neither greylisted nor limited.");
	finding_seen(findings, "service %.*s asks %s; weir listens at %s and %s",
	             (int)service->name.n, service->name.p, others.n > 0 ? buf : "nobody",
	             judge->conf->policyd.listen.v[0], judge->conf->milter.listen);
	text_puts(&text, "For weir-milter, see weir-milter(8), POSTFIX:\n");
	ask_anew(judge, service, true, &text);
	text_puts(&text, "Or for weir-policyd, see weir-policyd(8), POSTFIX:\n");
	ask_anew(judge, service, false, &text);
	cure_set(findings, &text);
}

static void
judge_service(struct judge *judge, const struct postfix_service *service, bool front)
{
	judge->submission = is_submission(service);
	judge->policy_at_rcpt = judge->policy_at_data = judge->policy_at_end = false;
	judge->milter = false;
	judge->policy = SLICE("");
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
		if (!is_front(service) && !is_submission(service) &&
		    judge_is_return(postfix, service)) {
			judge_return(&judge, service, "master.cf");
			continue;
		}
		judge_service(&judge, service,
		              by_name ? is_front(service) : !is_submission(service));
	}
	if (!any) {
		finding_add(findings, FINDING_NOTE, "this Postfix takes no mail by SMTP",
		            "");
		finding_seen(findings, "master.cf has no service with smtpd");
		finding_mend(findings, "Nothing, if that is intended.");
	}
	judge_settings(&judge);
	findings_drop_repeated(findings, before);
	say_good(&judge, before);
	*wiring_out = judge.wiring;
}
