/* complete.c - words for the completion of shells. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "commands.h"
#include "rules/verdict.h"

static void
print_commands(void)
{
	for (size_t i = 0; i < commands_n; i++)
		puts(commands[i].name);
}

/* Silent when the settings cannot be read: who completes wants no errors. */
static void
print_destinations(struct ctl *ctl)
{
	struct err err;
	ctl->conf = conf_load_settings(ctl->conf_path, &ctl->overrides, &err);
	for (size_t i = 0; ctl->conf && i < ctl->conf->limits.n_destinations; i++)
		puts(ctl->conf->limits.destinations[i].name);
}

static void
print_reasons(void)
{
	for (int i = 0; i < WHY_COUNT; i++)
		puts(why_word((enum why)i));
}

static void
print_options(const struct command *command)
{
	const struct command_option *option = command->options;
	for (; option && option->name; option++)
		printf("--%s\n", option->name);
}

int
complete(struct ctl *ctl, const char *what)
{
	const struct command *command = command_find(what);
	if (strcmp(what, "COMMANDS") == 0)
		print_commands();
	else if (strcmp(what, "DESTINATIONS") == 0)
		print_destinations(ctl);
	else if (strcmp(what, "REASONS") == 0)
		print_reasons();
	else if (command)
		print_options(command);
	return EX_OK;
}
