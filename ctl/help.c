/* help.c - how weirctl is used, said from the table of commands. */
#include <string.h>
#include <sysexits.h>

#include "commands.h"

void
help_print(FILE *to)
{
	fprintf(to,
	        "usage: weirctl [-c FILE] [-o NAME=VALUE]... [--json] COMMAND ...\n"
	        "  -c, --config FILE          the settings file (%s)\n"
	        "  -o, --override NAME=VALUE  override one setting, as in -o "
	        "store.path=/tmp/x\n"
	        "      --json                 print JSON for programs\n"
	        "  -h, --help                 print this, or how the command is used\n"
	        "  -V, --version              print the version\n"
	        "\ncommands:\n",
	        DEFAULT_CONF);
	for (size_t i = 0; i < commands_n; i++)
		fprintf(to, "  %-14s %s\n", commands[i].name, commands[i].summary);
}

static const char *
blank_before(const char *text)
{
	return *text ? " " : "";
}

void
help_command_print(const struct command *command, FILE *to)
{
	const struct command_option *option = command->options;
	fprintf(to, "usage: weirctl %s%s%s%s\n", command->name,
	        blank_before(command->arguments), command->arguments,
	        option ? " [OPTION]..." : "");
	fprintf(to, "  %s\n", command->summary);
	for (; option && option->name; option++) {
		char buf[64];
		struct text name = TEXT(buf);
		text_printf(&name, "--%s%s%s", option->name, option->argument ? " " : "",
		            option->argument ? option->argument : "");
		fprintf(to, "  %-24s %s\n", buf, option->summary);
	}
}

int
command_misused(const char *name)
{
	const struct command *command = command_find(name);
	if (command)
		help_command_print(command, stderr);
	return EX_USAGE;
}

int
command_help(struct ctl *ctl, int argc, char **argv)
{
	(void)ctl;
	if (argc < 2) {
		help_print(stdout);
		return EX_OK;
	}
	const struct command *command = command_find(argv[1]);
	const char *nearest = command_nearest(argv[1]);
	if (!command && nearest)
		return ctl_fail(EX_USAGE,
		                "unknown command \"%.64s\": did you mean \"%s\"?",
		                argv[1], nearest);
	if (!command)
		return ctl_fail(EX_USAGE, "unknown command \"%.64s\"", argv[1]);
	help_command_print(command, stdout);
	return EX_OK;
}
