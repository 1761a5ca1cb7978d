/*
 * list.h - matchers for clients and for mail addresses, filled from list files.
 *
 * Entries of a client list:
 *   192.0.2.1  2001:db8::1      the address
 *   192.0.2.0/24  2001:db8::/32 the network
 *   192.0.2  192.0              postgrey's short forms of 192.0.2.0/24 and 192.0.0.0/16
 *   example.com                 the domain and everything below it
 *   .example.com                what lies below it only; *.example.com is the same
 *   /REGEX/                     PCRE2, caseless, searched for in the client's name
 * Entries of a mail list:
 *   user@example.com            the address, with any +extension
 *   user@                       that local part at any domain, with any +extension
 *   example.com  .example.com   as above, of the address' domain
 *   /REGEX/                     PCRE2, caseless, searched for in the whole address
 *
 * Entries and what is looked up are compared in their normal form (normal.h): case never matters, nor
 * which form of an IDN was written.  Names are compared label by label: "example.com" does not match
 * "badexample.com".  '*' is no pattern elsewhere: it is refused.
 */
#ifndef WEIR_LIST_H
#define WEIR_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"

enum list_kind { LIST_CLIENTS, LIST_MAIL };

struct list;

/* Where an entry stands. */
struct list_hit {
	const char
		*source; /* name of the file or the setting; lives as long as the list */
	unsigned line;   /* 0 when there are no lines */
};

struct list *list_new(enum list_kind kind);

/* Frees the list and clears the caller's pointer; NULL is fine. */
void list_free(struct list **list);

/* Appends the entry as the list compares it; a regular expression stays as it is. */
void list_put_normal(struct text *out, enum list_kind kind, struct slice entry);

/*
 * Adds one entry that matches while the time is before `until_s` (0: for ever).
 * False with a text that has no "file:line:" in front when the entry is malformed.
 */
bool list_add(struct list *list, struct slice entry, int64_t until_s, const char *source,
              unsigned line, struct err *err_out) MUST_CHECK;

/*
 * Reads a file: one entry a line, then optionally " until=2027-01-31" (the last day it holds),
 * " limits=false" (adds it to `unlimited` too, which may be NULL) and "# comment"; empty lines and a
 * byte order mark are skipped.  Reads postgrey's lists as they are.
 * False with "file:line: text".
 */
bool listfile_load(struct list *list, struct list *unlimited, const char *path,
                   struct err *err_out) MUST_CHECK;

/* One entry of a list file as it stands there. */
struct listfile_entry {
	struct slice text;
	unsigned line;
	int64_t until_s; /* 0: for ever */
	bool unlimited;  /* limits=false */
};

/* False with a text without "file:line:": it is malformed for whoever reads it. */
typedef bool listfile_fn(void *arg, const struct listfile_entry *entry,
                         struct err *err_out);

/* Reads the entries without judging them; false as with listfile_load(). */
bool listfile_read(const char *path, listfile_fn *fn, void *arg, struct err *err_out)
	MUST_CHECK;

size_t list_count(const struct list *list);

/*
 * Whether the client is on the list at `now_s`; `name` is its forward-confirmed name, empty
 * or "unknown" without one.  hit_out may be NULL.
 */
bool list_has_client(const struct list *list, const struct addr *addr, struct slice name,
                     int64_t now_s, struct list_hit *hit_out);

/* Whether one entry covers the whole network at `now_s`. */
bool list_has_network(const struct list *list, const struct cidr *net, int64_t now_s);

/* Whether the mail address ("user@example.com", or "user") is on the list. */
bool list_has_mail(const struct list *list, struct slice address, int64_t now_s,
                   struct list_hit *hit_out);

#endif
