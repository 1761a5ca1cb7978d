/* What milter_load counts, and its one line of figures. */
#include "milter_tally.h"

#include <err.h>
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DOMAINS_PRINTED = 64 };

static const char *const reply_names[REPLY_KINDS] = {
	[REPLY_CONTINUE] = "continue", [REPLY_ACCEPT] = "accept",
	[REPLY_TEMPFAIL] = "tempfail", [REPLY_REJECT] = "reject",
	[REPLY_DISCARD] = "discard",   [REPLY_GREYLISTED] = "greylisted",
	[REPLY_TOO_MANY] = "too_many", [REPLY_RATE_LIMIT] = "rate_limit",
	[REPLY_OTHER] = "other",
};

static const char *const error_names[ERROR_KINDS] = {
	[ERROR_CONNECT] = "connect_failed",
	[ERROR_CLOSED] = "closed",
	[ERROR_BAD_FRAME] = "bad_frames",
	[ERROR_TIMEOUT] = "timeouts",
};

void
tally_init(struct tally *tally, const struct milter_options *options)
{
	memset(tally, 0, sizeof *tally);
	tally->under_way = calloc(options->domains, sizeof *tally->under_way);
	tally->most = calloc(options->domains, sizeof *tally->most);
	if (tally->under_way == NULL || tally->most == NULL)
		err(1, "calloc");
}

void
tally_free(struct tally *tally)
{
	free(tally->under_way);
	free(tally->most);
}

/* "451 4.7.1 Greylisted, ..." begins to speak at its first letter. */
static enum tally_reply
kind_of_text(const struct wire_frame *reply)
{
	static const struct {
		const char *begin;
		size_t length;
		enum tally_reply kind;
	} kinds[] = {
		{"greylisted", 10, REPLY_GREYLISTED},
		{"too many", 8, REPLY_TOO_MANY},
		{"rate limit", 10, REPLY_RATE_LIMIT},
	};
	struct wire_frame rest = *reply;
	const char *text;

	if (!wire_take_text(&rest, &text))
		return REPLY_OTHER;
	text += strspn(text, "0123456789.- ");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strncasecmp(text, kinds[i].begin, kinds[i].length) == 0)
			return kinds[i].kind;
	return REPLY_OTHER;
}

enum tally_reply
tally_kind(const struct wire_frame *reply)
{
	switch (reply->letter) {
	case SMFIR_CONTINUE:
	case SMFIR_SKIP: return REPLY_CONTINUE;
	case SMFIR_ACCEPT: return REPLY_ACCEPT;
	case SMFIR_TEMPFAIL: return REPLY_TEMPFAIL;
	case SMFIR_REJECT: return REPLY_REJECT;
	case SMFIR_DISCARD: return REPLY_DISCARD;
	case SMFIR_REPLYCODE: return kind_of_text(reply);
	default: return REPLY_OTHER;
	}
}

static void
keep_other(struct tally *tally, const struct wire_frame *reply)
{
	size_t room = sizeof tally->other - 2;
	size_t length = strnlen((const char *)reply->data, reply->length);

	tally->other[0] = reply->letter;
	memcpy(tally->other + 1, reply->data, length < room ? length : room);
}

void
tally_reply(struct tally *tally, const struct wire_frame *reply)
{
	enum tally_reply kind = tally_kind(reply);

	if (kind == REPLY_OTHER && tally->replies[kind] == 0)
		keep_other(tally, reply);
	tally->replies[kind]++;
}

void
tally_error(struct tally *tally, enum tally_error error, const char *where)
{
	if (tally_errors(tally) == 0)
		snprintf(tally->error, sizeof tally->error, "%s: %s", error_names[error],
		         where);
	tally->errors[error]++;
}

void
tally_enter(struct tally *tally, uint64_t domain)
{
	if (++tally->under_way[domain] > tally->most[domain])
		tally->most[domain] = tally->under_way[domain];
}

void
tally_leave(struct tally *tally, uint64_t domain)
{
	tally->under_way[domain]--;
}

uint64_t
tally_errors(const struct tally *tally)
{
	uint64_t errors = 0;

	for (size_t i = 0; i < ERROR_KINDS; i++)
		errors += tally->errors[i];
	return errors;
}

static void
print_times(const char *name, const struct histogram *times)
{
	printf(" %s_p50_us=%.1f %s_p99_us=%.1f %s_max_us=%.1f", name,
	       (double)histogram_at(times, 0.5) / 1e3, name,
	       (double)histogram_at(times, 0.99) / 1e3, name,
	       (double)times->max_ns / 1e3);
}

static void
print_most(const struct tally *tally, const struct milter_options *options)
{
	uint32_t most = 0;

	for (uint64_t i = 0; i < options->domains; i++)
		most = tally->most[i] > most ? tally->most[i] : most;
	printf(" at_once=%u at_once_by_domain=", most);
	for (uint64_t i = 0; i < options->domains && i < DOMAINS_PRINTED; i++)
		printf("%s%u", i == 0 ? "" : ",", tally->most[i]);
}

void
tally_print(const struct tally *tally, const struct milter_options *options, uint64_t ns,
            uint64_t cpu_ns)
{
	uint64_t ended = tally->finished + tally->dropped;
	double seconds = (double)ns / 1e9;

	printf("sessions=%ju seconds=%.3f rate=%.0f delivered=%ju",
	       (uintmax_t)tally->begun, seconds, (double)ended / seconds,
	       (uintmax_t)tally->delivered);
	for (size_t i = 0; i < REPLY_KINDS; i++)
		printf(" %s=%ju", reply_names[i], (uintmax_t)tally->replies[i]);
	print_times("rcpt", &tally->recipients);
	print_times("session", &tally->whole);
	print_most(tally, options);
	printf(" dropped=%ju errors=%ju", (uintmax_t)tally->dropped,
	       (uintmax_t)tally_errors(tally));
	for (size_t i = 0; i < ERROR_KINDS; i++)
		printf(" %s=%ju", error_names[i], (uintmax_t)tally->errors[i]);
	printf(" own_cpu_us=%.1f\n",
	       (double)cpu_ns / 1e3 / (double)(tally->begun > 0 ? tally->begun : 1));
	if (tally->error[0] != '\0')
		warnx("the first error: %s", tally->error);
	if (tally->other[0] != '\0')
		warnx("the first other reply: %s", tally->other);
}
