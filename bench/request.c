/* Policy requests as Postfix 3.7 smtpd sends them for a recipient. */
#include "request.h"

#include <err.h>
#include <string.h>

/* The client's address has no fixed width, so the request begins where it must for the
 * address to end just before the rest. */
static const char head[] = "request=smtpd_access_policy\n"
			   "protocol_state=RCPT\n"
			   "protocol_name=ESMTP\n"
			   "client_address=";
static const char rest[] = "\n"
			   "client_name=unknown\n"
			   "client_port=PPPPP\n"
			   "reverse_client_name=unknown\n"
			   "server_address=192.0.2.25\n"
			   "server_port=25\n"
			   "helo_name=mail.HHHHHHHH.example\n"
			   "sender=SSSSSSSSSSSSSSSS@DDDDDDDD.example\n"
			   "recipient=userRRRR@bench.example\n"
			   "recipient_count=0\n"
			   "queue_id=\n"
			   "instance=4021.IIIIIIII.c8899.0\n"
			   "size=18342\n"
			   "etrn_domain=\n"
			   "stress=\n"
			   "sasl_method=\n"
			   "sasl_username=\n"
			   "sasl_sender=\n"
			   "ccert_subject=\n"
			   "ccert_issuer=\n"
			   "ccert_fingerprint=\n"
			   "ccert_pubkey_fingerprint=\n"
			   "encryption_protocol=TLSv1.3\n"
			   "encryption_cipher=TLS_AES_256_GCM_SHA384\n"
			   "encryption_keysize=256\n"
			   "policy_context=\n"
			   "\n";

enum {
	HEAD_LENGTH = sizeof head - 1,
	REST_LENGTH = sizeof rest - 1,
	REST_AT = 128,
	ADDRESS_MAX = sizeof "255.255.255.255" - 1,
};

_Static_assert(HEAD_LENGTH + ADDRESS_MAX <= REST_AT, "no room for head and address");
_Static_assert(REST_AT + REST_LENGTH < REQUEST_SIZE, "no room for the rest");

static char *
place_of(struct request *request, const char *mark)
{
	char *place = strstr(request->rest, mark);

	if (place == NULL)
		errx(1, "the request has no %s", mark);
	return place;
}

void
request_init(struct request *request)
{
	memset(request, 0, sizeof *request);
	request->rest = request->bytes + REST_AT;
	memcpy(request->rest, rest, sizeof rest);
	request->port = place_of(request, "PPPPP");
	request->helo = place_of(request, "HHHHHHHH");
	request->sender = place_of(request, "SSSSSSSSSSSSSSSS");
	request->sender_domain = place_of(request, "DDDDDDDD");
	request->recipient = place_of(request, "RRRR");
	request->instance = place_of(request, "IIIIIIII");
}

/* Letters only: greylisting folds digits in senders, and would take some for equal. */
static void
put_letters(char *place, unsigned count, uint64_t value)
{
	for (unsigned i = 0; i < count; i++, value >>= 4)
		place[i] = (char)('a' + (value & 15));
}

static void
put_digits(char *place, unsigned count, unsigned value)
{
	for (unsigned i = count; i > 0; i--, value /= 10)
		place[i - 1] = (char)('0' + value % 10);
}

static void
put_hex(char *place, unsigned count, uint64_t value)
{
	for (unsigned i = count; i > 0; i--, value >>= 4)
		place[i - 1] = "0123456789abcdef"[value & 15];
}

/* Writes the address so that it ends before the place given; returns where it begins. */
static char *
put_address_before(char *place, uint32_t address)
{
	for (unsigned i = 0; i < 4; i++, address >>= 8) {
		unsigned octet = address & 255;
		unsigned digits = octet >= 100 ? 3 : octet >= 10 ? 2 : 1;

		if (i > 0)
			*--place = '.';
		place -= digits;
		put_digits(place, digits, octet);
	}
	return place;
}

void
request_write(struct request *request, const struct triplet *triplet, uint64_t message)
{
	put_digits(request->port, 5, 10000 + (unsigned)(message % 50000));
	put_letters(request->helo, 8, triplet->sender_domain);
	put_letters(request->sender, 16, triplet->sender);
	put_letters(request->sender_domain, 8, triplet->sender_domain);
	put_digits(request->recipient, 4, triplet->recipient);
	put_hex(request->instance, 8, message);

	char *start = put_address_before(request->rest, triplet->client) - HEAD_LENGTH;
	memcpy(start, head, HEAD_LENGTH);
	request->start = start;
	request->length = (size_t)(request->rest - start) + REST_LENGTH;
}
