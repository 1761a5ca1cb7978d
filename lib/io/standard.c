/* standard.c - standard input, output and error. */
#include "io/standard.h"

#include <fcntl.h>
#include <unistd.h>

void
standard_take_up(void)
{
	/* The lowest that is free is opened; the wrong way, so that EBADF comes as before. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}
