/* mta_sendmail.c - what is wrong with how Sendmail is wired to weir-milter. */
#include "mta_sendmail.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/endpoint.h"

enum { FILE_MAX = 1 << 20 };

/* "inet:10042@127.0.0.1" and "local:/path" in our form. */
static void
print_endpoint(struct slice text, struct text *out)
{
	struct slice type = {0}, rest = text, port;
	if (!slice_cut(&rest, ':', &type))
		return;
	if (!slice_starts_nocase(type, SLICE("inet"))) {
		text_puts(out, "unix:");
		text_put(out, rest);
		return;
	}
	slice_cut(&rest, '@', &port);
	text_puts(out, "inet:");
	text_put(out, rest);
	text_putc(out, ':');
	text_put(out, port);
}

static bool
is_ours(struct slice spec, const char *ours)
{
	char buf[512];
	struct text text = TEXT(buf);
	struct endpoint theirs, own;
	print_endpoint(spec, &text);
	if (!endpoint_parse(text_slice(&text), &theirs) ||
	    !endpoint_parse(slice_of(ours), &own) || theirs.is_unix != own.is_unix ||
	    theirs.port != own.port)
		return false;
	bool loopback =
		!own.is_unix && endpoint_is_local(&theirs) && endpoint_is_local(&own);
	return loopback || strcmp(theirs.host, own.host) == 0;
}

/* The value behind "S=" or "F=", up to a comma or what ends the text of a macro. */
static struct slice
field(struct slice line, const char *mark)
{
	const char *at = line.n > 0 ? memmem(line.p, line.n, mark, 2) : NULL;
	struct slice value = {0};
	while (at && at > line.p && (ascii_alpha(at[-1]) || ascii_digit(at[-1]))) {
		size_t left = line.n - (size_t)(at + 2 - line.p);
		at = memmem(at + 2, left, mark, 2);
	}
	if (!at)
		return SLICE("");
	value = slice_from(line, (size_t)(at + 2 - line.p));
	for (size_t n = 0; n < value.n; n++)
		if (memchr(",')`", value.p[n], 4) || ascii_blank(value.p[n]))
			return slice_head(value, n);
	return value;
}

/* Of sendmail.mc the macros, of sendmail.cf the lines with X. */
static bool
is_filter(struct slice line)
{
	return slice_starts_nocase(line, SLICE("INPUT_MAIL_FILTER(")) ||
	       slice_starts_nocase(line, SLICE("MAIL_FILTER(")) ||
	       (line.n > 1 && line.p[0] == 'X' && ascii_alpha(line.p[1]));
}

static void
judge_flag(const char *name, struct slice line, struct findings *findings)
{
	struct slice flag = field(line, "F=");
	if (flag.n == 0)
		return;
	if (flag.p[0] == 'R')
		finding_add(
			findings, FINDING_PROBLEM,
			"without weir-milter Sendmail rejects all mail permanently",
			"While weir-milter is away, all mail bounces to its senders.");
	else
		finding_add(findings, FINDING_WARNING,
		            "without weir-milter Sendmail does not accept mail",
		            "While weir-milter is away, all mail is deferred.");
	finding_seen(findings, "%s: F=%.*s", name, (int)flag.n, flag.p);
	finding_mend(
		findings,
		"Remove F=%.*s from the filter's line in sendmail.mc; then, on Debian:\nsendmailconfig",
		(int)flag.n, flag.p);
}

static void
say_bare(const char *name, const struct conf *conf, struct findings *findings)
{
	struct endpoint ours;
	char socket[400] = "";
	struct text text = TEXT(socket);
	if (endpoint_parse(slice_of(conf->milter.listen), &ours) && !ours.is_unix)
		text_printf(&text, "inet:%u@%s", ours.port, ours.host);
	else
		text_puts(&text, conf->milter.listen);
	finding_add(findings, FINDING_PROBLEM, "Sendmail does not ask weir-milter",
	            "Its mail is neither greylisted nor limited.");
	finding_seen(findings, "%s has no filter at %s", name, socket);
	finding_mend(findings,
	             "In sendmail.mc: INPUT_MAIL_FILTER(`weir', `S=%s, "
	             "T=C:5s;S:5s;R:10s;E:1m')dnl\n"
	             "Then, on Debian:\nsendmailconfig",
	             socket);
}

bool
sendmail_judge_text(const char *name, struct slice text, const struct conf *conf,
                    struct findings *findings)
{
	struct slice line;
	while (slice_cut(&text, '\n', &line)) {
		if (!is_filter(line) || !is_ours(field(line, "S="), conf->milter.listen))
			continue;
		size_t before = findings->n;
		judge_flag(name, line, findings);
		if (findings->n == before)
			finding_ok(findings, "Sendmail asks weir-milter (%s)", name);
		return true;
	}
	say_bare(name, conf, findings);
	return false;
}

/* The sendmail.cf is in force; the .mc only says what is meant. */
bool
sendmail_judge(const char *dir, const struct conf *conf, struct findings *findings)
{
	static const char *const names[] = {"sendmail.cf", "sendmail.mc"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[1024];
		struct text name = TEXT(path);
		text_printf(&name, "%s/%s", dir, names[i]);
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			continue;
		char *buf = mem_alloc(FILE_MAX);
		ssize_t n = read(fd, buf, FILE_MAX);
		close(fd);
		struct slice text = {.p = buf, .n = n > 0 ? (size_t)n : 0};
		bool asked = sendmail_judge_text(path, text, conf, findings);
		free(buf);
		return asked;
	}
	finding_add(findings, FINDING_WARNING,
	            "the settings of Sendmail could not be read", "");
	finding_seen(findings, "%s", dir);
	finding_mend(findings, "Run doctor as root.");
	return false;
}
