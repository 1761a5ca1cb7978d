/* Closed-loop load for a policy server: every connection has exactly one request on its
 * way.  One thread; a request costs one write, one read, two readings of the clock and no
 * allocation.  Prints one line: the rate, the latencies, and what the answers were. */
#include "clock_ns.h"
#include "endpoint.h"
#include "histogram.h"
#include "load_options.h"
#include "request.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ANSWER_SIZE = 1024, EVENTS_MAX = 256, SILENCE_MS = 30000 };

enum answer { ANSWER_DUNNO, ANSWER_DEFER, ANSWER_PREPEND, ANSWER_OTHER, ANSWER_COUNT };

struct connection {
	int fd;
	uint64_t sent_ns;
	size_t answer_length;
	char answer[ANSWER_SIZE];
	struct request request;
};

struct load {
	const struct load_options *options;
	int epoll;
	uint64_t sent, answered;
	uint64_t new_sent;   /* new triplets so far */
	uint64_t draws;      /* state of the random choices */
	uint64_t known_draw; /* a draw below this is for a known triplet */
	uint64_t begun_ns, ended_ns, begun_cpu_ns;
	uint64_t answers[ANSWER_COUNT];
	struct histogram latency;
};

static uint64_t
draw(struct load *load)
{
	return mix64(load->draws++);
}

static struct triplet
next_triplet(struct load *load)
{
	const struct load_options *options = load->options;

	switch (options->mode) {
	case LOAD_PRIME: return triplet_known(load->sent);
	case LOAD_FILL: break;
	case LOAD_MIX:
		if (draw(load) >> 11 < load->known_draw)
			return triplet_known(draw(load) % options->known);
		break;
	}
	return triplet_new(options->seed, load->new_sent++);
}

static uint64_t
requests_in_all(const struct load_options *options)
{
	return options->warmup + options->requests;
}

/* Says what became of the server; errno tells if the connection broke. */
static _Noreturn void
server_gone(const struct load *load)
{
	if (errno == 0 || errno == ECONNRESET || errno == EPIPE)
		errx(1, "the server closed a connection after %ju answers",
		     (uintmax_t)load->answered);
	err(1, "after %ju answers", (uintmax_t)load->answered);
}

static void
send_next(struct load *load, struct connection *connection)
{
	if (load->sent == requests_in_all(load->options))
		return;

	struct triplet triplet = next_triplet(load);
	struct request *request = &connection->request;
	request_write(request, &triplet, load->sent++);
	connection->answer_length = 0;
	connection->sent_ns = clock_ns(CLOCK_MONOTONIC);
	ssize_t done = write(connection->fd, request->start, request->length);
	if (done < 0)
		server_gone(load);
	if ((size_t)done != request->length)
		errx(1, "the server left part of a request unread");
}

static enum answer
kind_of(const char *action)
{
	static const struct {
		const char *begin;
		size_t length;
		enum answer kind;
	} kinds[] = {
		{"DUNNO\n", 6, ANSWER_DUNNO},
		{"4", 1, ANSWER_DEFER},
		{"DEFER", 5, ANSWER_DEFER},
		{"PREPEND ", 8, ANSWER_PREPEND},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strncasecmp(action, kinds[i].begin, kinds[i].length) == 0)
			return kinds[i].kind;
	return ANSWER_OTHER;
}

static void
count_answer(struct load *load, const struct connection *connection, uint64_t now_ns)
{
	static const char prefix[] = "action=";
	uint64_t number = ++load->answered;

	if (memcmp(connection->answer, prefix, sizeof prefix - 1) != 0)
		errx(1, "not an answer: %.40s", connection->answer);
	if (number <= load->options->warmup) {
		load->begun_ns = now_ns;
		if (number == load->options->warmup)
			load->begun_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		return;
	}
	load->answers[kind_of(connection->answer + sizeof prefix - 1)]++;
	histogram_add(&load->latency, now_ns - connection->sent_ns);
	load->ended_ns = now_ns;
}

