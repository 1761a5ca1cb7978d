/* commands.h - the functions behind THE table of commands. */
#ifndef WEIR_CTL_COMMANDS_H
#define WEIR_CTL_COMMANDS_H

#include <stdio.h>

#include "ctl.h"

command_fn command_status;
command_fn command_why;
command_fn command_explain;
command_fn command_release;
command_fn command_forget;
command_fn command_allow;
command_fn command_disallow;
command_fn command_allowed;
command_fn command_drain;
command_fn command_undrain;
command_fn command_set_limit;
command_fn command_unset_limit;
command_fn command_overrides;
command_fn command_leases;
command_fn command_doctor;
command_fn command_check_config;
command_fn command_help;
command_fn command_export;
command_fn command_import;

/* The usage of the program, and of one command. */
void help_print(FILE *to);
void help_command_print(const struct command *command, FILE *to);

/* --complete: COMMANDS, DESTINATIONS, REASONS, or the options of the command of that name. */
int complete(struct ctl *ctl, const char *what);

#endif
