/* daemon.c - the skeleton of a daemon. */
#include "io/daemon.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "config.h"
#include "io/listen.h"
#include "io/process.h"
#include "io/work.h"
#include "systemd.h"

#define DRAIN_MS          5000
#define OTHER_DESCRIPTORS 64 /* loop, store, lists, log */

static const int facilities[] = {LOG_MAIL,   LOG_DAEMON, LOG_LOCAL0, LOG_LOCAL1,
                                 LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4, LOG_LOCAL5,
                                 LOG_LOCAL6, LOG_LOCAL7};

void
daemon_open_log(const char *program, const struct conf *conf, enum log_target target)
{
	log_open(program, target, facilities[conf->log.facility],
	         (enum log_level)conf->log.level);
}

static int
usage(const struct program *program, FILE *to)
{
	fprintf(to,
	        "usage: %s [-c FILE] [-o NAME=VALUE]... [-t] [-V] [--test-clock]\n"
	        "  -c FILE        the settings file (%s)\n"
	        "  -o NAME=VALUE  override one setting, as in -o store.path=/tmp/x\n"
	        "  -t             check the settings and end\n"
	        "  -V             print the version and end\n"
	        "  --test-clock   take the time from policy_test_time (for tests only)\n",
	        program->name, DEFAULT_CONF);
	return to == stdout ? EX_OK : EX_USAGE;
}

enum { OPTION_TEST_CLOCK = 256, OPTION_HELP };

