/* audit.h - each change that weirctl makes is a line in the log of the mail system. */
#ifndef WEIR_CTL_AUDIT_H
#define WEIR_CTL_AUDIT_H

#include "conf.h"
#include "log.h"

/* Begins "event=...", to where the settings send log lines. */
void audit_start(struct log_record *rec, const struct conf *conf, const char *event);

/* Ends it with who it was. */
void audit_send(struct log_record *rec);

#endif