/* Reads what is there; true once the empty line has come. */
static bool
read_answer(struct load *load, struct connection *connection)
{
	char *answer = connection->answer;
	size_t room = ANSWER_SIZE - 1 - connection->answer_length;
	ssize_t got = read(connection->fd, answer + connection->answer_length, room);

	if (got < 0 && errno == EAGAIN)
		return false;
	if (got == 0)
		errno = 0;
	if (got <= 0)
		server_gone(load);
	connection->answer_length += (size_t)got;
	answer[connection->answer_length] = '\0';

	const char *end = strstr(answer, "\n\n");
	if (end != NULL && end[2] != '\0')
		errx(1, "the server sent more than it was asked: %.40s", end + 2);
	if (end == NULL && connection->answer_length == ANSWER_SIZE - 1)
		errx(1, "an answer without end: %.40s", answer);
	return end != NULL;
}

static struct connection *
connect_all(struct load *load)
{
	const struct load_options *options = load->options;
	struct connection *all = calloc(options->connections, sizeof *all);
	struct endpoint target;

	if (all == NULL)
		err(1, "calloc");
	endpoint_parse(options->target, &target);
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll < 0)
		err(1, "epoll_create1");
	for (uint64_t i = 0; i < options->connections; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};

		all[i].fd = endpoint_connect(&target);
		request_init(&all[i].request);
		if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, all[i].fd, &event) < 0)
			err(1, "epoll_ctl");
	}
	return all;
}

static void
run(struct load *load)
{
	struct epoll_event events[EVENTS_MAX];
	struct connection *all = connect_all(load);

	load->begun_ns = clock_ns(CLOCK_MONOTONIC);
	load->begun_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (uint64_t i = 0; i < load->options->connections; i++)
		send_next(load, &all[i]);
	while (load->answered < requests_in_all(load->options)) {
		int ready = epoll_wait(load->epoll, events, EVENTS_MAX, SILENCE_MS);
		if (ready < 0 && errno != EINTR)
			err(1, "epoll_wait");
		if (ready == 0)
			errx(1, "no answer for %d s", SILENCE_MS / 1000);
		for (int i = 0; i < ready; i++) {
			struct connection *connection = events[i].data.ptr;

			if (!read_answer(load, connection))
				continue;
			count_answer(load, connection, clock_ns(CLOCK_MONOTONIC));
			send_next(load, connection);
		}
	}
	for (uint64_t i = 0; i < load->options->connections; i++)
		close(all[i].fd);
	close(load->epoll);
	free(all);
}

/* One figure of the line; the first is put with nothing before it. */
static void
put(const struct load *load, const char *name, int decimals, double value)
{
	static bool begun;
	bool json = load->options->json;

	fputs(!begun ? "" : json ? "," : " ", stdout);
	begun = true;
	printf(json ? "\"%s\":" : "%s=", name);
	printf("%.*f", decimals, value);
}

static double
latency_us(const struct load *load, double share)
{
	return (double)histogram_at(&load->latency, share) / 1e3;
}

static void
report(const struct load *load)
{
	double cpu_ns = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - load->begun_cpu_ns);
	double seconds = (double)(load->ended_ns - load->begun_ns) / 1e9;
	double requests = (double)load->latency.total;

	fputs(load->options->json ? "{" : "", stdout);
	put(load, "requests", 0, requests);
	put(load, "seconds", 3, seconds);
	put(load, "rate", 0, requests / seconds);
	put(load, "p50_us", 1, latency_us(load, 0.5));
	put(load, "p90_us", 1, latency_us(load, 0.9));
	put(load, "p99_us", 1, latency_us(load, 0.99));
	put(load, "p999_us", 1, latency_us(load, 0.999));
	put(load, "max_us", 1, (double)load->latency.max_ns / 1e3);
	put(load, "dunno", 0, (double)load->answers[ANSWER_DUNNO]);
	put(load, "defer", 0, (double)load->answers[ANSWER_DEFER]);
	put(load, "prepend", 0, (double)load->answers[ANSWER_PREPEND]);
	put(load, "other", 0, (double)load->answers[ANSWER_OTHER]);
	put(load, "own_cpu_us", 2, cpu_ns / 1e3 / requests);
	puts(load->options->json ? "}" : "");
}

int
main(int argc, char **argv)
{
	static struct load load;
	struct load_options options = load_options_read(argc, argv);

	signal(SIGPIPE, SIG_IGN);
	load.options = &options;
	load.draws = mix64(options.seed);
	load.known_draw = (uint64_t)(options.known_share * (double)(UINT64_C(1) << 53));
	run(&load);
	report(&load);
	return 0;
}
