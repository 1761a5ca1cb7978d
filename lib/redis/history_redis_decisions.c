/* history_redis_decisions.c - decisions in Redis: segments of some 64 lines, made by a script. */
#include "history_redis.h"
#include "scripts.h"

#define SEGMENT     64 /* lines, as in decisions.lua */
#define PIECE       16 /* lines, too */
#define OTHER_WORDS 5
#define AT_ONCE     64 /* segments */
#define AT_FIRST    4  /* mostly the newest are wanted only: nothing is asked for ahead */

/* No decisions.keep needs more of them; what decisions.lua has still to drop is in it. */
#define SEGMENTS_MAX (10000000 / SEGMENT + 1000)

static const struct script decisions_script = {{decisions_lua, sizeof(decisions_lua) - 1},
                                               {decisions_lua_sha,
                                                sizeof(decisions_lua_sha) - 1}};

/* The next lines, as many as make a piece. */
static struct slice
cut_piece(struct slice *lines)
{
	struct slice piece = *lines, line;
	for (int n = 0; n < PIECE && slice_cut(lines, '\n', &line); n++)
		;
	return slice_head(piece, piece.n - lines->n);
}

bool
redis_add_decisions(struct history *base, size_t n, struct slice lines, int64_t keep,
                    int64_t lifetime_s, struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct redis_key state, segments;
	struct numbers numbers = {.text = TEXT(numbers.buf)};
	if (!history)
		return false;
	struct slice words[OTHER_WORDS + HISTORY_LINES_MAX / PIECE] = {
		talk_name(history, "decisions", &state),
		talk_name(history, "d", &segments),
		redis_number(&numbers, keep),
		redis_number(&numbers, lifetime_s),
		redis_number(&numbers, (int64_t)n),
	};
	size_t n_words = OTHER_WORDS;
	while (lines.n > 0 && n_words < COUNT_OF(words))
		words[n_words++] = cut_piece(&lines);
	redisReply *reply = talk_script(history, &decisions_script, n_words, words,
	                                REDIS_REPLY_INTEGER, err);
	freeReplyObject(reply);
	return reply != NULL;
}

static bool
read_number(const redisReply *reply, uint64_t *value_out)
{
	*value_out = 0;
	return reply->type == REDIS_REPLY_NIL ||
	       (reply->type == REDIS_REPLY_STRING &&
	        slice_to_u64(reply_text(reply), INT64_MAX / 2, value_out));
}

/* The segments from *first on, below *end. */
static bool
read_state(struct history_redis *history, int64_t *first, int64_t *end, struct err *err)
{
	struct redis_key name;
	struct slice key = talk_name(history, "decisions", &name);
	struct slice words[] = {SLICE("HMGET"), key, SLICE("count"), SLICE("oldest")};
	uint64_t count = 0, oldest = 0;
	talk_say(history, COUNT_OF(words), words);
	redisReply *reply = talk_hear(history, REDIS_REPLY_ARRAY, err);
	if (!reply)
		return false;
	bool good = reply->elements == 2 && read_number(reply->element[0], &count) &&
	            read_number(reply->element[1], &oldest);
	freeReplyObject(reply);
	if (!good)
		return talk_nonsense(history, err);
	*first = (int64_t)oldest;
	*end = (int64_t)(count + SEGMENT - 1) / SEGMENT;
	return *end - *first <= SEGMENTS_MAX ||
	       err_set(err, "%.*s in redis is damaged: it may be deleted", (int)key.n,
	               key.p);
}

static void
say_get(struct history_redis *history, int64_t segment)
{
	char rest[32];
	struct text text = TEXT(rest);
	struct redis_key name;
	text_puts(&text, "d");
	text_int(&text, segment);
	struct slice words[] = {SLICE("GET"), talk_name(history, rest, &name)};
	talk_say(history, COUNT_OF(words), words);
}

/* Segments from the newest to the oldest: what has been asked for, and what not yet. */
struct batch {
	int64_t first; /* the oldest that may be there */
	int64_t end;   /* those below it have not been asked for */
	size_t n;      /* asked for, and not yet heard */
};

static void
say_batch(struct history_redis *history, struct batch *batch, int64_t at_most)
{
	for (batch->n = 0; (int64_t)batch->n < at_most && batch->end > batch->first;
	     batch->n++)
		say_get(history, --batch->end);
	talk_send(history);
}

static bool
hear_segments(struct history_redis *history, size_t n, redisReply *replies[],
              struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		replies[i] = talk_hear(history, REDIS_REPLY_STRING, err);
		if (!replies[i])
			return false;
	}
	return true;
}

/* False: no more is wanted; or all of these have run out, and the older ones with them. */
static bool
hand_out(size_t n, redisReply *replies[], history_lines_fn *fn, void *arg)
{
	bool wanted = true, found = false;
	for (size_t i = 0; wanted && i < n; i++) {
		if (replies[i]->len == 0)
			continue;
		found = true;
		wanted = fn(arg, reply_text(replies[i]));
	}
	return wanted && found;
}

/*
 * Hears the batch, asks for the next one, and hands out what it heard while Redis sends that.
 * *wanted: cleared when no more is; what was asked for ahead is then heard all the same.
 */
static bool
read_batch(struct history_redis *history, struct batch *batch, int64_t ahead,
           history_lines_fn *fn, void *arg, bool *wanted, struct err *err)
{
	redisReply *replies[AT_ONCE] = {NULL};
	size_t n = batch->n;
	bool good = hear_segments(history, n, replies, err);
	say_batch(history, batch, good && *wanted ? ahead : 0);
	*wanted = good && *wanted && hand_out(n, replies, fn, arg);
	talk_be_patient(history); /* nobody knows how long that took */
	for (size_t i = 0; i < n; i++)
		freeReplyObject(replies[i]);
	return good;
}

bool
redis_read_decisions(struct history *base, history_lines_fn *fn, void *arg,
                     struct err *err)
{
	struct history_redis *history = talk_begin(base, err);
	struct batch batch = {0};
	bool wanted = true;
	if (!history || !read_state(history, &batch.first, &batch.end, err))
		return false;
	say_batch(history, &batch, AT_FIRST);
	bool good = read_batch(history, &batch, 0, fn, arg, &wanted, err);
	say_batch(history, &batch, good && wanted ? AT_ONCE : 0);
	while (good && batch.n > 0)
		good = read_batch(history, &batch, AT_ONCE, fn, arg, &wanted, err);
	return good;
}
