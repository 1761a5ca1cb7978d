/* mta_sendmail.h - what is wrong with how Sendmail is wired to weir-milter. */
#ifndef WEIR_CTL_MTA_SENDMAIL_H
#define WEIR_CTL_MTA_SENDMAIL_H

#include "conf/conf.h"
#include "findings.h"

/* Looks into sendmail.mc and sendmail.cf of the directory; whether weir-milter is asked. */
bool sendmail_judge(const char *dir, const struct conf *conf, struct findings *findings);

/* The same of the text of one of them, named `name`, for tests. */
bool sendmail_judge_text(const char *name, struct slice text, const struct conf *conf,
                         struct findings *findings);

#endif
