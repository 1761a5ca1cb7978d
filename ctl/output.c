/* output.c - JSON: printed for programs, and what stands in it. */
#include "output.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "books/json_ascii.h"

static void
print(json_t *value, size_t flags)
{
	char *text = json_ascii(value, flags | JSON_ENCODE_ANY);
	puts(text);
	free(text);
	json_decref(value);
}

void
print_json(json_t *value)
{
	print(value, JSON_INDENT(2));
}

void
print_json_line(json_t *value)
{
	print(value, JSON_COMPACT);
	fflush(stdout);
}

const char *
json_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

int64_t
json_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

bool
json_flag(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}
