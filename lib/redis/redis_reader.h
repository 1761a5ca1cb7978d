/* redis_reader.h - hiredis' reply reader with bounds, and its replies as ours. */
#ifndef WEIR_REDIS_READER_H
#define WEIR_REDIS_READER_H

#include <hiredis/hiredis.h>

#include "redis_link.h"

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

#endif
