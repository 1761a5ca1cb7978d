/* history_redis_records.c - the secret and the records of greylisting in Redis. */
#include <stdlib.h>

#include "base/mem.h"
#include "history_redis.h"

#define PUT_AT_ONCE 1000
#define NO_RECORD   (-1) /* and not nothing */
#define SCAN_COUNT  "1000"

static const char kinds[] = {[RECORD_TRIPLET] = 't', [RECORD_IDENTITY] = 'i'};

/* ---- the secret */

/* Nil leaves *found_out false. */
static bool
get_secret(struct history_redis *history, struct slice key, struct key_secret *secret_out,
           bool *found_out, struct err *err)
{
	struct slice words[] = {SLICE("GET"), key};
	talk_say(history, COUNT_OF(words), words);
	redisReply *reply = talk_hear(history, REDIS_REPLY_STRING, err);
	if (!reply)
		return false;
	*found_out = reply->type == REDIS_REPLY_STRING;
	bool good = !*found_out || key_secret_parse(reply_text(reply), secret_out);
	freeReplyObject(reply);
	return good ||
	       err_set(err, "%.*s in redis is no secret of weir's", (int)key.n, key.p);
}

static bool
write_secret(struct history_redis *history, struct slice key,
             const struct key_secret *secret, bool only_new, struct err *err)
{
	char text[KEY_SECRET_TEXT_LEN + 1];
	key_secret_print(secret, text);
	struct slice words[] = {SLICE("SET"), key, slice_of(text), SLICE("NX")};
	talk_say(history, only_new ? 4 : 3, words);
	explicit_bzero(text, sizeof(text));
	return talk_hear_done(history, 1, err);
}

/* A daemon makes it at its first start; until then this may be first. */
bool
redis_secret(struct history *base, struct key_secret *secret_out, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct redis_key name;
	bool found;
	if (!history)
		return false;
	struct slice key = talk_name(history, "secret", &name);
	if (!get_secret(history, key, secret_out, &found, err))
		return false;
	if (found)
		return true;
	key_secret_make(secret_out);
	if (!write_secret(history, key, secret_out, true, err) ||
	    !get_secret(history, key, secret_out, &found, err))
		return false;
	return found || err_set(err, "%.*s in redis: a secret does not stay there",
	                        (int)key.n, key.p);
}

static bool
is_found(void *arg, const struct history_row *row)
{
	bool *found = arg;
	(void)row;
	*found = true;
	return false;
}

bool
redis_set_secret(struct history *base, const struct key_secret *secret, struct err *err)
{
	bool found = false;
	struct redis_key name;
	if (!redis_scan(base, is_found, &found, err))
		return false;
	struct history_redis *history = talk_begin(base, err);
	if (!history)
		return false;
	if (found)
		return err_set(err, "redis holds records already (store.redis.prefix %s)",
		               history->prefix);
	return write_secret(history, talk_name(history, "secret", &name), secret, false,
	                    err);
}

/* ---- single records */

/* False: the value is not what a script of ours would have written. */
static bool
read_packed(const redisReply *reply, int64_t *packed_out)
{
	uint64_t value = 0;
	bool good = reply->type == REDIS_REPLY_NIL ||
	            (reply->type == REDIS_REPLY_STRING &&
	             slice_to_u64(reply_text(reply), INT64_MAX, &value));
	*packed_out = (int64_t)value;
	return good;
}

/* *good_out: whether it is a number. */
static bool
get_number(struct history *base, char kind, const struct key *key, int64_t *value_out,
           bool *good_out, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct redis_key name;
	if (!history)
		return false;
	struct slice words[] = {SLICE("GET"), talk_key(history, kind, key, &name)};
	talk_say(history, COUNT_OF(words), words);
	redisReply *reply = talk_hear(history, REDIS_REPLY_STRING, err);
	*good_out = reply && read_packed(reply, value_out);
	freeReplyObject(reply);
	return reply != NULL;
}

bool
redis_get_record(struct history *base, enum history_record kind, const struct key *key,
                 int64_t *packed_out, struct err *err)
{
	bool good;
	return get_number(base, kinds[kind], key, packed_out, &good, err) &&
	       (good || err_set(err, "what redis holds there is no record of weir's"));
}

bool
redis_get_rate(struct history *base, const struct key *key, int64_t *tat_us_out,
               struct err *err)
{
	bool good;
	if (!get_number(base, 'r', key, tat_us_out, &good, err))
		return false;
	if (!good || *tat_us_out > HISTORY_TAT_MAX_US)
		*tat_us_out = 0;
	return true;
}

bool
redis_drop_record(struct history *base, enum history_record kind, const struct key *key,
                  bool *found_out, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct redis_key name;
	int64_t dropped;
	if (!history)
		return false;
	struct slice words[] = {SLICE("DEL"), talk_key(history, kinds[kind], key, &name)};
	talk_say(history, COUNT_OF(words), words);
	if (!talk_hear_integer(history, &dropped, err))
		return false;
	*found_out = dropped > 0;
	return true;
}

/* ---- many of them */

bool
redis_get_records(struct history *base, size_t n, struct history_row *rows,
                  struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct redis_key name;
	if (!history)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct slice words[] = {SLICE("GET"),
		                        talk_key(history, kinds[rows[i].kind],
		                                 &rows[i].key, &name)};
		talk_say(history, COUNT_OF(words), words);
	}
	for (size_t i = 0; i < n; i++) {
		redisReply *reply = talk_hear_any(history, err);
		if (!reply)
			return false;
		if (!read_packed(reply, &rows[i].packed))
			rows[i].packed = NO_RECORD;
		freeReplyObject(reply);
	}
	return true;
}

