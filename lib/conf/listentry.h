/*
 * listentry.h - what the text of one list entry means; private to the lists.
 */
#ifndef WEIR_LISTENTRY_H
#define WEIR_LISTENTRY_H

#include "base/hostname.h"
#include "conf/list.h"

#define LIST_ENTRY_MAX 1024
#define LIST_NAME_MAX  HOSTNAME_MAX
#define LIST_MAIL_MAX  512

enum listentry_form {
	LISTENTRY_NET,
	LISTENTRY_TEXT, /* a domain, ".suffix", address or "user@" */
	LISTENTRY_REGEX,
};

struct listentry {
	enum listentry_form form;
	struct cidr net;
	struct slice text; /* of a regular expression: what stands between the slashes */
};

/* An entry in its normal form.  Allocates nothing: `text` points into what is parsed. */
bool listentry_parse(enum list_kind kind, struct slice entry,
                     struct listentry *parsed_out, struct err *err_out) MUST_CHECK;

/* Sets "ENTRY why", with a long entry cut; false. */
bool listentry_refuse(struct slice entry, const char *why, struct err *err_out);

#endif
