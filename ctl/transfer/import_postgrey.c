/*
 * import_postgrey.c - weirctl import postgrey [DIR]: its databases, through postgrey-dump.
 *
 * postgrey keeps neither its settings nor the length of a network beside the address: both are
 * options here, by the names and with the defaults that they have there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "import.h"
#include "infile.h"
#include "postgrey_row.h"
#include "progress.h"
#include "when.h"

#define USUAL_DIR "/var/lib/postgrey"

#define EXIT_NO_PERL 127

#define DELAY_MAX_S (7 * INT64_C(86400))

struct postgrey {
	struct import_foreign foreign;
	const char *dir;
	pid_t reader;
	FILE *rows;
	struct progress progress;
	int64_t delay_s;
	int64_t ipv4_bits, ipv6_bits;
	int64_t clear; /* rows that were not hashed */
	bool whole;
};

/* ---- the reader ---- */

static void NORETURN
become_reader(const char *dir)
{
	char path[4096];
	struct text name = TEXT(path);
	const char *libexec = getenv("WEIR_LIBEXEC");
	text_printf(&name, "%s/postgrey-dump", libexec ? libexec : PKGLIBEXECDIR);
	execl(path, path, dir, (char *)NULL);
	ctl_fail(0, "cannot run %s: %s (it needs Perl)", path, strerror(errno));
	_exit(EXIT_NO_PERL);
}

/* Before the rights are gone: it opens the databases and then becomes their owner. */
static int
start_reader(struct postgrey *postgrey)
{
	int ends[2];
	if (pipe(ends) != 0)
		return ctl_fail(EX_OSERR, "pipe: %s", strerror(errno));
	fflush(NULL);
	postgrey->reader = fork();
	if (postgrey->reader == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		become_reader(postgrey->dir);
	}
	close(ends[1]);
	if (postgrey->reader < 0) {
		close(ends[0]);
		return ctl_fail(EX_OSERR, "fork: %s", strerror(errno));
	}
	postgrey->rows = fdopen(ends[0], "r");
	return postgrey->rows ? EX_OK : ctl_fail(EX_OSERR, "%s", strerror(errno));
}

/* It has said itself what was wrong. */
static int
end_reader(struct postgrey *postgrey)
{
	int status = 0;
	if (postgrey->rows)
		fclose(postgrey->rows);
	while (postgrey->reader > 0 && waitpid(postgrey->reader, &status, 0) < 0 &&
	       errno == EINTR)
		;
	postgrey->rows = NULL;
	postgrey->reader = -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status) == EXIT_NO_PERL)
		return EX_UNAVAILABLE;
	return WEXITSTATUS(status);
}

/* ---- rows ---- */

/* By how many bits the client of a triplet is known, where the key does not say. */
static unsigned
known_bits(const struct postgrey *postgrey, const struct addr *client)
{
	int64_t bits =
		client->family == ADDR_V4 ? postgrey->ipv4_bits : postgrey->ipv6_bits;
	struct addr network = addr_mask(client, (unsigned)bits);
	return addr_eq(&network, client) ? (unsigned)bits : addr_max_bits(client->family);
}

static bool
add_triplet(struct postgrey *postgrey, struct slice value, struct slice key)
{
	struct postgrey_triplet triplet;
	int64_t first_s, last_s;
	if (!postgrey_parse_value(value, &first_s, &last_s) ||
	    !postgrey_parse_triplet(key, &triplet))
		return false;
	bool passed = last_s - first_s >= postgrey->delay_s;
	struct grey_record record = {.state = passed ? GREY_PASSED : GREY_WAITING,
	                             .at_s = passed ? last_s : first_s};
	foreign_triplet(postgrey->foreign.foreign, &triplet.client,
	                triplet.bits > 0 ? triplet.bits
	                                 : known_bits(postgrey, &triplet.client),
	                triplet.sender, triplet.recipient, record);
	return true;
}

static bool
add_client(struct postgrey *postgrey, struct slice value, struct slice key)
{
	struct addr client;
	unsigned bits;
	int64_t count, last_s;
	if (!postgrey_parse_value(value, &count, &last_s) ||
	    !postgrey_parse_client(key, &client, &bits))
		return false;
	foreign_client(postgrey->foreign.foreign, &client,
	               bits > 0 ? bits : addr_max_bits(client.family), count, last_s);
	return true;
}

