/* invented.c - a recipient's question made of options instead of told by an MTA. */
#include "invented.h"

#include <string.h>
#include <sysexits.h>

#include "base/addr.h"
#include "rules/mailaddr.h"

static struct slice
value_of(const struct ctl *ctl, const char *option)
{
	return slice_trim(slice_of(ctl_option(ctl, option)));
}

static struct slice
mailbox_of(const struct ctl *ctl, const char *option)
{
	return mailaddr_bare(value_of(ctl, option));
}

static int
read_stage(const struct ctl *ctl, struct query *query)
{
	const char *stage = ctl_option(ctl, "stage");
	if (stage && strcmp(stage, "rcpt") != 0 && strcmp(stage, "data") != 0)
		return ctl_fail(EX_USAGE, "--stage: \"%.40s\" is neither rcpt nor data",
		                stage);
	query->stage = stage && strcmp(stage, "data") == 0 ? STAGE_DATA : STAGE_RCPT;
	return EX_OK;
}

int
invented_query(const struct ctl *ctl, bool whole, struct query *query_out)
{
	struct addr addr;
	*query_out = (struct query){
		.client_address = value_of(ctl, "client"),
		.client_name = value_of(ctl, "client-name"),
		.sender = mailbox_of(ctl, "sender"),
		.recipient = mailbox_of(ctl, "recipient"),
		.nexthop = value_of(ctl, "nexthop"),
		.sasl_username = value_of(ctl, "user"),
	};
	if (query_out->client_address.n == 0)
		return ctl_fail(EX_USAGE, "the option --client is missing");
	if (!addr_parse(query_out->client_address, &addr))
		return ctl_fail(EX_USAGE,
		                "--client: \"%.64s\" is no address such as "
		                "192.0.2.1 or 2001:db8::1",
		                ctl_option(ctl, "client"));
	if (whole && query_out->recipient.n == 0)
		return ctl_fail(EX_USAGE, "the option --recipient is missing");
	return read_stage(ctl, query_out);
}
