/* postgrey_row.c - what postgrey keeps, as its keys and values spell it. */
#include "postgrey_row.h"

#include "store/record.h"

#define SHA1_TEXT_LEN 40

bool
postgrey_is_hashed(struct slice key)
{
	for (size_t i = 0; i < key.n; i++)
		if (!ascii_digit(key.p[i]) && !(key.p[i] >= 'a' && key.p[i] <= 'f'))
			return false;
	return key.n == SHA1_TEXT_LEN;
}

static bool
parse_length(struct slice text, enum addr_family family, unsigned *bits_out)
{
	uint64_t bits;
	if (!slice_to_u64(text, addr_max_bits(family), &bits) || bits == 0)
		return false;
	*bits_out = (unsigned)bits;
	return true;
}

/* "24/" behind an address, as NetAddr::IP prints it; two addresses must follow. */
static unsigned
skip_length(struct slice *rest, enum addr_family family)
{
	unsigned bits;
	struct slice behind = *rest, length;
	if (!slice_cut(&behind, '/', &length) || slice_find(behind, '/') < 0 ||
	    !parse_length(length, family, &bits))
		return 0;
	*rest = behind;
	return bits;
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
	out->bits = skip_length(&rest, out->client.family);
	return split_addresses(rest, out);
}

bool
postgrey_parse_client(struct slice key, struct addr *client_out, unsigned *bits_out)
{
	struct slice rest = key, head;
	*bits_out = 0;
	if (!slice_cut(&rest, '/', &head) || !addr_parse(head, client_out))
		return false;
	return !rest.p || parse_length(rest, client_out->family, bits_out);
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
