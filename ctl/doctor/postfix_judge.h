/* postfix_judge.h - what is wrong with how Postfix is wired to weir. */
#ifndef WEIR_CTL_POSTFIX_JUDGE_H
#define WEIR_CTL_POSTFIX_JUDGE_H

#include "conf/conf.h"
#include "findings.h"
#include "postfix.h"

/* What Postfix asks at all. */
struct wiring {
	bool policyd;
	bool milter;
};

/* The settings must have their lists.  wiring_out: what is asked. */
void postfix_judge(const struct postfix *postfix, const struct conf *conf,
                   struct findings *findings, struct wiring *wiring_out);

/* Another instance of Postfix on this host, in `dir`, that gets mail from the first. */
void postfix_judge_instance(const struct postfix *postfix, const struct conf *conf,
                            const char *dir, struct findings *findings);

/* ---- between its files ---- */

struct asked;

struct judge {
	const struct postfix *postfix;
	const struct conf *conf;
	struct findings *findings;
	struct wiring wiring;
	bool submission; /* the service that is looked at is for users */

	/* of the service */
	bool policy_at_rcpt, policy_at_data, policy_at_end, milter;
	struct slice policy; /* the endpoint at which it asks weir-policyd */
};

/* "smtpd_milters", or "submission: -o smtpd_milters". */
void judge_where(const struct judge *judge, const struct postfix_service *service,
                 const char *list, struct text *out);

/* One place where weir-policyd, or weir-milter, is asked. */
void judge_policy(struct judge *judge, const struct asked *asked);
void judge_milter(struct judge *judge, const struct asked *asked);

/* The service leaves milters out. */
bool judge_no_milters(const struct postfix *postfix,
                      const struct postfix_service *service);

/*
 * Whether mail comes back there that Postfix has handed to a filter; whether weir is then asked about
 * it again.
 */
bool judge_is_return(const struct postfix *postfix,
                     const struct postfix_service *service);
void judge_return(struct judge *judge, const struct postfix_service *service,
                  const char *master_cf);

/* The service looks for a socket outside its chroot. */
void judge_hidden(struct judge *judge, const struct asked *asked, const char *ours,
                  bool milter);

/* Settings of the whole of Postfix. */
void judge_settings(struct judge *judge);
void judge_networks(struct judge *judge);
void judge_rewrite(struct judge *judge);

#endif
