/* redis_reader.c - hiredis' reply reader with bounds. */
#include "redis_reader.h"

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
