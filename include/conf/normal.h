/*
 * normal.h - domain names and local parts in the one form in which they are compared.
 *
 * The outside spells one name in several ways: "Fötz.Example.", "xn--ftz-sna.example".  Whatever
 * compares names compares what these functions write.  Both are idempotent.
 */
#ifndef WEIR_NORMAL_H
#define WEIR_NORMAL_H

#include "base/slice.h"

/*
 * Appends a domain name in lower case, without the dot that ends an absolute name, and with its
 * international labels as A-labels (RFC 5891, mapped by UTS 46, nontransitional).  One dot or
 * "*." in front stays: ".example.com".  What is no domain name ("[192.0.2.1]:25", broken UTF-8)
 * is put in lower case only.
 */
void text_put_domain(struct text *out, struct slice name);

/*
 * Appends the local part of a mail address, or a user's name, in lower case; beyond ASCII by
 * Unicode's case folding, as Postfix does it, in form NFC.
 */
void text_put_local(struct text *out, struct slice local);

#endif
