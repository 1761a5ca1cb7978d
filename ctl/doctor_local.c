/* doctor_local.c - whether an endpoint is for this host only. */
#include "doctor.h"
#include "endpoint.h"

bool
doctor_is_local(const char *text)
{
	struct endpoint endpoint;
	if (!endpoint_parse(slice_of(text), &endpoint) || endpoint.is_unix)
		return true;
	return strncmp(endpoint.host, "127.", 4) == 0 ||
	       strcmp(endpoint.host, "::1") == 0 ||
	       slice_eq_nocase(slice_of(endpoint.host), SLICE("localhost"));
}
