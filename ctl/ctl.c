/* ctl.c - what the commands of weirctl share. */
#include "ctl.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "escape.h"

/* What is told may have words in it that came from anywhere. */
static void
put_safe(const char *text)
{
	struct slice rest = slice_of(text), line;
	while (slice_cut(&rest, '\n', &line)) {
		char *escaped = escape(line, false);
		fprintf(stderr, "%s\n", escaped);
		free(escaped);
	}
}

int
ctl_fail(int status, const char *fmt, ...)
{
	char buf[4096];
	va_list args;
	va_start(args, fmt);
	vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	fflush(stdout);
	fputs("weirctl: ", stderr);
	put_safe(buf);
	return status;
}

int
ctl_status(const struct err *err, int other)
{
	return err->forbidden ? EX_NOPERM : other;
}

int
ctl_store_failed(const struct err *err)
{
	return ctl_fail(ctl_status(err, EX_UNAVAILABLE), "%s", err->text);
}

const char *
ctl_option(const struct ctl *ctl, const char *name)
{
	for (size_t i = ctl->n_given; i > 0; i--)
		if (strcmp(ctl->given[i - 1].name, name) == 0)
			return ctl->given[i - 1].value;
	return NULL;
}

int
ctl_refuse(const struct ctl *ctl, const char *const *options, const char *what)
{
	for (; *options; options++)
		if (ctl_option(ctl, *options))
			return ctl_fail(EX_USAGE, "the option --%s does not go with %s",
			                *options, what);
	return EX_OK;
}

const struct conf *
ctl_conf(struct ctl *ctl, bool with_lists)
{
	struct err err;
	if (ctl->conf && (ctl->conf_has_lists || !with_lists))
		return ctl->conf;
	struct conf *before = ctl->conf;
	ctl->conf = with_lists
	                    ? conf_load(ctl->conf_path, &ctl->overrides, &err)
	                    : conf_load_settings(ctl->conf_path, &ctl->overrides, &err);
	conf_unref(&before);
	ctl->conf_has_lists = with_lists;
	if (ctl->conf)
		return ctl->conf;
	ctl->conf_status = ctl_fail(ctl_status(&err, EX_CONFIG), "%s", err.text);
	return NULL;
}

const char *
ctl_who(void)
{
	static char who[65];
	if (who[0])
		return who;
	struct text text = TEXT(who);
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *user = getpwuid(getuid());
	if (getuid() == 0 && sudo && *sudo)
		text_put_escaped(&text, slice_of(sudo));
	else if (user)
		text_put_escaped(&text, slice_of(user->pw_name));
	else
		text_printf(&text, "uid %u", (unsigned)getuid());
	return who;
}

void
ctl_close(struct ctl *ctl)
{
	history_close(&ctl->history);
	conf_unref(&ctl->conf);
}
