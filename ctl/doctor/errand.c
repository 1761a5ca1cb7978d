/* errand.c - what is done in a child process: other programs, and trying as another user. */
#include "errand.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/process.h"

enum { CONNECT_MS = 3000, NOT_STARTED = 127 };

/* ---- another program ---- */

static void
become_program(const char *const argv[], int output)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(NOT_STARTED);
}

/* Reads to the end, or as much and as long as is allowed; whether that was the end. */
static bool
read_all(int fd, struct text *into)
{
	int64_t end_ms = clock_mono_ms() + ERRAND_MS;
	for (;;) {
		int64_t left_ms = end_ms - clock_mono_ms();
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		if (left_ms <= 0 || into->n + 1 >= into->cap)
			return false;
		if (poll(&ready, 1, (int)left_ms) <= 0)
			continue;
		ssize_t n = read(fd, into->p + into->n, into->cap - 1 - into->n);
		if (n == 0)
			return true;
		if (n > 0)
			into->n += (size_t)n;
	}
}

static int
reap(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
judge_end(const char *name, bool whole, int status, struct err *err_out)
{
	if (!whole)
		return err_set(err_out, "%s does not end, or prints too much", name);
	if (status == NOT_STARTED)
		return err_set(err_out, "%s cannot be started", name);
	if (status != 0)
		return err_set(err_out, "%s ended with status %d", name, status);
	return true;
}

bool
errand_output(const char *const argv[], char **output_out, struct err *err_out)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set_errno(err_out, "pipe");
	pid_t pid = fork();
	if (pid == 0)
		become_program(argv, ends[1]);
	close(ends[1]);
	struct text output = {.p = mem_alloc(ERRAND_OUTPUT_MAX),
	                      .cap = ERRAND_OUTPUT_MAX};
	bool whole = pid > 0 && read_all(ends[0], &output);
	close(ends[0]);
	if (pid > 0 && !whole)
		kill(pid, SIGKILL);
	int status = pid > 0 ? reap(pid) : -1;
	*output_out = output.p;
	if (judge_end(argv[0], whole, status, err_out))
		return true;
	free(*output_out);
	*output_out = NULL;
	return false;
}

/* ---- as another user ---- */

/* Runs it in a child that has become the user; an errno fits into the exit status. */
static int
try_as(const char *user, int (*try)(const void *what, int how), const void *what, int how)
{
	struct err ignored;
	pid_t pid = fork();
	if (pid == 0)
		_exit(rights_become(user, &ignored) ? try(what, how) : EPERM);
	int status = pid > 0 ? reap(pid) : -1;
	return status >= 0 ? status : EIO;
}

static int
try_access(const void *what, int how)
{
	return faccessat(AT_FDCWD, what, how, AT_EACCESS) == 0 ? 0 : errno;
}

int
errand_try_access(const char *user, const char *path, int how)
{
	return try_as(user, try_access, path, how);
}

/* Connects within CONNECT_MS. */
static int
connect_to(const struct sockaddr *addr, socklen_t len)
{
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int why = connect(fd, addr, len) == 0 ? 0 : errno;
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(why);
	if (why == EINPROGRESS && poll(&ready, 1, CONNECT_MS) != 1)
		why = ETIMEDOUT;
	else if (why == EINPROGRESS)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size);
	close(fd);
	return why;
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct text text = TEXT(addr.sun_path);
	text_puts(&text, path);
	return connect_to((const struct sockaddr *)&addr, sizeof(addr));
}

static int
try_connect(const void *what, int how)
{
	const struct endpoint *endpoint = what;
	(void)how;
	if (endpoint->is_unix)
		return connect_unix(endpoint->host);
	char port[8];
	struct text text = TEXT(port);
	text_int(&text, endpoint->port);
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	if (getaddrinfo(endpoint->host, port, &hints, &found) != 0)
		return EADDRNOTAVAIL;
	int why = EADDRNOTAVAIL;
	for (const struct addrinfo *one = found; one && why != 0; one = one->ai_next)
		why = connect_to(one->ai_addr, one->ai_addrlen);
	freeaddrinfo(found);
	return why;
}

int
errand_try_connect(const char *user, const struct endpoint *endpoint)
{
	return try_as(user, try_connect, endpoint, 0);
}
