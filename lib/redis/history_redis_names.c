/* history_redis_names.c - whose limits are, in Redis: a key for each, which expires by itself. */
#include "base/clock.h"
#include "history_redis.h"

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
