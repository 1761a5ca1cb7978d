/* options.h - the command line of weirctl: options of the program and of the command. */
#ifndef WEIR_CTL_OPTIONS_H
#define WEIR_CTL_OPTIONS_H

#include "ctl.h"

enum option_wish { WISH_RUN, WISH_HELP, WISH_VERSION, WISH_COMPLETE, WISH_FAULT };

struct command_line {
	const struct command *command; /* NULL: none was named */
	int argc;                      /* name and operands */
	char **argv;
	enum option_wish wish;
	const char *complete; /* WISH_COMPLETE: what */
	struct err fault;     /* WISH_FAULT: what is wrong */
};

/*
 * Options may stand anywhere before "--".  What they say goes into `ctl`, whose arrays have room
 * for argc; all else, and what is asked for, into `line_out`.
 */
void options_read(struct ctl *ctl, int argc, char **argv, struct command_line *line_out);

void options_free(struct ctl *ctl, struct command_line *line);

#endif
