/* test_ctl_options.c - the command line of weirctl. */
#include "options.h"

#include <string.h>

#include "harness.h"

static const struct command_option why_options[] = {
	{"since", "TIME", ""},
	{"brief", NULL, ""},
	{0},
};

const struct command commands[] = {
	{"status", "", 0, 0, "", NULL, NULL},
	{"why", "[ID]", 0, 1, "", NULL, why_options},
	{"drain", "DESTINATION", 1, 1, "", NULL, NULL},
};

const size_t commands_n = COUNT_OF(commands);

const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < commands_n; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* clang-format off */
static const struct line_row {
	const char *name;
	const char *words[9];
	enum option_wish wish;
	const char *command;
	const char *operand;  /* the first one */
	const char *conf;
	const char *override; /* the last one */
	const char *since;    /* of why */
	bool json, brief;
	const char *fault;
} line_rows[] = {
	{"nothing", {NULL}, WISH_RUN, "", "", "", "", "", false, false, ""},
	{"a command", {"status"}, WISH_RUN, "status", "", "", "", "", false, false, ""},
	{"options before it", {"-c", "f", "-o", "a=1", "--json", "status"}, WISH_RUN, "status", "", "f", "a=1", "", true, false, ""},
	{"and behind it", {"why", "X", "-o", "a=1", "-o", "b=2", "--json", "-c", "f"}, WISH_RUN, "why", "X", "f", "b=2", "", true, false, ""},
	{"joined", {"-cf", "-oa=1", "status"}, WISH_RUN, "status", "", "f", "a=1", "", false, false, ""},
	{"long ones", {"--config=f", "--override", "a=1", "status"}, WISH_RUN, "status", "", "f", "a=1", "", false, false, ""},
	{"an option of the command", {"why", "--since", "2h", "X"}, WISH_RUN, "why", "X", "", "", "2h", false, false, ""},
	{"with '='", {"why", "--since=2h", "--brief"}, WISH_RUN, "why", "", "", "", "2h", false, true, ""},
	{"the last one counts", {"why", "--since=2h", "--since=3h"}, WISH_RUN, "why", "", "", "", "3h", false, false, ""},
	{"an empty value", {"why", "--since="}, WISH_RUN, "why", "", "", "", "", false, false, ""},
	{"operands behind --", {"why", "--", "--since"}, WISH_RUN, "why", "--since", "", "", "", false, false, ""},
	{"-- before the command", {"--", "status"}, WISH_RUN, "status", "", "", "", "", false, false, ""},
	{"- is an operand", {"why", "-"}, WISH_RUN, "why", "-", "", "", "", false, false, ""},
	{"a value may look like an option", {"why", "--since", "-c"}, WISH_RUN, "why", "", "", "", "-c", false, false, ""},
	{"help", {"--help"}, WISH_HELP, "", "", "", "", "", false, false, ""},
	{"help of a command", {"drain", "-h"}, WISH_HELP, "drain", "", "", "", "", false, false, ""},
	{"version", {"-V"}, WISH_VERSION, "", "", "", "", "", false, false, ""},
	{"words for a shell", {"--complete", "COMMANDS", "-c", "f"}, WISH_COMPLETE, "", "", "f", "", "", false, false, ""},
	{"an unknown command", {"stats"}, WISH_FAULT, "", "stats", "", "", "", false, false, "unknown command \"stats\": did you mean \"status\"?"},
	{"and nothing near", {"xyzzy"}, WISH_FAULT, "", "xyzzy", "", "", "", false, false, "unknown command \"xyzzy\""},
	{"an unknown option", {"why", "--sinc=2h"}, WISH_FAULT, "why", "", "", "", "", false, false, "unknown option \"--sinc\": did you mean \"--since\"?"},
	{"an option of another command", {"status", "--brief"}, WISH_FAULT, "status", "", "", "", "", false, false, "unknown option \"--brief\""},
	{"an unknown letter", {"-x"}, WISH_FAULT, "", "", "", "", "", false, false, "unknown option \"-x\""},
	{"letters are not gathered", {"-Vh"}, WISH_FAULT, "", "", "", "", "", false, false, "unknown option \"-Vh\""},
	{"a value is missing", {"why", "--since"}, WISH_FAULT, "why", "", "", "", "", false, false, "option \"--since\" needs TIME"},
	{"of -c, too", {"status", "-c"}, WISH_FAULT, "status", "", "", "", "", false, false, "option \"--config\" needs FILE"},
	{"a value that is not taken", {"why", "--brief=1"}, WISH_FAULT, "why", "", "", "", "", false, false, "option \"--brief\" takes no value"},
	{"an operand is missing", {"drain"}, WISH_FAULT, "drain", "", "", "", "", false, false, "drain needs DESTINATION"},
	{"an operand too many", {"drain", "a", "b"}, WISH_FAULT, "drain", "a", "", "", "", false, false, "drain: one word too many: \"b\""},
};

/* clang-format on */

static void
check_text(const char *name, const char *got, const char *want)
{
	ck_assert_msg(strcmp(got ? got : "", want) == 0, "%s: got \"%s\", want \"%s\"",
	              name, got ? got : "", want);
}

START_TEST(lines_are_read)
{
	const struct line_row *r = &line_rows[_i];
	char copies[10][64];
	char *argv[11] = {copies[0]};
	struct ctl ctl = {.conf_path = ""};
	struct command_line line;
	int argc = 1;
	strncpy(copies[0], "weirctl", sizeof(copies[0]));
	for (size_t i = 0; i < COUNT_OF(r->words) && r->words[i]; i++, argc++) {
		struct text copy = {.p = copies[argc], .cap = sizeof(copies[argc])};
		text_puts(&copy, r->words[i]);
		argv[argc] = copies[argc];
	}
	options_read(&ctl, argc, argv, &line);
	ck_assert_msg(line.wish == r->wish, "%s: wish %d", r->name, line.wish);
	check_text(r->name, line.command ? line.command->name : NULL, r->command);
	check_text(r->name,
	           line.argc > 1 || (line.argc == 1 && !line.command)
	                   ? line.argv[line.argc > 1 ? 1 : 0]
	                   : NULL,
	           r->operand);
	check_text(r->name, ctl.conf_path, r->conf);
	check_text(r->name,
	           ctl.overrides.n > 0 ? ctl.overrides.v[ctl.overrides.n - 1] : NULL,
	           r->override);
	check_text(r->name, ctl_option(&ctl, "since"), r->since);
	ck_assert_msg(ctl.json == r->json, "%s: json", r->name);
	ck_assert_msg((ctl_option(&ctl, "brief") != NULL) == r->brief, "%s: brief",
	              r->name);
	check_text(r->name, line.wish == WISH_FAULT ? line.fault.text : NULL, r->fault);
	options_free(&ctl, &line);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, lines_are_read, 0, COUNT_OF(line_rows));
}

int
main(void)
{
	return harness_run("ctl_options", fill);
}
