/*
 * postfix_judge_return.c - mail that comes back into Postfix, as from a content filter: weir was
 * asked about it before.
 */
#include "postfix_cure.h"
#include "postfix_judge.h"
#include "postfix_walk.h"

/* Where the service asks, and how it is kept from it. */
struct again {
	const struct judge *judge;
	char asked[400], mend[CURE_MAX];
	struct text asked_text, cure;
};

static bool
is_set(const struct postfix *postfix, const struct postfix_service *service,
       const char *name)
{
	return postfix_value(postfix, service, name).n > 0;
}

static bool
has_filter(const struct postfix *postfix, const struct postfix_service *service)
{
	return is_set(postfix, service, "content_filter") ||
	       is_set(postfix, service, "smtpd_proxy_filter");
}

static bool
hands_out(const struct postfix *postfix)
{
	for (size_t i = 0; i < postfix->n_services; i++)
		if (slice_eq(postfix->services[i].command, SLICE("smtpd")) &&
		    has_filter(postfix, &postfix->services[i]))
			return true;
	return false;
}

static bool
is_on_loopback(const struct postfix_service *service)
{
	return slice_starts_nocase(service->name, SLICE("127.")) ||
	       slice_starts_nocase(service->name, SLICE("localhost:")) ||
	       slice_starts_nocase(service->name, SLICE("[::1]:")) ||
	       slice_starts_nocase(service->name, SLICE("::1:"));
}

bool
judge_is_return(const struct postfix *postfix, const struct postfix_service *service)
{
	return hands_out(postfix) && !has_filter(postfix, service) &&
	       !slice_eq(service->type, SLICE("pass"));
}

static void
on_asked(void *arg, const struct asked *asked)
{
	struct again *again = arg;
	if (again->asked_text.n > 0)
		text_puts(&again->asked_text, ", ");
	text_puts(&again->asked_text, asked->list);
	cure_drop_from(again->judge, asked->service, asked->list, asked->client.endpoint,
	               &again->cure);
}

void
judge_return(struct judge *judge, const struct postfix_service *service,
             const char *master_cf)
{
	struct again again = {.judge = judge,
	                      .asked_text = TEXT(again.asked),
	                      .cure = TEXT(again.mend)};
	struct findings *findings = judge->findings;
	postfix_walk_policy(judge->postfix, judge->conf, service, on_asked, &again);
	if (!judge_no_milters(judge->postfix, service))
		postfix_walk_milters(judge->postfix, judge->conf, service,
		                     "smtpd_milters", on_asked, &again);
	if (again.asked_text.n == 0)
		return;
	finding_add(
		findings, FINDING_WARNING,
		"Postfix asks weir again about mail that comes back from a filter",
		"Postfix already asked when the mail came in: limits count it twice, and may defer it on its way back.");
	finding_seen(findings, "service %.*s in %s: %s", (int)service->name.n,
	             service->name.p, master_cf, again.asked);
	cure_reload(judge, &again.cure);
	cure_set(findings, &again.cure);
}

void
postfix_judge_instance(const struct postfix *postfix, const struct conf *conf,
                       const char *dir, struct findings *findings)
{
	struct judge judge = {.postfix = postfix, .conf = conf, .findings = findings};
	char master_cf[1024];
	struct text text = TEXT(master_cf);
	text_printf(&text, "%s/master.cf", dir);
	for (size_t i = 0; i < postfix->n_services; i++)
		if (slice_eq(postfix->services[i].command, SLICE("smtpd")) &&
		    is_on_loopback(&postfix->services[i]))
			judge_return(&judge, &postfix->services[i], master_cf);
}
