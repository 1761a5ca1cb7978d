/* resolve.c - addresses of host names without blocking, through libevent's resolver. */
#include <event2/dns.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "loop_priv.h"

struct resolve {
	struct loop *loop;
	resolve_fn *fn; /* NULL: cancelled */
	void *arg;
	struct evdns_base *base; /* its own: resolv.conf may change between look-ups */
	struct evutil_addrinfo *found;
	unsigned nth;
	int error;
	struct task task;
	struct evdns_getaddrinfo_request *request;
};

static const struct evutil_addrinfo *
nth_of(const struct evutil_addrinfo *found, unsigned nth)
{
	unsigned count = 0;
	for (const struct evutil_addrinfo *one = found; one; one = one->ai_next)
		count++;
	for (nth = count ? nth % count : 0; found && nth > 0; nth--)
		found = found->ai_next;
	return found;
}

static void
deliver(void *arg)
{
	struct resolve *resolve = arg;
	evdns_base_free(resolve->base, 0);
	const struct evutil_addrinfo *chosen = nth_of(resolve->found, resolve->nth);
	if (resolve->fn)
		resolve->fn(resolve->arg, chosen ? chosen->ai_addr : NULL,
		            chosen ? chosen->ai_addrlen : 0,
		            resolve->error ? evutil_gai_strerror(resolve->error) : "");
	if (resolve->found)
		evutil_freeaddrinfo(resolve->found);
	free(resolve);
}

/* libevent may call this from within evdns_getaddrinfo(): the task makes it later always. */
static void
on_found(int error, struct evutil_addrinfo *found, void *arg)
{
	struct resolve *resolve = arg;
	resolve->request = NULL;
	resolve->error = error;
	resolve->found = found;
	loop_defer(resolve->loop, &resolve->task);
}

/* Without a usable resolv.conf numeric addresses and /etc/hosts still work. */
static struct evdns_base *
open_resolver(struct loop *loop)
{
	struct evdns_base *base =
		evdns_base_new(loop->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (!base)
		log_fatal("cannot make a resolver");
	evdns_base_resolv_conf_parse(base, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	evdns_base_load_hosts(base, "/etc/hosts");
	return base;
}

struct resolve *
resolve_start(struct loop *loop, const char *host, uint16_t port, unsigned nth,
              resolve_fn *fn, void *arg)
{
	struct resolve *resolve = mem_new(struct resolve);
	*resolve = (struct resolve){.loop = loop,
	                            .fn = fn,
	                            .arg = arg,
	                            .nth = nth,
	                            .base = open_resolver(loop)};
	resolve->task = (struct task){.fn = deliver, .arg = resolve};
	char service[8];
	snprintf(service, sizeof(service), "%u", port);
	struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC,
	                                .ai_socktype = SOCK_STREAM,
	                                .ai_flags = EVUTIL_AI_NUMERICSERV};
	resolve->request = evdns_getaddrinfo(resolve->base, host, service, &hints,
	                                     on_found, resolve);
	return resolve;
}

void
resolve_cancel(struct resolve **resolve_at)
{
	struct resolve *resolve = *resolve_at;
	*resolve_at = NULL;
	if (!resolve)
		return;
	resolve->fn = NULL;
	if (resolve->request)
		evdns_getaddrinfo_cancel(resolve->request);
}
