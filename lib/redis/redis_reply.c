/* redis_reply.c - replies: read with bounds, and what those that are errors mean. */
#include "redis_reply.h"

#include <string.h>

#include "base/log.h"

/* hiredis' own functions, found through a reader that it sets up itself. */
static redisReplyObjectFunctions functions;
static void *(*any_array)(const redisReadTask *, element_count);

/*
 * NULL makes the reader fail instead of allocating what a hostile header announces.  None of
 * our commands is answered with an array in an array.
 */
static void *
bounded_array(const redisReadTask *task, element_count elements)
{
	if (elements > REDIS_ARRAY_MAX || task->parent)
		return NULL;
	return any_array(task, elements);
}

redisReader *
redis_reader_new(void)
{
	redisReader *reader = redisReaderCreate();
	if (!reader)
		log_fatal("out of memory (a reply reader)");
	if (!any_array) {
		functions = *reader->fn;
		any_array = functions.createArray;
		functions.createArray = bounded_array;
	}
	reader->fn = &functions;
	return reader;
}

void
redis_reply_take(const redisReply *reply, struct redis_reply *reply_out)
{
	*reply_out = (struct redis_reply){.kind = REDIS_OTHER};
	switch (reply->type) {
	case REDIS_REPLY_NIL: reply_out->kind = REDIS_NIL; break;
	case REDIS_REPLY_INTEGER:
		reply_out->kind = REDIS_INTEGER;
		reply_out->integer = reply->integer;
		break;
	case REDIS_REPLY_STRING: reply_out->kind = REDIS_TEXT; break;
	case REDIS_REPLY_STATUS: reply_out->kind = REDIS_STATUS; break;
	case REDIS_REPLY_ERROR: reply_out->kind = REDIS_ERROR; break;
	default: break;
	}
	if (reply_out->kind == REDIS_TEXT || reply_out->kind == REDIS_STATUS ||
	    reply_out->kind == REDIS_ERROR)
		reply_out->text =
			(struct slice){.p = reply->str, .n = (size_t)reply->len};
}

/* ---- errors ---- */

static const struct redis_error errors[] = {
	{"NOSCRIPT", STORE_FAILED, REDIS_LOAD, NULL},
	{"OOM", STORE_FULL, REDIS_NONE, "Redis has reached its maxmemory"},
	{"MISCONF", STORE_FULL, REDIS_NONE,
         "Redis refuses writes because it cannot save: see stop-writes-on-bgsave-error"},
	{"READONLY", STORE_FAILED, REDIS_RECONNECT, "this Redis is a replica"},
	{"LOADING", STORE_DOWN, REDIS_RECONNECT, "Redis is loading its data"},
	{"MASTERDOWN", STORE_FAILED, REDIS_RECONNECT, "this Redis has lost its master"},
	{"CLUSTERDOWN", STORE_FAILED, REDIS_NONE, "the Redis Cluster is down"},
	{"NOREPLICAS", STORE_FAILED, REDIS_NONE, "Redis has too few replicas to write"},
	{"BUSY", STORE_FAILED, REDIS_NONE, "Redis is busy with a script"},
	{"TRYAGAIN", STORE_FAILED, REDIS_NONE, NULL},
	{"MOVED", STORE_FAILED, REDIS_OPERATOR,
         "this is a Redis Cluster, which weir does not know"},
	{"ASK", STORE_FAILED, REDIS_OPERATOR,
         "this is a Redis Cluster, which weir does not know"},
	{"NOAUTH", STORE_FAILED, REDIS_RIGHTS,
         "Redis requires a password: set store.redis.password_file"},
	{"WRONGPASS", STORE_FAILED, REDIS_RIGHTS,
         "see store.redis.username and store.redis.password_file"},
	{"NOPERM", STORE_FAILED, REDIS_RIGHTS,
         "the Redis user lacks a right (see weir.conf(5))"},
	{"WRONGTYPE", STORE_BAD_RECORD, REDIS_OPERATOR,
         "a key is used by another program: choose another store.redis.prefix"},
	{"CROSSSLOT", STORE_FAILED, REDIS_OPERATOR, NULL},
	{"BADRECORD", STORE_BAD_RECORD, REDIS_NONE,
         "a record was written by another version of weir"},
};

static const struct redis_error any_error = {"ERR", STORE_FAILED, REDIS_OPERATOR, NULL};

const struct redis_error *
redis_error_find(struct slice text)
{
	struct slice rest = text, word;
	slice_word(&rest, &word);
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		if (slice_eq(word, slice_of(errors[i].word)))
			return &errors[i];
	/* What a script may not do, since Redis 7. */
	if (text.n > 0 && memmem(text.p, text.n, "user executing the script", 25))
		return redis_error_find(SLICE("NOPERM"));
	/* Redis 6 wraps what a script raised: "ERR Error running script ...: -OOM ..." */
	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		char wrapped[24];
		struct text mark = TEXT(wrapped);
		text_printf(&mark, "-%s ", errors[i].word);
		if (text.n > 0 && memmem(text.p, text.n, mark.p, mark.n))
			return &errors[i];
	}
	return &any_error;
}
