/* audit.h - each change that weirctl makes is a line in the log of the mail system. */
#ifndef WEIR_CTL_AUDIT_H
#define WEIR_CTL_AUDIT_H

#include "base/log.h"
#include "ctl.h"

/* Begins "event=...": to syslog, whatever the settings say, unless -o asks for standard error. */
void audit_start(struct log_record *rec, const struct ctl *ctl, const char *event);

/* Ends it with who it was. */
void audit_send(struct log_record *rec);

#endif
