/* The command line of policy_load. */
#include "load_options.h"

#include "number.h"
#include "triplet.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage_text[] =
	"usage: policy_load --target inet:HOST:PORT|unix:PATH [option ...]\n"
	"\n"
	"  --connections N   connections, each with one request on its way (50)\n"
	"  --requests N      end after that many counted answers\n"
	"  --warmup N        answers before counting begins (0)\n"
	"  --known-share X   share of requests for triplets of the known set, 0 to 1 (0.5)\n"
	"  --known N         size of the known set (10000)\n"
	"  --prime           send each triplet of the known set once and end\n"
	"  --fill N          send N new triplets and end\n"
	"  --seed N          which new triplets; no two seeds share one (1)\n"
	"  --json            one JSON object instead of name=value\n";

enum {
	OPTION_TARGET = 1,
	OPTION_CONNECTIONS,
	OPTION_REQUESTS,
	OPTION_WARMUP,
	OPTION_KNOWN_SHARE,
	OPTION_KNOWN,
	OPTION_PRIME,
	OPTION_FILL,
	OPTION_SEED,
	OPTION_JSON,
	OPTION_HELP,
};

static const struct option option_table[] = {
	{"target", required_argument, NULL, OPTION_TARGET},
	{"connections", required_argument, NULL, OPTION_CONNECTIONS},
	{"requests", required_argument, NULL, OPTION_REQUESTS},
	{"warmup", required_argument, NULL, OPTION_WARMUP},
	{"known-share", required_argument, NULL, OPTION_KNOWN_SHARE},
	{"known", required_argument, NULL, OPTION_KNOWN},
	{"prime", no_argument, NULL, OPTION_PRIME},
	{"fill", required_argument, NULL, OPTION_FILL},
	{"seed", required_argument, NULL, OPTION_SEED},
	{"json", no_argument, NULL, OPTION_JSON},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

static double
share(const char *text)
{
	char *end = NULL;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= 0 && value <= 1))
		errx(1, "%s: want a share from 0 to 1", text);
	return value;
}

static void
take(struct load_options *options, int option, const char *value)
{
	switch (option) {
	case OPTION_TARGET: options->target = value; break;
	case OPTION_CONNECTIONS: options->connections = number(value, 1, 10000); break;
	case OPTION_REQUESTS:
		options->requests = number(value, 1, TRIPLET_NEW_MAX / 2);
		break;
	case OPTION_WARMUP:
		options->warmup = number(value, 0, TRIPLET_NEW_MAX / 2);
		break;
	case OPTION_KNOWN_SHARE: options->known_share = share(value); break;
	case OPTION_KNOWN: options->known = number(value, 1, TRIPLET_KNOWN_MAX); break;
	case OPTION_PRIME: options->mode = LOAD_PRIME; break;
	case OPTION_FILL:
		options->mode = LOAD_FILL;
		options->requests = number(value, 1, TRIPLET_NEW_MAX);
		break;
	case OPTION_SEED: options->seed = number(value, 0, TRIPLET_SEED_MAX); break;
	case OPTION_JSON: options->json = true; break;
	case OPTION_HELP: fputs(usage_text, stdout); exit(0);
	default: fputs(usage_text, stderr); exit(1);
	}
}

struct load_options
load_options_read(int argc, char **argv)
{
	struct load_options options = {
		.connections = 50,
		.known = 10000,
		.known_share = 0.5,
		.seed = 1,
	};
	int option;

	while ((option = getopt_long(argc, argv, "", option_table, NULL)) != -1)
		take(&options, option, optarg);
	if (optind < argc)
		errx(1, "%s: not an option", argv[optind]);
	if (options.target == NULL)
		errx(1, "--target is needed");
	if (options.mode == LOAD_PRIME)
		options.requests = options.known;
	if (options.mode != LOAD_MIX)
		options.warmup = 0; /* every one of them counts */
	if (options.requests == 0)
		errx(1, "one of --requests, --prime and --fill is needed");
	return options;
}
