/* Load for a milter, as a mail server makes it: many sessions at once, each with one command
 * on its way.  One thread.  Each session has a time limit, so that this always ends.  Prints
 * one line: the rate, the latencies, what the replies were and what went wrong. */
#include "clock_ns.h"
#include "endpoint.h"
#include "milter_session.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, WAIT_MAX_MS = 1000, SPARE_DESCRIPTORS = 16 };

enum { FIRST_PORT = 1024, PORTS = 65536 - FIRST_PORT };

#define MS               UINT64_C(1000000)
#define RETRY_NS         (1 * MS)  /* the milter accepts no faster just now */
#define AFTER_FAILURE_NS (10 * MS) /* lest a milter that is away be asked without pause */
#define NEVER            UINT64_MAX

enum slot_state {
	SLOT_IDLE,    /* nothing left to begin */
	SLOT_RESTS,   /* begins a session at its time */
	SLOT_RETRIES, /* has a session, but no descriptor */
	SLOT_CONNECTS,
	SLOT_TALKS,
	SLOT_HOLDS,
};

struct slot {
	enum slot_state state;
	uint64_t rounds; /* sessions begun here */
	uint64_t deadline_ns;
	struct session session;
};

struct load {
	const struct milter_options *options;
	struct endpoint to;
	struct tally tally;
	int epoll;
	struct slot *slots;
	uint64_t *wake_ns;      /* of each slot; apart from them, since often walked */
	uint64_t next_wake_ns;  /* none of them is before it */
	uint64_t busy, holding; /* slots */
	uint64_t begun_ns;
	bool announced;
};

static volatile sig_atomic_t stopped;

static void
stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

/* --- slots --------------------------------------------------------------------------- */

static size_t
index_of(const struct load *load, const struct slot *slot)
{
	return (size_t)(slot - load->slots);
}

static void
wake_at(struct load *load, const struct slot *slot, uint64_t ns)
{
	load->wake_ns[index_of(load, slot)] = ns;
	if (ns < load->next_wake_ns)
		load->next_wake_ns = ns;
}

/* Ports of sessions under way differ, and none comes again soon. */
static uint16_t
port_of(const struct load *load, const struct slot *slot)
{
	uint64_t sessions = load->options->sessions;

	return (uint16_t)(FIRST_PORT + index_of(load, slot) +
	                  sessions * (slot->rounds % (PORTS / sessions)));
}

static bool
may_begin(const struct load *load, uint64_t now_ns)
{
	const struct milter_options *options = load->options;

	return !stopped && (options->total == 0 || load->tally.begun < options->total) &&
	       (options->seconds == 0 ||
	        now_ns < load->begun_ns + options->seconds * 1000 * MS);
}

static void
begin_at(struct load *load, struct slot *slot, uint64_t ns)
{
	slot->state = SLOT_RESTS;
	wake_at(load, slot, ns);
}

/* A session has ended, well or not. */
static void
end_session(struct load *load, struct slot *slot)
{
	bool connected = slot->state == SLOT_TALKS || slot->state == SLOT_HOLDS;
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	if (slot->state != SLOT_RETRIES)
		close(slot->session.fd);
	begin_at(load, slot, connected ? now_ns : now_ns + AFTER_FAILURE_NS);
}

static void
announce(struct load *load)
{
	if (!load->options->announce || load->announced ||
	    load->holding < load->options->sessions)
		return;
	load->announced = true;
	printf("held=%ju\n", (uintmax_t)load->holding);
	fflush(stdout);
}

static void
take_state(struct load *load, struct slot *slot, enum session_state state)
{
	switch (state) {
	case SESSION_READS:
		slot->state = SLOT_TALKS;
		wake_at(load, slot, slot->deadline_ns);
		break;
	case SESSION_HOLDS:
		slot->state = SLOT_HOLDS;
		load->holding++;
		announce(load);
		wake_at(load, slot,
		        stopped ? 0
		                : clock_ns(CLOCK_MONOTONIC) +
		                          load->options->hold_ms * MS);
		break;
	case SESSION_OVER: end_session(load, slot); break;
	}
}

static void
watch(struct load *load, struct slot *slot, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = slot};

	if (epoll_ctl(load->epoll, operation, slot->session.fd, &event) < 0)
		err(1, "epoll_ctl");
}

static void
connect_slot(struct load *load, struct slot *slot)
{
	int fd = endpoint_begin(&load->to);

	if (fd >= 0) {
		slot->session.fd = fd;
		slot->state = SLOT_CONNECTS;
		watch(load, slot, EPOLL_CTL_ADD, EPOLLOUT);
		wake_at(load, slot, slot->deadline_ns);
		return;
	}
	slot->state = SLOT_RETRIES;
	if (errno == EAGAIN)
		wake_at(load, slot, clock_ns(CLOCK_MONOTONIC) + RETRY_NS);
	else
		take_state(load, slot, session_fail(&slot->session, ERROR_CONNECT));
}

