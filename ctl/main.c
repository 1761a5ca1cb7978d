/* main.c - weirctl: shows and changes what weir knows. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/mem.h"
#include "commands.h"
#include "config.h"
#include "io/process.h"
#include "options.h"

static int
run(struct ctl *ctl, const struct command_line *line)
{
	switch (line->wish) {
	case WISH_RUN: break;
	case WISH_FAULT:
		ctl_fail(EX_USAGE, "%s", line->fault.text);
		return line->command ? command_misused(line->command->name) : EX_USAGE;
	case WISH_COMPLETE: return complete(ctl, line->complete);
	case WISH_VERSION: printf("weirctl %s\n", PACKAGE_VERSION); return EX_OK;
	case WISH_HELP:
		if (line->command)
			help_command_print(line->command, stdout);
		else
			help_print(stdout);
		return EX_OK;
	}
	if (line->command)
		return line->command->run(ctl, line->argc, line->argv);
	ctl_fail(EX_USAGE, "a command is missing");
	help_print(stderr);
	return EX_USAGE;
}

/* A full disk or a closed pipe must not look like success. */
static int
written(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return ctl_fail(EX_IOERR, "cannot write the output");
}

int
main(int argc, char **argv)
{
	struct ctl ctl = {.conf_path = DEFAULT_CONF, .conf_status = EX_CONFIG};
	struct command_line line;
	standard_take_up();
	mem_keep_freed();
	setlocale(LC_CTYPE, "");
	ctl_who(); /* before root is given up */
	log_open("weirctl", LOG_TO_STDERR, 0, LOG_LEVEL_WARNING);
	options_read(&ctl, argc, argv, &line);
	int status = written(run(&ctl, &line));
	ctl_close(&ctl);
	options_free(&ctl, &line);
	log_close();
	return status;
}
