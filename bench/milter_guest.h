/* Whom a session pretends to bring: a client, a sender and recipients, all from the number
 * of the session, so that the same sessions can be had again. */
#ifndef BENCH_MILTER_GUEST_H
#define BENCH_MILTER_GUEST_H

#include "milter_options.h"

#include <stdbool.h>
#include <stdint.h>

struct guest {
	uint64_t number; /* of the session */
	uint64_t domain; /* of the recipient written last */
	uint16_t port;   /* host byte order */
	char address[16];
	char port_text[6];
	char client[32]; /* as macro _ has it */
	char helo[32];
	char sender[48];
	char recipient[48];
	char recipient_host[24];
	char queue_id[20];
};

void guest_init(struct guest *guest, const struct milter_options *options,
                uint64_t number, uint16_t port);
/* Postfix has one once the first recipient of the message is accepted. */
void guest_set_queue_id(struct guest *guest, uint64_t message);
void guest_set_recipient(struct guest *guest, const struct milter_options *options,
                         uint64_t message, uint64_t recipient);

/* A draw for that session; each purpose has its own. */
uint64_t guest_draw(const struct milter_options *options, uint64_t number,
                    uint64_t purpose);

#endif
