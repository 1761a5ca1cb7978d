/* key.c - store keys: BLAKE2b of the secret and what they stand for, through libsodium. */
#include "rules/key.h"

#include <sodium.h>

#define DOMAIN_IDENTITY 'i'
#define DOMAIN_TRIPLET  't'
#define DOMAIN_LIMIT    'l'
#define DOMAIN_NOTE     'n'

/* Longer texts would be refused by every MTA; they are cut so that a key needs no heap. */
#define PART_MAX 512

/*
 * The secret stands in front of the message instead of in a block of its own, as BLAKE2's keyed
 * mode has it: the function is not open to length extension, and most keys then need one
 * compression instead of two.
 */
struct message {
	size_t n;
	uint8_t bytes[KEY_SECRET_BYTES + 1 + 3 * (2 + PART_MAX)];
};

static void
begin(struct message *message, const struct key_secret *secret, char domain)
{
	memcpy(message->bytes, secret->bytes, KEY_SECRET_BYTES);
	message->bytes[KEY_SECRET_BYTES] = (uint8_t)domain;
	message->n = KEY_SECRET_BYTES + 1;
}

static void
add_part(struct message *message, struct slice part)
{
	size_t n = part.n < PART_MAX ? part.n : PART_MAX;
	message->bytes[message->n++] = (uint8_t)(n & 0xff);
	message->bytes[message->n++] = (uint8_t)(n >> 8);
	if (n > 0)
		memcpy(message->bytes + message->n, part.p, n);
	message->n += n;
}

static struct key
hash(const struct key_secret *secret, char domain, const struct slice *parts, size_t n)
{
	struct message message;
	struct key key;
	begin(&message, secret, domain);
	for (size_t i = 0; i < n; i++)
		add_part(&message, parts[i]);
	crypto_generichash_blake2b(key.bytes, sizeof(key.bytes), message.bytes, message.n,
	                           NULL, 0);
	return key;
}

struct key
key_identity(const struct key_secret *secret, struct slice identity)
{
	return hash(secret, DOMAIN_IDENTITY, &identity, 1);
}

struct key
key_triplet(const struct key_secret *secret, struct slice identity, struct slice sender,
            struct slice recipient)
{
	const struct slice parts[] = {identity, sender, recipient};
	return hash(secret, DOMAIN_TRIPLET, parts, COUNT_OF(parts));
}

struct key
key_limit(const struct key_secret *secret, struct slice what, struct slice name)
{
	const struct slice parts[] = {what, name};
	return hash(secret, DOMAIN_LIMIT, parts, COUNT_OF(parts));
}

struct key
key_note(const struct key_secret *secret, struct slice holder, struct slice sender,
         struct slice recipient)
{
	const struct slice parts[] = {holder, sender, recipient};
	return hash(secret, DOMAIN_NOTE, parts, COUNT_OF(parts));
}

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
key_print(const struct key *key, char text_out[KEY_TEXT_LEN + 1])
{
	unsigned bits = 0, have = 0;
	char *out = text_out;
	for (size_t i = 0; i < KEY_BYTES; i++) {
		bits = bits << 8 | key->bytes[i];
		for (have += 8; have >= 6; have -= 6)
			*out++ = digits[bits >> (have - 6) & 63];
	}
	*out++ = digits[bits << (6 - have) & 63];
	*out = '\0';
}

bool
key_parse(struct slice text, struct key *key_out)
{
	unsigned bits = 0, have = 0;
	size_t n = 0;
	if (text.n != KEY_TEXT_LEN)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		const char *digit = memchr(digits, text.p[i], sizeof(digits) - 1);
		if (!digit)
			return false;
		bits = bits << 6 | (unsigned)(digit - digits);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		key_out->bytes[n++] = (uint8_t)(bits >> have);
		bits &= (1u << have) - 1;
	}
	return bits == 0; /* what the last digit has too much */
}

void
key_secret_print(const struct key_secret *secret, char text_out[KEY_SECRET_TEXT_LEN + 1])
{
	sodium_bin2hex(text_out, KEY_SECRET_TEXT_LEN + 1, secret->bytes,
	               sizeof(secret->bytes));
}

bool
key_secret_parse(struct slice text, struct key_secret *secret_out)
{
	size_t n;
	return text.n == KEY_SECRET_TEXT_LEN &&
	       sodium_hex2bin(secret_out->bytes, sizeof(secret_out->bytes), text.p,
	                      text.n, NULL, &n, NULL) == 0 &&
	       n == sizeof(secret_out->bytes);
}

void
key_secret_make(struct key_secret *secret_out)
{
	randombytes_buf(secret_out->bytes, sizeof(secret_out->bytes));
}
