/*
 * steps.h - how far each service of the MTA tells of its messages, as it has shown.
 *
 * One asks at RCPT only, one at DATA too, one tells the end of each message.  A service is known by
 * the port that the MTA listens at; empty: not told, which is a service like others.  What was not
 * heard for a day is forgotten, since the MTA's settings may have changed.
 */
#ifndef WEIR_STEPS_H
#define WEIR_STEPS_H

#include <stddef.h>
#include <stdint.h>

#include "rules/query.h"

#define SERVICE_MAX 7

struct steps {
	enum stage least; /* what every service tells */
	size_t n;

	struct {
		char service[SERVICE_MAX + 1];
		int64_t data_ms, end_ms; /* when they were heard last; 0: never */
	} v[16];
};

/* A message of that service got so far.  Services beyond the table's end are not kept. */
void steps_hear(struct steps *steps, const char *service, enum stage stage,
                int64_t now_ms);

/* The last step of a message that the service tells: STAGE_RCPT, STAGE_DATA or STAGE_END_OF_MESSAGE. */
enum stage steps_last(const struct steps *steps, const char *service, int64_t now_ms);

#endif
