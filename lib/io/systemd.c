/* systemd.c - the notification protocol, which is one datagram (sd_notify(3)). */
#include "systemd.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/slice.h"

void
systemd_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	if (!path || strlen(path) < 2 || strlen(path) >= sizeof(name.sun_path))
		return;
	memcpy(name.sun_path, path, strlen(path));
	if (name.sun_path[0] == '@') /* an abstract name */
		name.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	socklen_t len =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&name,
	              len);
	close(fd);
}

int64_t
systemd_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t us = 0, number = 0;
	if (!usec || !slice_to_u64(slice_of(usec), INT64_MAX, &us))
		return 0;
	if (pid && slice_to_u64(slice_of(pid), INT32_MAX, &number) &&
	    (pid_t)number != getpid())
		return 0;
	return (int64_t)(us / 1000 / 2);
}
