/*
 * postfix.h - Postfix' settings as postconf(1) prints them: what holds for each service.
 */
#ifndef WEIR_CTL_POSTFIX_H
#define WEIR_CTL_POSTFIX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/endpoint.h"
#include "base/mem.h"
#include "base/slice.h"

/* A line of master.cf. */
struct postfix_service {
	struct slice name;    /* "smtp", "127.0.0.1:10025" */
	struct slice type;    /* "inet", "pass", "unix" */
	struct slice command; /* "smtpd" */
	bool chrooted;
};

struct postfix_value {
	struct slice name; /* "smtpd_milters", or "submission/inet/smtpd_milters" */
	struct slice value;
};

/* Empty when zeroed.  Slices live in the arena. */
struct postfix {
	struct arena arena;
	const char *dir; /* where its settings are; NULL: where they usually are */
	struct postfix_value *values, *overrides;
	size_t n_values, n_overrides;
	struct postfix_service *services;
	size_t n_services;
};

/*
 * Takes over what "postconf -x", "postconf -x -P" and "postconf -M" print.  Lines that are not as
 * these print them are skipped.
 */
void postfix_parse(struct postfix *postfix, struct slice values, struct slice overrides,
                   struct slice services);
void postfix_free(struct postfix *postfix);

/* What holds for the service (NULL: for main.cf); empty when it is not set anywhere. */
struct slice postfix_value(const struct postfix *postfix,
                           const struct postfix_service *service, const char *name);

/* Whether master.cf sets it for the service. */
bool postfix_overrides(const struct postfix *postfix,
                       const struct postfix_service *service, const char *name);

/* "yes" */
bool postfix_yes(const struct postfix *postfix, const struct postfix_service *service,
                 const char *name);

/* 3.7.11 is 307; 0 when it is not known. */
unsigned postfix_version(const struct postfix *postfix);

/* ---- lists: words between blanks and commas, or in braces ---- */

struct postfix_word {
	struct slice text; /* without its braces */
	bool braced;
};

/* Takes the next word off `rest`; false when there is none. */
bool postfix_word(struct slice *rest, struct postfix_word *word_out);

/* "inet:127.0.0.1:10040", or "{ inet:127.0.0.1:10040, timeout=5s }" */
struct postfix_client {
	struct slice endpoint;
	struct slice options;
};

struct postfix_client postfix_client(const struct postfix_word *word);

/* An option of such a client; false when it is not given. */
bool postfix_client_option(const struct postfix_client *client, const char *name,
                           struct slice *value_out) MUST_CHECK;

/* "100s", "5m"; seconds without a unit.  -1: no time. */
int64_t postfix_time_ms(struct slice text);

/* ---- who is meant by an endpoint ---- */

enum postfix_match {
	MATCH_NONE,
	MATCH_OURS,
	MATCH_HIDDEN, /* the path is ours, but the service's chroot hides it */
};

/* Whether the service, told `endpoint`, asks who listens at `ours` (as in weir.conf). */
enum postfix_match postfix_match(const struct postfix *postfix,
                                 const struct postfix_service *service,
                                 struct slice endpoint, const char *ours);

/* The other way: how Postfix is told of who listens at `ours`; a path as its chroot has it. */
void postfix_print_ours(const struct postfix *postfix, const char *ours,
                        struct text *out);

#endif
