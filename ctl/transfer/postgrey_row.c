/* postgrey_row.c - what postgrey keeps, as its keys and values spell it. */
#include "postgrey_row.h"

#include "record.h"

#define SHA1_TEXT_LEN 40

bool
postgrey_is_hashed(struct slice key)
{
	for (size_t i = 0; i < key.n; i++)
		if (!ascii_digit(key.p[i]) && !(key.p[i] >= 'a' && key.p[i] <= 'f'))
			return false;
	return key.n == SHA1_TEXT_LEN;
}

/* "32/" or "128/" behind an address: NetAddr::IP's way to print it whole. */
static bool
skip_length(struct slice *rest, enum addr_family family)
{
	struct slice length = family == ADDR_V4 ? SLICE("32/") : SLICE("128/");
	struct slice behind = slice_from(*rest, length.n);
	if (!slice_eq(slice_head(*rest, length.n), length) || slice_find(behind, '/') < 0)
		return false;
	*rest = behind;
	return true;
}

/*
 * A domain has no '/', so the sender ends at the first one behind its '@'; without a '@' of its own
 * (the null sender) at the first of all.
 */
static bool
split_addresses(struct slice rest, struct postgrey_triplet *out)
{
	ptrdiff_t at = slice_find(rest, '@');
	ptrdiff_t end = at < 0 ? -1 : slice_find(slice_from(rest, (size_t)at), '/');
	end = end < 0 ? slice_find(rest, '/') : end + at;
	if (end < 0)
		return false;
	out->sender = slice_head(rest, (size_t)end);
	out->recipient = slice_from(rest, (size_t)end + 1);
	return out->recipient.n > 0;
}

bool
postgrey_parse_triplet(struct slice key, struct postgrey_triplet *out)
{
	struct slice rest = key, client;
	*out = (struct postgrey_triplet){0};
	if (!slice_cut(&rest, '/', &client) || !addr_parse(client, &out->client))
		return false;
	out->whole = skip_length(&rest, out->client.family);
	return split_addresses(rest, out);
}

bool
postgrey_parse_value(struct slice value, int64_t *first_out, int64_t *last_out)
{
	uint64_t first, last;
	struct slice rest = value, head, next;
	if (!slice_cut(&rest, ',', &head) || !slice_to_u64(head, RECORD_AT_MAX, &first) ||
	    !slice_cut(&rest, ',', &next) || !slice_to_u64(next, RECORD_AT_MAX, &last))
		return false;
	*first_out = (int64_t)first;
	*last_out = (int64_t)last;
	return true;
}
