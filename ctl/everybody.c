/* everybody.c - an entry, of a list or an override, that lets everybody in. */
#include "everybody.h"

#include "base/addr.h"

/* Whether the list, of one entry, has several that nothing but chance connects. */
static bool
has_everybody(const struct list *list, enum list_kind kind, const char *address)
{
	static const char *const names[] = {"qx7.invalid", "0.example", "w-k3.zz"};
	static const char *const mails[] = {"qx7@h.invalid", "0@example", "w-k3@zz.test"};
	struct addr addr;
	if (!addr_parse(slice_of(address), &addr))
		return false;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		bool has = kind == LIST_CLIENTS
		                   ? list_has_client(list, &addr, slice_of(names[i]), 0,
		                                     NULL)
		                   : list_has_mail(list, slice_of(mails[i]), 0, NULL);
		if (!has)
			return false;
	}
	return true;
}

/* A regular expression or the network of all addresses: no other form can. */
static bool
is_candidate(struct slice text)
{
	struct cidr net;
	return text.p[0] == '/' || (cidr_read(text, &net) && net.bits == 0);
}

bool
covers_everybody(enum list_kind kind, struct slice text)
{
	struct err ignored;
	bool candidate = is_candidate(text);
	struct list *list = candidate ? list_new(kind) : NULL;
	bool covers = list && list_add(list, text, 0, "", 0, &ignored) &&
	              (has_everybody(list, kind, "203.0.113.77") ||
	               has_everybody(list, kind, "2001:db8:77::1"));
	list_free(&list);
	return covers;
}

bool
override_covers_everybody(const struct override *override)
{
	switch (override->kind) {
	case OVERRIDE_ALLOW_CLIENT:
		return covers_everybody(LIST_CLIENTS, slice_of(override->name));
	case OVERRIDE_ALLOW_SENDER:
	case OVERRIDE_ALLOW_RECIPIENT:
		return covers_everybody(LIST_MAIL, slice_of(override->name));
	case OVERRIDE_DRAIN:
	case OVERRIDE_ALLOW_USER:
	case OVERRIDE_DRAIN_USER:
	case OVERRIDE_LIMIT:
	case OVERRIDE_KINDS: break;
	}
	return false;
}