static void
connected(struct load *load, struct slot *slot)
{
	int error = 0;
	socklen_t length = sizeof error;

	if (getsockopt(slot->session.fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		err(1, "SO_ERROR");
	if (error != 0) {
		take_state(load, slot, session_fail(&slot->session, ERROR_CONNECT));
		return;
	}
	watch(load, slot, EPOLL_CTL_MOD, EPOLLIN);
	slot->state = SLOT_TALKS;
	take_state(load, slot, session_start(&slot->session, slot->session.fd));
}

static void
begin_session(struct load *load, struct slot *slot, uint64_t now_ns)
{
	const struct milter_options *options = load->options;

	if (!may_begin(load, now_ns)) {
		slot->state = SLOT_IDLE;
		load->busy--;
		wake_at(load, slot, NEVER);
		return;
	}
	session_begin(&slot->session, options, &load->tally, load->tally.begun,
	              port_of(load, slot));
	slot->rounds++;
	slot->deadline_ns =
		now_ns +
		(options->timeout_ms + options->messages * options->hold_ms) * MS;
	connect_slot(load, slot);
}

/* --- time and descriptors ------------------------------------------------------------ */

static void
wake(struct load *load, struct slot *slot, uint64_t now_ns)
{
	switch (slot->state) {
	case SLOT_IDLE: break;
	case SLOT_RESTS: begin_session(load, slot, now_ns); break;
	case SLOT_HOLDS:
		load->holding--;
		slot->state = SLOT_TALKS;
		take_state(load, slot, session_release(&slot->session));
		break;
	case SLOT_RETRIES:
		if (now_ns < slot->deadline_ns)
			connect_slot(load, slot);
		else
			take_state(load, slot,
			           session_fail(&slot->session, ERROR_TIMEOUT));
		break;
	case SLOT_CONNECTS:
	case SLOT_TALKS:
		take_state(load, slot, session_fail(&slot->session, ERROR_TIMEOUT));
		break;
	}
}

static void
wake_all_due(struct load *load, uint64_t now_ns)
{
	if (now_ns < load->next_wake_ns)
		return;
	load->next_wake_ns = NEVER;
	for (uint64_t i = 0; i < load->options->sessions; i++) {
		if (load->wake_ns[i] <= now_ns)
			wake(load, &load->slots[i], now_ns);
		/* what waking set is in next_wake_ns already; what stayed is not */
		if (load->wake_ns[i] < load->next_wake_ns)
			load->next_wake_ns = load->wake_ns[i];
	}
}

static void
serve(struct load *load, struct slot *slot)
{
	switch (slot->state) {
	case SLOT_CONNECTS: connected(load, slot); break;
	case SLOT_TALKS: take_state(load, slot, session_readable(&slot->session)); break;
	case SLOT_HOLDS: /* nothing was asked: the milter has closed */
		load->holding--;
		take_state(load, slot, session_fail(&slot->session, ERROR_CLOSED));
		break;
	default: break;
	}
}

static int
wait_ms(const struct load *load)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	if (load->next_wake_ns <= now_ns)
		return 0;
	uint64_t ms = (load->next_wake_ns - now_ns + MS - 1) / MS;
	return ms < WAIT_MAX_MS ? (int)ms : WAIT_MAX_MS;
}

/* Nobody is held any longer. */
static void
release_all(struct load *load)
{
	for (uint64_t i = 0; i < load->options->sessions; i++)
		if (load->slots[i].state == SLOT_HOLDS)
			wake_at(load, &load->slots[i], 0);
}

static void
run(struct load *load)
{
	struct epoll_event events[EVENTS_MAX];
	bool released = false;

	load->begun_ns = clock_ns(CLOCK_MONOTONIC);
	load->busy = load->options->sessions;
	for (uint64_t i = 0; i < load->options->sessions; i++)
		begin_at(load, &load->slots[i], 0);
	for (;;) {
		wake_all_due(load, clock_ns(CLOCK_MONOTONIC));
		if (load->busy == 0)
			break;
		int ready = epoll_wait(load->epoll, events, EVENTS_MAX, wait_ms(load));
		if (ready < 0 && errno != EINTR)
			err(1, "epoll_wait");
		for (int i = 0; i < ready; i++)
			serve(load, events[i].data.ptr);
		if (stopped && !released) {
			release_all(load);
			released = true;
		}
	}
}

/* --- start --------------------------------------------------------------------------- */

static void
need_descriptors(uint64_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(1, "getrlimit");
	if (limit.rlim_max < count)
		errx(1, "%ju descriptors are needed, %ju are allowed", (uintmax_t)count,
		     (uintmax_t)limit.rlim_max);
	if (limit.rlim_cur >= count)
		return;
	limit.rlim_cur = count;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(1, "setrlimit");
}

static void
heed_signals(void)
{
	struct sigaction action = {.sa_handler = stop};

	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void
load_init(struct load *load, const struct milter_options *options)
{
	load->options = options;
	endpoint_parse(options->to, &load->to);
	tally_init(&load->tally, options);
	need_descriptors(options->sessions + SPARE_DESCRIPTORS);
	load->slots = calloc(options->sessions, sizeof *load->slots);
	load->wake_ns = calloc(options->sessions, sizeof *load->wake_ns);
	if (load->slots == NULL || load->wake_ns == NULL)
		err(1, "calloc");
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll < 0)
		err(1, "epoll_create1");
}

int
main(int argc, char **argv)
{
	static struct load load;
	struct milter_options options = milter_options_read(argc, argv);

	heed_signals();
	load_init(&load, &options);
	run(&load);
	tally_print(&load.tally, &options, clock_ns(CLOCK_MONOTONIC) - load.begun_ns,
	            clock_ns(CLOCK_PROCESS_CPUTIME_ID));
	close(load.epoll);
	free(load.slots);
	free(load.wake_ns);
	bool good = tally_errors(&load.tally) == 0;
	tally_free(&load.tally);
	return good ? 0 : 1;
}
