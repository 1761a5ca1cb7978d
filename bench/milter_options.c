/* The command line of milter_load. */
#include "milter_options.h"

#include "number.h"
#include "triplet.h"

#include <err.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"usage: milter_load --to unix:PATH|inet:HOST:PORT --total N|--seconds S [option ...]\n"
	"\n"
	"  --sessions N      sessions at once (50)\n"
	"  --total N         end after that many sessions\n"
	"  --seconds S       begin no session after that time\n"
	"  --messages N      messages of a session (1)\n"
	"  --recipients N    recipients of a message (1)\n"
	"  --domains D       recipients are at local0.test, local1.test, ... in turn (1)\n"
	"  --clients K       known client addresses, each in a /24 of its own (1000)\n"
	"  --first-client N  begin with that one, so that two loads share none (0)\n"
	"  --senders K       known senders (1000)\n"
	"  --new PERCENT     of the sessions, from a client and a sender never seen (0)\n"
	"  --hold MS         wait that long before the end of each message (0)\n"
	"  --drop PERCENT    of the sessions, break off somewhere without QUIT (0)\n"
	"  --timeout MS      a session that takes longer, besides --hold, is an error (10000)\n"
	"  --announce        say held=N once all N sessions wait at the same time\n"
	"  --seed N          which new clients; no two seeds share one (1)\n";

/* What a number may be, and where it goes. */
static const struct row {
	const char *name;
	size_t place;
	uint64_t min, max;
} rows[] = {
	{"sessions", offsetof(struct milter_options, sessions), 1, 20000},
	{"total", offsetof(struct milter_options, total), 1, TRIPLET_NEW_MAX},
	{"seconds", offsetof(struct milter_options, seconds), 1, 1000000},
	{"messages", offsetof(struct milter_options, messages), 1, 1000},
	{"recipients", offsetof(struct milter_options, recipients), 1, RECIPIENTS_MAX},
	{"domains", offsetof(struct milter_options, domains), 1, DOMAINS_MAX},
	{"clients", offsetof(struct milter_options, clients), 1, TRIPLET_KNOWN_MAX},
	{"first-client", offsetof(struct milter_options, first_client), 0,
         TRIPLET_KNOWN_MAX},
	{"senders", offsetof(struct milter_options, senders), 1, TRIPLET_KNOWN_MAX},
	{"new", offsetof(struct milter_options, new_percent), 0, 100},
	{"hold", offsetof(struct milter_options, hold_ms), 0, 86400000},
	{"drop", offsetof(struct milter_options, drop_percent), 0, 100},
	{"timeout", offsetof(struct milter_options, timeout_ms), 1, 86400000},
	{"seed", offsetof(struct milter_options, seed), 0, TRIPLET_SEED_MAX},
};

enum {
	ROWS = sizeof rows / sizeof *rows,
	OPTION_TO,
	OPTION_ANNOUNCE,
	OPTION_HELP,
	LONG_OPTIONS
};

/* getopt_long() returns the number of the row, or one of those above. */
static void
fill_long_options(struct option *options)
{
	memset(options, 0, (LONG_OPTIONS + 1) * sizeof *options);
	for (int i = 0; i < ROWS; i++)
		options[i] = (struct option){rows[i].name, required_argument, NULL, i};
	options[ROWS] = (struct option){"to", required_argument, NULL, OPTION_TO};
	options[ROWS + 1] =
		(struct option){"announce", no_argument, NULL, OPTION_ANNOUNCE};
	options[ROWS + 2] = (struct option){"help", no_argument, NULL, OPTION_HELP};
}

static void
take(struct milter_options *options, int option, const char *value)
{
	if (option >= 0 && option < ROWS) {
		const struct row *row = &rows[option];
		uint64_t taken = number(value, row->min, row->max);

		memcpy((char *)options + row->place, &taken, sizeof taken);
		return;
	}
	switch (option) {
	case OPTION_TO: options->to = value; break;
	case OPTION_ANNOUNCE: options->announce = true; break;
	case OPTION_HELP: fputs(usage_text, stdout); exit(0);
	default: fputs(usage_text, stderr); exit(1);
	}
}

struct milter_options
milter_options_read(int argc, char **argv)
{
	struct milter_options options = {
		.sessions = 50,
		.messages = 1,
		.recipients = 1,
		.domains = 1,
		.clients = 1000,
		.senders = 1000,
		.timeout_ms = 10000,
		.seed = 1,
	};
	struct option known[LONG_OPTIONS + 1];
	int option;

	fill_long_options(known);
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		take(&options, option, optarg);
	if (optind < argc)
		errx(1, "%s: not an option", argv[optind]);
	if (options.to == NULL)
		errx(1, "--to is needed");
	if (options.total == 0 && options.seconds == 0)
		errx(1, "one of --total and --seconds is needed");
	if (options.first_client + options.clients > TRIPLET_KNOWN_MAX)
		errx(1, "--first-client: there are %ju known clients",
		     (uintmax_t)TRIPLET_KNOWN_MAX);
	return options;
}
