/* Policy requests as Postfix 3.7 smtpd sends them for a recipient: every attribute, in
 * its order, about 620 bytes.  Laid out once; after that only what differs is written. */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include "triplet.h"

#include <stddef.h>
#include <stdint.h>

enum { REQUEST_SIZE = 1024 };

struct request {
	const char *start; /* valid after request_write() */
	size_t length;
	char *rest; /* what follows the client's address; the others are places in it */
	char *port, *helo, *sender, *sender_domain, *recipient, *instance;
	char bytes[REQUEST_SIZE];
};

/* The request must stay where it is. */
void request_init(struct request *request);
void request_write(struct request *request, const struct triplet *triplet,
                   uint64_t message);

#endif
