/* mailer.c - what an MTA says of a recipient in {rcpt_mailer}, {rcpt_host} and {rcpt_addr}. */
#include "mailer.h"

/* Has a local part and a domain, and no blank but in quotes. */
static bool
is_address(struct slice s)
{
	bool quoted = false;
	size_t at = 0; /* the last one */
	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && ascii_blank(s.p[i]))
			return false;
		else if (!quoted && s.p[i] == '@')
			at = i;
	}
	return !quoted && at > 0 && at + 1 < s.n;
}

/* "5.1.1": digits and two dots. */
static bool
is_status(struct slice s)
{
	struct slice part;
	uint64_t value;
	unsigned parts = 0;
	while (slice_cut(&s, '.', &part)) {
		if (!slice_to_u64(part, 999, &value))
			return false;
		parts++;
	}
	return parts == 3;
}

bool
mailer_refuses(const struct mailer *mailer)
{
	if (!slice_eq(mailer->name, SLICE("error")))
		return false;
	if (mailer->written.n > 0 && slice_eq_nocase(mailer->address, mailer->written))
		return false;
	/* A reply may be as short as an address; its code gives it away. */
	return !is_address(mailer->address) || is_status(mailer->host);
}

struct slice
mailer_next_hop(const struct mailer *mailer)
{
	static const char *const without[] = {"error", "retry", "discard"};
	struct slice rest = mailer->host, word;
	for (size_t i = 0; i < COUNT_OF(without); i++)
		if (slice_eq(mailer->name, slice_of(without[i])))
			return SLICE("");
	return slice_word(&rest, &word) && rest.n == 0 ? mailer->host : SLICE("");
}
