/* query.c - the door: facts in the form that is compared. */
#include "rules/query.h"

#include "base/hostname.h"
#include "conf/normal.h"
#include "rules/mailaddr.h"

static struct slice
normal_by(void (*put)(struct text *out, struct slice name), struct slice name,
          struct arena *arena)
{
	if (name.n == 0)
		return name;
	size_t cap = 3 * name.n + HOSTNAME_MAX + 1;
	struct text out = {.p = arena_take(arena, cap), .cap = cap};
	put(&out, name);
	return text_slice(&out);
}

struct query
query_normal(const struct query *query, const struct conf *conf, struct arena *arena)
{
	struct query normal = *query;
	normal.client_name = normal_by(text_put_domain, query->client_name, arena);
	normal.sender = mailaddr_normal(query->sender, &conf->rewrite, arena);
	normal.recipient = mailaddr_normal(query->recipient, &conf->rewrite, arena);
	normal.nexthop = normal_by(text_put_domain, query->nexthop, arena);
	normal.sasl_username = normal_by(text_put_local, query->sasl_username, arena);
	return normal;
}
