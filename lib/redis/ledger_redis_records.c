/* ledger_redis_records.c - the secret and the records of greylisting in Redis. */
#include <stdlib.h>

#include "base/mem.h"
#include "ledger_redis.h"

#define PUT_AT_ONCE 1000
#define NO_RECORD   (-1) /* and not nothing */
#define SCAN_COUNT  "1000"

static const char kinds[] = {[RECORD_TRIPLET] = 't', [RECORD_IDENTITY] = 'i'};

/* ---- the secret */

/* Nil leaves *found_out false. */
static bool
get_secret(struct ledger_redis *ledger, struct slice key, struct key_secret *secret_out,
           bool *found_out, struct err *err)
{
	struct slice words[] = {SLICE("GET"), key};
	talk_say(ledger, COUNT_OF(words), words);
	redisReply *reply = talk_hear(ledger, REDIS_REPLY_STRING, err);
	if (!reply)
		return false;
	*found_out = reply->type == REDIS_REPLY_STRING;
	bool good = !*found_out || key_secret_parse(reply_text(reply), secret_out);
	freeReplyObject(reply);
	return good ||
	       err_set(err, "%.*s in redis is no secret of weir's", (int)key.n, key.p);
}

static bool
write_secret(struct ledger_redis *ledger, struct slice key,
             const struct key_secret *secret, bool only_new, struct err *err)
{
	char text[KEY_SECRET_TEXT_LEN + 1];
	key_secret_print(secret, text);
	struct slice words[] = {SLICE("SET"), key, slice_of(text), SLICE("NX")};
	talk_say(ledger, only_new ? 4 : 3, words);
	explicit_bzero(text, sizeof(text));
	return talk_hear_done(ledger, 1, err);
}

/* A daemon makes it at its first start; until then this may be first. */
bool
redis_secret(struct ledger *base, struct key_secret *secret_out, struct err *err)
{
	struct ledger_redis *ledger = talk_begin(base, err);
	struct redis_key name;
	bool found;
	if (!ledger)
		return false;
	struct slice key = talk_name(ledger, "secret", &name);
	if (!get_secret(ledger, key, secret_out, &found, err))
		return false;
	if (found)
		return true;
	key_secret_make(secret_out);
	if (!write_secret(ledger, key, secret_out, true, err) ||
	    !get_secret(ledger, key, secret_out, &found, err))
		return false;
	return found || err_set(err, "%.*s in redis: a secret does not stay there",
	                        (int)key.n, key.p);
}

static bool
is_found(void *arg, const struct ledger_row *row)
{
	bool *found = arg;
	(void)row;
	*found = true;
	return false;
}

bool
redis_set_secret(struct ledger *base, const struct key_secret *secret, struct err *err)
{
	bool found = false;
	struct redis_key name;
	if (!redis_scan(base, is_found, &found, err))
		return false;
	struct ledger_redis *ledger = talk_begin(base, err);
	if (!ledger)
		return false;
	if (found)
		return err_set(err, "redis holds records already (store.redis.prefix %s)",
		               ledger->prefix);
	return write_secret(ledger, talk_name(ledger, "secret", &name), secret, false,
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
get_number(struct ledger *base, char kind, const struct key *key, int64_t *value_out,
           bool *good_out, struct err *err)
{
	struct ledger_redis *ledger = talk_begin(base, err);
	struct redis_key name;
	if (!ledger)
		return false;
	struct slice words[] = {SLICE("GET"), talk_key(ledger, kind, key, &name)};
	talk_say(ledger, COUNT_OF(words), words);
	redisReply *reply = talk_hear(ledger, REDIS_REPLY_STRING, err);
	*good_out = reply && read_packed(reply, value_out);
	freeReplyObject(reply);
	return reply != NULL;
}

bool
redis_get_record(struct ledger *base, enum ledger_record kind, const struct key *key,
                 int64_t *packed_out, struct err *err)
{
	bool good;
	return get_number(base, kinds[kind], key, packed_out, &good, err) &&
	       (good || err_set(err, "what redis holds there is no record of weir's"));
}

bool
redis_get_rate(struct ledger *base, const struct key *key, int64_t *tat_us_out,
               struct err *err)
{
	bool good;
	if (!get_number(base, 'r', key, tat_us_out, &good, err))
		return false;
	if (!good || *tat_us_out > LEDGER_TAT_MAX_US)
		*tat_us_out = 0;
	return true;
}

bool
redis_drop_record(struct ledger *base, enum ledger_record kind, const struct key *key,
                  bool *found_out, struct err *err)
{
	struct ledger_redis *ledger = talk_begin(base, err);
	struct redis_key name;
	int64_t dropped;
	if (!ledger)
		return false;
	struct slice words[] = {SLICE("DEL"), talk_key(ledger, kinds[kind], key, &name)};
	talk_say(ledger, COUNT_OF(words), words);
	if (!talk_hear_integer(ledger, &dropped, err))
		return false;
	*found_out = dropped > 0;
	return true;
}

/* ---- many of them */

bool
redis_get_records(struct ledger *base, size_t n, struct ledger_row *rows, struct err *err)
{
	struct ledger_redis *ledger = talk_begin(base, err);
	struct redis_key name;
	if (!ledger)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct slice words[] = {SLICE("GET"),
		                        talk_key(ledger, kinds[rows[i].kind],
		                                 &rows[i].key, &name)};
		talk_say(ledger, COUNT_OF(words), words);
	}
	for (size_t i = 0; i < n; i++) {
		redisReply *reply = talk_hear_any(ledger, err);
		if (!reply)
			return false;
		if (!read_packed(reply, &rows[i].packed))
			rows[i].packed = NO_RECORD;
		freeReplyObject(reply);
	}
	return true;
}

static void
say_put(struct ledger_redis *ledger, const struct ledger_row *row, int64_t kept_s)
{
	struct redis_key name;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	struct slice words[] = {SLICE("SET"),
	                        talk_key(ledger, kinds[row->kind], &row->key, &name),
	                        redis_number(&numbers, row->packed), SLICE("EX"),
	                        redis_number(&numbers, kept_s)};
	talk_say(ledger, COUNT_OF(words), words);
}

bool
redis_put_records(struct ledger *base, size_t n, const struct ledger_row *rows,
                  const int64_t *kept_s, struct err *err)
{
	struct ledger_redis *ledger = talk_begin(base, err);
	if (!ledger)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (kept_s[i] > 0)
			say_put(ledger, &rows[i], kept_s[i]);
		if (ledger->waiting >= PUT_AT_ONCE &&
		    !talk_hear_done(ledger, ledger->waiting, err))
			return false;
	}
	return talk_hear_done(ledger, ledger->waiting, err);
}

