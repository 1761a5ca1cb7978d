/* Socket addresses of the benchmark programs. */
#include "endpoint.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static void
parse_unix(const char *path, struct endpoint *out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (*path == '\0' || strlen(path) >= sizeof address.sun_path)
		errx(1, "unix:%s: path is empty or too long", path);
	memcpy(address.sun_path, path, strlen(path));
	memcpy(&out->address, &address, sizeof address);
	out->length = sizeof address;
}

static void
parse_inet(const char *text, struct endpoint *out)
{
	const char *colon = strrchr(text, ':');
	char host[256];
	size_t length = colon == NULL ? 0 : (size_t)(colon - text);

	if (length == 0 || length >= sizeof host)
		errx(1, "inet:%s: want inet:HOST:PORT", text);
	if (text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	memcpy(host, text, length);
	host[length] = '\0';

	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int rc = getaddrinfo(host, colon + 1, &hints, &found);
	if (rc != 0)
		errx(1, "inet:%s: %s", text, gai_strerror(rc));
	memcpy(&out->address, found->ai_addr, found->ai_addrlen);
	out->length = found->ai_addrlen;
	freeaddrinfo(found);
}

void
endpoint_parse(const char *text, struct endpoint *endpoint_out)
{
	memset(endpoint_out, 0, sizeof *endpoint_out);
	if (strncmp(text, "unix:", 5) == 0)
		parse_unix(text + 5, endpoint_out);
	else if (strncmp(text, "inet:", 5) == 0)
		parse_inet(text + 5, endpoint_out);
	else
		errx(1, "%s: want inet:HOST:PORT or unix:PATH", text);
}

/* An answer must not wait for more to send. */
static void
set_no_delay(int fd)
{
	int on = 1;

	/* refused on a Unix socket, where there is nothing to switch off */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void
set_non_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		err(1, "fcntl");
}

static int
new_socket(const struct endpoint *endpoint)
{
	int fd = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

int
endpoint_connect(const struct endpoint *endpoint)
{
	int fd = new_socket(endpoint);

	if (connect(fd, (const struct sockaddr *)&endpoint->address, endpoint->length) <
	    0)
		err(1, "connect");
	set_no_delay(fd);
	set_non_blocking(fd);
	return fd;
}

int
endpoint_begin(const struct endpoint *endpoint)
{
	int fd = new_socket(endpoint);

	set_no_delay(fd);
	set_non_blocking(fd);
	if (connect(fd, (const struct sockaddr *)&endpoint->address, endpoint->length) ==
	            0 ||
	    errno == EINPROGRESS)
		return fd;

	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

int
endpoint_listen(const struct endpoint *endpoint)
{
	int fd = new_socket(endpoint);
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
		err(1, "SO_REUSEADDR");
	if (bind(fd, (const struct sockaddr *)&endpoint->address, endpoint->length) < 0)
		err(1, "bind");
	if (listen(fd, SOMAXCONN) < 0)
		err(1, "listen");
	set_non_blocking(fd);
	return fd;
}

int
endpoint_accept(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0 && errno == EAGAIN)
		return -1;
	if (fd < 0)
		err(1, "accept");
	set_no_delay(fd);
	set_non_blocking(fd);
	return fd;
}
