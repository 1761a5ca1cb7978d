/* options.c - the command line of weirctl: options of the program and of the command. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"

static const struct command_option globals[] = {
	{"config", "FILE", "the settings file"},
	{"override", "NAME=VALUE", "override one setting"},
	{"json", NULL, "print JSON"},
	{"help", NULL, "print help"},
	{"version", NULL, "print the version"},
	{"complete", "WHAT", "print words for a shell's completion"},
	{0},
};

/* The words of the command line that are still to be read. */
struct words {
	int argc;
	char **argv;
};

static const char *
next_word(struct words *words)
{
	if (words->argc == 0)
		return NULL;
	words->argc--;
	return *words->argv++;
}

static void
fault_unknown(struct command_line *line, const char *what, const char *mark,
              const char *given, const char *nearest)
{
	line->wish = WISH_FAULT;
	if (nearest)
		err_set(&line->fault, "unknown %s \"%s%.64s\": did you mean \"%s%s\"?",
		        what, mark, given, mark, nearest);
	else
		err_set(&line->fault, "unknown %s \"%s%.64s\"", what, mark, given);
}

static void
set_global(struct ctl *ctl, struct command_line *line, const char *name,
           const char *value)
{
	if (strcmp(name, "config") == 0)
		ctl->conf_path = value;
	else if (strcmp(name, "override") == 0)
		ctl->overrides.v[ctl->overrides.n++] = mem_dup(slice_of(value));
	else if (strcmp(name, "json") == 0)
		ctl->json = true;
	else if (strcmp(name, "complete") == 0)
		line->complete = value;
	else if (line->wish == WISH_RUN)
		line->wish = strcmp(name, "help") == 0 ? WISH_HELP : WISH_VERSION;
}

static const struct command_option *
option_find(const struct command_option *options, struct slice name)
{
	for (; options && options->name; options++)
		if (slice_eq(slice_of(options->name), name))
			return options;
	return NULL;
}

static const char *
option_nearest(const struct command_line *line, struct slice name)
{
	struct nearest nearest;
	nearest_start(&nearest, name);
	for (const struct command_option *o = globals; o->name; o++)
		nearest_offer(&nearest, o->name);
	if (!line->command)
		return nearest.name;
	for (const struct command_option *o = line->command->options; o && o->name; o++)
		nearest_offer(&nearest, o->name);
	return nearest.name;
}

/* NULL when the option lacks its argument, or has one that it does not take. */
static const char *
value_of(const struct command_option *option, const char *inlined, struct words *words,
         struct command_line *line)
{
	const char *value = inlined ? inlined : option->argument ? next_word(words) : "";
	if (value && (!inlined || option->argument))
		return value;
	line->wish = WISH_FAULT;
	if (option->argument)
		err_set(&line->fault, "option \"--%s\" needs %s", option->name,
		        option->argument);
	else
		err_set(&line->fault, "option \"--%s\" takes no value", option->name);
	return NULL;
}

static void
read_long(struct ctl *ctl, struct command_line *line, const char *word,
          struct words *words)
{
	const char *sign = strchr(word, '=');
	struct slice name = {.p = word, .n = sign ? (size_t)(sign - word) : strlen(word)};
	const struct command_option *own =
		line->command ? option_find(line->command->options, name) : NULL;
	const struct command_option *option = own ? own : option_find(globals, name);
	if (!option) {
		char buf[65];
		struct text text = TEXT(buf);
		text_put(&text, name);
		fault_unknown(line, "option", "--", buf, option_nearest(line, name));
		return;
	}
	const char *value = value_of(option, sign ? sign + 1 : NULL, words, line);
	if (!value)
		return;
	if (own)
		ctl->given[ctl->n_given++] =
			(struct ctl_given){.name = own->name, .value = value};
	else
		set_global(ctl, line, option->name, value);
}

static void
read_short(struct ctl *ctl, struct command_line *line, const char *word,
           struct words *words)
{
	const char *name = *word == 'c'   ? "config"
	                   : *word == 'o' ? "override"
	                   : *word == 'h' ? "help"
	                   : *word == 'V' ? "version"
	                                  : NULL;
	const struct command_option *option =
		name ? option_find(globals, slice_of(name)) : NULL;
	if (!option || (!option->argument && word[1])) {
		fault_unknown(line, "option", "-", word, NULL);
		return;
	}
	const char *value = value_of(option, word[1] ? word + 1 : NULL, words, line);
	if (value)
		set_global(ctl, line, name, value);
}

const char *
command_nearest(const char *name)
{
	struct nearest nearest;
	nearest_start(&nearest, slice_of(name));
	for (size_t i = 0; i < commands_n; i++)
		nearest_offer(&nearest, commands[i].name);
	return nearest.name;
}

static void
read_operand(struct command_line *line, char *word)
{
	line->argv[line->argc++] = word;
	if (line->command)
		return;
	line->command = command_find(word);
	if (!line->command)
		fault_unknown(line, "command", "", word, command_nearest(word));
}

static void
check_operands(struct command_line *line)
{
	const struct command *command = line->command;
	if (line->wish != WISH_RUN || !command)
		return;
	int n = line->argc - 1;
	if (n >= command->least && n <= command->most)
		return;
	line->wish = WISH_FAULT;
	if (n < command->least)
		err_set(&line->fault, "%s needs %s", command->name, command->arguments);
	else
		err_set(&line->fault, "%s: one word too many: \"%.64s\"", command->name,
		        line->argv[command->most + 1]);
}

void
options_read(struct ctl *ctl, int argc, char **argv, struct command_line *line_out)
{
	size_t room = (size_t)argc + 1;
	struct words words = {.argc = argc - 1, .argv = argv + 1};
	bool all_operands = false;
	*line_out = (struct command_line){.argv = mem_alloc(room * sizeof(char *))};
	ctl->overrides.v = mem_alloc(room * sizeof(char *));
	ctl->given = mem_alloc(room * sizeof(struct ctl_given));
	while (words.argc > 0 && line_out->wish != WISH_FAULT) {
		char *word = words.argv[0];
		next_word(&words);
		if (all_operands || word[0] != '-' || word[1] == '\0')
			read_operand(line_out, word);
		else if (strcmp(word, "--") == 0)
			all_operands = true;
		else if (word[1] == '-')
			read_long(ctl, line_out, word + 2, &words);
		else
			read_short(ctl, line_out, word + 1, &words);
	}
	if (line_out->complete)
		line_out->wish = WISH_COMPLETE;
	check_operands(line_out);
}

void
options_free(struct ctl *ctl, struct command_line *line)
{
	for (size_t i = 0; i < ctl->overrides.n; i++)
		free(ctl->overrides.v[i]);
	free(ctl->overrides.v);
	free(ctl->given);
	free(line->argv);
}
