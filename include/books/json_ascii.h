/* json_ascii.h - JSON that shows nothing but what can be seen. */
#ifndef WEIR_JSON_ASCII_H
#define WEIR_JSON_ASCII_H

#include <stddef.h>

struct json_t;

/*
 * The value as text, of ASCII alone: control and format characters that came from outside would
 * else reach the terminal of who reads it.  `flags` are those of json_dumps(); to be given to
 * free().
 */
char *json_ascii(const struct json_t *value, size_t flags);

#endif
