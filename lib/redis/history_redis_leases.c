/* history_redis_leases.c - leases in Redis, in sets that an index names; and names of limits. */
#include <stdlib.h>

#include "base/clock.h"
#include "history_redis.h"

#define SETS_AT_ONCE 100

/* The names of all sets, and the server's time; NULL with a text. */
static redisReply *
read_index(struct history_redis *history, int64_t *now_ms_out, struct err *err)
{
	struct redis_key name;
	struct slice time[] = {SLICE("TIME")};
	struct slice index[] = {SLICE("ZRANGE"), talk_name(history, "leases", &name),
	                        SLICE("0"), SLICE("-1")};
	uint64_t s = 0, us = 0;
	talk_say(history, COUNT_OF(time), time);
	talk_say(history, COUNT_OF(index), index);
	redisReply *reply = talk_hear(history, REDIS_REPLY_ARRAY, err);
	if (!reply)
		return NULL;
	bool good = reply->elements == 2 &&
	            slice_to_u64(reply_text(reply->element[0]), INT64_MAX / 1000, &s) &&
	            slice_to_u64(reply_text(reply->element[1]), 999999, &us);
	freeReplyObject(reply);
	*now_ms_out = (int64_t)(s * 1000 + us / 1000);
	if (good)
		return talk_hear(history, REDIS_REPLY_ARRAY, err);
	talk_nonsense(history, err);
	return NULL;
}

/* When a lease ends, as a score is printed; 0: no number. */
static int64_t
read_end(const redisReply *score)
{
	if (score->type != REDIS_REPLY_STRING)
		return 0;
	double ms = strtod(score->str, NULL);
	return ms > 0 && ms < 1e15 ? (int64_t)ms : 0;
}

/* ---- reading */

struct lease_set {
	struct key key;
	redisReply *holders; /* name and score by turns */
};

static void
hand_set(const struct lease_set *set, int64_t now_ms, history_lease_fn *fn, void *arg)
{
	for (size_t i = 0; i + 1 < set->holders->elements; i += 2)
		history_hand_lease(fn, arg, &set->key,
		                   reply_text(set->holders->element[i]),
		                   read_end(set->holders->element[i + 1]) - now_ms);
}

/* Reads the sets of so many names of the index; all are heard before any is handed out. */
static bool
read_sets(struct history_redis *history, redisReply *const names[], size_t n,
          int64_t now_ms, history_lease_fn *fn, void *arg, struct err *err)
{
	struct lease_set sets[SETS_AT_ONCE] = {0};
	size_t n_sets = 0;
	bool good = true;
	for (size_t i = 0; i < n; i++) {
		struct slice name = reply_text(names[i]);
		if (!talk_parse_key(history, 'l', name, &sets[n_sets].key))
			continue;
		struct slice words[] = {SLICE("ZRANGE"), name, SLICE("0"), SLICE("-1"),
		                        SLICE("WITHSCORES")};
		talk_say(history, COUNT_OF(words), words);
		n_sets++;
	}
	for (size_t i = 0; good && i < n_sets; i++)
		good = (sets[i].holders = talk_hear(history, REDIS_REPLY_ARRAY, err)) !=
		       NULL;
	for (size_t i = 0; i < n_sets; i++) {
		if (good)
			hand_set(&sets[i], now_ms, fn, arg);
		freeReplyObject(sets[i].holders);
	}
	return good;
}

bool
redis_read_leases(struct history *base, history_lease_fn *fn, void *arg, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	int64_t now_ms = 0;
	redisReply *index = history ? read_index(history, &now_ms, err) : NULL;
	bool good = index != NULL;
	for (size_t i = 0; good && i < index->elements; i += SETS_AT_ONCE) {
		size_t left = index->elements - i;
		good = read_sets(history, index->element + i,
		                 left < SETS_AT_ONCE ? left : SETS_AT_ONCE, now_ms, fn,
		                 arg, err);
	}
	freeReplyObject(index);
	return good;
}

/* ---- taking away */

/* The end of the lease, and whether it was taken away. */
static bool
hear_killed(struct history_redis *history, int64_t now_ms, int64_t *killed,
            struct err *err)
{
	int64_t removed = 0;
	redisReply *score = talk_hear(history, REDIS_REPLY_STRING, err);
	if (!score)
		return false;
	int64_t end_ms = read_end(score);
	freeReplyObject(score);
	if (!talk_hear_integer(history, &removed, err))
		return false;
	*killed += removed > 0 && end_ms > now_ms;
	return true;
}

static bool
kill_in_sets(struct history_redis *history, redisReply *const names[], size_t n,
             struct slice holder, int64_t now_ms, int64_t *killed, struct err *err)
{
	size_t said = 0;
	struct key key;
	for (size_t i = 0; i < n; i++) {
		struct slice name = reply_text(names[i]);
		struct slice score[] = {SLICE("ZSCORE"), name, holder};
		struct slice rem[] = {SLICE("ZREM"), name, holder};
		if (!talk_parse_key(history, 'l', name, &key))
			continue;
		talk_say(history, COUNT_OF(score), score);
		talk_say(history, COUNT_OF(rem), rem);
		said++;
	}
	bool good = true;
	for (size_t i = 0; good && i < said; i++)
		good = hear_killed(history, now_ms, killed, err);
	return good;
}

bool
redis_kill_leases(struct history *base, struct slice holder, int64_t *killed_out,
                  struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	int64_t now_ms = 0;
	redisReply *index = history ? read_index(history, &now_ms, err) : NULL;
	bool good = index != NULL;
	for (size_t i = 0; good && i < index->elements; i += SETS_AT_ONCE) {
		size_t left = index->elements - i;
		good = kill_in_sets(history, index->element + i,
		                    left < SETS_AT_ONCE ? left : SETS_AT_ONCE, holder,
		                    now_ms, killed_out, err);
	}
	freeReplyObject(index);
	return good;
}

/* ---- whose limits are ---- */

static struct slice
key_of(const struct history_redis *history, const struct key *key, struct redis_key *name)
{
	char rest[1 + KEY_TEXT_LEN + 1] = "k";
	key_print(key, rest + 1);
	return talk_name(history, rest, name);
}

bool
redis_put_names(struct history *base, size_t n, const struct history_name *names,
                int64_t until_s, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct redis_key key;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	int64_t left_s = until_s - clock_wall_s();
	struct slice left = redis_number(&numbers, left_s > 0 ? left_s : 1);
	if (!history)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct slice words[] = {SLICE("SET"),
		                        key_of(history, &names[i].key, &key),
		                        slice_of(names[i].text), SLICE("EX"), left};
		talk_say(history, COUNT_OF(words), words);
	}
	return talk_hear_done(history, n, err);
}

bool
redis_get_name(struct history *base, const struct key *key, int64_t now_s,
               struct text *name_out, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct redis_key redis_key;
	(void)now_s;
	if (!history)
		return false;
	struct slice words[] = {SLICE("GET"), key_of(history, key, &redis_key)};
	talk_say(history, COUNT_OF(words), words);
	redisReply *reply = talk_hear_any(history, err);
	if (!reply)
		return false;
	if (reply->type == REDIS_REPLY_STRING)
		text_put(name_out, reply_text(reply));
	freeReplyObject(reply);
	return true;
}
