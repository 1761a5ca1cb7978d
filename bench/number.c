/* Numbers on the command lines of the benchmark programs. */
#include "number.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>

uint64_t
number(const char *text, uint64_t min, uint64_t max)
{
	char *end = NULL;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || value < min ||
	    value > max)
		errx(1, "%s: want a number from %ju to %ju", text, (uintmax_t)min,
		     (uintmax_t)max);
	return value;
}
