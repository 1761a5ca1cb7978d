/* output.h - JSON: printed for programs, and what stands in it. */
#ifndef WEIR_CTL_OUTPUT_H
#define WEIR_CTL_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

struct json_t; /* jansson's */

/* Prints the value on standard output, gives it back. */
void print_json(struct json_t *value);

/* The same in one line. */
void print_json_line(struct json_t *value);

/* Members of an object; "", 0 or false where there is none. */
const char *json_text(const struct json_t *object, const char *name);
int64_t json_number(const struct json_t *object, const char *name);
bool json_flag(const struct json_t *object, const char *name);

#endif
