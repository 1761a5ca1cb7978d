/* screen.h - the alternate screen of a terminal, and the terminal given back as it was. */
#ifndef WEIR_CTL_SCREEN_H
#define WEIR_CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * Takes the terminal over: alternate screen, no cursor, keys without echo.  Whatever signal ends
 * the program, or stops it for a while, the terminal is as before then.
 */
void screen_open(void);
void screen_close(void);

/* Fills the screen with these lines; what does not fit is cut. */
void screen_show(struct slice lines);

enum screen_event { SCREEN_DUE, SCREEN_RESIZED, SCREEN_QUIT };

/* Waits so long, or until there is something to do: a key 'q', another size, the end of input. */
enum screen_event screen_wait(int64_t ms);

#endif
