/* doctor_lists.c - what stands in the list files: what has run out, stands twice or covers everybody. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/list.h"
#include "cure.h"
#include "doctor.h"
#include "errand.h"
#include "everybody.h"

enum { DAY_S = 24 * 60 * 60, SOON_DAYS = 7 };

struct file_report {
	enum list_kind kind;
	int64_t now_s;
	size_t entries, expired, expiring, repeated;
	unsigned expired_line, expiring_line, repeated_line,
		all_line; /* the first ones */
	char all_text[200];
	char **texts; /* of all entries, to find those that stand twice */
};

static void
count(size_t *n, unsigned *first_line, unsigned line)
{
	if ((*n)++ == 0)
		*first_line = line;
}

static bool
on_entry(void *arg, const struct listfile_entry *entry, struct err *err_out)
{
	struct file_report *report = arg;
	(void)err_out;
	report->texts = report->entries % 1024 == 0
	                        ? mem_grow(report->texts, (report->entries + 1024) *
	                                                          sizeof(*report->texts))
	                        : report->texts;
	report->texts[report->entries++] = mem_dup(entry->text);
	if (entry->until_s != 0 && entry->until_s <= report->now_s)
		count(&report->expired, &report->expired_line, entry->line);
	else if (entry->until_s != 0 &&
	         entry->until_s <= report->now_s + SOON_DAYS * DAY_S)
		count(&report->expiring, &report->expiring_line, entry->line);
	if (report->all_line == 0 && covers_everybody(report->kind, entry->text)) {
		struct text text = TEXT(report->all_text);
		report->all_line = entry->line;
		text_put(&text, entry->text);
	}
	return true;
}

