/* history_facts_redis.c - what Redis tells of itself, and whether it works. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "history_redis.h"

/* What is tried is gone by itself when we are. */
#define TRY_SECONDS "10"

struct teller {
	history_fact_fn *fn;
	void *arg;
};

static void
tell_integer(const struct teller *teller, const char *name, int64_t value)
{
	char buf[24];
	struct text text = TEXT(buf);
	text_int(&text, value);
	teller->fn(teller->arg, name, text_slice(&text));
}

/* "name:value\r\n"; headings begin with '#'. */
static void
tell_info(const struct teller *teller, struct slice info)
{
	struct slice line, name;
	while (slice_cut(&info, '\n', &line)) {
		char buf[80];
		struct text text = TEXT(buf);
		if (line.n == 0 || line.p[0] == '#' || !slice_cut(&line, ':', &name) ||
		    !line.p)
			continue;
		text_put(&text, name);
		teller->fn(teller->arg, buf, slice_trim(line));
	}
}

static bool
ask_info(const struct teller *teller, struct history_redis *history, struct err *err)
{
	struct slice info[] = {SLICE("INFO")};
	talk_say(history, COUNT_OF(info), info);
	redisReply *reply = talk_hear(history, REDIS_REPLY_STRING, err);
	if (!reply)
		return false;
	tell_info(teller, reply_text(reply));
	freeReplyObject(reply);
	return true;
}

static int64_t
reply_integer(const redisReply *reply)
{
	uint64_t value = 0;
	return slice_to_u64(reply_text(reply), INT64_MAX / 2000000, &value)
	               ? (int64_t)value
	               : 0;
}

/* The server's clock against ours in the middle of the round trip. */
static bool
ask_time(const struct teller *teller, struct history_redis *history, struct err *err)
{
	struct slice time_words[] = {SLICE("TIME")};
	int64_t began_us = clock_mono_us();
	talk_say(history, COUNT_OF(time_words), time_words);
	redisReply *reply = talk_hear(history, REDIS_REPLY_ARRAY, err);
	if (!reply)
		return false;
	int64_t took_us = clock_mono_us() - began_us;
	if (reply->elements == 2) {
		int64_t theirs_us = reply_integer(reply->element[0]) * 1000000 +
		                    reply_integer(reply->element[1]);
		tell_integer(teller, "clock_offset_ms",
		             (theirs_us - clock_wall_us() + took_us / 2) / 1000);
	}
	tell_integer(teller, "round_trip_us", took_us);
	freeReplyObject(reply);
	return true;
}

static bool
ask_script(const struct teller *teller, struct history_redis *history, struct err *err)
{
	struct redis_key key;
	struct slice eval[] = {SLICE("EVAL"), SLICE("return redis.call('get', KEYS[1])"),
	                       SLICE("1"), talk_name(history, "try", &key)};
	talk_say(history, COUNT_OF(eval), eval);
	redisReply *reply = talk_hear_any(history, err);
	if (!reply)
		return false;
	bool refused = reply->type == REDIS_REPLY_ERROR;
	teller->fn(teller->arg, "script", refused ? reply_text(reply) : SLICE("ok"));
	freeReplyObject(reply);
	return true;
}

/* The rights that the manual names do not have it; then nothing is told. */
static bool
ask_config(const struct teller *teller, struct history_redis *history, const char *name,
           struct err *err)
{
	struct slice get[] = {SLICE("CONFIG"), SLICE("GET"), slice_of(name)};
	talk_say(history, COUNT_OF(get), get);
	redisReply *reply = talk_hear_any(history, err);
	if (!reply)
		return false;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
		teller->fn(teller->arg, name, reply_text(reply->element[1]));
		teller->fn(teller->arg, "config", SLICE("ok"));
	}
	freeReplyObject(reply);
	return true;
}

bool
redis_facts(struct history *base, bool deep, history_fact_fn *fn, void *arg,
            struct err *err)
{
	const struct teller teller = {fn, arg};
	struct history_redis *history = talk_begin(base, err);
	(void)deep;
	return history && ask_info(&teller, history, err) &&
	       ask_time(&teller, history, err) && ask_script(&teller, history, err) &&
	       ask_config(&teller, history, "save", err) &&
	       ask_config(&teller, history, "appendfsync", err);
}

bool
redis_try(struct history *base, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	if (!history)
		return false;
	struct redis_key key;
	char value[24];
	struct text text = TEXT(value);
	text_int(&text, clock_mono_us());
	struct slice name = talk_name(history, "try", &key);
	struct slice set[] = {SLICE("SET"), name, text_slice(&text), SLICE("EX"),
	                      SLICE(TRY_SECONDS)};
	struct slice get[] = {SLICE("GET"), name};
	struct slice del[] = {SLICE("DEL"), name};
	talk_say(history, COUNT_OF(set), set);
	if (!talk_hear_done(history, 1, err))
		return false;
	talk_say(history, COUNT_OF(get), get);
	redisReply *reply = talk_hear(history, REDIS_REPLY_STRING, err);
	if (!reply)
		return false;
	bool there = slice_eq(reply_text(reply), text_slice(&text));
	freeReplyObject(reply);
	talk_say(history, COUNT_OF(del), del);
	return talk_hear_done(history, 1, err) &&
	       (there || err_set(err, "redis: what was written is not there"));
}
