/* server.c - libmilter at work. */
#include "server.h"

#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/endpoint.h"
#include "base/log.h"
#include "base/thread.h"
#include "callbacks.h"
#include "io/http.h"
#include "io/listen.h"

/* Enough for what the callbacks do; workers may become many. */
#define STACK_BYTES (256 * 1024)

size_t
server_descriptors(const struct conf *conf)
{
	/*
	 * Sessions that are not judged are connected all the same, and libmilter burns the
	 * processor when descriptors run out.
	 */
	return 2 * (size_t)conf->milter.max_sessions + http_descriptors();
}

static bool
open_listener(struct server *server, const struct endpoint *endpoint,
              const struct conf *conf, struct err *err)
{
	struct socket_rights rights = {.mode = (unsigned)conf->milter.socket_mode,
	                               .group = conf->milter.socket_group};
	server->listener = listen_open(endpoint, &rights, err);
	return server->listener != NULL;
}

/* libmilter gets a copy of the descriptor: it closes what it has. */
static bool
hand_over(const struct server *server)
{
	char where[32];
	int fd = fcntl(listen_fd(server->listener), F_DUPFD_CLOEXEC, 0);
	snprintf(where, sizeof(where), "fd:%d", fd);
	return fd >= 0 && smfi_setconn(where) == MI_SUCCESS &&
	       smfi_opensocket(false) == MI_SUCCESS;
}

/* "fd:" is Debian's: any other libmilter opens the socket itself. */
static bool
let_libmilter_open(struct server *server, const struct endpoint *endpoint,
                   const struct conf *conf, struct err *err)
{
	char where[sizeof(endpoint->host) + 32];
	listen_close(&server->listener);
	if (endpoint->is_unix)
		snprintf(where, sizeof(where), "unix:%s", endpoint->host);
	else
		snprintf(where, sizeof(where), "%s:%u@%s",
		         strchr(endpoint->host, ':') ? "inet6" : "inet", endpoint->port,
		         endpoint->host);
	mode_t old = umask(~(mode_t)conf->milter.socket_mode & 0777);
	bool opened =
		smfi_setconn(where) == MI_SUCCESS && smfi_opensocket(true) == MI_SUCCESS;
	umask(old);
	return opened || err_set(err, "libmilter cannot listen on %s", where);
}

bool
server_bind(struct server *server, const struct daemon *daemon, struct sessions *sessions,
            struct err *err_out)
{
	const struct conf *conf = daemon->conf;
	struct endpoint endpoint;
	if (!callbacks_register(sessions))
		return err_set(err_out, "libmilter is of another version");
	if (daemon->inherited_fds > 1)
		return err_set(err_out, "systemd passed %d sockets, not one",
		               daemon->inherited_fds);
	if (daemon->inherited_fds == 1) {
		server->listener = listen_take(LISTEN_FIRST_INHERITED);
		return hand_over(server) ||
		       err_set(err_out, "libmilter does not accept systemd's socket");
	}
	if (!endpoint_parse(slice_of(conf->milter.listen), &endpoint))
		return err_set(err_out, "milter.listen: %s", conf->milter.listen);
	return open_listener(server, &endpoint, conf, err_out) &&
	       (hand_over(server) ||
	        let_libmilter_open(server, &endpoint, conf, err_out));
}

/* Where a thread cannot be made, libmilter forgets the session that needs it. */
static void
raise_thread_limit(const struct conf *conf)
{
	struct rlimit limit;
	rlim_t wanted = 2 * (rlim_t)conf->milter.max_sessions;
	if (getrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_cur < wanted)
		log_warning(
			"only %llu threads are allowed, but up to %llu may be needed: lower milter.max_sessions or raise the limit",
			(unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
}

static void
set_stack_of_workers(void)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_setattr_default_np(&attr);
	pthread_attr_destroy(&attr);
}

static void *
run_libmilter(void *arg)
{
	struct server *server = arg;
	smfi_main();
	loop_post(server->ended);
	return NULL;
}

static void
on_ended(void *arg)
{
	daemon_failed(arg, "libmilter ended by itself; the mail log may say why");
}

bool
server_start(struct server *server, struct daemon *daemon, struct err *err_out)
{
	raise_thread_limit(daemon->conf);
	set_stack_of_workers();
	server->ended = post_new(daemon->loop, on_ended, daemon);
	int rc = thread_start(run_libmilter, server);
	if (rc != 0)
		return err_set(err_out, "cannot start a thread: %s", strerror(rc));
	if (server->listener) {
		char buf[300];
		struct text name = TEXT(buf);
		listen_name(server->listener, &name);
		log_info("listening on %s", buf);
	}
	return true;
}

void
server_stop(struct server *server)
{
	/* `ended` stays: its thread may come to it as long as the process lives. */
	listen_close(&server->listener);
}
