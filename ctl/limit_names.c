/* limit_names.c - whose the limit with a key is. */
#include "limit_names.h"

#include <string.h>

#include "rules/limit.h"

/* A destination of the settings with that key; NULL: none. */
static const char *
find_destination(const struct conf *conf, const struct key_secret *secret,
                 const struct key *wanted)
{
	for (size_t i = 0; i < conf->limits.n_destinations; i++) {
		const char *name = conf->limits.destinations[i].name;
		struct key key = limit_slots_key(secret, false, slice_of(name));
		if (memcmp(&key, wanted, sizeof(key)) == 0)
			return name;
	}
	return NULL;
}

bool
limit_name(const struct conf *conf, struct history *history,
           const struct key_secret *secret, const struct key *key, int64_t now_s,
           struct text *name_out, struct err *err_out)
{
	const char *destination = find_destination(conf, secret, key);
	size_t before = name_out->n;
	if (destination) {
		text_printf(name_out, "destination %s", destination);
		return true;
	}
	if (!history_get_name(history, key, now_s, name_out, err_out))
		return false;
	if (name_out->n > before)
		return true;
	char printed[KEY_TEXT_LEN + 1];
	key_print(key, printed);
	text_puts(name_out, printed);
	return true;
}
