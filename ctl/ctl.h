/* ctl.h - what the commands of weirctl share. */
#ifndef WEIR_CTL_H
#define WEIR_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "store/history.h"

/* Exit statuses besides sysexits(3)'s: what was asked for is not there, or not well. */
#define CTL_NO 1

/* An option of a command as it was given. */
struct ctl_given {
	const char *name;
	const char *value; /* "" where it takes none */
};

struct ctl {
	const char *conf_path;
	struct conf_texts overrides; /* -o */
	bool json;
	bool makes_store; /* an embedded store that is not there yet is made */
	struct ctl_given *given;
	size_t n_given;

	/* opened when a command wants them */
	struct conf *conf;
	int conf_status; /* what the command ends with when they cannot be used */
	bool conf_has_lists;
	struct history *history;
};

/* "weirctl: text" on standard error; gives the status back. */
int ctl_fail(int status, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* EX_NOPERM when it is a right that is missing, else the other one. */
int ctl_status(const struct err *err, int other);

/* Says what the store has failed with; EX_NOPERM or EX_UNAVAILABLE. */
int ctl_store_failed(const struct err *err);

/* The value of the command's option (its last one), NULL when it was not given. */
const char *ctl_option(const struct ctl *ctl, const char *name);

/*
 * EX_USAGE, and said so, when one of these options was given, which `what` makes no use of; the names
 * end with a NULL.
 */
int ctl_refuse(const struct ctl *ctl, const char *const *options, const char *what);

/*
 * The settings, with the lists when `with_lists`.  NULL when they are wrong, which has been said
 * then; the command ends with ctl->conf_status: EX_CONFIG or EX_NOPERM.
 */
const struct conf *ctl_conf(struct ctl *ctl, bool with_lists);

/*
 * The store, as the user whom the daemons run as: root gives up its rights here, so what needs them
 * comes before.  NULL when it cannot be used, which has been said then; the command ends with
 * *status_out: EX_CONFIG, EX_NOPERM or EX_UNAVAILABLE.
 */
struct history *history_of(struct ctl *ctl, int *status_out);

/* Gives back what was opened. */
void ctl_close(struct ctl *ctl);

/* Who gives the overrides, for the audit: the user behind sudo, else the user. */
const char *ctl_who(void);

/* argv[0] is the command's name, then its operands, without options; the exit status. */
typedef int command_fn(struct ctl *ctl, int argc, char **argv);

/* A long option of one command. */
struct command_option {
	const char *name;     /* without the two hyphens */
	const char *argument; /* of the usage; NULL: it takes none */
	const char *summary;
};

struct command {
	const char *name;
	const char *arguments; /* of the usage: operands */
	int least, most;       /* operands there may be */
	const char *summary;
	command_fn *run;
	const struct command_option *options; /* ended by a row without a name; or NULL */
};

extern const struct command commands[];
extern const size_t commands_n;

/* NULL when there is none of that name. */
const struct command *command_find(const char *name);

/* The known one that is nearest to a wrong one; NULL while none is near. */
const char *command_nearest(const char *name);

/* Says how the command is used, on standard error; EX_USAGE. */
int command_misused(const char *name);

#endif
