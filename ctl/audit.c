/* audit.c - each change that weirctl makes is a line in the log of the mail system. */
#include "audit.h"

#include "io/daemon.h"

/* Standard error is the operator's terminal, not where that of the daemons goes. */
static enum log_target
target_of(const struct ctl *ctl)
{
	struct slice name;
	for (size_t i = 0; i < ctl->overrides.n; i++) {
		struct slice rest = slice_of(ctl->overrides.v[i]);
		if (slice_cut(&rest, '=', &name) &&
		    slice_eq(slice_trim(name), SLICE("log.to")))
			return (enum log_target)ctl->conf->log.to;
	}
	return LOG_TO_SYSLOG;
}

void
audit_start(struct log_record *rec, const struct ctl *ctl, const char *event)
{
	daemon_open_log("weirctl", ctl->conf, target_of(ctl));
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
