/* postfix_judge_networks.c - hosts that Postfix trusts, and weir does not. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/list.h"
#include "postfix_judge.h"
#include "postfix_walk.h"

/* An address of this host: nobody else sends from it. */
static bool
is_own(const struct addr *addr)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	bool is_v4 = addr->family == ADDR_V4;
	memcpy(&v4.sin_addr, addr->bytes, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, addr->bytes, sizeof(v6.sin6_addr));
	if (!is_v4 && IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
		return true;
	int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool own = fd >= 0 &&
	           bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
	                is_v4 ? sizeof(v4) : sizeof(v6)) == 0;
	if (fd >= 0)
		close(fd);
	return own;
}

static bool
is_greylisted(const struct conf *conf, struct slice word, struct text *name_out)
{
	struct cidr cidr;
	if (!cidr_read(word, &cidr))
		return false; /* a table, or an exception */
	cidr.addr = addr_mask(&cidr.addr, cidr.bits);
	if (conf->greylist.exempt_private && addr_is_private(&cidr.addr))
		return false;
	if (list_has_network(conf->own_networks, &cidr, clock_wall_s()) ||
	    list_has_network(conf->allowed_clients, &cidr, clock_wall_s()))
		return false;
	if (cidr.bits == addr_max_bits(cidr.addr.family) && is_own(&cidr.addr))
		return false;
	addr_print(&cidr.addr, name_out);
	text_printf(name_out, "/%u", cidr.bits);
	return true;
}

/* A check behind permit_mynetworks is never asked about them; a milter is. */
struct reach {
	bool to_networks;
};

static void
on_policy(void *arg, const struct asked *asked)
{
	struct reach *reach = arg;
	reach->to_networks |= asked->for_recipient && !asked->networks_let_in;
}

static void
on_milter(void *arg, const struct asked *asked)
{
	struct reach *reach = arg;
	(void)asked;
	reach->to_networks = true;
}

static bool
networks_are_asked_about(const struct judge *judge)
{
	struct reach reach = {0};
	for (size_t i = 0; i < judge->postfix->n_services; i++) {
		const struct postfix_service *service = &judge->postfix->services[i];
		if (!slice_eq(service->command, SLICE("smtpd")))
			continue;
		postfix_walk_policy(judge->postfix, judge->conf, service, on_policy,
		                    &reach);
		postfix_walk_milters(judge->postfix, judge->conf, service,
		                     "smtpd_milters", on_milter, &reach);
	}
	return reach.to_networks;
}

void
judge_networks(struct judge *judge)
{
	struct slice rest = postfix_value(judge->postfix, NULL, "mynetworks");
	struct postfix_word word;
	char seen[1024] = "", mend[2048] = "";
	struct text missing = TEXT(seen), entries = TEXT(mend);
	for (size_t i = 0; i < judge->conf->lists.networks.n; i++)
		text_printf(&entries, "%s\"%s\"", i > 0 ? ", " : "",
		            judge->conf->lists.networks.v[i]);
	if (!networks_are_asked_about(judge))
		return;
	while (postfix_word(&rest, &word)) {
		char name[ADDR_TEXT_MAX + 8];
		struct text network = TEXT(name);
		if (!is_greylisted(judge->conf, word.text, &network))
			continue;
		text_printf(&missing, "%s%s", missing.n > 0 ? ", " : "", name);
		text_printf(&entries, "%s\"%s\"", entries.n > 0 ? ", " : "", name);
	}
	if (missing.n == 0)
		return;
	finding_add(
		judge->findings, FINDING_WARNING,
		"hosts of your own networks are greylisted",
		"Postfix trusts them (mynetworks), but weir does not know them: programs that do not retry lose mail.");
	finding_seen(judge->findings, "in mynetworks, but not in lists.networks: %s",
	             seen);
	finding_mend(judge->findings,
	             "in weir.conf: lists: { networks = [%s]; };\n"
	             "systemctl reload weir-policyd weir-milter",
	             mend);
}
