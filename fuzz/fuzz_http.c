/*
 * fuzz_http.c - any bytes on the HTTP port, judged as they come.
 *
 * What must hold: a head found in the first bytes is found in all of them; what is said to be part
 * of a request lies within its head and holds no control character.
 */
#include <stdint.h>
#include <stdlib.h>

#include "io/http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
lies_within(struct slice part, struct slice whole)
{
	if (part.n == 0)
		return;
	must(part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
	for (size_t i = 0; i < part.n; i++)
		must(part.p[i] == '\t' || (unsigned char)part.p[i] >= ' ');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = {.p = (const char *)data, .n = size};
	struct http_request request;
	if (size == 0 || size > HTTP_HEAD_MAX)
		return 0;
	size_t length = http_head_length(bytes);
	must(length <= size);
	if (length == 0)
		return 0;
	struct slice head = slice_head(bytes, length);
	must(http_head_length(head) == length);
	must(http_head_length(slice_head(head, length - 1)) == 0);
	if (!http_request_parse(head, &request))
		return 0;
	lies_within(request.method, head);
	lies_within(request.path, head);
	lies_within(request.host, head);
	must(request.method.n > 0 && request.path.p[0] == '/');
	http_host_is_local(&request);
	return 0;
}
