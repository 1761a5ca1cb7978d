/* header.c - the header that tells how long greylisting held a message up. */
#include "rules/header.h"

#include "base/clock.h"

void
header_print(const char *node, int64_t delayed_s, int64_t now_s, struct text *out)
{
	text_printf(out, "X-Greylist: delayed %lld seconds by weir at %s; ",
	            (long long)delayed_s, node);
	clock_print_rfc5322(now_s, out);
}
