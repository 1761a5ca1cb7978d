/* redis_reply.h - replies: hiredis' reader with bounds, its replies as ours, what errors mean. */
#ifndef WEIR_REDIS_REPLY_H
#define WEIR_REDIS_REPLY_H

#include <hiredis/hiredis.h>

#include "redis_link.h"
#include "rules/ask.h"

#define REDIS_REPLY_MAX 65536 /* bytes of one reply */
#define REDIS_ARRAY_MAX 64    /* elements of one array */
#define REDIS_WORDS_MAX 256   /* of one command */

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

/* Refuses larger arrays before anything is allocated for them. */
redisReader *redis_reader_new(void);

/* Looks at a reply; the text points into it. */
void redis_reply_take(const redisReply *reply, struct redis_reply *reply_out);

/* ---- what an error reply means for us, by its first word ---- */

enum redis_cure {
	REDIS_NONE,      /* answer by the failure rule */
	REDIS_LOAD,      /* NOSCRIPT: send the whole script once */
	REDIS_RECONNECT, /* another server, or the same one later */
	REDIS_OPERATOR,  /* settings are wrong: say so, trying again is no use */
	REDIS_RIGHTS,    /* the same of the rights that weir has there */
};

struct redis_error {
	const char *word;
	enum store_status status;
	enum redis_cure cure;
	const char *advice; /* for the log; NULL: none */
};

/* Never NULL: unknown words have a row of their own. */
const struct redis_error *redis_error_find(struct slice text);

#endif
