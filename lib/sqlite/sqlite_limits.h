/* sqlite_limits.h - answers to questions about limits from the database. */
#ifndef WEIR_SQLITE_LIMITS_H
#define WEIR_SQLITE_LIMITS_H

#include "sqlite_db_priv.h"

/*
 * Within a transaction.  SQLITE_DONE; SQLITE_READONLY when it may not write but would have to;
 * else the failure.
 */
int db_answer_limits(struct sqlite_db *db, const struct ask *ask, bool may_write,
                     struct limits_result *result_out);

#endif