static void
say_put(struct history_redis *history, const struct history_row *row, int64_t kept_s)
{
	struct redis_key name;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	struct slice words[] = {SLICE("SET"),
	                        talk_key(history, kinds[row->kind], &row->key, &name),
	                        redis_number(&numbers, row->packed), SLICE("EX"),
	                        redis_number(&numbers, kept_s)};
	talk_say(history, COUNT_OF(words), words);
}

bool
redis_put_records(struct history *base, size_t n, const struct history_row *rows,
                  const int64_t *kept_s, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	if (!history)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (kept_s[i] > 0)
			say_put(history, &rows[i], kept_s[i]);
		if (history->waiting >= PUT_AT_ONCE &&
		    !talk_hear_done(history, history->waiting, err))
			return false;
	}
	return talk_hear_done(history, history->waiting, err);
}

/* The prefix as SCAN's pattern wants it, and names as ours are. */
static struct slice
scan_pattern(const struct history_redis *history, struct text *pattern)
{
	for (const char *at = history->prefix; *at; at++) {
		if (strchr("*?[]\\", *at))
			text_putc(pattern, '\\');
		text_putc(pattern, *at);
	}
	text_puts(pattern, "[ti]");
	for (size_t i = 0; i < KEY_TEXT_LEN; i++)
		text_putc(pattern, '?');
	return text_slice(pattern);
}

/* One page of names; its cursor is copied. */
static redisReply *
read_page(struct history_redis *history, struct text *cursor, struct err *err)
{
	char buf[256];
	struct text pattern = TEXT(buf);
	uint64_t number;
	struct slice words[] = {SLICE("SCAN"),  text_slice(cursor),
	                        SLICE("MATCH"), scan_pattern(history, &pattern),
	                        SLICE("COUNT"), SLICE(SCAN_COUNT)};
	talk_say(history, COUNT_OF(words), words);
	redisReply *reply = talk_hear(history, REDIS_REPLY_ARRAY, err);
	if (!reply)
		return NULL;
	if (reply->elements == 2 && reply->element[0]->type == REDIS_REPLY_STRING &&
	    reply->element[1]->type == REDIS_REPLY_ARRAY &&
	    slice_to_u64(reply_text(reply->element[0]), UINT64_MAX, &number)) {
		cursor->n = 0;
		text_put(cursor, reply_text(reply->element[0]));
		return reply;
	}
	talk_nonsense(history, err);
	freeReplyObject(reply);
	return NULL;
}

/* What the name tells of a row; false: none of ours. */
static bool
read_name(const struct history_redis *history, const redisReply *name,
          struct history_row *row_out)
{
	for (int kind = RECORD_TRIPLET; kind <= RECORD_IDENTITY; kind++) {
		row_out->kind = (enum history_record)kind;
		if (name->type == REDIS_REPLY_STRING &&
		    talk_parse_key(history, kinds[kind], reply_text(name), &row_out->key))
			return true;
	}
	return false;
}

/* The values of the rows; what is no record, or has gone meanwhile, is left out. */
static bool
hear_values(struct history_redis *history, struct history_row *rows, size_t *n,
            struct err *err)
{
	size_t kept = 0;
	for (size_t i = 0; i < *n; i++) {
		redisReply *reply = talk_hear_any(history, err);
		if (!reply)
			return false;
		rows[kept] = rows[i];
		/* An error is of a key of another type: not ours. */
		if (read_packed(reply, &rows[kept].packed) &&
		    history_is_record(rows[kept].kind, rows[kept].packed))
			kept++;
		freeReplyObject(reply);
	}
	*n = kept;
	return true;
}

/* *wanted: cleared when no more is. */
static bool
hand_page(struct history_redis *history, const redisReply *names, history_row_fn *fn,
          void *arg, bool *wanted, struct err *err)
{
	struct history_row *rows = mem_alloc((names->elements + 1) * sizeof(*rows));
	size_t n = 0;
	for (size_t i = 0; i < names->elements; i++) {
		if (!read_name(history, names->element[i], &rows[n]))
			continue;
		struct slice words[] = {SLICE("GET"), reply_text(names->element[i])};
		talk_say(history, COUNT_OF(words), words);
		n++;
	}
	bool good = hear_values(history, rows, &n, err);
	for (size_t i = 0; good && *wanted && i < n; i++)
		*wanted = fn(arg, &rows[i]);
	free(rows);
	return good;
}

bool
redis_scan(struct history *base, history_row_fn *fn, void *arg, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	char buf[32];
	struct text cursor = TEXT(buf);
	bool wanted = true, good = history != NULL;
	text_puts(&cursor, "0");
	while (good && wanted) {
		redisReply *page = read_page(history, &cursor, err);
		good = page &&
		       hand_page(history, page->element[1], fn, arg, &wanted, err);
		freeReplyObject(page);
		if (slice_eq(text_slice(&cursor), SLICE("0")))
			break;
	}
	return good;
}

/* Of the whole database: those of other programs there are counted as well. */
bool
redis_estimate(struct history *base, int64_t *rows_out, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct slice words[] = {SLICE("DBSIZE")};
	if (!history)
		return false;
	talk_say(history, COUNT_OF(words), words);
	return talk_hear_integer(history, rows_out, err);
}