/* The prefix as SCAN's pattern wants it, and names as ours are. */
static struct slice
scan_pattern(const struct ledger_redis *ledger, struct text *pattern)
{
	for (const char *at = ledger->prefix; *at; at++) {
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
read_page(struct ledger_redis *ledger, struct text *cursor, struct err *err)
{
	char buf[256];
	struct text pattern = TEXT(buf);
	uint64_t number;
	struct slice words[] = {SLICE("SCAN"),  text_slice(cursor),
	                        SLICE("MATCH"), scan_pattern(ledger, &pattern),
	                        SLICE("COUNT"), SLICE(SCAN_COUNT)};
	talk_say(ledger, COUNT_OF(words), words);
	redisReply *reply = talk_hear(ledger, REDIS_REPLY_ARRAY, err);
	if (!reply)
		return NULL;
	if (reply->elements == 2 && reply->element[0]->type == REDIS_REPLY_STRING &&
	    reply->element[1]->type == REDIS_REPLY_ARRAY &&
	    slice_to_u64(reply_text(reply->element[0]), UINT64_MAX, &number)) {
		cursor->n = 0;
		text_put(cursor, reply_text(reply->element[0]));
		return reply;
	}
	talk_nonsense(ledger, err);
	freeReplyObject(reply);
	return NULL;
}

/* What the name tells of a row; false: none of ours. */
static bool
read_name(const struct ledger_redis *ledger, const redisReply *name,
          struct ledger_row *row_out)
{
	for (int kind = RECORD_TRIPLET; kind <= RECORD_IDENTITY; kind++) {
		row_out->kind = (enum ledger_record)kind;
		if (name->type == REDIS_REPLY_STRING &&
		    talk_parse_key(ledger, kinds[kind], reply_text(name), &row_out->key))
			return true;
	}
	return false;
}

/* The values of the rows; what is no record, or has gone meanwhile, is left out. */
static bool
hear_values(struct ledger_redis *ledger, struct ledger_row *rows, size_t *n,
            struct err *err)
{
	size_t kept = 0;
	for (size_t i = 0; i < *n; i++) {
		redisReply *reply = talk_hear_any(ledger, err);
		if (!reply)
			return false;
		rows[kept] = rows[i];
		/* An error is of a key of another type: not ours. */
		if (read_packed(reply, &rows[kept].packed) &&
		    ledger_is_record(rows[kept].kind, rows[kept].packed))
			kept++;
		freeReplyObject(reply);
	}
	*n = kept;
	return true;
}

/* *wanted: cleared when no more is. */
static bool
hand_page(struct ledger_redis *ledger, const redisReply *names, ledger_row_fn *fn,
          void *arg, bool *wanted, struct err *err)
{
	struct ledger_row *rows = mem_alloc((names->elements + 1) * sizeof(*rows));
	size_t n = 0;
	for (size_t i = 0; i < names->elements; i++) {
		if (!read_name(ledger, names->element[i], &rows[n]))
			continue;
		struct slice words[] = {SLICE("GET"), reply_text(names->element[i])};
		talk_say(ledger, COUNT_OF(words), words);
		n++;
	}
	bool good = hear_values(ledger, rows, &n, err);
	for (size_t i = 0; good && *wanted && i < n; i++)
		*wanted = fn(arg, &rows[i]);
	free(rows);
	return good;
}

bool
redis_scan(struct ledger *base, ledger_row_fn *fn, void *arg, struct err *err)
{
	struct ledger_redis *ledger = talk_begin(base, err);
	char buf[32];
	struct text cursor = TEXT(buf);
	bool wanted = true, good = ledger != NULL;
	text_puts(&cursor, "0");
	while (good && wanted) {
		redisReply *page = read_page(ledger, &cursor, err);
		good = page && hand_page(ledger, page->element[1], fn, arg, &wanted, err);
		freeReplyObject(page);
		if (slice_eq(text_slice(&cursor), SLICE("0")))
			break;
	}
	return good;
}

/* Of the whole database: those of other programs there are counted as well. */
bool
redis_estimate(struct ledger *base, int64_t *rows_out, struct err *err)
{
	struct ledger_redis *ledger = talk_begin(base, err);
	struct slice words[] = {SLICE("DBSIZE")};
	if (!ledger)
		return false;
	talk_say(ledger, COUNT_OF(words), words);
	return talk_hear_integer(ledger, rows_out, err);
}
