/* commands.c - THE table of commands. */
#include "commands.h"

#include <string.h>

/* clang-format off */
static const struct command_option status_options[] = {
	{"watch", NULL, "refresh it until you press 'q'"},
	{"interval", "TIME", "how often to refresh, such as 2s"},
	{0},
};

static const struct command_option why_options[] = {
	{"since", "TIME", "only those within 2h, or since a date such as 2026-11-22"},
	{"limit", "N", "at most this many, the newest first (50)"},
	{"destination", "NAME", "only those at that destination"},
	{"queue", "ID", "only those of the mail with that queue id of the MTA"},
	{"user", "NAME", "only those of that authenticated user"},
	{"cause", "WORD", "only those with that reason, such as greylist-new"},
	{0},
};

static const struct command_option explain_options[] = {
	{"client", "ADDRESS", "the client's address"},
	{"client-name", "NAME", "its forward-confirmed name"},
	{"sender", "ADDRESS", "none: mail without a sender"},
	{"recipient", "ADDRESS", "who gets it"},
	{"user", "NAME", "who has logged in"},
	{"nexthop", "HOST", "where the MTA would send it"},
	{"stage", "rcpt|data", "the step at which the MTA asks (rcpt)"},
	{0},
};

static const struct command_option release_options[] = {
	{"client", "ADDRESS", "the client's address"},
	{"client-name", "NAME", "its forward-confirmed name"},
	{"sender", "ADDRESS", "\"<>\": mail without a sender"},
	{"recipient", "ADDRESS", "who gets it"},
	{0},
};

static const struct command_option forget_options[] = {
	{"client", "ADDRESS", "the client's address"},
	{"client-name", "NAME", "its forward-confirmed name"},
	{"sender", "ADDRESS", "\"<>\": mail without a sender"},
	{"recipient", "ADDRESS", "who gets it"},
	{"identity", NULL, "the client instead of the triplet"},
	{0},
};

static const struct command_option allow_options[] = {
	{"client", "X", "an address, network, domain or /REGEX/, as in lists.clients"},
	{"sender", "X", "an address, user@, domain or /REGEX/, as in lists.senders"},
	{"recipient", "X", "the same, as in lists.recipients"},
	{"user", "NAME", "exempt this authenticated user from limits"},
	{"for", "TIME", "how long, from 1m to 365d (2h)"},
	{"no-limits", NULL, "exempt from limits, too"},
	{0},
};

static const struct command_option disallow_options[] = {
	{"client", "X", "as it was allowed"},
	{"sender", "X", "as it was allowed"},
	{"recipient", "X", "as it was allowed"},
	{"user", "NAME", "as it was allowed"},
	{0},
};

static const struct command_option drain_options[] = {
	{"user", "NAME", "instead of a destination: mail of this authenticated user"},
	{"for", "TIME", "how long, from 1m to 365d (2h)"},
	{0},
};

static const struct command_option undrain_options[] = {
	{"user", "NAME", "as it was drained"},
	{0},
};

static const struct command_option set_limit_options[] = {
	{"client", "X", "instead of a destination: the identity of a client, as why shows it"},
	{"sender", "ADDRESS", "instead of a destination: mail of this sender"},
	{"user", "NAME", "instead of a destination: mail of this authenticated user"},
	{"mailbox", "ADDRESS", "instead of a destination: mail to this recipient"},
	{"for", "TIME", "how long, from 1m to 365d (2h)"},
	{0},
};

static const struct command_option unset_limit_options[] = {
	{"client", "X", "as it was set"},
	{"sender", "ADDRESS", "as it was set"},
	{"user", "NAME", "as it was set"},
	{"mailbox", "ADDRESS", "as it was set"},
	{0},
};

static const struct command_option leases_options[] = {
	{"destination", "NAME", "all at that destination"},
	{"yes", NULL, "kill: do not ask"},
	{0},
};

static const struct command_option export_options[] = {
	{"output", "FILE", "write to this file instead of standard output"},
	{0},
};

static const struct command_option import_options[] = {
	{"apply", NULL, "write the records; without it, only report what would be done"},
	{"replace", NULL, "replace records of the store even if they are newer"},
	{"clients-to", "FILE", "postgrey, milter-greylist: write the clients that passed as a list"},
	{"delay", "TIME", "postgrey: its --delay (5m)"},
	{"ipv4cidr", "BITS", "postgrey: its --ipv4cidr (24)"},
	{"ipv6cidr", "BITS", "postgrey: its --ipv6cidr (64)"},
	{0},
};

static const struct command_option doctor_options[] = {
	{"quiet", NULL, "print only what is not ok"},
	{"deep", NULL, "check every index of the embedded store, too"},
	{"mta", "DIR", "the directory of Postfix' or Sendmail's settings"},
	{0},
};

static const struct command_option check_config_options[] = {
	{"all", NULL, "all settings, not only those that differ from their defaults"},
	{0},
};

const struct command commands[] = {
	{"status", "", 0, 0, "show the state of the store, the daemons and the destinations", command_status, status_options},
	{"why", "[ID | ADDRESS]", 0, 32, "explain why mail was deferred", command_why, why_options},
	{"explain", "", 0, 0, "show what weir would decide about a request, rule by rule", command_explain, explain_options},
	{"release", "[ID]", 0, 1, "let a greylisted triplet pass with its next try", command_release, release_options},
	{"forget", "[ID]", 0, 1, "forget a triplet, or a client", command_forget, forget_options},
	{"allow", "", 0, 0, "exempt a client, sender, recipient or user for a time", command_allow, allow_options},
	{"disallow", "", 0, 0, "end such an exemption", command_disallow, disallow_options},
	{"allowed", "", 0, 0, "list the exemptions in force", command_allowed, NULL},
	{"drain", "[DESTINATION]", 0, 1, "defer all mail to a destination, or of a user, for a time", command_drain, drain_options},
	{"undrain", "[DESTINATION]", 0, 1, "end that", command_undrain, undrain_options},
	{"set-limit", "[DESTINATION] [BOUND] N | RATES", 1, 32, "set another limit for a time", command_set_limit, set_limit_options},
	{"unset-limit", "[DESTINATION] [BOUND]", 0, 2, "end that", command_unset_limit, unset_limit_options},
	{"overrides", "", 0, 0, "list all overrides in force", command_overrides, NULL},
	{"leases", "list [DESTINATION] | kill [HOLDER]", 1, 2, "list who holds slots of limits; take them away", command_leases, leases_options},
	{"export", "", 0, 0, "print all records and overrides, to be imported elsewhere", command_export, export_options},
	{"import", "FILE | postgrey [DIR] | milter-greylist FILE", 1, 2, "import records and overrides", command_import, import_options},
	{"doctor", "", 0, 0, "find problems and say how to fix them", command_doctor, doctor_options},
	{"check-config", "", 0, 0, "check the settings, and print those that are set", command_check_config, check_config_options},
	{"help", "[COMMAND]", 0, 1, "print the usage of weirctl or of a command", command_help, NULL},
};
/* clang-format on */

const size_t commands_n = sizeof(commands) / sizeof(commands[0]);

const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < commands_n; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}
