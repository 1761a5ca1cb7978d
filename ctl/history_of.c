/* history_of.c - the store for the commands, as the user whom the daemons run as. */
#include <errno.h>
#include <sysexits.h>
#include <unistd.h>

#include "history_of.h"
#include "io/process.h"

#define PATIENCE_MS 5000

/* A mistyped path must not become an empty store that looks well. */
static bool
is_made(const struct conf *conf, struct err *err)
{
	char path[4096];
	struct text name = TEXT(path);
	if (conf->store.backend != BACKEND_EMBEDDED)
		return true;
	text_printf(&name, "%s/weir.db", conf->store.path);
	if (access(path, F_OK) == 0 || errno != ENOENT)
		return true; /* what else is wrong, opening tells */
	return err_set(err, "there is no %s: the daemons create it when they start",
	               path);
}

bool
history_attempt(struct ctl *ctl, struct err *err_out, int *status_out)
{
	*status_out = EX_OK;
	if (ctl->history)
		return true;
	*status_out = EX_CONFIG;
	if (!rights_become(ctl->conf->user, err_out))
		return false;
	if (ctl->makes_store || is_made(ctl->conf, err_out))
		ctl->history = history_open(ctl->conf, PATIENCE_MS, err_out);
	*status_out = ctl->history ? EX_OK : ctl_status(err_out, EX_UNAVAILABLE);
	return ctl->history;
}

struct history *
history_of(struct ctl *ctl, int *status_out)
{
	struct err err;
	if (!ctl_conf(ctl, false)) {
		*status_out = ctl->conf_status;
		return NULL;
	}
	if (!history_attempt(ctl, &err, status_out))
		ctl_fail(*status_out, "%s", err.text);
	return ctl->history;
}
