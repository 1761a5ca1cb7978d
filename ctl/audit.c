/* audit.c - each change that weirctl makes is a line in the log of the mail system. */
#include "audit.h"

#include "ctl.h"
#include "daemon.h"

void
audit_start(struct log_record *rec, const struct conf *conf, const char *event)
{
	daemon_open_log("weirctl", conf);
	log_start(rec, LOG_LEVEL_INFO);
	log_word(rec, "event", event);
}

void
audit_send(struct log_record *rec)
{
	log_slice(rec, "by", slice_of(ctl_who()));
	log_send(rec);
	log_close();
}
