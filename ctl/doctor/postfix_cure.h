/* postfix_cure.h - commands of postconf(1) that mend how Postfix asks weir; see cure.h. */
#ifndef WEIR_CTL_POSTFIX_CURE_H
#define WEIR_CTL_POSTFIX_CURE_H

#include "cure.h"
#include "postfix_judge.h"
#include "postfix_walk.h"

/* "check_policy_service { ENDPOINT, timeout=5s, default_action=DUNNO }", long enough for weir. */
void cure_policy_entry(const struct conf *conf, struct slice endpoint, struct text *out);

/* "{ ENDPOINT, connect_timeout=5s, ... }" */
void cure_milter_entry(const struct conf *conf, struct slice endpoint, struct text *out);

/* Where weir is asked, `entry` stands instead. */
void cure_replace(const struct judge *judge, const struct asked *asked, const char *entry,
                  struct text *out);

/*
 * weir-policyd is asked last, behind what lets users in and refuses strangers: in
 * smtpd_recipient_restrictions when it is about a recipient, else in its own list.
 */
void cure_place(const struct judge *judge, const struct asked *asked, struct text *out);

/*
 * `entry`, which asks at `endpoint`, behind all others of a list for the service; a check of
 * recipients stands behind what refuses strangers.
 */
void cure_append(const struct judge *judge, const struct postfix_service *service,
                 const char *list, struct slice endpoint, const char *entry,
                 struct text *out);

/* weir-milter comes last in the list. */
void cure_milter_last(const struct judge *judge, const struct asked *asked,
                      struct text *out);

/* weir-milter, at `endpoint`, comes first in the list of the service. */
void cure_milter_first(const struct judge *judge, const struct postfix_service *service,
                       const char *list, struct slice endpoint, struct text *out);

/* The service (NULL: Postfix as a whole) does not ask at `endpoint` any more in that list. */
void cure_drop_from(const struct judge *judge, const struct postfix_service *service,
                    const char *list, struct slice endpoint, struct text *out);

/* Nor in any of its restrictions. */
void cure_drop_policy(const struct judge *judge, const struct postfix_service *service,
                      struct slice endpoint, struct text *out);

/*
 * Moves the socket of `ours` to where the service sees it, unless it does already, and prints how
 * Postfix is told of it.
 */
void cure_move_socket(const struct judge *judge, const struct postfix_service *service,
                      const char *ours, bool milter, struct text *endpoint_out,
                      struct text *out);

/* A setting of main.cf: "postconf 'NAME = VALUE'". */
void cure_postconf(const struct judge *judge, const char *name, const char *value,
                   struct text *out);

/* The same where the service has it: in master.cf, or in main.cf.  One word. */
void cure_service_postconf(const struct judge *judge,
                           const struct postfix_service *service, const char *name,
                           const char *value, struct text *out);

void cure_reload(const struct judge *judge, struct text *out);

#endif
