/* escape.h - bytes from anywhere, made safe for a terminal, or found safe for a shell. */
#ifndef WEIR_CTL_ESCAPE_H
#define WEIR_CTL_ESCAPE_H

#include <stdbool.h>

#include "base/slice.h"

/*
 * A copy, to be given to free(): control and format characters (such as turn the direction of
 * writing) and what is no UTF-8 become \xNN; with `ascii` all that is not ASCII does.
 */
char *escape(struct slice raw, bool ascii);

/*
 * Whether any shell takes it for one word of these bytes, and a command for no option and no regular
 * expression: only then may it stand in a line that is there to be copied.
 */
bool is_plain_word(struct slice raw);

/* Takes the next character off `rest`, at least a byte; false when it is no UTF-8. */
bool utf8_take(struct slice *rest, uint32_t *code_out);

/* How many columns of a terminal an escaped text takes. */
size_t columns_of(struct slice escaped);

/* As much of its beginning as fits into that many columns. */
struct slice columns_head(struct slice escaped, size_t columns);

#endif