/* "triplet VALUE KEY", "client VALUE KEY", "odd", "end ROWS" */
static void
on_row(struct postgrey *postgrey, struct slice line)
{
	struct slice kind, value = {0}, key = line;
	int64_t *count = postgrey->foreign.import.intake->count;
	bool there = slice_cut(&key, ' ', &kind);
	if (there && slice_eq(kind, SLICE("end"))) {
		postgrey->whole = true;
		return;
	}
	there = there && slice_cut(&key, ' ', &value);
	if (there && postgrey_is_hashed(key)) {
		count[INTAKE_HASHED]++;
	} else {
		bool taken = there && (slice_eq(kind, SLICE("client"))
		                               ? add_client(postgrey, value, key)
		                               : add_triplet(postgrey, value, key));
		if (!taken)
			count[INTAKE_MALFORMED]++;
		postgrey->clear++;
	}
	progress_row(&postgrey->progress, 0);
}

static int
read_rows(struct postgrey *postgrey)
{
	char buf[INFILE_LINE_MAX];
	struct slice line;
	bool too_long;
	int64_t *count = postgrey->foreign.import.intake->count;
	while (infile_line(postgrey->rows, buf, sizeof(buf), &line, &too_long)) {
		if (too_long)
			count[INTAKE_MALFORMED]++;
		else
			on_row(postgrey, line);
	}
	int status = end_reader(postgrey);
	if (status != EX_OK || !postgrey->whole)
		return status != EX_OK
		               ? status
		               : ctl_fail(
					 EX_SOFTWARE,
					 "postgrey-dump was cut off; nothing was changed");
	if (count[INTAKE_HASHED] > 0 && postgrey->clear == 0)
		return ctl_fail(
			EX_DATAERR,
			"%s: postgrey ran with --privacy: clients and addresses are "
			"hashed; nothing was changed",
			postgrey->dir);
	return EX_OK;
}

/* ---- the command ---- */

static int
number_option(const struct ctl *ctl, const char *name, int64_t max, int64_t *value)
{
	uint64_t number;
	const char *text = ctl_option(ctl, name);
	if (!text)
		return EX_OK;
	if (!slice_to_u64(slice_of(text), (uint64_t)max, &number) || number == 0)
		return ctl_fail(EX_USAGE,
		                "--%s: \"%.40s\" is no number from 1 to %" PRId64, name,
		                text, max);
	*value = (int64_t)number;
	return EX_OK;
}

/* Plain seconds, as postgrey has them, or with a unit. */
static int
read_delay(const struct ctl *ctl, int64_t *seconds)
{
	uint64_t number;
	int64_t ms;
	const char *text = ctl_option(ctl, "delay");
	if (!text)
		return EX_OK;
	if (slice_to_u64(slice_of(text), DELAY_MAX_S, &number))
		*seconds = (int64_t)number;
	else if (when_parse_span(slice_of(text), &ms) && ms <= DELAY_MAX_S * 1000)
		*seconds = ms / 1000;
	else
		*seconds = 0;
	if (*seconds > 0)
		return EX_OK;
	return ctl_fail(EX_USAGE,
	                "--delay: \"%.40s\" is no time from 1s to 7d, such as 5m", text);
}

static int
read_options(struct postgrey *postgrey, const struct ctl *ctl)
{
	int status = read_delay(ctl, &postgrey->delay_s);
	if (status == EX_OK)
		status = number_option(ctl, "ipv4cidr", 32, &postgrey->ipv4_bits);
	if (status == EX_OK)
		status = number_option(ctl, "ipv6cidr", 128, &postgrey->ipv6_bits);
	return status;
}

static int
run(struct postgrey *postgrey, struct ctl *ctl)
{
	int status = import_foreign_begin(&postgrey->foreign, ctl, postgrey->dir);
	if (status != EX_OK)
		return status;
	progress_start(&postgrey->progress, "reading", 0, !ctl->json);
	status = read_rows(postgrey);
	progress_end(&postgrey->progress);
	return status == EX_OK ? import_foreign_finish(&postgrey->foreign) : status;
}

int
import_postgrey(struct ctl *ctl, const char *path)
{
	struct postgrey postgrey = {
		.dir = path ? path : USUAL_DIR,
		.reader = -1,
		.delay_s = 300,
		.ipv4_bits = 24,
		.ipv6_bits = 64,
	};
	int status = read_options(&postgrey, ctl);
	if (status == EX_OK)
		status = import_foreign_prepare(&postgrey.foreign, ctl);
	if (status != EX_OK)
		return status;
	status = start_reader(&postgrey);
	if (status == EX_OK)
		status = run(&postgrey, ctl);
	end_reader(&postgrey);
	import_foreign_close(&postgrey.foreign);
	return status;
}
