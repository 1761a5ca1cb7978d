/* limit_names.c - whose the limit with a key is. */
#include "limit_names.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "limit.h"
#include "mem.h"

struct entry {
	char key[KEY_TEXT_LEN + 1];
	char *name;
	UT_hash_handle hh;
};

struct limit_names {
	struct entry *entries;
};

static struct entry *
add(struct limit_names *names, const char *key, char *name)
{
	struct entry *entry = mem_new(struct entry);
	struct text text = TEXT(entry->key);
	text_puts(&text, key);
	entry->name = name;
	HASH_ADD_STR(names->entries, key, entry);
	return entry;
}

static void
on_name(void *arg, struct slice name, struct slice text, int64_t until_s)
{
	struct limit_names *names = arg;
	struct entry *entry;
	char buf[KEY_TEXT_LEN + 1];
	struct text key = TEXT(buf);
	(void)until_s;
	text_put(&key, name);
	if (name.n != KEY_TEXT_LEN)
		return;
	HASH_FIND_STR(names->entries, buf, entry);
	if (!entry)
		add(names, buf, mem_dup(text));
}

static void
add_destinations(struct limit_names *names, const struct conf *conf,
                 const struct key_secret *secret)
{
	for (size_t i = 0; i < conf->limits.n_destinations; i++) {
		struct slice name = slice_of(conf->limits.destinations[i].name);
		struct key key = limit_slots_key(secret, false, name);
		char key_text[KEY_TEXT_LEN + 1], buf[512];
		struct text text = TEXT(buf);
		key_print(&key, key_text);
		text_puts(&text, "destination ");
		text_put(&text, name);
		add(names, key_text, mem_dup(text_slice(&text)));
	}
}

struct limit_names *
limit_names_read(const struct conf *conf, struct ledger *ledger, int64_t now_s,
                 struct err *err_out)
{
	struct limit_names *names = mem_new(struct limit_names);
	struct key_secret secret;
	if (!ledger_secret(ledger, &secret, err_out)) {
		limit_names_free(&names);
		return NULL;
	}
	add_destinations(names, conf, &secret);
	explicit_bzero(&secret, sizeof(secret));
	if (!ledger_read(ledger, BOARD_NAMES, now_s, on_name, names, err_out))
		limit_names_free(&names);
	return names;
}

void
limit_names_free(struct limit_names **names)
{
	struct entry *entry, *next;
	if (!*names)
		return;
	HASH_ITER(hh, (*names)->entries, entry, next)
	{
		HASH_DEL((*names)->entries, entry);
		free(entry->name);
		free(entry);
	}
	free(*names);
	*names = NULL;
}

const char *
limit_names_find(struct limit_names *names, const struct key *key)
{
	struct entry *entry;
	char text[KEY_TEXT_LEN + 1];
	key_print(key, text);
	HASH_FIND_STR(names->entries, text, entry);
	if (!entry)
		entry = add(names, text, mem_dup(slice_of(text)));
	return entry->name;
}