/* -1: go on; else the exit status. */
static int
parse_options(struct daemon *daemon, int argc, char **argv, bool *check_only)
{
	static const struct option longs[] = {
		{"test-clock", no_argument, NULL, OPTION_TEST_CLOCK},
		{"help", no_argument, NULL, OPTION_HELP},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int c;
	daemon->overrides.v = mem_alloc((size_t)argc * sizeof(char *));
	while ((c = getopt_long(argc, argv, "c:o:tV", longs, NULL)) != -1) {
		switch (c) {
		case 'c': daemon->conf_path = optarg; break;
		case 'o': daemon->overrides.v[daemon->overrides.n++] = optarg; break;
		case 't': *check_only = true; break;
		case OPTION_TEST_CLOCK: daemon->test_clock = true; break;
		case OPTION_HELP: return usage(daemon->program, stdout);
		case 'V':
			printf("%s %s\n", daemon->program->name, PACKAGE_VERSION);
			return EX_OK;
		default: return usage(daemon->program, stderr);
		}
	}
	return optind < argc ? usage(daemon->program, stderr) : -1;
}

/* The rest is the operator's LimitNOFILE. */
static void
raise_descriptor_limit(const struct daemon *daemon)
{
	struct rlimit limit;
	rlim_t wanted =
		(rlim_t)daemon->program->descriptors(daemon->conf) + OTHER_DESCRIPTORS;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		log_warning(
			"only %llu descriptors are allowed, but up to %llu may be needed",
			(unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
}

static void
log_counters(void)
{
	struct log_record rec;
	log_start(&rec, LOG_LEVEL_INFO);
	log_word(&rec, "event", "counters");
	for (int i = 0; i < STAT_COUNT; i++)
		log_int(&rec, stats_name((enum stat)i), (int64_t)stats_get((enum stat)i));
	if (log_wants(LOG_LEVEL_INFO))
		log_send(&rec);
}

static void on_reload(void *arg);

/* On a thread of its own: long lists take their time, and mail must not wait for them. */
static void
load_again(void *arg)
{
	struct daemon *daemon = arg;
	daemon->reloaded =
		conf_load(daemon->conf_path, &daemon->overrides, &daemon->reload_err);
}

static void
take_over(struct daemon *daemon, struct conf *conf)
{
	char names[512];
	struct text fixed = TEXT(names);
	conf_keep_started(daemon->conf, conf, &fixed);
	conf_unref(&daemon->conf);
	daemon->conf = conf;
	log_set_level((enum log_level)conf->log.level);
	daemon->program->reload(daemon);
	log_counters();
	log_info("settings reloaded");
	if (fixed.n > 0)
		log_warning("changed settings that need a restart: %s", names);
}

static void
on_loaded(void *arg)
{
	struct daemon *daemon = arg;
	struct conf *conf = daemon->reloaded;
	daemon->reloaded = NULL;
	work_free(&daemon->reload);
	if (conf)
		take_over(daemon, conf);
	else
		log_error("reload: %s: keeping the old settings",
		          daemon->reload_err.text);
	systemd_notify("READY=1");
	if (daemon->reload_again)
		on_reload(daemon);
}

static void
on_reload(void *arg)
{
	struct daemon *daemon = arg;
	daemon->reload_again = daemon->reload != NULL;
	if (daemon->reload_again)
		return;
	systemd_notify("RELOADING=1");
	daemon->reload = work_start(daemon->loop, load_again, on_loaded, daemon);
}

static void
on_drain_limit(void *arg)
{
	struct daemon *daemon = arg;
	log_warning("some requests are still under way: not waiting for them any longer");
	loop_stop(daemon->loop);
}

static void
on_stop(void *arg)
{
	struct daemon *daemon = arg;
	if (daemon->draining)
		return;
	daemon->draining = true;
	log_info("stopping");
	systemd_notify("STOPPING=1");
	timer_start(daemon->drain_limit, DRAIN_MS);
	daemon->program->drain(daemon);
}

void
daemon_drained(struct daemon *daemon)
{
	loop_stop(daemon->loop);
}

void
daemon_failed(struct daemon *daemon, const char *why)
{
	log_error("%s", why);
	daemon->status = EX_SOFTWARE;
	loop_stop(daemon->loop);
}

static void
on_watchdog(void *arg)
{
	struct daemon *daemon = arg;
	systemd_notify("WATCHDOG=1");
	timer_start(daemon->watchdog, daemon->watchdog_ms);
}

/* A reload that is asked for before the loop runs is done then, instead of ending the daemon. */
static void
hold_reloads(int how)
{
	sigset_t reloads;
	sigemptyset(&reloads);
	sigaddset(&reloads, SIGHUP);
	sigaddset(&reloads, SIGUSR1);
	pthread_sigmask(how, &reloads, NULL);
}

static void
watch_signals(struct daemon *daemon)
{
	loop_signal(daemon->loop, SIGHUP, on_reload, daemon);
	loop_signal(daemon->loop, SIGUSR1, on_reload, daemon);
	loop_signal(daemon->loop, SIGTERM, on_stop, daemon);
	loop_signal(daemon->loop, SIGINT, on_stop, daemon);
	hold_reloads(SIG_UNBLOCK);
}

static void
on_turn_end(void *arg)
{
	(void)arg;
	log_flush();
}

static void
run(struct daemon *daemon)
{
	struct turn_hook hook = {.fn = on_turn_end};
	loop_at_turn_end(daemon->loop, &hook);
	watch_signals(daemon);
	daemon->drain_limit = timer_new(daemon->loop, on_drain_limit, daemon);
	daemon->watchdog = timer_new(daemon->loop, on_watchdog, daemon);
	daemon->watchdog_ms = systemd_watchdog_ms();
	if (daemon->watchdog_ms > 0)
		timer_start(daemon->watchdog, daemon->watchdog_ms);
	if (daemon->test_clock)
		log_warning(
			"TEST CLOCK: the time is what each request says; never use this for "
			"real mail");
	systemd_notify("READY=1");
	loop_run(daemon->loop);
	work_free(&daemon->reload);
	conf_unref(&daemon->reloaded);
	timer_free(&daemon->watchdog);
	timer_free(&daemon->drain_limit);
	loop_forget_turn_hook(daemon->loop, &hook);
	log_counters();
}

static int
start_and_run(struct daemon *daemon)
{
	const struct program *program = daemon->program;
	struct err err;
	daemon->status = EX_OK;
	daemon->inherited_fds = listen_inherited();
	raise_descriptor_limit(daemon);
	if (!program->bind(daemon, &err)) {
		log_error("%s", err.text);
		daemon->status = EX_OSERR;
	} else if (!rights_become(daemon->conf->user, &err) ||
	           !program->start(daemon, &err)) {
		log_error("%s", err.text);
		daemon->status = EX_CONFIG;
	} else {
		run(daemon);
	}
	program->stop(daemon);
	return daemon->status;
}

int
daemon_main(const struct program *program, int argc, char **argv)
{
	struct daemon daemon = {.program = program, .conf_path = DEFAULT_CONF};
	bool check_only = false;
	struct err err;
	signal(SIGPIPE, SIG_IGN);
	hold_reloads(SIG_BLOCK);
	standard_take_up();
	rights_keep();
	log_open(program->name, LOG_TO_STDERR, 0, LOG_LEVEL_INFO);
	int status = parse_options(&daemon, argc, argv, &check_only);
	if (status < 0) {
		daemon.conf = conf_load(daemon.conf_path, &daemon.overrides, &err);
		if (!daemon.conf) {
			log_error("%s", err.text);
			status = EX_CONFIG;
		} else if (check_only) {
			log_info("%s: the settings are good", daemon.conf_path);
			status = EX_OK;
		} else {
			daemon_open_log(program->name, daemon.conf,
			                (enum log_target)daemon.conf->log.to);
			log_start_writer();
			daemon.loop = loop_new();
			status = start_and_run(&daemon);
			loop_free(&daemon.loop);
		}
	}
	conf_unref(&daemon.conf);
	free(daemon.overrides.v);
	log_close();
	return status;
}
