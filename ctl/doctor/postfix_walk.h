/* postfix_walk.h - where in its restrictions and milters Postfix asks weir. */
#ifndef WEIR_CTL_POSTFIX_WALK_H
#define WEIR_CTL_POSTFIX_WALK_H

#include "conf/conf.h"
#include "postfix.h"

/* One place where a service asks. */
struct asked {
	const struct postfix_service *service;
	const char *list; /* "smtpd_recipient_restrictions", or the name of a class */
	struct postfix_client client;
	enum postfix_match match;
	bool for_recipient; /* while a recipient is judged, and not at DATA or later */
	bool too_early;     /* before there is a recipient */
	bool by_map;        /* from a class that an access map may name */
	bool relay_refused; /* before it: strangers cannot relay */
	bool strangers_refused; /* in an earlier list: only who was let in there is left */
	bool unknown_refused;   /* before it: recipients that do not exist */
	bool users_let_in;      /* before it: who has logged in */
	bool networks_let_in;   /* before it: mynetworks */
	struct slice ended_by;  /* "reject", when it is never reached */
	char behind[256]; /* restrictions, or milters, that come later in the list */
	char before[256]; /* milters that come earlier */
};

typedef void asked_fn(void *arg, const struct asked *asked);

/* Each place where the service asks weir-policyd. */
void postfix_walk_policy(const struct postfix *postfix, const struct conf *conf,
                         const struct postfix_service *service, asked_fn *fn, void *arg);

/* The same of weir-milter, in a list such as "smtpd_milters". */
void postfix_walk_milters(const struct postfix *postfix, const struct conf *conf,
                          const struct postfix_service *service, const char *list,
                          asked_fn *fn, void *arg);

/* Other policy services and milters of the service, separated by blanks. */
void postfix_others(const struct postfix *postfix, const struct postfix_service *service,
                    struct text *out);

#endif
