/* Whom a session pretends to bring. */
#include "milter_guest.h"

#include "triplet.h"

#include <stdio.h>

enum { PURPOSE_NEW = 1, USERS = 5000 };

uint64_t
guest_draw(const struct milter_options *options, uint64_t number, uint64_t purpose)
{
	return mix64(mix64(mix64(options->seed) + purpose) + number);
}

/* Letters only: greylisting folds digits in senders, and would take some for equal. */
static void
letters(char out[17], uint64_t value)
{
	for (unsigned i = 0; i < 16; i++, value >>= 4)
		out[i] = (char)('a' + (value & 15));
	out[16] = '\0';
}

static struct triplet
who_comes(const struct milter_options *options, uint64_t number)
{
	if (guest_draw(options, number, PURPOSE_NEW) % 100 < options->new_percent)
		return triplet_new(options->seed, number);

	struct triplet triplet =
		triplet_known(options->first_client + number % options->clients);
	triplet.sender = mix64(number % options->senders);
	return triplet;
}

void
guest_init(struct guest *guest, const struct milter_options *options, uint64_t number,
           uint16_t port)
{
	struct triplet triplet = who_comes(options, number);
	uint32_t client = triplet.client;
	char name[17];

	*guest = (struct guest){.number = number, .port = port};
	letters(name, triplet.sender);
	snprintf(guest->address, sizeof guest->address, "%u.%u.%u.%u", client >> 24,
	         client >> 16 & 255, client >> 8 & 255, client & 255);
	snprintf(guest->port_text, sizeof guest->port_text, "%u", (unsigned)port);
	snprintf(guest->client, sizeof guest->client, "unknown [%s]", guest->address);
	snprintf(guest->helo, sizeof guest->helo, "mail.%.8s.example", name);
	snprintf(guest->sender, sizeof guest->sender, "<%.8s@%.8s.example>", name,
	         name + 8);
}

void
guest_set_queue_id(struct guest *guest, uint64_t message)
{
	snprintf(guest->queue_id, sizeof guest->queue_id, "%08X%04X",
	         (unsigned)guest->number, (unsigned)message);
}

void
guest_set_recipient(struct guest *guest, const struct milter_options *options,
                    uint64_t message, uint64_t recipient)
{
	uint64_t n = (guest->number * options->messages + message) * options->recipients +
	             recipient;

	guest->domain = n % options->domains;
	snprintf(guest->recipient_host, sizeof guest->recipient_host, "local%u.test",
	         (unsigned)guest->domain);
	snprintf(guest->recipient, sizeof guest->recipient, "<user%u@%s>",
	         (unsigned)(n / options->domains % USERS), guest->recipient_host);
}
