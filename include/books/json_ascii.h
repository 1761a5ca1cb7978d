/* json_ascii.h - JSON without invisible characters. */
#ifndef WEIR_JSON_ASCII_H
#define WEIR_JSON_ASCII_H

#include <stddef.h>

struct json_t;

/*
 * The value as ASCII text: otherwise control and format characters from outside would reach the
 * reader's terminal.  `flags` are those of json_dumps(); the caller frees the text with free().
 */
char *json_ascii(const struct json_t *value, size_t flags);

#endif