static int
compare(const void *a, const void *b)
{
	return strcasecmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, equal ones are neighbours. */
static size_t
count_repeated(struct file_report *report)
{
	size_t repeated = 0;
	if (report->entries > 1)
		qsort(report->texts, report->entries, sizeof(*report->texts), compare);
	for (size_t i = 1; i < report->entries; i++)
		repeated += compare(&report->texts[i - 1], &report->texts[i]) == 0;
	return repeated;
}

static void
say_dates(struct findings *findings, const char *path, const struct file_report *report)
{
	const char *quoted = cure_quoted(findings, path);
	if (report->expired > 0) {
		finding_add(findings, FINDING_NOTE, "entries have expired",
		            "They no longer have any effect.");
		finding_seen(findings, "%zu in %s, the first in line %u", report->expired,
		             path, report->expired_line);
		finding_mend(
			findings,
			"Remove them, or give them another until=.  To remove the first one:\nsed -i %ud %s",
			report->expired_line, quoted);
	}
	if (report->expiring > 0) {
		finding_add(findings, FINDING_NOTE, "entries expire within 7 days",
		            "Then the mail that they exempt is greylisted again.");
		finding_seen(findings, "%zu in %s, the first in line %u",
		             report->expiring, path, report->expiring_line);
		finding_mend(findings, "Give them another until=, or let them expire.");
	}
}

static void
say_rest(struct findings *findings, const char *path, const struct file_report *report,
         size_t repeated)
{
	const char *quoted = cure_quoted(findings, path);
	if (repeated > 0) {
		finding_add(findings, FINDING_NOTE, "entries are there more than once",
		            "If you remove one of them, the other stays in force.");
		finding_seen(findings, "%zu in %s", repeated, path);
		finding_mend(
			findings,
			"Keep only one of each; this lists them:\ngrep -v '^#' %s | awk 'NF && seen[tolower($1)]++ {print $1}'",
			quoted);
	}
	if (report->all_line > 0) {
		finding_add(findings, FINDING_WARNING, "an entry lets everybody in",
		            "With it, nothing is greylisted.");
		finding_seen(findings, "%s:%u: %s", path, report->all_line,
		             report->all_text);
		finding_mend(findings,
		             "sed -i %ud %s\n"
		             "systemctl reload weir-policyd weir-milter\n"
		             "Or, to stop greylisting, greylist.mode = \"off\".",
		             report->all_line, quoted);
	}
}

static void
say_file(struct findings *findings, const char *path, struct file_report *report,
         int64_t age_days)
{
	size_t before = findings->n;
	size_t repeated = count_repeated(report);
	say_dates(findings, path, report);
	say_rest(findings, path, report, repeated);
	if (findings->n == before)
		finding_ok(findings, "%s has %zu entr%s; changed %lld day%s ago", path,
		           report->entries, report->entries == 1 ? "y" : "ies",
		           (long long)age_days, age_days == 1 ? "" : "s");
}

static void
check_file(struct checkup *checkup, const char *path, enum list_kind kind)
{
	struct file_report report = {.kind = kind, .now_s = clock_wall_s()};
	struct err err;
	struct stat st;
	const char *user = checkup->conf->user;
	int error = doctor_can_be(user) ? errand_try_access(user, path, R_OK) : 0;
	if (error != 0) {
		finding_add(checkup->findings, FINDING_PROBLEM,
		            "the daemons cannot read a list",
		            "They keep their old settings and lists at a reload.");
		finding_seen(checkup->findings, "%s: %s", path, strerror(error));
		char buf[CURE_MAX];
		struct text text = TEXT(buf);
		cure_open_way(user, path, &text);
		text_printf(&text, "chmod a+r %s", cure_quoted(checkup->findings, path));
		cure_set(checkup->findings, &text);
		return;
	}
	if (stat(path, &st) != 0 || !listfile_read(path, on_entry, &report, &err)) {
		finding_add(checkup->findings, FINDING_PROBLEM, "a list cannot be used",
		            "");
		finding_seen(checkup->findings, "%s", err.text);
		finding_mend(checkup->findings,
		             "Fix that line; then:\nweirctl check-config");
	} else {
		say_file(checkup->findings, path, &report,
		         (report.now_s - (int64_t)st.st_mtime) / DAY_S);
	}
	for (size_t i = 0; i < report.entries; i++)
		free(report.texts[i]);
	free(report.texts);
}

static void
check_files(struct checkup *checkup, const struct conf_texts *files, enum list_kind kind)
{
	for (size_t i = 0; i < files->n; i++)
		check_file(checkup, files->v[i], kind);
}

static bool
is_everybody(const char *network)
{
	return covers_everybody(LIST_CLIENTS, slice_of(network));
}

static void
mend_networks(struct findings *findings, const struct conf_texts *networks)
{
	char buf[CURE_MAX];
	struct text text = TEXT(buf);
	bool any = false;
	text_puts(&text, "in weir.conf: lists: { networks = [");
	for (size_t i = 0; i < networks->n; i++) {
		if (is_everybody(networks->v[i]))
			continue;
		text_printf(&text, "%s\"%s\"", any ? ", " : "", networks->v[i]);
		any = true;
	}
	text_puts(&text, "]; };\nsystemctl reload weir-policyd weir-milter");
	cure_set(findings, &text);
}

static void
check_networks(struct checkup *checkup)
{
	const struct conf_texts *networks = &checkup->conf->lists.networks;
	for (size_t i = 0; i < networks->n; i++) {
		if (!is_everybody(networks->v[i]))
			continue;
		finding_add(checkup->findings, FINDING_WARNING,
		            "an entry lets everybody in",
		            "With it, nothing is greylisted.");
		finding_seen(checkup->findings, "lists.networks has \"%s\"",
		             networks->v[i]);
		mend_networks(checkup->findings, networks);
	}
}

void
doctor_lists(struct checkup *checkup)
{
	const struct conf *conf = checkup->conf;
	check_files(checkup, &conf->lists.clients, LIST_CLIENTS);
	check_files(checkup, &conf->lists.senders, LIST_MAIL);
	check_files(checkup, &conf->lists.recipients, LIST_MAIL);
	check_networks(checkup);
}
