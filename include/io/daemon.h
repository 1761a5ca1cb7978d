/*
 * daemon.h - the skeleton of a daemon: options, settings, log, rights, signals, systemd.
 *
 * A program fills in struct program and returns daemon_main() from main().  In order:
 * settings are loaded; bind() opens what may need root; root is given up; start() opens the
 * rest; the loop runs.  Reload and drain come from signals; stop() undoes start and bind.
 */
#ifndef WEIR_DAEMON_H
#define WEIR_DAEMON_H

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "conf/conf.h"
#include "io/loop.h"

struct work;

struct daemon {
	const struct program *program;
	struct loop *loop;
	struct conf *conf;
	bool test_clock;
	int inherited_fds; /* listening sockets from systemd, numbered from 3 on */
	void *state;       /* the program's */

	/* private */
	struct work *reload;   /* settings are being loaded */
	struct conf *reloaded; /* what came of it; NULL with a text */
	struct err reload_err;
	bool reload_again; /* another signal came meanwhile */
	const char *conf_path;
	struct conf_texts overrides;
	struct loop_timer *watchdog;
	struct loop_timer *drain_limit;
	int64_t watchdog_ms;
	bool draining;
	int status; /* to end with */
};

struct program {
	const char *name;
	/* for connections; what the skeleton and the store need comes on top */
	size_t (*descriptors)(const struct conf *conf);
	bool (*bind)(struct daemon *daemon, struct err *err_out);
	bool (*start)(struct daemon *daemon, struct err *err_out);
	void (*reload)(struct daemon *daemon); /* daemon->conf is the new snapshot */
	void (*drain)(
		struct daemon *daemon); /* calls daemon_drained() when all is answered */
	void (*stop)(struct daemon *daemon);
};

/* Runs the program; its exit status (sysexits(3): 0, 64, 70, 71, 78). */
int daemon_main(const struct program *program, int argc, char **argv);

/* Nothing is under way any more: ends the loop. */
void daemon_drained(struct daemon *daemon);

/* It cannot go on: says why, and ends the loop; the exit status is 70. */
void daemon_failed(struct daemon *daemon, const char *why);

/* From now on lines go to `target`, else as the settings say; `program` must stay. */
void daemon_open_log(const char *program, const struct conf *conf,
                     enum log_target target);

#endif
