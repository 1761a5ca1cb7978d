/* listen.c - listening sockets. */
#include "io/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/mem.h"

#define BACKLOG        1024
#define ACCEPTS_A_TURN 64
#define PAUSE_MS       100

struct listener {
	int fd;
	char *path; /* of the unix socket to remove at the end; NULL when it is not ours */
	struct watch *watch;
	struct loop_timer *pause;
	accept_fn *fn;
	void *arg;
};

static struct listener *
new_listener(int fd, const char *path)
{
	struct listener *listener = mem_new(struct listener);
	listener->fd = fd;
	listener->path = path ? mem_dup(slice_of(path)) : NULL;
	return listener;
}

static int
socket_for(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Whether somebody accepts connections there. */
static bool
is_served(const struct sockaddr_un *name)
{
	int fd = socket_for(AF_UNIX);
	if (fd < 0)
		return false;
	int rc = connect(fd, (const struct sockaddr *)name, sizeof(*name));
	bool served = rc == 0 || errno == EAGAIN || errno == EACCES;
	close(fd);
	return served;
}

static bool
set_group(const char *path, const char *name, struct err *err)
{
	if (!*name)
		return true;
	struct group *group = getgrnam(name);
	if (!group)
		return err_set(err, "there is no group \"%s\" for %s", name, path);
	if (lchown(path, (uid_t)-1, group->gr_gid) != 0)
		return err_set_errno(err, "cannot give %s to group %s", path, name);
	return true;
}

static bool
bind_unix(int fd, const struct sockaddr_un *name, const struct socket_rights *rights,
          struct err *err)
{
	struct stat st;
	if (lstat(name->sun_path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return err_set(err, "%s exists and is not a socket",
			               name->sun_path);
		if (is_served(name))
			return err_set(err, "%s is in use by another process",
			               name->sun_path);
		unlink(name->sun_path);
	}
	mode_t old = umask(~rights->mode & 0777);
	int rc = bind(fd, (const struct sockaddr *)name, sizeof(*name));
	int error = errno;
	umask(old);
	errno = error;
	if (rc != 0)
		return err_set_errno(err, "cannot listen on unix:%s", name->sun_path);
	if (set_group(name->sun_path, rights->group, err))
		return true;
	unlink(name->sun_path);
	return false;
}

static struct listener *
open_unix(const struct endpoint *endpoint, const struct socket_rights *rights,
          struct err *err)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct text path = TEXT(name.sun_path);
	text_puts(&path, endpoint->host);
	int fd = socket_for(AF_UNIX);
	if (fd < 0) {
		err_set_errno(err, "cannot make a socket");
		return NULL;
	}
	if (!bind_unix(fd, &name, rights, err)) {
		close(fd);
		return NULL;
	}
	if (listen(fd, BACKLOG) != 0) {
		err_set_errno(err, "cannot listen on unix:%s", endpoint->host);
		close(fd);
		unlink(name.sun_path);
		return NULL;
	}
	return new_listener(fd, name.sun_path);
}

static int
bind_inet(const struct addrinfo *info)
{
	int on = 1, fd = socket_for(info->ai_family);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static struct listener *
open_inet(const struct endpoint *endpoint, struct err *err)
{
	char service[8];
	snprintf(service, sizeof(service), "%u", endpoint->port);
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	                         .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
			*info;
	int rc = getaddrinfo(endpoint->host, service, &hints, &info);
	if (rc != 0) {
		err_set(err, "cannot listen on inet:%s:%u: %s", endpoint->host,
		        endpoint->port, gai_strerror(rc));
		return NULL;
	}
	int fd = bind_inet(info);
	if (fd < 0)
		err_set_errno(err, "cannot listen on inet:%s:%u", endpoint->host,
		              endpoint->port);
	freeaddrinfo(info);
	return fd < 0 ? NULL : new_listener(fd, NULL);
}

struct listener *
listen_open(const struct endpoint *endpoint, const struct socket_rights *rights,
            struct err *err_out)
{
	return endpoint->is_unix ? open_unix(endpoint, rights, err_out)
	                         : open_inet(endpoint, err_out);
}

struct listener *
listen_take(int fd)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return new_listener(fd, NULL);
}

void
listen_name(const struct listener *listener, struct text *out)
{
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_storage room;
	} name = {0};

	socklen_t len = sizeof(name);
	struct endpoint endpoint = {0};
	struct text host = TEXT(endpoint.host);
	struct addr addr;
	getsockname(listener->fd, &name.any, &len);
	endpoint.is_unix = !addr_of_socket(&name.any, &addr, &endpoint.port);
	if (endpoint.is_unix)
		text_puts(&host, name.local.sun_path);
	else
		addr_print(&addr, &host);
	endpoint_print(&endpoint, out);
}

int
listen_fd(const struct listener *listener)
{
	return listener->fd;
}

/* Closed when descriptors run out, so that who comes can be accepted and sent away. */
static int spare = -1;

static void
keep_spare(void)
{
	if (spare < 0)
		spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Who is left waiting learns nothing, and waits for as long as it can. */
static bool
send_away(const struct listener *listener)
{
	static int64_t last_ms;
	int error = errno;
	if ((error != EMFILE && error != ENFILE) || spare < 0)
		return false;
	close(spare);
	spare = -1;
	int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	keep_spare();
	if (fd >= 0 && log_ration(&last_ms, 60))
		log_warning(
			"closing a new connection without an answer: %s (raise LimitNOFILE)",
			strerror(error));
	errno = error;
	return fd >= 0;
}

/* Most likely memory ran out: look again when some may be free, do not spin. */
static void
pause_accepting(struct listener *listener)
{
	static int64_t last_ms;
	if (log_ration(&last_ms, 60))
		log_warning("cannot accept a connection: %s", strerror(errno));
	watch_set(listener->watch, 0);
	timer_start(listener->pause, PAUSE_MS);
}

static void
on_pause_over(void *arg)
{
	struct listener *listener = arg;
	watch_set(listener->watch, LOOP_READ);
}

static void
on_connection(void *arg, int ready)
{
	struct listener *listener = arg;
	(void)ready;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			int on = 1;
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
			listener->fn(listener->arg, fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != ECONNABORTED && errno != EINTR &&
		           !send_away(listener)) {
			pause_accepting(listener);
			return;
		}
	}
}

void
listen_start(struct listener *listener, struct loop *loop, accept_fn *fn, void *arg)
{
	keep_spare();
	listener->fn = fn;
	listener->arg = arg;
	listener->pause = timer_new(loop, on_pause_over, listener);
	listener->watch = watch_new(loop, listener->fd, on_connection, listener);
	watch_set(listener->watch, LOOP_READ);
}

void
listen_close(struct listener **listener_at)
{
	struct listener *listener = *listener_at;
	*listener_at = NULL;
	if (!listener)
		return;
	watch_free(&listener->watch);
	timer_free(&listener->pause);
	if (listener->path)
		unlink(listener->path);
	close(listener->fd);
	free(listener->path);
	free(listener);
}

int
listen_inherited(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t number = 0, n = 0;
	bool ours = pid && fds && slice_to_u64(slice_of(pid), INT32_MAX, &number) &&
	            (pid_t)number == getpid() && slice_to_u64(slice_of(fds), 64, &n);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return ours ? (int)n : 0;
}
