/* The ceiling for a policy server: one thread and epoll, no work at all.  It looks for
 * the empty line that ends a request and answers DUNNO. */
#include "endpoint.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, READ_SIZE = 16384 };

static const char answer[] = "action=DUNNO\n\n";

struct peer {
	int fd;
	char last; /* the last byte read, for an empty line cut in two */
};

static void
usage(FILE *to)
{
	fputs("usage: policy_bare --listen inet:HOST:PORT|unix:PATH\n", to);
}

static void
watch(int epoll, int fd, void *who)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		err(1, "epoll_ctl");
}

static void
accept_all(int epoll, int listener)
{
	for (;;) {
		int fd = endpoint_accept(listener);
		if (fd < 0)
			return;

		struct peer *peer = calloc(1, sizeof *peer);
		if (peer == NULL)
			err(1, "calloc");
		peer->fd = fd;
		watch(epoll, fd, peer);
	}
}

/* A client waits for its answer, so an empty line can only be the last thing read. */
static bool
ends_request(const struct peer *peer, const char *bytes, size_t length)
{
	char before = length > 1 ? bytes[length - 2] : peer->last;

	return before == '\n' && bytes[length - 1] == '\n';
}

static bool
serve(struct peer *peer)
{
	static char bytes[READ_SIZE];
	ssize_t got = read(peer->fd, bytes, sizeof bytes);

	if (got < 0 && errno == EAGAIN)
		return true;
	if (got <= 0)
		return false;
	if (!ends_request(peer, bytes, (size_t)got)) {
		peer->last = bytes[got - 1];
		return true;
	}
	peer->last = '\0';
	return write(peer->fd, answer, sizeof answer - 1) == sizeof answer - 1;
}

static void
serve_for_ever(int listener)
{
	struct epoll_event events[EVENTS_MAX];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0)
		err(1, "epoll_create1");
	watch(epoll, listener, NULL);
	for (;;) {
		int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
		if (ready < 0 && errno != EINTR)
			err(1, "epoll_wait");
		for (int i = 0; i < ready; i++) {
			struct peer *peer = events[i].data.ptr;

			if (peer == NULL) {
				accept_all(epoll, listener);
			} else if (!serve(peer)) {
				close(peer->fd);
				free(peer);
			}
		}
	}
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
		if (option == 'l') {
			listen_on = optarg;
		} else {
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 1;
		}
	}
	if (listen_on == NULL || optind < argc) {
		usage(stderr);
		return 1;
	}

	struct endpoint endpoint;
	endpoint_parse(listen_on, &endpoint);
	serve_for_ever(endpoint_listen(&endpoint));
}
