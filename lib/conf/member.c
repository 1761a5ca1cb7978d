/* member.c - destinations by their domains, groups by their members. */
#include "conf/member.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/hostname.h"
#include "base/mem.h"
#include "conf/normal.h"
#include "conf_priv.h"

/* ---- destinations ---- */

/* Of one domain.  The first one stands for the whole table. */
struct domain_table {
	UT_hash_handle hh;
	const struct conf_destination *destination;
};

static const struct conf_destination *
domain_owner(const struct conf *conf, struct slice domain)
{
	const struct domain_table *entry = NULL;
	HASH_FIND(hh, conf->limits.by_domain, domain.p, domain.n, entry);
	return entry ? entry->destination : NULL;
}

const struct conf_destination *
domain_table_add(struct conf *conf, const char *domain,
                 const struct conf_destination *destination)
{
	const struct conf_destination *other = domain_owner(conf, slice_of(domain));
	if (other)
		return other;
	struct domain_table *entry = mem_new(struct domain_table);
	entry->destination = destination;
	HASH_ADD_KEYPTR(hh, conf->limits.by_domain, domain, strlen(domain), entry);
	return NULL;
}

void
domain_table_free(struct conf *conf)
{
	struct domain_table *entry, *next;
	HASH_ITER(hh, conf->limits.by_domain, entry, next) {
		HASH_DEL(conf->limits.by_domain, entry);
		free(entry);
	}
}

/* The name itself, then each ".suffix" of it, the longest one first. */
static const struct conf_destination *
find_name(const struct conf *conf, struct slice name)
{
	if (name.n == 0 || name.p[0] == '.' || name.p[0] == '*')
		return NULL;
	const struct conf_destination *found = domain_owner(conf, name);
	for (size_t i = 1; !found && i < name.n; i++)
		if (name.p[i] == '.')
			found = domain_owner(conf, slice_from(name, i));
	return found;
}

const struct conf_destination *
destination_find(const struct conf *conf, struct slice domain)
{
	char buf[HOSTNAME_MAX + 2]; /* with the dot that ends an absolute name */
	struct text name = TEXT(buf);
	const struct conf_destination *found = NULL;
	text_put_domain(&name, domain);
	if (!name.cut)
		found = find_name(conf, text_slice(&name));
	return found ? found : domain_owner(conf, SLICE("*"));
}

const struct conf_destination *
destination_named(const struct conf *conf, struct slice name)
{
	for (size_t i = 0; i < conf->limits.n_destinations; i++)
		if (slice_eq_nocase(slice_of(conf->limits.destinations[i].name), name))
			return &conf->limits.destinations[i];
	return NULL;
}

/* ---- groups ---- */

/* Of one member.  The first one stands for the whole table. */
struct member_table {
	UT_hash_handle hh;
	size_t group; /* its position */
};

static const struct conf_group *
member_group(const struct conf_groups *groups, struct slice member)
{
	const struct member_table *entry = NULL;
	HASH_FIND(hh, groups->by_member, member.p, member.n, entry);
	return entry ? &groups->v[entry->group] : NULL;
}

const struct conf_group *
group_add(struct conf_groups *groups, const char *member, size_t group)
{
	const struct conf_group *other = member_group(groups, slice_of(member));
	if (other)
		return other;
	struct member_table *entry = mem_new(struct member_table);
	entry->group = group;
	HASH_ADD_KEYPTR(hh, groups->by_member, member, strlen(member), entry);
	return NULL;
}

void
group_table_free(struct conf_groups *groups)
{
	struct member_table *entry, *next;
	HASH_ITER(hh, groups->by_member, entry, next) {
		HASH_DEL(groups->by_member, entry);
		free(entry);
	}
}

const struct conf_group *
group_find(const struct conf_groups *groups, struct slice name, struct slice domain)
{
	if (groups->n == 0 || name.n == 0)
		return NULL;
	const struct conf_group *found = member_group(groups, name);
	if (!found && domain.n > 0 && domain.p[0] != '.')
		found = member_group(groups, domain);
	for (size_t i = 1; !found && i < domain.n; i++)
		if (domain.p[i] == '.')
			found = member_group(groups, slice_from(domain, i));
	return found;
}
