/* history_redis_registries.c - registries and the funnel of greylisting in Redis: hashes. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "history_redis.h"
#include "scripts.h"

#define CLEARED_AT_ONCE 64
#define HOUR_S          3600

static const struct script registry_script = {{registry_lua, sizeof(registry_lua) - 1},
                                              {registry_lua_sha,
                                               sizeof(registry_lua_sha) - 1}};

static const char *const names[REGISTRIES] = {
	[REGISTRY_OVERRIDES] = "orders",
	[REGISTRY_DAEMONS] = "daemons",
};

bool
redis_put(struct history *base, enum history_registry registry, struct slice name,
          struct slice text, int64_t until_s, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct redis_key key;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	if (!history)
		return false;
	int64_t left_s = until_s - clock_wall_s();
	struct text value = {.cap = text.n + 32};
	value.p = mem_alloc(value.cap);
	text_int(&value, until_s);
	text_puts(&value, " ");
	text_put(&value, text);
	struct slice words[] = {talk_name(history, names[registry], &key), SLICE("put"),
	                        name, text_slice(&value),
	                        redis_number(&numbers, (left_s > 0 ? left_s : 0) +
	                                                       HISTORY_LINGER_S)};
	redisReply *reply = talk_script(history, &registry_script, COUNT_OF(words), words,
	                                REDIS_REPLY_INTEGER, err);
	freeReplyObject(reply);
	free(value.p);
	return reply != NULL;
}

bool
redis_drop(struct history *base, enum history_registry registry, struct slice name,
           bool *found_out, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct redis_key key;
	int64_t dropped;
	if (!history)
		return false;
	struct slice words[] = {SLICE("HDEL"), talk_name(history, names[registry], &key),
	                        name};
	talk_say(history, COUNT_OF(words), words);
	if (!talk_hear_integer(history, &dropped, err))
		return false;
	*found_out = dropped > 0;
	return true;
}

/* A hash as pairs of replies. */
static redisReply *
read_hash(struct history_redis *history, const char *name, struct err *err)
{
	struct redis_key key;
	struct slice words[] = {SLICE("HGETALL"), talk_name(history, name, &key)};
	talk_say(history, COUNT_OF(words), words);
	redisReply *reply = talk_hear(history, REDIS_REPLY_ARRAY, err);
	if (!reply)
		return NULL;
	bool good = reply->elements % 2 == 0;
	for (size_t i = 0; i < reply->elements; i++)
		good = good && reply->element[i]->type == REDIS_REPLY_STRING;
	if (good)
		return reply;
	talk_nonsense(history, err);
	freeReplyObject(reply);
	return NULL;
}

/* ---- registries */

struct entry {
	struct slice name, text;
	int64_t until_s;
};

static int
by_name(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	size_t n = left->name.n < right->name.n ? left->name.n : right->name.n;
	int override = memcmp(left->name.p, right->name.p, n);
	if (override != 0)
		return override;
	return (left->name.n > right->name.n) - (left->name.n < right->name.n);
}

/* "until text"; what is malformed has run out. */
static struct entry
read_entry(const redisReply *name, const redisReply *value)
{
	struct entry entry = {.name = reply_text(name)};
	struct slice rest = reply_text(value), until;
	uint64_t until_s;
	if (slice_find(rest, ' ') < 0 || !slice_cut(&rest, ' ', &until) ||
	    !slice_to_u64(until, INT64_MAX, &until_s))
		return entry;
	entry.until_s = (int64_t)until_s;
	entry.text = rest;
	return entry;
}

/* A registry that can be read is told also when nothing can be taken down from it. */
static void
clear(struct history_redis *history, enum history_registry registry, int64_t ended_s,
      size_t n, const struct slice *gone)
{
	struct redis_key key;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	struct slice words[3 + CLEARED_AT_ONCE] = {talk_name(history, names[registry],
	                                                     &key),
	                                           SLICE("clear"),
	                                           redis_number(&numbers, ended_s)};
	struct err err;
	for (size_t i = 0; i < n; i++)
		words[3 + i] = gone[i];
	freeReplyObject(talk_script(history, &registry_script, 3 + n, words,
	                            REDIS_REPLY_INTEGER, &err));
}

bool
redis_read(struct history *base, enum history_registry registry, int64_t now_s,
           history_text_fn *fn, void *arg, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	redisReply *reply = history ? read_hash(history, names[registry], err) : NULL;
	struct slice gone[CLEARED_AT_ONCE];
	int64_t ended_s = now_s - HISTORY_LINGER_S;
	size_t n_gone = 0;
	if (!reply)
		return false;
	size_t n = reply->elements / 2;
	struct entry *entries = mem_alloc((n + 1) * sizeof(*entries));
	for (size_t i = 0; i < n; i++) {
		entries[i] = read_entry(reply->element[2 * i], reply->element[2 * i + 1]);
		if (entries[i].until_s <= ended_s && n_gone < CLEARED_AT_ONCE)
			gone[n_gone++] = entries[i].name;
	}
	if (n_gone > 0)
		clear(history, registry, ended_s, n_gone, gone);
	qsort(entries, n, sizeof(*entries), by_name);
	for (size_t i = 0; i < n; i++)
		if (entries[i].until_s > now_s)
			fn(arg, entries[i].name, entries[i].text, entries[i].until_s);
	free(entries);
	freeReplyObject(reply);
	return true;
}

