/* json_ascii.c - JSON that shows nothing but what can be seen. */
#include "books/json_ascii.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define DEL 0x7f

/* The one control character that Jansson lets through; it stands in strings only. */
static char *
without_del(char *json)
{
	size_t n = strlen(json), dels = 0;
	for (size_t i = 0; i < n; i++)
		dels += json[i] == DEL;
	if (dels == 0)
		return json;
	struct text out = {.p = mem_alloc(n + 5 * dels + 1), .cap = n + 5 * dels + 1};
	for (size_t i = 0; i < n; i++)
		if (json[i] == DEL)
			text_puts(&out, "\\u007f");
		else
			text_putc(&out, json[i]);
	free(json);
	return out.p;
}

char *
json_ascii(const struct json_t *value, size_t flags)
{
	char *json = json_dumps(value, flags | JSON_ENSURE_ASCII);
	if (!json)
		log_fatal("out of memory (JSON)");
	return without_del(json);
}
