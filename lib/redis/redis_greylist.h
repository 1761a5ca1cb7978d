/* redis_greylist.h - questions of the greylist gate to Redis. */
#ifndef WEIR_REDIS_GREYLIST_H
#define WEIR_REDIS_GREYLIST_H

#include "store/backend.h"

/* Sends the first command; the job is finished when the last reply is there.  False: too much. */
bool redis_ask_greylist(struct store_job *job);

#endif
