/*
 * key.h - under which key the store keeps something.
 *
 * 128 bits of BLAKE2b (RFC 7693) over the site's secret and what the key stands for: compact, and
 * no address can be read from, or collide on purpose in, a dump.
 */
#ifndef WEIR_KEY_H
#define WEIR_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define KEY_BYTES    16
#define KEY_TEXT_LEN 22

struct key {
	uint8_t bytes[KEY_BYTES];
};

#define KEY_SECRET_BYTES 32

struct key_secret {
	uint8_t bytes[KEY_SECRET_BYTES];
};

struct key key_identity(const struct key_secret *secret, struct slice identity);

/* Parts are length-prefixed, so ("ab", "c") and ("a", "bc") differ. */
struct key key_triplet(const struct key_secret *secret, struct slice identity,
                       struct slice sender, struct slice recipient);

/* A bound of a limit: `what` tells scope and kind, `name` whose it is. */
struct key key_limit(const struct key_secret *secret, struct slice what,
                     struct slice name);

/* A recipient of a session whose rates policyd has taken (limit.h). */
struct key key_note(const struct key_secret *secret, struct slice holder,
                    struct slice sender, struct slice recipient);

/* base64url without padding, and a NUL. */
void key_print(const struct key *key, char text_out[KEY_TEXT_LEN + 1]);
bool key_parse(struct slice text, struct key *key_out) MUST_CHECK;

#define KEY_SECRET_TEXT_LEN (2 * KEY_SECRET_BYTES)

/* In hexadecimal, as the stores keep it, and a NUL. */
void key_secret_print(const struct key_secret *secret,
                      char text_out[KEY_SECRET_TEXT_LEN + 1]);
bool key_secret_parse(struct slice text, struct key_secret *secret_out) MUST_CHECK;

/* A new secret from the system's random source. */
void key_secret_make(struct key_secret *secret_out);

#endif
