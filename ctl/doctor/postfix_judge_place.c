/* postfix_judge_place.c - the place where Postfix asks weir: its name, and a socket it cannot see. */
#include "cure.h"
#include "postfix_cure.h"
#include "postfix_judge.h"

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
judge_hidden(struct judge *judge, const struct asked *asked, const char *ours,
             bool milter)
{
	struct findings *findings = judge->findings;
	struct slice queue = postfix_value(judge->postfix, NULL, "queue_directory");
	char endpoint_buf[600], entry_buf[800], buf[CURE_MAX];
	struct text endpoint = TEXT(endpoint_buf), entry = TEXT(entry_buf),
		    text = TEXT(buf);
	finding_add(
		findings, FINDING_PROBLEM, "the chroot hides weir's socket from Postfix",
		"smtpd looks for the path below its chroot, does not find it, and takes default_action for all mail.");
	finding_seen(findings, "%.*s in %s; the service %.*s runs in the chroot %.*s",
	             (int)asked->client.endpoint.n, asked->client.endpoint.p, asked->list,
	             (int)asked->service->name.n, asked->service->name.p, (int)queue.n,
	             queue.p);
	cure_move_socket(judge, asked->service, ours, milter, &endpoint, &text);
	if (milter)
		cure_milter_entry(judge->conf, text_slice(&endpoint), &entry);
	else
		cure_policy_entry(judge->conf, text_slice(&endpoint), &entry);
	cure_replace(judge, asked, entry_buf, &text);
	cure_reload(judge, &text);
	cure_set(findings, &text);
}