/* ---- the funnel: fields "HOUR:f" and "HOUR:b" */

static void
say_add(struct history_redis *history, struct slice key, int64_t hour, char kind,
        int64_t value)
{
	char name[32], number[32];
	struct text field = TEXT(name), amount = TEXT(number);
	text_int(&field, hour);
	text_putc(&field, ':');
	text_putc(&field, kind);
	text_int(&amount, value);
	struct slice words[] = {SLICE("HINCRBY"), key, text_slice(&field),
	                        text_slice(&amount)};
	talk_say(history, COUNT_OF(words), words);
}

/* False: none of ours. */
static bool
read_field(struct slice field, int64_t *hour_out, char *kind_out)
{
	struct slice hour;
	uint64_t number;
	if (!slice_cut(&field, ':', &hour) || !slice_to_u64(hour, INT64_MAX, &number) ||
	    field.n != 1)
		return false;
	*hour_out = (int64_t)number;
	*kind_out = field.p[0];
	return true;
}

static bool
drop_hours(struct history_redis *history, struct slice key, int64_t oldest_hour,
           struct err *err)
{
	redisReply *reply = read_hash(history, "funnel", err);
	size_t dropped = 0;
	if (!reply)
		return false;
	for (size_t i = 0; i < reply->elements; i += 2) {
		int64_t hour;
		char kind;
		struct slice field = reply_text(reply->element[i]);
		if (read_field(field, &hour, &kind) && hour >= oldest_hour)
			continue;
		struct slice words[] = {SLICE("HDEL"), key, field};
		talk_say(history, COUNT_OF(words), words);
		dropped++;
	}
	freeReplyObject(reply);
	return talk_hear_done(history, dropped, err);
}

bool
redis_add_funnel(struct history *base, size_t n, const struct funnel_hour *hours,
                 int64_t kept_hours, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct redis_key name;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	int64_t oldest_hour = history_oldest_hour(n, hours, kept_hours);
	if (!history)
		return false;
	struct slice key = talk_name(history, "funnel", &name);
	for (size_t i = 0; i < n; i++) {
		say_add(history, key, hours[i].hour, 'f', hours[i].fresh);
		say_add(history, key, hours[i].hour, 'b', hours[i].back);
	}
	struct slice expire[] = {SLICE("EXPIRE"), key,
	                         redis_number(&numbers, (kept_hours + 2) * HOUR_S)};
	talk_say(history, COUNT_OF(expire), expire);
	if (!talk_hear_done(history, history->waiting, err))
		return false;
	/* Few hours begin in a day: only then there may be something to drop. */
	if (history->dropped_before == oldest_hour)
		return true;
	if (!drop_hours(history, key, oldest_hour, err))
		return false;
	history->dropped_before = oldest_hour;
	return true;
}

static int
by_hour(const void *a, const void *b)
{
	const struct funnel_hour *left = a, *right = b;
	return (left->hour > right->hour) - (left->hour < right->hour);
}

/* The two fields of an hour become one. */
static void
hand_hours(struct funnel_hour *hours, size_t n, history_funnel_fn *fn, void *arg)
{
	qsort(hours, n, sizeof(*hours), by_hour);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && hours[i + 1].hour == hours[i].hour) {
			hours[i + 1].fresh += hours[i].fresh;
			hours[i + 1].back += hours[i].back;
			continue;
		}
		history_hand_hour(fn, arg, &hours[i]);
	}
}

bool
redis_read_funnel(struct history *base, history_funnel_fn *fn, void *arg, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	redisReply *reply = history ? read_hash(history, "funnel", err) : NULL;
	size_t n = 0;
	if (!reply)
		return false;
	struct funnel_hour *hours = mem_alloc((reply->elements + 1) * sizeof(*hours));
	for (size_t i = 0; i < reply->elements; i += 2) {
		uint64_t value;
		char kind;
		struct funnel_hour *hour = &hours[n];
		if (!read_field(reply_text(reply->element[i]), &hour->hour, &kind) ||
		    !slice_to_u64(reply_text(reply->element[i + 1]), HISTORY_COUNT_MAX,
		                  &value))
			continue;
		*(kind == 'f' ? &hour->fresh : &hour->back) = (int64_t)value;
		n++;
	}
	freeReplyObject(reply);
	hand_hours(hours, n, fn, arg);
	free(hours);
	return true;
}
