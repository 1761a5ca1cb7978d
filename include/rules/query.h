/*
 * query.h - the facts of one mail step, as the MTA told them.
 *
 * Slices point into the arena of the request; what the MTA did not say is empty.
 */
#ifndef WEIR_QUERY_H
#define WEIR_QUERY_H

#include <stdint.h>

#include "base/slice.h"

enum stage {
	STAGE_OTHER, /* connect, HELO, MAIL, ... : nothing is judged there */
	STAGE_RCPT,
	STAGE_RCPT_REFUSED, /* the MTA itself has refused the recipient */
	STAGE_DATA,
	STAGE_END_OF_MESSAGE,
};

struct query {
	enum stage stage;
	struct slice client_address;
	struct slice client_port;
	struct slice server_port;
	struct slice client_name; /* forward-confirmed, else empty or "unknown" */
	struct slice sender;      /* empty: the null sender */
	struct slice recipient;
	struct slice
		nexthop; /* where the MTA will send it; only the milter hears of it */
	struct slice instance; /* the same for all steps of one message */
	struct slice queue_id; /* once the MTA has made a queue file */
	struct slice sasl_username;
	struct slice ccert_fingerprint;
	struct slice ccert_pubkey_fingerprint;
	struct slice test_time; /* seconds since 1970; used under --test-clock only */
};

struct arena;
struct conf;

/*
 * THE DOOR: the same facts with each name in the one form that is compared (mailaddr.h, normal.h),
 * however the MTA or a person spelled it.  What is already so stays.  New texts live in the arena.
 */
struct query query_normal(const struct query *query, const struct conf *conf,
                          struct arena *arena);

#endif
