/* listentry.c - what the text of one list entry means; refuses what it cannot mean. */
#include "listentry.h"

enum { QUOTED_MAX = 100 };

bool
listentry_refuse(struct slice entry, const char *why, struct err *err_out)
{
	char buf[4 * QUOTED_MAX + 1];
	struct text quoted = TEXT(buf);
	const char *dots = entry.n > QUOTED_MAX ? "..." : "";
	text_put_escaped(&quoted, slice_head(entry, QUOTED_MAX));
	return err_set(err_out, "\"%s%s\" %s", buf, dots, why);
}

static bool
parse_domain(struct slice entry, const char *why, struct listentry *parsed_out,
             struct err *err_out)
{
	if (!hostname_is_valid(entry.p[0] == '.' ? slice_from(entry, 1) : entry))
		return listentry_refuse(entry, why, err_out);
	*parsed_out = (struct listentry){.form = LISTENTRY_TEXT, .text = entry};
	return true;
}

static bool
parse_mail(struct slice entry, struct listentry *parsed_out, struct err *err_out)
{
	ptrdiff_t at = slice_find(entry, '@');
	if (at < 0)
		return parse_domain(entry, "is not a mail address, a domain or a /regex/",
		                    parsed_out, err_out);
	if (at == 0)
		return listentry_refuse(
			entry,
			"has nothing before its '@': for a whole domain write the domain alone",
			err_out);
	if (entry.n > LIST_MAIL_MAX)
		return listentry_refuse(entry, "is too long", err_out);
	struct slice domain = slice_from(entry, (size_t)at + 1);
	if (domain.n > 0 && !hostname_is_valid(domain))
		return listentry_refuse(entry, "has no valid domain behind its '@'",
		                        err_out);
	*parsed_out = (struct listentry){.form = LISTENTRY_TEXT, .text = entry};
	return true;
}

static bool
looks_like_net(struct slice entry)
{
	if (slice_find(entry, '/') >= 0 || slice_find(entry, ':') >= 0 ||
	    entry.p[0] == '[')
		return true;
	for (size_t i = 0; i < entry.n; i++)
		if (!ascii_digit(entry.p[i]) && entry.p[i] != '.')
			return false;
	return true;
}

/* Says what is wrong with a network that cidr_read() refused. */
static bool
refuse_net(struct slice entry, struct err *err_out)
{
	struct slice rest = entry;
	struct slice head;
	struct addr addr;
	if (!slice_cut(&rest, '/', &head) || !addr_parse(head, &addr))
		return listentry_refuse(
			entry, "is not an address or network, such as 192.0.2.0/24",
			err_out);
	return listentry_refuse(entry,
	                        "has a bad prefix length: it is a number, such as 24",
	                        err_out);
}

/* postgrey's short forms: "192.0.2" is 192.0.2.0/24, "192.0" is 192.0.0.0/16. */
static bool
parse_short_net(struct slice entry, struct cidr *net_out)
{
	size_t dots = 0;
	for (size_t i = 0; i < entry.n; i++) {
		if (!ascii_digit(entry.p[i]) && entry.p[i] != '.')
			return false;
		dots += entry.p[i] == '.';
	}
	if (dots != 1 && dots != 2)
		return false;
	char buf[ADDR_TEXT_MAX];
	struct text whole = TEXT(buf);
	text_put(&whole, entry);
	text_puts(&whole, dots == 2 ? ".0/24" : ".0.0/16");
	return cidr_read(text_slice(&whole), net_out);
}

static bool
parse_net(struct slice entry, struct listentry *parsed_out, struct err *err_out)
{
	struct cidr net;
	if (!parse_short_net(entry, &net) && !cidr_read(entry, &net))
		return refuse_net(entry, err_out);
	net.addr = addr_mask(&net.addr,
	                     net.bits); /* as postgrey, which ignores the others */
	*parsed_out = (struct listentry){.form = LISTENTRY_NET, .net = net};
	return true;
}

static bool
parse_client(struct slice entry, struct listentry *parsed_out, struct err *err_out)
{
	if (looks_like_net(entry))
		return parse_net(entry, parsed_out, err_out);
	return parse_domain(entry, "is not an address, a network, a domain or a /regex/",
	                    parsed_out, err_out);
}

static bool
parse_regex(struct slice entry, struct listentry *parsed_out, struct err *err_out)
{
	if (entry.n < 2 || entry.p[entry.n - 1] != '/')
		return listentry_refuse(entry,
		                        "lacks the '/' that ends a regular expression",
		                        err_out);
	if (entry.n == 2)
		return listentry_refuse(entry, "is an empty regular expression", err_out);
	parsed_out->form = LISTENTRY_REGEX;
	parsed_out->text = slice_head(slice_from(entry, 1), entry.n - 2);
	return true;
}

/* Beyond ASCII there are local parts only; domains have their A-labels by now. */
static bool
is_plain(enum list_kind kind, struct slice entry)
{
	bool is_regex = entry.p[0] == '/';
	ptrdiff_t at = kind == LIST_MAIL && !is_regex ? slice_rfind(entry, '@') : 0;
	for (size_t i = 0; i < entry.n; i++) {
		unsigned char c = (unsigned char)entry.p[i];
		if (c <= ' ' || c == 0x7f || (c > 0x7f && (ptrdiff_t)i >= at))
			return false;
	}
	return true;
}

/* It would stand for itself, and match nothing. */
static bool
refuse_star(enum list_kind kind, struct slice entry, struct err *err_out)
{
	char buf[160];
	struct text why = TEXT(buf);
	struct slice domain = slice_from(entry, 2);
	text_puts(&why, "is not an entry, since '*' is not allowed here: ");
	if (slice_eq(slice_head(entry, 2), SLICE("*@")) && slice_find(domain, '*') < 0)
		text_printf(&why, "for a whole domain write \"%.*s\"",
		            (int)(domain.n < QUOTED_MAX ? domain.n : QUOTED_MAX),
		            domain.p);
	else
		text_printf(&why, "give a domain, %s or a /REGEX/",
		            kind == LIST_MAIL ? "\"user@\"" : "a network");
	return listentry_refuse(entry, buf, err_out);
}

bool
listentry_parse(enum list_kind kind, struct slice entry, struct listentry *parsed_out,
                struct err *err_out)
{
	if (entry.n == 0)
		return err_set(err_out, "empty entry");
	if (entry.n > LIST_ENTRY_MAX)
		return err_set(err_out, "entry longer than %d bytes", LIST_ENTRY_MAX);
	if (!is_plain(kind, entry))
		return err_set(err_out, "entry with a blank, control or non-ASCII byte");
	if (entry.p[0] == '/')
		return parse_regex(entry, parsed_out, err_out);
	if (slice_find(entry, '*') >= 0)
		return refuse_star(kind, entry, err_out);
	return kind == LIST_MAIL ? parse_mail(entry, parsed_out, err_out)
	                         : parse_client(entry, parsed_out, err_out);
}
