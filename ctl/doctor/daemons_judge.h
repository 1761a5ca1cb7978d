/* daemons_judge.h - what is wrong with the daemons, by what they tell of themselves. */
#ifndef WEIR_CTL_DAEMONS_JUDGE_H
#define WEIR_CTL_DAEMONS_JUDGE_H

#include "conf/conf.h"
#include "findings.h"

/* `heartbeats` is an array of what each of them has told last (heartbeat.h). */
void daemons_judge(const struct json_t *heartbeats, const struct conf *conf,
                   int64_t now_s, struct findings *findings);

/* Whether this heartbeat, under the same name as the other, is of another process that began before. */
bool daemons_share_a_name(const struct json_t *heartbeat, const struct json_t *other,
                          int64_t since_s);

#endif
