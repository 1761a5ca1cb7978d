/* store_judge.h - what is wrong with a store, by the facts it told. */
#ifndef WEIR_CTL_STORE_JUDGE_H
#define WEIR_CTL_STORE_JUDGE_H

#include "conf/conf.h"
#include "facts.h"
#include "findings.h"

#define MEND_REDIS_RIGHTS \
 "See store.redis.username and store.redis.password_file in weir.conf(5)."

void redis_judge(const struct facts *facts, const struct conf *conf,
                 struct findings *findings);
void sqlite_judge(const struct facts *facts, struct findings *findings);

/* "redis-cli -h 127.0.0.1 -p 6379": how an operator asks that server. */
void redis_print_cli(const struct conf *conf, struct text *out);

#endif
