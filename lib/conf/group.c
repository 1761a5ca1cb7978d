/* group.c - groups by their members. */
#include "conf/group.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "conf_priv.h"

/* Of one member.  The first one stands for the whole table. */
struct member_table {
	UT_hash_handle hh;
	size_t group; /* its position */
};

static const struct conf_group *
find(const struct conf_groups *groups, struct slice member)
{
	const struct member_table *entry = NULL;
	HASH_FIND(hh, groups->by_member, member.p, member.n, entry);
	return entry ? &groups->v[entry->group] : NULL;
}

const struct conf_group *
group_add(struct conf_groups *groups, const char *member, size_t group)
{
	const struct conf_group *other = find(groups, slice_of(member));
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
	const struct conf_group *found = find(groups, name);
	if (!found && domain.n > 0 && domain.p[0] != '.')
		found = find(groups, domain);
	for (size_t i = 1; !found && i < domain.n; i++)
		if (domain.p[i] == '.')
			found = find(groups, slice_from(domain, i));
	return found;
}
