/* What any program with libmilter costs: it takes part in the steps that a filter of
 * recipients needs, keeps a word for each session, and lets everything pass. */
#include <err.h>
#include <getopt.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STACK_SIZE = 256 * 1024, BACKLOG = 1024, SILENCE_S = 600 };

static sfsistat
on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
             unsigned long unused_2, unsigned long unused_3, unsigned long *actions_out,
             unsigned long *steps_out, unsigned long *unused_2_out,
             unsigned long *unused_3_out)
{
	(void)context;
	(void)unused_2;
	(void)unused_3;
	*actions_out = actions & SMFIF_ADDHDRS;
	*steps_out = steps & (SMFIP_NOHELO | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY |
	                      SMFIP_NOUNKNOWN);
	*unused_2_out = 0;
	*unused_3_out = 0;
	return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *context, char *name, _SOCK_ADDR *address)
{
	int *session = calloc(1, sizeof *session);

	(void)name;
	(void)address;
	if (session == NULL)
		return SMFIS_TEMPFAIL;
	smfi_setpriv(context, session);
	return SMFIS_CONTINUE;
}

static sfsistat
on_address(SMFICTX *context, char **words)
{
	(void)context;
	(void)words;
	return SMFIS_CONTINUE;
}

static sfsistat
on_step(SMFICTX *context)
{
	(void)context;
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *context)
{
	free(smfi_getpriv(context));
	smfi_setpriv(context, NULL);
	return SMFIS_CONTINUE;
}

static void
usage(FILE *to)
{
	fputs("usage: milter_bare --listen inet:HOST:PORT|unix:PATH\n", to);
}

/* libmilter writes inet:PORT@HOST. */
static void
set_listen(const char *text)
{
	char place[512];
	const char *host = text + sizeof "inet:" - 1;
	const char *port = strrchr(text, ':');
	bool inet = strncmp(text, "inet:", 5) == 0 && port > host;
	int length = inet ? snprintf(place, sizeof place, "inet:%s@%s", port + 1, host)
	                  : snprintf(place, sizeof place, "%s", text);

	if (length < 0 || (size_t)length >= sizeof place)
		errx(1, "%s: too long", text);
	if (inet) /* the host came with its port */
		place[(size_t)length - strlen(port)] = '\0';
	if (smfi_setconn(place) != MI_SUCCESS)
		errx(1, "%s: libmilter does not take it", place);
}

static void
serve(void)
{
	static char name[] = "milter_bare";
	struct smfiDesc filter = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_address,
		.xxfi_envrcpt = on_address,
		.xxfi_data = on_step,
		.xxfi_eom = on_step,
		.xxfi_abort = on_step,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};

	smfi_setbacklog(BACKLOG);
	smfi_settimeout(SILENCE_S);
	if (smfi_register(filter) != MI_SUCCESS)
		errx(1, "smfi_register");
	if (smfi_main() != MI_SUCCESS)
		errx(1, "smfi_main");
}

/* A thread for each session: with the usual stacks of 8 MiB a few thousand would not fit. */
static void
set_stack_size(void)
{
	pthread_attr_t attributes;

	if (pthread_attr_init(&attributes) != 0 ||
	    pthread_attr_setstacksize(&attributes, STACK_SIZE) != 0 ||
	    pthread_setattr_default_np(&attributes) != 0)
		errx(1, "the stack size cannot be set");
	pthread_attr_destroy(&attributes);
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {
		{"listen", required_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *listen_on = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option != 'l') {
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 1;
		}
		listen_on = optarg;
	}
	if (listen_on == NULL || optind < argc) {
		usage(stderr);
		return 1;
	}
	set_stack_size();
	set_listen(listen_on);
	serve();
	return 0;
}
