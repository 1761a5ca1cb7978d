/* crowd.c - which one private address nine of ten clients have. */
#include "rules/crowd.h"

/* The only one that more than half can have (Boyer and Moore's vote). */
static struct addr
majority(const struct crowd *crowd)
{
	struct addr found = {0};
	size_t votes = 0;
	for (size_t i = 0; i < CROWD_WINDOW; i++) {
		if (votes == 0)
			found = crowd->seen[i];
		votes += addr_eq(&found, &crowd->seen[i]) ? 1 : (size_t)-1;
	}
	return found;
}

static size_t
count(const struct crowd *crowd, const struct addr *addr)
{
	size_t n = 0;
	for (size_t i = 0; i < CROWD_WINDOW; i++)
		n += addr_eq(addr, &crowd->seen[i]);
	return n;
}

bool
crowd_note(struct crowd *crowd, const struct addr *client)
{
	crowd->seen[crowd->n++] = addr_is_private(client) ? *client : (struct addr){0};
	if (crowd->n < CROWD_WINDOW)
		return false;
	struct addr most = majority(crowd);
	size_t n = count(crowd, &most);
	bool crowded = most.family != ADDR_NONE && n * 10 >= (size_t)CROWD_WINDOW * 9;
	crowd->n = 0;
	crowd->address = crowded ? most : (struct addr){0};
	crowd->percent = crowded ? (unsigned)(n * 100 / CROWD_WINDOW) : 0;
	return true;
}
