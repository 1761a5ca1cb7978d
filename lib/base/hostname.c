/* hostname.c - what may be the name of a host or a domain. */
#include "base/hostname.h"

#define LABEL_MAX 63

static bool
is_label(struct slice label)
{
	for (size_t i = 0; i < label.n; i++) {
		char c = label.p[i];
		if (!ascii_alpha(c) && !ascii_digit(c) && c != '-' && c != '_')
			return false;
	}
	return label.n > 0 && label.n <= LABEL_MAX;
}

bool
hostname_is_valid(struct slice name)
{
	struct slice label = {0};
	uint64_t number;
	if (name.n == 0 || name.n > HOSTNAME_MAX)
		return false;
	while (slice_cut(&name, '.', &label))
		if (!is_label(label))
			return false;
	return !slice_to_u64(label, UINT64_MAX, &number);
}
